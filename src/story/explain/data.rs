//! Sentences for rows that show bytes on their way, and what became of these bytes in the end.

use super::segments::Shown;
use crate::event::EventId;
use crate::story::account::{self, Fate};
use crate::story::drawing::duration;
use crate::story::ladder::SOONEST;
use crate::story::standing::bytes;
use crate::tcp::state::State;

pub(super) fn sentences(shown: Shown<'_>) -> Vec<String> {
    let first = if shown.sender().tcp.state == State::CloseWait { in_close_wait(shown) } else { taken(shown) };
    vec![first, arrived(shown)]
}

/// `5`, or `5 bytes` of how many a call took.
pub(super) fn taken(shown: Shown<'_>) -> String {
    let (start, len) = offsets(shown);
    let numbers =
        if len == 1 { format!("byte {}", start + 1) } else { format!("bytes {} to {}", start + 1, start + len) };
    let name = shown.name();
    let calls = sends(shown);
    let [call] = calls.as_slice() else {
        return match calls.len() {
            0 => format!("The {name} sends {}: {numbers} of its stream, the next would be {}.", bytes(len), start + len + 1),
            many => format!(
                "{numbers} come from {many} calls: TCP keeps the order of bytes, not where one send ended and the next began."
            )
            .replacen("byte", "Byte", 1),
        };
    };
    let Some((made, outcome)) = shown.story.call(*call) else { return String::new() };
    let took = outcome.and_then(crate::socket::call::Outcome::count).unwrap_or(len);
    let verb = format!("{}()", made.name);
    format!(
        "{verb} copied {} into the {name}'s kernel, and its result says no more than that. The kernel sends {numbers} here; \
         the next would be {}.",
        bytes(took),
        start + len + 1
    )
}

/// Sending after the peer's FIN.
fn in_close_wait(shown: Shown<'_>) -> String {
    let (name, other) = (shown.name(), shown.other());
    let fin = shown.fin_of(shown.side.peer()).map_or_else(String::new, |frame| format!(" ({frame})"));
    if shown.record.heard && shown.receiver().has_calls && !shown.story.was_refused(shown.event.id) {
        return format!("The {other}'s FIN{fin} ended only its own direction, so the {name} can still speak.");
    }
    format!("Sending is allowed in CLOSE-WAIT: the {other}'s FIN{fin} ended only the other direction.")
}

/// What can be said when the bytes have just come.
fn arrived(shown: Shown<'_>) -> String {
    let (name, other) = (shown.name(), shown.other());
    let (_, len) = offsets(shown);
    let calls = sends(shown);
    if !shown.record.heard || shown.story.was_refused(shown.event.id) {
        let result = calls.first().and_then(|call| shown.story.call(*call)?.1?.count());
        return match result {
            Some(result) => {
                format!("{result} means that the {name}'s kernel took {}, not that anyone got them.", bytes(result))
            }
            None => format!("No program of the {other} is there to read the {}.", bytes(len)),
        };
    }
    if let Some(unread) = read_on_this_row(shown) {
        return match unread {
            0 => format!(
                "The {other}'s program took them: now nothing is unread, and that decides what its close() will send."
            ),
            unread => format!(
                "The {other}'s program took a part; with {} unread, a close() now would send a reset.",
                bytes(unread)
            ),
        };
    }
    if shown.receiver().has_calls {
        let lie = if len == 1 { "lies" } else { "lie" };
        format!("The {} {lie} in the {other}'s receive buffer until its program reads them.", bytes(len))
    } else {
        format!("Whether the {other}'s program reads the {}, no segment says.", bytes(len))
    }
}

/// What is unread after the read on this row, if there is one.
fn read_on_this_row(shown: Shown<'_>) -> Option<u64> {
    let peer = shown.side.peer();
    let read = shown.row.events.iter().rev().find(|id| {
        let ended = shown.story.journal().get(**id).and_then(crate::event::Event::ended);
        let call = ended.and_then(|(begun, _)| shown.story.call(begun));
        call.is_some_and(|(call, _)| call.name.receives())
            && shown.story.record(**id).is_some_and(|record| record.side == Some(peer))
    })?;
    Some(shown.story.record(*read)?.ends[peer].socket.unread)
}

/// The offset of its first byte in its sender's stream, the first being 0, and how many they are.
fn offsets(shown: Shown<'_>) -> (u64, u64) {
    let first = shown.relative(shown.side, shown.segment.payload_range().start);
    (u64::from(first.wrapping_sub(1)), u64::from(shown.segment.payload_len))
}

/// The calls whose bytes it carries.
fn sends(shown: Shown<'_>) -> Vec<EventId> {
    let causes = shown.story.cause(shown.event.id).into_iter().flat_map(|cause| &cause.causes);
    causes.copied().filter(|id| shown.story.call(*id).is_some_and(|(call, _)| call.name.sends())).collect()
}

/// What became of the bytes in the end, where the row itself does not say it.
pub(super) fn later(shown: Shown<'_>) -> Option<String> {
    if shown.story.was_lost(shown.event.id) {
        return None;
    }
    let connection = shown.story.connection(shown.connection)?;
    let way = shown.story.account(shown.connection, *connection.events.last()?)[shown.side];
    let (start, len) = offsets(shown);
    let fate = account::fate(start, len, way);
    let other = shown.other();
    let Fate { lost, read, acknowledged, .. } = fate;
    let on_row = read_on_this_row(shown).is_some();
    // The sentence before ends with "until its program reads them".
    let lay = !on_row
        && !shown.story.is_repeated(shown.event.id)
        && shown.record.heard
        && shown.receiver().has_calls
        && !shown.story.was_refused(shown.event.id);
    let text = match (lost, read) {
        (0, Some(read)) if read == len && lay => "It did so later.".to_owned(),
        (0, Some(0)) if lay => "It never did.".to_owned(),
        (0, None) if acknowledged == len => format!("They were acknowledged: the {other}'s kernel had them."),
        (0, _) => return None,
        (lost, _) if lost == len && lay => "It never did: they are lost.".to_owned(),
        (lost, _) if lost == len => format!("They are lost: no program of the {other} ever read them."),
        (lost, _) => format!("{lost} of them were never read and are lost."),
    };
    Some(if len == 1 { singular(&text) } else { text })
}

/// The same words about one byte.
fn singular(text: &str) -> String {
    text.replace("They are", "It is").replace("they are", "it is").replace("They were", "It was").replace("them", "it")
}

pub(super) fn repeated(shown: Shown<'_>) -> Vec<String> {
    let arrived = if shown.story.was_lost(shown.event.id) {
        "This copy was repeated too, so it is presumed lost."
    } else if is_acknowledged(shown) {
        "This copy was acknowledged, so it or one before it arrived."
    } else {
        "No answer to this copy was seen."
    };
    vec![again(shown), arrived.to_owned()]
}

/// That it was sent before, and how long ago.
pub(super) fn again(shown: Shown<'_>) -> String {
    let what = if shown.segment.payload_len > 0 { "The same bytes" } else { "The same segment" };
    let waited = shown.story.silence_before(shown.event.id);
    if waited.is_some_and(|nanos| nanos < SOONEST) {
        return format!(
            "{what} again, sooner than the timer that waits for an acknowledgement, which takes 200 ms at least."
        );
    }
    let waited = waited.map_or_else(String::new, |nanos| format!(" for {}", duration(nanos.unsigned_abs())));
    format!("{what} again: no acknowledgement had come{waited}. {}", timer(shown))
}

/// How the timer goes on that sent it again (`tcp_retransmit_timer()`).
fn timer(shown: Shown<'_>) -> &'static str {
    if shown.segment.flags.syn() {
        "The first few SYNs come a second apart, then each wait is twice as long as the one before."
    } else {
        "Each wait of the timer is twice as long as the one before."
    }
}

/// Whether its last number was acknowledged in the end.
fn is_acknowledged(shown: Shown<'_>) -> bool {
    let end = shown.story.connection(shown.connection).map(|connection| &connection.ends[shown.side]);
    end.is_some_and(|end| shown.segment.end().is_at_or_before(end.tcp.snd_una))
}
