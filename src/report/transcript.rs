//! A story as text, one line an event, in packetdrill's notation (docs/transcript.md).
//!
//! Times count from the first event. A call's two events share a line with both times. What stands behind `;` is drawn from
//! the events: the frame, the cause, the states.

use std::io::{self, Write};

use crate::event::{Event, EventId, ExitStatus, Gap, Time, What};
use crate::notation::{self, SegmentText};
use crate::socket::call::Call;
use crate::story::Story;
use crate::story::connection::Connection;
use crate::story::drawing::clean;
use crate::story::side::Side;
use crate::story::telling::Certainty;
use crate::tcp::segment::Segment;

/// Writes `story` as a transcript.
pub fn write(story: &Story, out: &mut dyn Write) -> io::Result<()> {
    let events = story.journal().events();
    let start = events.first().map_or(Time(0), |event| event.time);
    writeln!(out, "# epipe transcript 1   {}   start {start}", one_line(&story.journal().run().name))?;
    for (name, value) in &story.journal().run().facts {
        writeln!(out, "# {name}: {}", one_line(value))?;
    }
    for line in story.journal().run().comments.iter().flat_map(|comment| comment.lines()) {
        writeln!(out, "# comment: {}", clean(line))?;
    }
    for connection in story.connections() {
        writeln!(out, "{}", connection_line(connection))?;
    }
    for event in events {
        if let Some(line) = line(story, event, start) {
            writeln!(out, "{line}")?;
        }
    }
    story.connections().iter().try_for_each(|connection| accounts(story, connection, out))
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn connection_line(connection: &Connection) -> String {
    let end = |side: Side| {
        let isn = connection.ends[side].tcp.isn.map_or_else(String::new, |isn| format!(" isn {}", isn.get()));
        format!("{} {}{isn}", side.name(), connection.addresses[side])
    };
    format!("# connection {}: {}, {}", connection.id, end(Side::Client), end(Side::Server))
}

fn line(story: &Story, event: &Event, start: Time) -> Option<String> {
    let time = seconds(event.time.since(start));
    let actor = event.actor.as_ref().map_or("-", crate::event::Actor::name);
    let text = match &event.what {
        What::Segment { segment, frame } => {
            return Some(segment_line(story, event, segment, frame.number.0, &time));
        }
        What::Begun(call) => return Some(call_line(story, event, call, &time, start)),
        What::Ended { .. } => return None,
        What::Started { pid } => format!("{actor}  started {pid}"),
        What::Exit(ExitStatus::Code(code)) => format!("{actor}  exited {code}"),
        What::Exit(ExitStatus::Killed(signal)) => format!("{actor}  killed {signal}"),
        What::Sample(sample) => {
            let socket = sample.socket.map_or_else(
                || "none".to_owned(),
                |socket| {
                    let owner = if socket.orphan { "orphan" } else { "held" };
                    format!(
                        "{} unread {} unacknowledged {} {owner}",
                        socket.state, socket.unread, socket.unacknowledged
                    )
                },
            );
            format!("kernel  {} > {}  {socket}", sample.local, sample.remote)
        }
        What::Gap(gap) => format!("# {}", gap_text(gap)),
    };
    Some(format!("+{time}  {text}"))
}

fn gap_text(gap: &Gap) -> String {
    match gap {
        Gap::Dropped(frames) => format!("the capture lost {frames} frames"),
        Gap::Malformed { frame, why } => format!("frame {frame} could not be decoded: {}", one_line(why)),
        Gap::CutShort { bytes } => format!("the file ends {bytes} bytes into a record"),
        Gap::NoCapture(why) => format!("no segments: {}", one_line(why)),
        Gap::Unsettled(what) => format!("not settled: {}", one_line(what)),
        Gap::ClockStep(nanos) => format!("the clock was set by {nanos} ns"),
    }
}

/// Seconds with nine decimals.
fn seconds(nanos: i64) -> String {
    Time(nanos).to_string()
}

fn call_line(story: &Story, event: &Event, call: &Call, time: &str, start: Time) -> String {
    let actor = event.actor.as_ref().map_or("-", crate::event::Actor::name);
    let text = notation::call(call);
    let end = story.end_of(event.id).and_then(|id| story.journal().get(id));
    match end.and_then(|end| Some((end, end.ended()?.1))) {
        None => format!("+{time}  {actor}  {text} ..."),
        Some((end, outcome)) => {
            let note = comment(story, end.id);
            format!("+{time}..{}  {actor}  {text} {}{note}", seconds(end.time.since(start)), notation::outcome(outcome))
        }
    }
}

fn segment_line(story: &Story, event: &Event, segment: &Segment, frame: u64, time: &str) -> String {
    let place =
        story.record(event.id).and_then(|record| Some((story.connection(record.connection?)?, record.side?, record)));
    let Some((connection, side, record)) = place else { return format!("+{time}  # frame {frame}") };
    let text = SegmentText::new(
        segment,
        connection.id.0,
        side == Side::Client,
        connection.isn(side),
        connection.isn(side.peer()),
    );
    let states: Vec<String> = Side::BOTH
        .into_iter()
        .filter_map(|side| record.change(side).map(|change| format!("{} {}", side.letter(), change.to)))
        .collect();
    let states = if states.is_empty() { String::new() } else { format!("; {}", states.join(", ")) };
    format!("+{time}          {text}   ; {frame}{}{states}", cause(story, event.id))
}

/// What stands behind a call's line, if anything does.
fn comment(story: &Story, id: EventId) -> String {
    let text = cause(story, id);
    if text.is_empty() { text } else { format!("   ;{text}") }
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
