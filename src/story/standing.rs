//! How each end stands, in one line of plain words.

use super::Story;
use super::end::End;
use super::side::{Both, Side};
use crate::event::{ConnectionId, Event, EventId, SocketSample};
use crate::socket::call::{Call, CallName};
use crate::tcp::state::State;

/// The ends of `connection` just after the event `at`. What somebody between them answered had not arrived, although that shows
/// only by the answer.
pub fn ends(story: &Story, connection: ConnectionId, at: EventId) -> Both<End> {
    let Some(record) = story.latest(connection, at).and_then(|id| story.record(id)) else { return Both::default() };
    let mut ends = record.ends.clone();
    for (side, bypassed) in bypassed(story, connection, at) {
        ends[side] = bypassed.clone();
    }
    ends
}

/// The ends in whose name somebody answers, later than `at`, what had seemed to arrive before, and how they stood then.
fn bypassed(story: &Story, connection: ConnectionId, at: EventId) -> impl Iterator<Item = (Side, &End)> {
    let events = story.connection(connection).map_or(&[][..], |connection| connection.events.as_slice());
    let later = events.get(events.partition_point(|id| *id <= at)..).unwrap_or_default();
    later.iter().filter_map(move |id| {
        let record = story.record(*id).filter(|record| record.is_sent_by_another())?;
        let side = record.side?;
        let answered = *story.cause(*id)?.causes.first()?;
        let between = events.iter().filter(|other| answered < **other && **other < *id);
        let is_still = !between.clone().any(|other| story.record(*other).is_some_and(|other| other.side == Some(side)));
        (answered <= at && is_still).then_some((side, &record.ends[side]))
    })
}

/// Whether the program of `side` has connected it to nowhere by the event `at`.
pub fn is_disconnected(story: &Story, connection: ConnectionId, at: EventId, side: Side) -> bool {
    let events = story.connection(connection).map_or(&[][..], |connection| connection.events.as_slice());
    events.iter().take_while(|id| **id <= at).any(|id| {
        let undone = |call: &Call| call.name == CallName::Connect && call.word(1) == Some("AF_UNSPEC");
        story.journal().get(*id).and_then(Event::begun).is_some_and(undone)
            && story.record(*id).is_some_and(|record| record.side == Some(side))
            && story.end_of(*id).is_some_and(|end| end <= at)
    })
}

/// One line of plain words for `side`. `lost` are the bytes that it sent in vain.
pub fn words(side: Side, end: &End, peer: &End, lost: u64) -> String {
    let other = side.peer().name();
    let no_program = end.has_calls && !end.has_program();
    match end.tcp.state {
        State::Closed => closed(end, lost),
        State::Listen => "waits for connections".to_owned(),
        State::SynSent => "asked, no answer yet".to_owned(),
        State::SynReceived => "answered, not confirmed yet".to_owned(),
        State::Established if peer.tcp.state == State::Closed && peer.tcp.isn.is_some() => {
            format!("has not heard that {other} is gone")
        }
        State::Established => established(end),
        State::FinWait1 => "its FIN has no ACK yet".to_owned(),
        State::FinWait2 | State::TimeWait if no_program => "no program, kernel only".to_owned(),
        State::FinWait2 => "may read, may not send".to_owned(),
        State::CloseWait if end.socket.unread > 0 => format!("{} unread and a FIN", bytes(end.socket.unread)),
        State::CloseWait => format!("{other} will send no more"),
        State::Closing => "both ended, FINs crossed".to_owned(),
        State::LastAck => "waits for the last ACK".to_owned(),
        State::TimeWait => "done, waits for strays".to_owned(),
    }
}

fn closed(end: &End, lost: u64) -> String {
    if lost > 0 {
        return format!("{} lost", bytes(lost));
    }
    // Without a capture no number is known, whatever was done with the socket.
    if end.tcp.isn.is_none() && !end.has_calls {
        return "no connection yet".to_owned();
    }
    match end.socket.pending {
        Some(errno) if end.has_program() || !end.has_calls => format!("{errno} waits for a call"),
        _ if end.has_calls && !end.has_program() => "its program has closed it".to_owned(),
        _ => "nothing is left of it".to_owned(),
    }
}

fn established(end: &End) -> String {
    let unacknowledged = end.tcp.snd_una.distance_to(end.tcp.snd_nxt);
    match (end.socket.unread, unacknowledged) {
        (0, 0) => "open, nothing unread".to_owned(),
        (0, waiting) => format!("{} unacknowledged", bytes(u64::try_from(waiting).unwrap_or(0))),
        (unread, _) => format!("{} unread", bytes(unread)),
    }
}

/// `1 byte`, `5 bytes`.
pub fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

/// The kernel's own view of an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Its state in a few words: `FIN-WAIT-2, no process`.
    pub words: String,
    /// Whether it contradicts what was inferred.
    pub differs: bool,
    /// What is to be known of it beside the state; empty for nothing.
    pub remark: String,
}

/// The kernel's own view in words, and whether it contradicts what was inferred of `end`.
///
/// A connection whose end is CLOSED has no socket that can be found by its addresses; one that nothing is known of yet has
/// none either. A descriptor that is still open after a reset holds a socket that `sock_diag(7)` no longer lists. What lay in
/// the queues is told where that `is_fresh`.
pub fn kernel(sample: Option<SocketSample>, end: &End, is_fresh: bool) -> Kernel {
    let inferred = end.tcp.state;
    let Some(socket) = sample else {
        let held = end.has_calls && end.has_program() && inferred == State::Closed && end.tcp.isn.is_some();
        let remark = if held { "the descriptor is still open, but ss no longer lists what it holds" } else { "" };
        let words = "no socket".to_owned();
        return Kernel { words, differs: inferred != State::Closed, remark: remark.to_owned() };
    };
    let owner = if socket.orphan { ", no process" } else { "" };
    let queues = format!("Recv-Q {}, Send-Q {}", socket.unread, socket.unacknowledged);
    let remark = match socket.state {
        State::TimeWait | State::FinWait2 if socket.orphan => {
            "a small record in place of the socket; TCP_INFO of a descriptor would say CLOSE".to_owned()
        }
        _ if !is_fresh => String::new(),
        // The FIN takes one number, and Recv-Q is counted in numbers until recv() has returned 0.
        _ if end.socket.end_seen && end.has_calls && u64::from(socket.unread) == end.socket.unread + 1 => {
            format!("{queues}: a FIN that is not read yet counts as 1 byte")
        }
        _ => queues,
    };
    Kernel { words: format!("{}{owner}", socket.state), differs: socket.state != inferred, remark }
}
