//! Why a row is as it is: one or two sentences for each kind of row, true on Linux.

use super::Story;
use super::because::because;
use super::ladder;
use super::rows::{Row, Wire};
use super::side::Side;
use super::stack;
use super::telling::Why;
use crate::event::{EventId, ExitStatus, Gap, What};
use crate::socket::errno::Signal;

mod acks;
mod calls;
mod data;
mod errors;
mod holds;
mod resets;
mod segments;
mod setting_up;

use segments::Shown;

pub fn why(story: &Story, row: &Row) -> Why {
    let because = because(story, row.event, &row.events);
    Why {
        title: title(row),
        sentences: sentences(story, row).into_iter().chain(places(story, row)).collect(),
        later: later(story, row),
        because: because.words,
        evidence: because.evidence,
        chain: because.chain,
        findings: story.found().resting_on(&row.events),
    }
}

/// What the row is, in its own words: the caller's, else what the network's column says.
fn title(row: &Row) -> String {
    let texts = match &row.wire {
        Wire::Arrow { from, .. } => [&row.text[*from], &row.text[from.peer()]],
        _ => [&row.text.client, &row.text.server],
    };
    let words = match &row.wire {
        Wire::Arrow { label, .. } => label.clone(),
        Wire::Handshake(_) => "handshake".to_owned(),
        Wire::Pause(_) => "pause".to_owned(),
        Wire::Note(words) => words.clone(),
        Wire::NothingSent | Wire::Empty => String::new(),
    };
    let is_call = |text: &&&String| text.contains('(');
    let text = texts.iter().find(is_call).or_else(|| texts.iter().find(|text| !text.is_empty()));
    let both = texts.iter().all(|text| text.contains('(')) && !matches!(row.wire, Wire::Arrow { .. });
    let text = if both {
        Some(texts.map(String::as_str).join(" · "))
    } else {
        text.map(|text| text.trim_end_matches(" ✗").to_owned())
    };
    match (&row.wire, text) {
        (Wire::Arrow { .. } | Wire::Pause(_), Some(text)) if text.contains('(') && !words.ends_with("RST") => {
            format!("{text}, {words}")
        }
        (Wire::Arrow { .. } | Wire::Handshake(_) | Wire::Pause(_), _) | (_, None) => words,
        (_, Some(text)) => text,
    }
}

fn sentences(story: &Story, row: &Row) -> Vec<String> {
    let Some(event) = story.journal().get(row.event) else { return Vec::new() };
    match &event.what {
        What::Segment { .. } if matches!(row.wire, Wire::Pause(_)) => vec![silence(story, row)],
        What::Segment { segment, .. } => {
            Shown::new(story, row, event, segment).map(segments::sentences).unwrap_or_default()
        }
        What::Begun(call) => calls::waiting(story, row, call),
        What::Ended { begun, outcome } => match story.call(*begun) {
            Some((call, _)) if row.events.len() > 2 && ladder::is_setting_up(call.name) => {
                setting_up::group(story, row).unwrap_or_else(|| calls::sentences(story, row, call, outcome))
            }
            Some((call, _)) => calls::sentences(story, row, call, outcome),
            None => Vec::new(),
        },
        What::Holds(holding) => holds::sentences(story, event, holding),
        What::Exit(status) => exit(story, row, *status),
        What::Gap(gap) => vec![self::gap(gap)],
        What::Stack(_) | What::Started { .. } | What::Sample(_) => Vec::new(),
    }
}

/// Where the row's calls were made, as far as their stacks were taken.
fn places(story: &Story, row: &Row) -> Vec<String> {
    let begun = |id: &EventId| story.journal().get(*id).and_then(|event| event.ended()).map(|(begun, _)| begun);
    let mut places: Vec<String> =
        row.events.iter().filter_map(begun).filter_map(|begun| stack::sentence(story, begun)).collect();
    places.dedup();
    places
}

/// What became in the end of the bytes that the row shows on their way.
fn later(story: &Story, row: &Row) -> Option<String> {
    let event = story.journal().get(row.event)?;
    let (_, segment) = event.segment().filter(|(_, segment)| segment.payload_len > 0)?;
    if matches!(row.wire, Wire::Pause(_)) {
        return None;
    }
    Shown::new(story, row, event, segment).filter(|shown| !shown.is_with_itself()).and_then(data::later)
}

/// A pause in a capture without calls, before the row's event.
fn silence(story: &Story, row: &Row) -> String {
    let before = EventId(row.event.0.saturating_sub(1));
    let ends = row.connection.and_then(|id| story.latest(id, before)).and_then(|id| story.record(id));
    let owed = ends.is_some_and(|record| {
        Side::BOTH.into_iter().any(|side| record.ends[side].tcp.snd_una.is_before(record.ends[side].tcp.snd_nxt))
    });
    if owed {
        return "Nothing was seen, although something that was sent is not acknowledged: a timer or the other end is waited \
                for."
            .to_owned();
    }
    "Nothing was sent, for nothing was owed. TCP can be silent for ever.".to_owned()
}

fn exit(story: &Story, row: &Row, status: ExitStatus) -> Vec<String> {
    match status {
        ExitStatus::Killed(Signal::SIGPIPE) => {
            let during = if killed_in_send(story, row) {
                "SIGPIPE's default action ended the program inside send(): no error was returned and no message printed."
            } else {
                "SIGPIPE was pending since the failed send(); now that it is let through, its default action ends the program."
            };
            vec![during.to_owned(), "A shell shows this as status 141, which is 128 + 13.".to_owned()]
        }
        ExitStatus::Killed(signal) => {
            vec![format!("{signal} ended the program at once; its kernel closes what was left open, as after any end.")]
        }
        ExitStatus::Code(_) => {
            let left_open =
                row.events.iter().any(|id| story.journal().get(*id).is_some_and(|event| event.segment().is_some()));
            if !left_open && has_copies_elsewhere(story, row) {
                return vec![
                    "The end of a program closes every descriptor that it left open, but another process has copies: nothing is \
                     sent."
                        .to_owned(),
                ];
            }
            let end = if left_open {
                "and with it the connection: only now is the FIN sent"
            } else {
                "and nothing was left to be sent"
            };
            vec![format!("The end of a program closes every descriptor that it left open, {end}.")]
        }
    }
}

/// Whether another process still holds a connection that the row's program held.
fn has_copies_elsewhere(story: &Story, row: &Row) -> bool {
    let Some(actor) = story.journal().get(row.event).and_then(|event| event.actor.as_ref()) else { return false };
    story.connections().iter().any(|connection| {
        let ends = story.latest(connection.id, row.event).and_then(|id| story.record(id)).map(|record| &record.ends);
        Side::BOTH.into_iter().any(|side| {
            let holds = connection.holders[side].contains(actor) && connection.holders[side].len() > 1;
            holds && ends.is_some_and(|ends| ends[side].socket.descriptors > 0 && !ends[side].socket.is_gone())
        })
    })
}

/// Whether the call in which the row's program was killed was one that sends.
fn killed_in_send(story: &Story, row: &Row) -> bool {
    let causes = story.cause(row.event).into_iter().flat_map(|cause| &cause.causes);
    causes.filter_map(|id| story.call(*id)).any(|(call, _)| call.name.sends())
}

fn gap(gap: &Gap) -> String {
    match gap {
        Gap::Dropped(1) => "The capture lost a frame, so what follows may lack its cause.".to_owned(),
        Gap::Dropped(frames) => format!("The capture lost {frames} frames, so what follows may lack its cause."),
        Gap::Malformed { frame, why } => format!("Frame {frame} could not be decoded: {why}."),
        Gap::CutShort { bytes } => format!("The file ends {bytes} bytes into a record; everything before it was used."),
        Gap::NoCapture(why) => format!("No segments can be shown: {why}. Calls, errors and signals are real."),
        Gap::Unsettled(what) => format!("The kernel had not come to rest when the wait reached its bound: {what}."),
        Gap::Untraced(what) => format!("Not followed: {what}."),
        Gap::ClockStep(nanos) => format!(
            "The clock was set by {} µs during the run, so times before and after do not compare.",
            nanos / 1000
        ),
    }
}
