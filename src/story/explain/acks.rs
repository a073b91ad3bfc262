//! Sentences for rows that show a pure ACK.

use super::segments::Shown;
use crate::event::Event;
use crate::story::drawing::duration;
use crate::story::side::Side;
use crate::story::telling::Certainty;
use crate::tcp::state::State;

pub(super) fn sentences(shown: Shown<'_>) -> Vec<String> {
    let peer = shown.side.peer();
    let number = shown.relative(peer, shown.segment.ack);
    if let Some(selective) = selective(shown) {
        return selective;
    }
    match shown.record.change(peer).map(|change| change.to) {
        Some(State::FinWait2) => vec![late_ack(shown, number), after_ack_of_fin(shown)],
        Some(State::Closed) => last_ack(shown),
        Some(State::TimeWait) => {
            vec!["Both FINs are acknowledged; this end keeps the connection in mind for 60 s.".to_owned()]
        }
        Some(State::Established) => vec![
            format!("The {}'s kernel confirms: the handshake is complete.", shown.name()),
            format!(
                "With its arrival the {}'s side is ESTABLISHED too, whether or not accept() was called.",
                peer.name()
            ),
        ],
        _ if tells_nothing_new(shown) => {
            vec!["It acknowledges nothing new: it tells of a window, or answers something old.".to_owned()]
        }
        _ => vec![format!(
            "The {}'s kernel holds every byte before {number}. It does not say that its program has read them.",
            shown.name()
        )],
    }
}

/// An ACK because of a segment that its first SACK block holds: one behind a gap, or one that came twice (RFC 2883).
fn selective(shown: Shown<'_>) -> Option<Vec<String>> {
    let (left, right) = *shown.segment.sack()?.blocks().first()?;
    let cause = *shown.story.cause(shown.event.id)?.causes.first()?;
    let (frame, named) = shown.story.journal().get(cause)?.segment()?;
    if !(left.is_at_or_before(named.range().start) && named.end().is_at_or_before(right)) {
        return None;
    }
    let second = if shown.segment.ack.is_before(left) {
        format!("Its SACK block names frame {}: that has come, but something in front of it is missing.", frame.number)
    } else {
        format!("Its SACK block names frame {}, which came twice.", frame.number)
    };
    Some(vec!["It acknowledges nothing new.".to_owned(), second])
}

fn tells_nothing_new(shown: Shown<'_>) -> bool {
    let reads = || shown.call().is_some_and(|(_, call)| call.name.receives());
    shown.story.cause(shown.event.id).is_some_and(|cause| cause.certainty != Certainty::Proven) || reads()
}

/// An ACK is told as held back where it came this much later than its way explains, in nanoseconds.
const HELD_BACK: std::ops::RangeInclusive<i64> = 1_000_000..=250_000_000;

/// The ACK of a FIN, which Linux may delay (`tcp_delack_max()`, 40 ms where nothing was measured).
fn late_ack(shown: Shown<'_>, number: u32) -> String {
    let first = format!("A FIN counts as one in the numbering, hence ACK {number}.");
    let cause = shown.story.cause(shown.event.id).and_then(|cause| cause.causes.first().copied());
    let fin = cause.and_then(|id| shown.story.journal().get(id)).filter(|event| is_fin(event));
    let Some(later) = fin.map(|fin| shown.event.time.since(fin.time)) else { return first };
    let way = way_there_and_back(shown).unwrap_or(0);
    // The way takes not always the same.
    if !HELD_BACK.contains(&(later - way - way / 4)) {
        return first;
    }
    format!(
        "{first} It came {} after it: Linux held it back, hoping for data to carry it (up to about 40 ms).",
        duration(later.unsigned_abs())
    )
}

/// Nanoseconds from where it was captured to its sender and back, by the handshake.
fn way_there_and_back(shown: Shown<'_>) -> Option<i64> {
    let events = &shown.story.connection(shown.connection)?.events;
    let segments = events.iter().filter_map(|id| shown.story.journal().get(*id));
    let mut first = segments.filter(|event| event.segment().is_some()).take(3);
    let (syn, syn_ack, ack) = (first.next()?, first.next()?, first.next()?);
    let opens = syn.segment()?.1.flags.opens() && syn_ack.segment()?.1.flags.syn();
    let (from, to) = if shown.side == Side::Server { (syn, syn_ack) } else { (syn_ack, ack) };
    opens.then(|| to.time.since(from.time))
}

fn is_fin(event: &Event) -> bool {
    event.segment().is_some_and(|(_, segment)| segment.flags.fin())
}

fn after_ack_of_fin(shown: Shown<'_>) -> String {
    let peer = shown.other();
    let end = shown.receiver();
    if !end.has_calls {
        return format!("Whether a program of the {peer} can still read, no segment says.");
    }
    if !end.has_program() || shown.story.is_closing(shown.connection, shown.side.peer(), shown.event.id) {
        return format!(
            "The {peer}'s kernel keeps a small record without a program, for up to 60 s (tcp_fin_timeout): `ss` shows \
             FIN-WAIT-2 with no process."
        );
    }
    if end.socket.receive_shut {
        return format!("The {peer}'s program has ended receiving as well, but still holds its descriptor.");
    }
    format!("The {peer} may still read.")
}

/// The end that ended last is done; the other keeps TIME-WAIT.
fn last_ack(shown: Shown<'_>) -> Vec<String> {
    let end = shown.sender();
    let record = if end.has_calls && end.has_program() {
        ", in a small record apart: TCP_INFO of its descriptor already says CLOSE where `ss` says TIME-WAIT"
    } else {
        " and repeats this ACK if asked: a small record without a program, for 60 s"
    };
    vec![
        format!("The {}'s FIN is acknowledged and nothing is left to do, so its port is free at once.", shown.other()),
        format!("TIME-WAIT lies with the {}, who ended first{record}.", shown.name()),
    ]
}
