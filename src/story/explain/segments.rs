//! Sentences for rows that show a segment.

use super::acks;
use super::data;
use super::resets;
use crate::event::{Actor, ConnectionId, Event, EventId, FrameNo, What};
use crate::socket::call::{Call, CallName, How, Outcome};
use crate::socket::errno::Errno;
use crate::story::Story;
use crate::story::end::End;
use crate::story::rows::{Row, Wire};
use crate::story::side::Side;
use crate::story::track::Record;
use crate::tcp::segment::Segment;
use crate::tcp::state::State;

/// A segment on the row that shows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'a> {
    pub(super) story: &'a Story,
    pub(super) row: &'a Row,
    pub(super) event: &'a Event,
    pub(super) segment: &'a Segment,
    pub(super) record: &'a Record,
    /// Its sender.
    pub(super) side: Side,
    pub(super) connection: ConnectionId,
}

impl<'a> Shown<'a> {
    pub(super) fn new(story: &'a Story, row: &'a Row, event: &'a Event, segment: &'a Segment) -> Option<Self> {
        let record = story.record(event.id)?;
        let (connection, side) = record.connection.zip(record.side)?;
        Some(Self { story, row, event, segment, record, side, connection })
    }

    /// The sender's name.
    pub(super) const fn name(&self) -> &'static str {
        self.side.name()
    }

    /// The receiver's name.
    pub(super) const fn other(&self) -> &'static str {
        self.side.peer().name()
    }

    pub(super) fn sender(&self) -> &'a End {
        &self.record.ends[self.side]
    }

    pub(super) fn receiver(&self) -> &'a End {
        &self.record.ends[self.side.peer()]
    }

    /// `number` of `side`, counted from its first.
    pub(super) fn relative(&self, side: Side, number: crate::tcp::seq::SeqNum) -> u32 {
        self.story.connection(self.connection).map_or(0, |connection| connection.relative(side, number))
    }

    /// The call that caused it.
    pub(super) fn call(&self) -> Option<(EventId, &'a Call)> {
        let causes = &self.story.cause(self.event.id)?.causes;
        causes.iter().find_map(|cause| Some((*cause, self.story.call(*cause)?.0)))
    }

    /// Whether the client's program waits in connect(2) for the answer to its SYN.
    pub(super) fn waits_for_answer(&self) -> bool {
        let events = self.story.connection(self.connection).map(|connection| connection.events.as_slice());
        let connects = events.unwrap_or_default().iter().filter_map(|id| self.story.cause(*id));
        let mut connects = connects.flat_map(|cause| &cause.causes).filter_map(|id| self.story.call(*id));
        let asked_not_to = |outcome: &Outcome| outcome.errno == Some(Errno::EINPROGRESS);
        !connects.any(|(call, outcome)| call.name == CallName::Connect && outcome.is_some_and(asked_not_to))
    }

    /// Whether no program had got its sender's end from accept(2).
    pub(super) fn was_never_accepted(&self) -> bool {
        self.story.connection(self.connection).is_some_and(|connection| connection.holders[self.side].is_empty())
    }

    /// Whether it comes back to its sender.
    pub(super) fn is_with_itself(&self) -> bool {
        self.segment.src == self.segment.dst
    }

    /// The frame of the first FIN that `side` sent before this.
    pub(super) fn fin_of(&self, side: Side) -> Option<FrameNo> {
        fin_before(self.story, self.connection, side, self.event.id)
    }
}

/// The frame of the first FIN that `side` of `connection` sent before the event `before`.
pub(super) fn fin_before(story: &Story, connection: ConnectionId, side: Side, before: EventId) -> Option<FrameNo> {
    let events = &story.connection(connection)?.events;
    events.iter().take_while(|id| **id < before).find_map(|id| {
        let (frame, segment) = story.journal().get(*id)?.segment()?;
        (segment.flags.fin() && story.record(*id)?.side == Some(side)).then_some(frame.number)
    })
}

pub(super) fn sentences(shown: Shown<'_>) -> Vec<String> {
    let flags = shown.segment.flags;
    if shown.is_with_itself() {
        return with_itself(shown);
    }
    if matches!(shown.row.wire, Wire::Handshake(_)) {
        return handshake(shown);
    }
    if shown.story.was_filtered(shown.event.id) {
        return filtered(shown);
    }
    if flags.rst() {
        return resets::sentences(shown);
    }
    if shown.story.is_probe(shown.event.id) {
        let answer = if window_closed_by(shown).is_some() {
            "The answer, an ACK, says whether there is room by now."
        } else {
            "A peer that is there answers it with an ACK."
        };
        return vec![probe(shown), answer.to_owned()];
    }
    if shown.story.is_repeated(shown.event.id) {
        return data::repeated(shown);
    }
    if flags.syn() {
        return syn(shown);
    }
    if shown.segment.payload_len > 0 {
        return data::sentences(shown);
    }
    if flags.fin() {
        return fin(shown);
    }
    acks::sentences(shown)
}

/// Source and destination are the same, so there is no other end to speak of.
fn with_itself(shown: Shown<'_>) -> Vec<String> {
    let flags = shown.segment.flags;
    let what = if flags.syn() || matches!(shown.row.wire, Wire::Handshake(_)) {
        "Its own SYN comes back to it and is answered as in a simultaneous open: nobody has to listen."
    } else if flags.rst() {
        "Its own reset comes back to it: there is nobody else to tell."
    } else if flags.fin() {
        "Its own FIN comes back to it as its peer's: both directions have ended."
    } else if shown.segment.payload_len > 0 {
        "The bytes that it sends are the next that it reads."
    } else {
        "It acknowledges what came from itself."
    };
    vec!["Source and destination are the same: the socket is connected with itself.".to_owned(), what.to_owned()]
}

fn handshake(shown: Shown<'_>) -> Vec<String> {
    let returns =
        if shown.record.ends.client.has_calls { "with the ACK connect() returns" } else { "the ACK confirms" };
    let accept = if shown.row.text.server.starts_with("accept") {
        "accept() only hands over a connection that the kernels had finished; it sends nothing."
    } else {
        "The server's program has no part in it: a listening socket with room in its queue is enough."
    };
    vec![
        format!("The client's kernel asks (SYN), the server's kernel answers by itself (SYN ACK), and {returns}."),
        accept.to_owned(),
    ]
}

/// What connect(2) does once its SYN is sent.
fn connecting(shown: Shown<'_>) -> &'static str {
    if shown.waits_for_answer() {
        "connect() made the client's kernel send it, and waits for the answer."
    } else {
        "connect() made the client's kernel send it, and was asked not to wait for the answer."
    }
}

/// What a filter drops before TCP sees it.
fn filtered(shown: Shown<'_>) -> Vec<String> {
    let (name, other) = (shown.name(), shown.other());
    let flags = shown.segment.flags;
    let first = if shown.story.is_repeated(shown.event.id) {
        data::again(shown)
    } else if flags.rst() {
        resets::own_part(shown)
    } else if shown.story.is_probe(shown.event.id) {
        probe(shown)
    } else if shown.segment.payload_len > 0 {
        data::taken(shown)
    } else if flags.syn() {
        format!("The SYN asks for a connection; {}", connecting(shown))
    } else if flags.fin() {
        ended(shown)
    } else {
        format!("The {name}'s kernel acknowledges what has come.")
    };
    let second = format!(
        "It does not arrive: a filter on the {other}'s socket drops every segment, as a firewall or a broken line would on the \
         way."
    );
    vec![first, second]
}

/// The frame of the peer's that had closed the window before a probe.
fn window_closed_by(shown: Shown<'_>) -> Option<FrameNo> {
    let cause = *shown.story.cause(shown.event.id)?.causes.first()?;
    shown.story.journal().get(cause)?.segment().map(|(frame, _)| frame.number)
}

/// A segment that only asks whether the peer is there, or has room.
fn probe(shown: Shown<'_>) -> String {
    if let Some(frame) = window_closed_by(shown) {
        let other = shown.other();
        return format!("A window probe: by {frame} the {other}'s window is 0, and bytes wait to be sent.");
    }
    format!(
        "A keep-alive probe: an ACK whose number is one before the {}'s next, sent by its kernel because nothing had come for \
         a while.",
        shown.name()
    )
}

fn syn(shown: Shown<'_>) -> Vec<String> {
    if shown.segment.flags.ack() {
        return vec![
            "The server's kernel answers, not its program: a listening socket with room in its queue is enough."
                .to_owned(),
            "ACK 1, because a SYN counts as one in the numbering.".to_owned(),
        ];
    }
    let first = "The SYN asks for a connection and carries its sender's first number, shown here as 0.";
    let second = if shown.call().is_some() {
        connecting(shown)
    } else {
        "It counts as one in the numbering, so that the first byte will be number 1."
    };
    vec![first.to_owned(), second.to_owned()]
}

fn fin(shown: Shown<'_>) -> Vec<String> {
    vec![ended(shown), after_fin(shown)]
}

/// What it says that its sender sends a FIN.
fn ended(shown: Shown<'_>) -> String {
    let name = shown.name();
    let all_read = shown.sender().socket.end_seen;
    match shown.call().map(|(_, call)| (call.name, call.how())) {
        Some((CallName::Shutdown, Some(How::Both))) => {
            format!("The {name} will send no more and read no more: a close() would send the very same FIN.")
        }
        Some((CallName::Shutdown, _)) if all_read => {
            format!(
                "The {} had ended before, and now the {name} has said all: both directions are ended.",
                shown.other()
            )
        }
        Some((CallName::Shutdown, _)) => format!(
            "The {name} says \"no more bytes from me\" and goes on reading. A close() would send the very same FIN: the {} \
             cannot tell which it was.",
            shown.other()
        ),
        Some((CallName::Exit, _)) => match copy_holder(shown) {
            Some(actor) => format!("The end of {actor} closes the last copy, and only now is the FIN sent."),
            None => {
                format!("The end of the {name}'s program closes what it had left open, and only now is the FIN sent.")
            }
        },
        Some((CallName::Close, _)) => {
            "The last descriptor is closed with nothing unread and no SO_LINGER 0, so close() \
             sends FIN: no more bytes from here. shutdown(WR) would send the very same one."
                .to_owned()
        }
        Some((CallName::Execve, _)) => format!(
            "Another program took the place of the {name}'s, and execve() closed what was marked close-on-exec: the last \
             descriptor, so the FIN is sent."
        ),
        _ if is_killed(shown) => {
            format!(
                "The {name}'s program was killed: its kernel closes what it left open, and sends the same FIN as close()."
            )
        }
        _ => format!(
            "The {name} will send no more. close(), shutdown() and the end of a program all send this same FIN."
        ),
    }
}

/// Who made the call behind the segment, where that is not who opened the connection at its end.
fn copy_holder(shown: Shown<'_>) -> Option<&Actor> {
    let (begun, _) = shown.call()?;
    let actor = shown.story.journal().get(begun)?.actor.as_ref()?;
    let holders = &shown.story.connection(shown.connection)?.holders[shown.side];
    (holders.first() != Some(actor)).then_some(actor)
}

/// Whether the sender's program was killed, and its last call with it.
fn is_killed(shown: Shown<'_>) -> bool {
    let connection = shown.story.connection(shown.connection);
    let holders = connection.map_or(&[][..], |connection| connection.holders[shown.side].as_slice());
    let from = shown.story.journal().events().iter().skip_while(|event| event.id < shown.event.id);
    from.filter(|event| event.actor.as_ref().is_some_and(|actor| holders.contains(actor)))
        .find_map(|event| match event.what {
            What::Exit(status) => Some(matches!(status, crate::event::ExitStatus::Killed(_))),
            What::Begun(_) => Some(false),
            _ => None,
        })
        .unwrap_or(false)
}

/// What a FIN does to the end that it arrives at.
fn after_fin(shown: Shown<'_>) -> String {
    let other = shown.other();
    if shown.story.was_lost(shown.event.id) {
        return format!("It was sent again later and is presumed lost: the {other} does not know of it yet.");
    }
    if shown.receiver().tcp.rcv_nxt.is_some_and(|next| next.is_before(shown.segment.seq)) {
        return format!(
            "It comes before bytes that stand in front of it: the {other}'s kernel keeps it, and it ends nothing until they are \
             there."
        );
    }
    match shown.record.change(shown.side.peer()).map(|change| change.to) {
        Some(State::CloseWait) => format!(
            "The {other}'s kernel knows it now; its program is told only by recv() = 0 or poll() (IN, RDHUP), and may go on \
             sending until it closes."
        ),
        Some(State::TimeWait) if shown.sender().tcp.state == State::Closing => {
            "Both ended before either had heard of the other's end, so both keep the connection in mind for 60 s."
                .to_owned()
        }
        Some(State::TimeWait) => format!(
            "The {other} ended first, so it keeps the connection in mind for 60 s: to repeat the last ACK if that was lost, \
             and to let old segments die."
        ),
        None if shown.receiver().tcp.state == State::Closed => {
            format!("The {other}'s kernel knows of no such connection any more.")
        }
        Some(State::Closing) => "The FINs crossed: each end now waits for the ACK of its own.".to_owned(),
        _ => format!("The {other} has ended its own direction already."),
    }
}
