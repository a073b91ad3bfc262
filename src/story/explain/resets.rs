//! Sentences for rows that show a reset.

use super::segments::Shown;
use crate::socket::call::{CallName, Outcome};
use crate::socket::errno::Errno;
use crate::story::Story;
use crate::story::standing::bytes;
use crate::tcp::state::State;

/// What its sender did and why, whatever becomes of it.
pub(super) fn own_part(shown: Shown<'_>) -> String {
    reason(shown, shown.receiver().tcp.state)
}

pub(super) fn sentences(shown: Shown<'_>) -> Vec<String> {
    let (name, other) = (shown.name(), shown.other());
    let Some(before) = shown.record.change(shown.side.peer()).map(|change| change.from) else {
        return vec![format!(
            "The {name}'s kernel answers with a reset, which changes nothing: the {other}'s connection was gone."
        )];
    };
    let mut sentences = vec![reason(shown, before), effect(shown, before)];
    sentences.extend(overtaken(shown));
    sentences
}

/// What the reset does at the end that it arrives at (`tcp_reset()`).
fn effect(shown: Shown<'_>, before: State) -> String {
    let (name, other) = (shown.name(), shown.other());
    let lost = answered(shown).map_or(0, |(_, len)| if len > 0 { len.max(unacknowledged(shown)) } else { 0 });
    let bytes = match lost {
        0 => String::new(),
        1 => " and the byte".to_owned(),
        lost => format!(" and the {}", bytes(lost)),
    };
    match before {
        State::SynSent if !shown.waits_for_answer() => {
            "Nothing listens there. connect() has returned already, so ECONNREFUSED waits in the socket.".to_owned()
        }
        State::SynSent => "Nothing listens there, so connect() fails with ECONNREFUSED.".to_owned(),
        State::CloseWait => {
            let fin = shown.fin_of(shown.side).map_or_else(String::new, |frame| format!(" ({frame})"));
            format!(
                "The {other}'s kernel drops the connection{bytes}; because the {name}'s FIN{fin} had come first, it notes EPIPE \
                 and not ECONNRESET."
            )
        }
        _ if shown.story.is_closing(shown.connection, shown.side.peer(), shown.event.id) => {
            format!("The {other}'s kernel drops the connection{bytes}; its program has closed it, so nobody is told.")
        }
        _ => format!(
            "The {other}'s kernel drops the connection{bytes}; no FIN had come, so it notes ECONNRESET for its program's next \
             call."
        ),
    }
}

/// How many bytes of the end that the reset arrives at were on their way, over a long one in several segments.
fn unacknowledged(shown: Shown<'_>) -> u64 {
    let tcp = &shown.receiver().tcp;
    let open = tcp.snd_nxt.relative_to(tcp.snd_una);
    u64::from(open.saturating_sub(u32::from(tcp.fin().is_some())))
}

fn reason(shown: Shown<'_>, before: State) -> String {
    let name = shown.name();
    if before == State::SynSent {
        return format!("The {name}'s kernel answers the SYN with a reset at once.");
    }
    if shown.segment.flags.ack() && shown.segment.window > 0 {
        let evidence = shown.story.cause(shown.event.id).map_or("", |cause| &cause.evidence);
        return match shown.call().map(|(_, call)| call.name) {
            Some(CallName::Close) if shown.was_never_accepted() => {
                "Closing the listening socket resets every connection that nobody had accepted.".to_owned()
            }
            Some(CallName::Exit) if shown.was_never_accepted() => {
                "The program ended, and with it its listening socket: that resets every connection that nobody had accepted."
                    .to_owned()
            }
            Some(CallName::Close) => format!("close() sends a reset in place of a FIN: {evidence}."),
            Some(CallName::Exit) => {
                format!("The program ended, and its kernel sends a reset in place of a FIN: {evidence}.")
            }
            Some(CallName::Connect) => {
                "connect() with AF_UNSPEC undoes the connection, and the kernel tells the peer by a reset.".to_owned()
            }
            Some(CallName::SockDestroy) => format!(
                "Another process had the {name}'s kernel give the connection up (SOCK_DESTROY, as ss -K does); the program \
                 gets ECONNABORTED."
            ),
            None if shown.sender().socket.pending == Some(Errno::ETIMEDOUT) => format!(
                "No probe was answered, so the {name}'s kernel gives the connection up and notes ETIMEDOUT for its program."
            ),
            _ => format!(
                "The {name} gave the connection up: unread bytes at close(), SO_LINGER 0 and other aborts look alike here."
            ),
        };
    }
    let answers = answered(shown).map_or_else(String::new, |(frame, _)| {
        let number = shown.relative(shown.side, shown.segment.seq);
        format!(" whose number, {number}, is the ACK number of frame {frame}")
    });
    if shown.record.is_sent_by_another() {
        return format!(
            "Somebody between the two sends a reset in the {name}'s name{answers}. The {name}'s kernel did not: its program \
             holds the socket, which would have taken what came."
        );
    }
    if shown.sender().has_calls && shown.sender().has_program() {
        return format!(
            "Data came for an end whose program has ended receiving, so the {name}'s kernel answers with a reset{answers}, and \
             notes ECONNRESET for its own program too."
        );
    }
    if shown.record.change(shown.side).is_none() {
        let what = if answered(shown).is_some_and(|(_, len)| len == 0) { "A segment" } else { "Data" };
        return format!(
            "{what} came for a connection of which the {name}'s host knows nothing any more, so its kernel answers with a \
             reset{answers}."
        );
    }
    let comma = if answers.is_empty() { "" } else { "," };
    format!("Data came that no program can read any more, so the {name}'s kernel answers with a reset{comma}{answers}.")
}

/// The frame that the reset answers and how many bytes it carried.
fn answered(shown: Shown<'_>) -> Option<(u64, u64)> {
    let cause = shown.story.cause(shown.event.id)?.causes.first()?;
    let (frame, segment) = shown.story.journal().get(*cause)?.segment()?;
    let answers = !shown.segment.flags.ack() && segment.acknowledges() == Some(shown.segment.seq);
    answers.then_some((frame.number.0, u64::from(segment.payload_len)))
}

/// Where the events prove that the reset was there before the send(2) that drew it had returned, which it did with success:
/// so it is on a loopback, whose whole round trip happens inside the call.
fn overtaken(shown: Shown<'_>) -> Option<String> {
    let cause = *shown.story.cause(shown.event.id)?.causes.first()?;
    let send = shown.story.cause(cause)?.causes.iter().find(|id| shown.story.call(**id).is_some())?;
    let (call, outcome) = shown.story.call(*send)?;
    let result = outcome.and_then(Outcome::count)?;
    let returned = end_time(shown.story, *send)?;
    (call.name.sends() && shown.event.time < returned).then(|| {
        format!(
            "It was here before {}() had returned, which said {result} all the same; on a real network it comes a round trip \
             later, and until then every send() succeeds.",
            call.name
        )
    })
}

fn end_time(story: &Story, begun: crate::event::EventId) -> Option<crate::event::Time> {
    story.journal().get(story.end_of(begun)?).map(|event| event.time)
}
