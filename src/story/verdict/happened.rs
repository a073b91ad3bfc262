//! A verdict's first sentence: what happened, and in which frames.

use std::borrow::Cow;
use std::fmt;

use super::sentences::capital;
use super::{Facts, InVain, Name};
use crate::story::ending::{InFrame, Reset};
use crate::story::side::Side;
use crate::story::standing::bytes;

/// What the sentence on an orderly end takes at most, in bytes, unless bytes were lost.
const CLOSED: usize = 192;

/// What happened.
pub fn happened(facts: &Facts) -> String {
    if facts.with_itself {
        return with_itself(facts);
    }
    match (facts.name(), facts.ending.reset) {
        (Name::Refused, Some(reset)) => {
            format!(
                "The SYN was answered at once with a reset ({}), so connect() failed with ECONNREFUSED.",
                reset.frame
            )
        }
        (Name::Aborted, Some(reset)) => aborted(facts, reset),
        (Name::ResetAfterClose, Some(reset)) => reset_after_close(facts, reset),
        (Name::NobodyHome, Some(reset)) => nobody_home(facts, reset),
        (Name::TimedOut, reset) => timed_out(facts, reset),
        (Name::Unanswered, _) if facts.by_calls.is_filtered => {
            format!("Nothing came back from {}: a filter on the server's socket dropped the SYN.", facts.server)
        }
        (Name::Unanswered, _) if facts.ending.answered => {
            format!("Nothing that answers the SYN came back from {}.", facts.server)
        }
        (Name::Unanswered, _) => format!("Nothing came back from {}.", facts.server),
        (Name::Closed | Name::ClosedSimultaneously, _) => closed(facts),
        (Name::HalfClosed, _) => half_closed(facts),
        _ => "Neither end has said that it will send no more.".to_owned(),
    }
}

/// A socket that is connected with itself: the peer's words are its own, so that one FIN or one reset ends both directions.
fn with_itself(facts: &Facts) -> String {
    format!(
        "Source and destination are the same ({}): this socket is connected with itself and reads what it sends.",
        facts.server
    )
}

/// What was sent and answered, in words, and whether that is several things: `5 bytes more (8)`.
fn answered(facts: &Facts, reset: Reset) -> (String, bool) {
    let other = reset.by.peer();
    let Some(told) = reset.answers else { return ("something that was not captured".to_owned(), false) };
    let (len, frames) = match facts.by_calls.in_vain {
        Some(InVain { bytes, frames: (first, last), .. }) => (bytes, format!("{first} to {last}")),
        None => (u64::from(told.len), told.frame.to_string()),
    };
    let more = if facts.sent[other] > len { " more" } else { "" };
    match len {
        0 if facts.ending.fins[other] == Some(told.frame) => (format!("its FIN ({frames})"), false),
        0 => (format!("a segment ({frames})"), false),
        _ => (format!("{}{more} ({frames})", bytes(len)), len > 1),
    }
}

/// Says ` (FIN, 6)`; nothing where none was captured.
fn fin(fin: Option<InFrame>, say: &mut impl FnMut(&str)) {
    if let Some(frame) = fin {
        say(" (FIN, ");
        frame.frame().text(&mut *say);
        say(")");
    }
}

/// ` (FIN, 6)`; nothing where none was captured.
struct Fin(Option<InFrame>);

impl fmt::Display for Fin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut done = Ok(());
        fin(self.0, &mut |piece| done = done.and_then(|()| f.write_str(piece)));
        done
    }
}

fn reset_after_close(facts: &Facts, reset: Reset) -> String {
    let (name, other) = (reset.by.name(), reset.by.peer().name());
    format!(
        "The {name} ended first and in order{}; the {other} sent {}, which no program could read any more, so the {name}'s \
         kernel answered with a reset ({}).",
        Fin(facts.ending.fins[reset.by]),
        answered(facts, reset).0,
        reset.frame
    )
}

fn aborted(facts: &Facts, reset: Reset) -> String {
    let reason = facts.by_calls.reason.as_ref().map_or_else(
        || "unread bytes, SO_LINGER with 0 and other aborts look alike on the wire".to_owned(),
        |reason| format!("the reason: {}", reason.words),
    );
    let instead = if reset.after_fin { "after its FIN" } else { "in place of a FIN" };
    format!("The {} gave the connection up with a reset ({}) {instead}; {reason}.", reset.by.name(), reset.frame)
}

fn nobody_home(facts: &Facts, reset: Reset) -> String {
    let (name, other) = (reset.by.name(), reset.by.peer().name());
    let (what, several) = answered(facts, reset);
    let was = if several { "were" } else { "was" };
    if facts.by_calls.gave_up == Some(reset.by) {
        return format!(
            "No answer of the {other} came in time, so the {name}'s kernel gave up without a word: a call returned ETIMEDOUT. \
             What the {other} sent later, {what}, was answered by a bare reset ({}).",
            reset.frame
        );
    }
    let from = if what.starts_with("its FIN") {
        what.replacen("its", &format!("the {other}'s"), 1)
    } else {
        format!("{what} from the {other}")
    };
    if facts.by_calls.by_another {
        return format!(
            "{} {was} answered by a reset ({}) in the {name}'s name, which the {name} did not send: its program holds the \
             socket. Somebody between them did.",
            capital(&from),
            reset.frame
        );
    }
    format!(
        "No FIN was seen, yet {from} {was} answered by a bare reset ({}): the {name}'s host knew nothing of the connection.",
        reset.frame
    )
}

fn timed_out(facts: &Facts, reset: Option<Reset>) -> String {
    let side = facts.repeating_side();
    if let Some(reset) = reset.filter(|_| facts.by_calls.probed) {
        let (name, other) = (reset.by.name(), reset.by.peer().name());
        return format!(
            "The {name}'s kernel asked by keep-alives whether the {other} is there; {} had no answer, so it gave up with a \
             reset ({}), and a call returned ETIMEDOUT.",
            if reset.repeats == 1 { "one".to_owned() } else { reset.repeats.to_string() },
            reset.frame
        );
    }
    if facts.by_calls.gave_up.is_some() && reset.is_none() {
        let (name, other) = (side.name(), side.peer().name());
        return format!(
            "No answer of the {other} came in time, so the {name}'s kernel gave up: a call returned ETIMEDOUT, and the \
             {other} was told nothing."
        );
    }
    let gave_up = reset.map_or_else(
        || "it had not given up when the capture ended".to_owned(),
        |reset| format!("then it gave up with a reset ({})", reset.frame),
    );
    let times = reset.map_or(facts.ending.repeats[side], |reset| reset.repeats);
    format!(
        "The {} repeated itself {times} times without a sign of the {}; {gave_up}.",
        side.name(),
        side.peer().name()
    )
}

fn closed(facts: &Facts) -> String {
    let first = facts.ending.first_fin.unwrap_or(Side::Client);
    let lost_bytes = facts.lost.client + facts.lost.server;
    let fate = if lost_bytes == 0 && facts.all_acknowledged {
        Cow::Borrowed("every byte that was sent was acknowledged")
    } else if lost_bytes == 0 {
        Cow::Borrowed("not every acknowledgement was seen")
    } else {
        Cow::Owned(unread(lost_bytes))
    };
    if facts.name() == Name::ClosedSimultaneously {
        return crossed(facts, &fate);
    }
    // By hand: most connections end so, and format! showed in a profile.
    let mut told = String::with_capacity(CLOSED);
    let mut say = |piece: &str| told.push_str(piece);
    for (side, what) in [(first, " ended its direction first"), (first.peer(), " its own after that")] {
        say(if side == first { "The " } else { ", the " });
        say(side.name());
        say(what);
        fin(facts.ending.fins[side], &mut say);
    }
    say("; ");
    say(&fate);
    say(".");
    told
}

/// Neither end was first.
fn crossed(facts: &Facts, fate: &str) -> String {
    let [client, server] = [facts.ending.fins.client, facts.ending.fins.server];
    let frames: Vec<String> = client.into_iter().chain(server).map(|frame| frame.to_string()).collect();
    let frames = if frames.is_empty() { String::new() } else { format!(" ({})", frames.join(", ")) };
    format!("Both ended before either had the other's FIN{frames}; {fate}.")
}

/// What became of bytes that were lost in an orderly end.
pub fn unread(lost: u64) -> String {
    match lost {
        1 => "yet 1 byte was never read by the program it was meant for".to_owned(),
        _ => format!("yet {} were never read by the program they were meant for", bytes(lost)),
    }
}

fn half_closed(facts: &Facts) -> String {
    let first = facts.ending.first_fin.unwrap_or(Side::Client);
    let other = if facts.unseen().is_some() { "was not captured" } else { "has not ended its own" };
    format!(
        "The {} has ended its direction{}; the {} {other}.",
        first.name(),
        Fin(facts.ending.fins[first]),
        first.peer().name()
    )
}
