//! A story as text, one line an event, in packetdrill's notation (docs/transcript.md).
//!
//! Times count from the first event. A call's two events share a line with both times. What stands behind `;` is drawn from
//! the events: the frame, the cause, the states.

use std::io::{self, Write};

use crate::event::{Event, EventId, FrameNo, Time, What};
use crate::notation::{ConnectionText, Deed, Moment, SegmentText, Title, TranscriptLine, in_order};
use crate::story::Story;
use crate::story::connection::Connection;
use crate::story::drawing::clean;
use crate::story::side::Side;
use crate::story::telling::Certainty;
use crate::tcp::segment::Segment;

/// Writes `story` as a transcript.
pub fn write(story: &Story, out: &mut dyn Write) -> io::Result<()> {
    let events = story.journal().events();
    let run = story.journal().run();
    let start = events.first().map_or(Time(0), |event| event.time);
    writeln!(out, "{}", Title { name: clean(&run.name), start })?;
    for (name, value) in &run.facts {
        writeln!(out, "# {}: {}", clean(name), clean(value))?;
    }
    for comment in &run.comments {
        for (index, line) in comment.split('\n').enumerate() {
            let head = if index == 0 { Title::COMMENT } else { Title::COMMENT_GOES_ON };
            writeln!(out, "# {head}: {}", clean(line))?;
        }
    }
    for connection in story.connections() {
        writeln!(out, "{}", connection_text(connection))?;
    }
    for (line, note) in lines(story, start) {
        writeln!(out, "{line}{note}")?;
    }
    story.connections().iter().try_for_each(|connection| accounts(story, connection, out))
}

fn connection_text(connection: &Connection) -> ConnectionText {
    let end = |side: Side| (connection.addresses[side], connection.ends[side].tcp.isn);
    ConnectionText { number: connection.id.0, client: end(Side::Client), server: end(Side::Server) }
}

/// The lines with what stands behind each. They carry ids where times alone would not give the order back.
fn lines(story: &Story, start: Time) -> Vec<(TranscriptLine, String)> {
    let events = story.journal().events();
    let (ids, mut written): (Vec<(EventId, Option<EventId>)>, Vec<_>) =
        events.iter().filter_map(|event| line(story, event, start)).unzip();
    let (lines, _): (Vec<TranscriptLine>, Vec<String>) = written.iter().cloned().unzip();
    let id =
        |(index, is_end): &(usize, bool)| ids.get(*index).and_then(|(at, end)| if *is_end { *end } else { Some(*at) });
    if !in_order(&lines).0.iter().map(id).is_sorted() {
        for ((line, _), (at, end_id)) in written.iter_mut().zip(&ids) {
            line.at.id = Some(*at);
            if let Deed::Call { end, .. } = &mut line.deed {
                end.id = *end_id;
            }
        }
    }
    written
}

/// The ids of a line's events.
type Ids = (EventId, Option<EventId>);

/// A line with its events' ids and with what stands behind it; none for the end of a call, which its beginning's line tells.
fn line(story: &Story, event: &Event, start: Time) -> Option<(Ids, (TranscriptLine, String))> {
    let moment = |event: &Event| Moment { since: Time(event.time.since(start)), id: None, late: event.late };
    let actor = event.actor.clone();
    let (deed, end, note) = match &event.what {
        What::Ended { .. } => return None,
        What::Segment { segment, frame } => {
            let (text, note) = segment_text(story, event, segment, frame.number)?;
            (Deed::Segment(text), None, note)
        }
        What::Begun(call) => match story.end_of(event.id).and_then(|id| story.journal().get(id)) {
            Some(end) => {
                let outcome = end.ended()?.1.clone();
                let deed = Deed::Call { actor, call: call.clone(), end: moment(end), outcome };
                (deed, Some(end.id), comment(story, event.id, end.id))
            }
            None => (Deed::Event { actor, what: event.what.clone() }, None, String::new()),
        },
        what => (Deed::Event { actor, what: what.clone() }, None, differs(story, event.id)),
    };
    Some(((event.id, end), (TranscriptLine { at: moment(event), deed }, note)))
}

fn segment_text(story: &Story, event: &Event, segment: &Segment, frame: FrameNo) -> Option<(SegmentText, String)> {
    let record = story.record(event.id)?;
    let (connection, side) = (story.connection(record.connection?)?, record.side?);
    let text = SegmentText::new(
        segment,
        connection.id.0,
        side == Side::Client,
        connection.isn(side),
        connection.isn(side.peer()),
    );
    let states: Vec<String> = Side::BOTH
        .into_iter()
        .flat_map(|side| record.changes.iter().filter(move |change| change.side == side && change.from != change.to))
        .map(|change| format!("{} {}", change.side.letter(), change.to))
        .collect();
    let states = if states.is_empty() { String::new() } else { format!("; {}", states.join(", ")) };
    Some((text, format!("   ; {frame}{}{states}", cause(story, event.id))))
}

/// What stands behind the line of a call that began and ended so: what was foretold of it, and its cause.
fn comment(story: &Story, begun: EventId, end: EventId) -> String {
    let foretold = story.foretold(begun).map(|foretold| {
        let wrong = if foretold.held == Some(false) { ", wrongly" } else { "" };
        format!("  foretold {}{wrong}", foretold.text())
    });
    let cause = Some(cause(story, end)).filter(|text| !text.is_empty());
    let parts: Vec<String> = foretold.into_iter().chain(cause).collect();
    if parts.is_empty() { String::new() } else { format!("   ;{}", parts.join(";")) }
}

/// What stands behind the line of a sample that contradicts what was inferred.
fn differs(story: &Story, id: EventId) -> String {
    story.differs(id).map_or_else(String::new, |inferred| format!("   ;  differs: {inferred} by inference"))
}

fn cause(story: &Story, id: EventId) -> String {
    let Some(cause) = story.cause(id) else { return String::new() };
    if cause.certainty == Certainty::Unknown {
        return format!("  unknown: {}", cause.evidence);
    }
    let names: Vec<String> = cause.causes.iter().map(|id| story.name(*id)).collect();
    format!("  {}, {}: {}", names.join(", "), cause.certainty.name(), cause.evidence)
}

fn accounts(story: &Story, connection: &Connection, out: &mut dyn Write) -> io::Result<()> {
    let Some(last) = connection.events.last() else { return Ok(()) };
    let account = story.account(connection.id, *last);
    let number = if story.connections().len() > 1 { format!("{} ", connection.id) } else { String::new() };
    for side in Side::BOTH {
        let way = account[side];
        let read = way.read.map_or_else(String::new, |read| format!(", read {read}"));
        writeln!(
            out,
            "# account {number}{}: sent {}, acknowledged {}{read}, lost {}",
            side.name(),
            way.sent,
            way.acknowledged,
            way.lost
        )?;
    }
    if let Some(verdict) = story.verdict(connection.id) {
        writeln!(out, "# verdict {number}{}, {}", verdict.name, verdict.certainty.name())?;
    }
    Ok(())
}
