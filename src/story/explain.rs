//! Why a row is as it is: one or two sentences for each kind of row, true on Linux.

use super::Story;
use super::because::because;
use super::rows::{Row, Wire};
use super::side::Side;
use super::telling::Why;
use crate::event::{Event, ExitStatus, Gap, What};
use crate::socket::errno::Signal;

mod calls;
mod segments;

pub fn why(story: &Story, row: &Row) -> Why {
    let because = because(story, row.event, &row.events);
    Why {
        title: title(row),
        sentences: sentences(story, row),
        because: because.words,
        evidence: because.evidence,
        chain: because.chain,
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
        Wire::Handshake => "handshake".to_owned(),
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
        (Wire::Arrow { .. } | Wire::Pause(_), Some(text)) if text.contains('(') && words != "RST" => {
            format!("{text}, {words}")
        }
        (Wire::Arrow { .. } | Wire::Handshake | Wire::Pause(_), _) | (_, None) => words,
        (_, Some(text)) => text,
    }
}

fn sentences(story: &Story, row: &Row) -> Vec<String> {
    let Some(event) = story.journal().get(row.event) else { return Vec::new() };
    match &event.what {
        What::Segment { .. } if matches!(row.wire, Wire::Pause(_)) => vec![silence()],
        What::Segment { segment, .. } => segments::sentences(story, row, event, segment),
        What::Begun(call) => calls::waiting(story, row, call),
        What::Ended { begun, outcome } => match story.call(*begun) {
            Some((call, _)) => calls::sentences(story, row, call, outcome),
            None => Vec::new(),
        },
        What::Exit(status) => exit(story, row, *status),
        What::Gap(gap) => vec![self::gap(gap)],
        What::Started { .. } | What::Sample(_) => Vec::new(),
    }
}

fn silence() -> String {
    "Nothing was sent, for nothing was owed. TCP can be silent for ever.".to_owned()
}

fn exit(story: &Story, row: &Row, status: ExitStatus) -> Vec<String> {
    match status {
        ExitStatus::Killed(Signal::SIGPIPE) => vec![
            "SIGPIPE's default action ended the program inside send(): no error was returned and no message was printed.".to_owned(),
            "A shell shows this as status 141, which is 128 + 13.".to_owned(),
        ],
        ExitStatus::Killed(signal) => vec![format!("{signal} ended the program; its kernel closes what it left open.")],
        ExitStatus::Code(_) => {
            let left_open = row.events.iter().any(|id| story.journal().get(*id).is_some_and(|event| event.segment().is_some()));
            let end = if left_open { "and with it the connection: only now is the FIN sent" } else { "and nothing was left to be sent" };
            vec![format!("The end of a program closes every descriptor that it left open, {end}.")]
        }
    }
}

fn gap(gap: &Gap) -> String {
    match gap {
        Gap::Dropped(frames) => format!("The capture lost {frames} frames, so what follows may lack its cause."),
        Gap::Malformed { frame, why } => format!("Frame {frame} could not be decoded: {why}."),
        Gap::CutShort { bytes } => format!("The file ends {bytes} bytes into a record; everything before it was used."),
        Gap::NoCapture(why) => format!("No segments can be shown: {why}. Calls, errors and signals are real."),
        Gap::Unsettled(what) => format!("The kernel had not come to rest when the wait reached its bound: {what}."),
        Gap::ClockStep(nanos) => format!(
            "The clock was set by {} µs during the run, so times before and after do not compare.",
            nanos / 1000
        ),
    }
}

/// The end that the row's event belongs to.
fn side(story: &Story, event: &Event) -> Side {
    story.record(event.id).and_then(|record| record.side).unwrap_or(Side::Client)
}
