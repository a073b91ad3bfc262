//! What caused what, by sequence numbers and the state machine first, by order only where they leave a choice.

use std::collections::BTreeSet;

use foldhash::HashMap;

use super::cause::Cause;
use super::connection::Connection;
use super::journal::Journal;
use super::side::{Both, Side};
use super::spans::{Carried, Spans, Taken};
use super::track::{Record, Track};
use crate::event::{Actor, ConnectionId, Event, EventId, FrameNo, What};
use crate::socket::call::{Call, CallName, How};
use crate::tcp::rule::Rule;
use crate::tcp::segment::Segment;
use crate::tcp::seq::SeqNum;

mod calls;
mod origins;
mod resets;
mod segments;

/// A segment that was seen, as correlation needs it.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Seen<'a> {
    event: EventId,
    frame: FrameNo,
    side: Side,
    segment: &'a Segment,
    draws_reset: bool,
    heard: bool,
    obeyed: bool,
    /// Whether it only asks whether the peer is there: its number is one before the next.
    is_probe: bool,
}

impl Seen<'_> {
    /// Whether it says that its sender has no room left.
    const fn closes_window(&self) -> bool {
        self.segment.window == 0 && self.segment.flags.ack() && !self.segment.flags.rst()
    }
}

/// A call that was begun.
#[derive(Clone, Copy, Debug)]
struct Made<'a> {
    event: EventId,
    actor: &'a Actor,
    call: &'a Call,
    end: Option<(ConnectionId, Side)>,
    in_progress: bool,
}

/// What correlation remembers of one connection.
#[derive(Clone, Debug, Default)]
struct Memory<'a> {
    seen: Vec<Seen<'a>>,
    /// The number after the last that each end has sent.
    next: Both<Option<SeqNum>>,
    /// What each end handed to its kernel.
    written: Both<Spans>,
    /// Which segments brought each end's bytes to where a program could still take them.
    carried: Both<Carried>,
    /// What each end took from its kernel, in numbers of its peer's stream.
    read: Both<Taken>,
    /// The call or exit that ended each end's own direction.
    ended_by: Both<Option<EventId>>,
    /// The reset that closed each end.
    reset_by: Both<Option<EventId>>,
    /// Without segments: the call or exit that drew a reset on each end, as is presumed.
    drew_reset: Both<Option<EventId>>,
    /// The call that reported that the kernel had given each end up.
    given_up: Both<Option<EventId>>,
    /// The peer's FIN as each end took it in.
    fin_taken: Both<Option<EventId>>,
    /// Without segments: how many bytes the peer had sent, less those that were not read, when each end's calls came to be known.
    read_before: Both<i64>,
    /// Which segments a reset was already tied to.
    answered: Vec<EventId>,
}

/// The causes of all events of a journal, one record each, for those that have or need one.
pub fn correlate(journal: &Journal, track: &Track) -> Vec<Cause> {
    let mut correlation = Correlation::new(journal, track);
    for (event, record) in journal.events().iter().zip(track.records()) {
        correlation.take(event, record);
    }
    correlation.causes
}

struct Correlation<'a> {
    journal: &'a Journal,
    track: &'a Track,
    made: Vec<Made<'a>>,
    /// The places of those that are neither about data nor wait: of many calls the few that open or end something.
    rare: Vec<usize>,
    /// Of those again: each end's own, and each program's ends and execve(2) calls.
    of_end: HashMap<(ConnectionId, Side), Vec<usize>>,
    ends_of: HashMap<&'a Actor, Vec<usize>>,
    /// The places of all that are in progress.
    in_progress: BTreeSet<usize>,
    memory: HashMap<ConnectionId, Memory<'a>>,
    causes: Vec<Cause>,
}

impl<'a> Correlation<'a> {
    fn new(journal: &'a Journal, track: &'a Track) -> Self {
        Self {
            journal,
            track,
            made: Vec::new(),
            rare: Vec::new(),
            of_end: HashMap::default(),
            ends_of: HashMap::default(),
            in_progress: BTreeSet::new(),
            memory: HashMap::default(),
            causes: Vec::new(),
        }
    }

    fn take(&mut self, event: &'a Event, record: &Record) {
        let cause = match &event.what {
            What::Segment { frame, segment } => {
                let Some((id, side)) = record.connection.zip(record.side) else { return };
                if record.is_copy {
                    self.causes.push(Cause::unknown(event.id, "the same packet as before, seen at another interface"));
                    return;
                }
                let (draws_reset, heard) = (record.draws_reset, record.heard);
                let obeyed = record.changes.iter().any(|change| change.rule.is_reset_obeyed());
                let next = self.memory(id).next[side];
                let is_probe = segment.is_pure_ack() && next.is_some_and(|next| segment.seq + 1 == next);
                let frame = frame.number;
                let seen = Seen { event: event.id, frame, side, segment, draws_reset, heard, obeyed, is_probe };
                self.segment(id, seen)
            }
            What::Begun(call) => {
                self.begun(event, call, record);
                None
            }
            What::Ended { begun, outcome } => {
                self.presumed(*begun, record);
                self.ended(event, *begun, outcome, record)
            }
            What::Exit(status) => {
                self.presumed(event.id, record);
                self.exited(event, *status)
            }
            What::Holds(_) => {
                self.held(event.id, record);
                None
            }
            What::Stack(_) | What::Started { .. } | What::Sample(_) | What::Gap(_) => None,
        };
        self.causes.extend(cause);
    }

    fn connection(&self, id: ConnectionId) -> Option<&'a Connection> {
        self.track.connection(id)
    }

    /// Where what `side` of `id` sends arrives.
    fn peer(&self, id: ConnectionId, side: Side) -> Side {
        self.connection(id).map_or(side.peer(), |connection| connection.peer_of(side))
    }

    fn memory(&mut self, id: ConnectionId) -> &mut Memory<'a> {
        self.memory.entry(id).or_default()
    }

    /// Remembers the resets that `event` drew, where they are presumed because nothing was captured.
    fn presumed(&mut self, event: EventId, record: &Record) {
        let Some(id) = record.connection else { return };
        for change in record.changes.iter().filter(|change| change.rule == Rule::ResetArrives) {
            self.memory(id).drew_reset[change.side] = Some(event);
        }
    }

    fn begun(&mut self, event: &'a Event, call: &'a Call, record: &Record) {
        let Some(actor) = event.actor.as_ref() else { return };
        let end = record.connection.zip(record.side);
        let is_often = call.name.sends()
            || call.name.receives()
            || matches!(call.name, CallName::Poll | CallName::Select | CallName::EpollWait | CallName::EpollCtl);
        let place = self.made.len();
        if !is_often {
            self.rare.push(place);
            if let Some(end) = end {
                self.of_end.entry(end).or_default().push(place);
            }
        }
        if matches!(call.name, CallName::Exit | CallName::Execve) {
            self.ends_of.entry(actor).or_default().push(place);
        }
        self.in_progress.insert(place);
        self.made.push(Made { event: event.id, actor, call, end, in_progress: true });
        let Some((id, side)) = end else { return };
        if call.name.sends() {
            let asked = call.asked_len().unwrap_or(0);
            self.memory(id).written[side].begin(event.id, asked);
        }
    }

    fn rare(&self) -> impl DoubleEndedIterator<Item = &Made<'a>> {
        self.rare.iter().filter_map(|at| self.made.get(*at))
    }

    /// Those that are in progress, in their order.
    fn in_progress(&self) -> impl DoubleEndedIterator<Item = &Made<'a>> {
        self.in_progress.iter().filter_map(|at| self.made.get(*at))
    }

    /// The place of the call that began at `begun`: they stand in the order of their beginnings.
    fn place(&self, begun: EventId) -> Option<usize> {
        self.made.binary_search_by_key(&begun, |made| made.event).ok()
    }

    fn call(&self, begun: EventId) -> Option<Made<'a>> {
        self.made.get(self.place(begun)?).copied()
    }

    fn finish(&mut self, begun: EventId) {
        let Some(place) = self.place(begun) else { return };
        self.in_progress.remove(&place);
        self.made[place].in_progress = false;
    }

    /// The call in progress, or the first that ended, that can have ended the own direction of `side`: shutdown(2) of
    /// sending, the close of its descriptor, connect(2) to nowhere, the end of the program, or an outsider's request.
    fn ending_call(&self, id: ConnectionId, side: Side) -> Option<Made<'a>> {
        let holders = &self.connection(id)?.holders[side];
        let ends = |made: &Made<'a>| match made.call.name {
            CallName::Shutdown => made.call.how() != Some(How::Read),
            CallName::Close | CallName::SockDestroy => true,
            CallName::Connect => made.call.word(1) == Some("AF_UNSPEC"),
            _ => false,
        };
        let own = self.of_end.get(&(id, side)).into_iter().flatten().filter(|at| ends(&self.made[**at]));
        let programs = holders.iter().filter_map(|holder| self.ends_of.get(holder)).flatten();
        let candidates: Vec<usize> = own.chain(programs).copied().collect();
        let in_progress = candidates.iter().filter(|at| self.made[**at].in_progress).min();
        in_progress.or(candidates.iter().min()).map(|at| self.made[*at])
    }

    fn frame_of(&self, event: EventId) -> Option<FrameNo> {
        self.journal.get(event)?.segment().map(|(frame, _)| frame.number)
    }

    /// An event as evidence names it: by its frame's number, else by its own.
    fn named(&self, event: EventId) -> String {
        self.frame_of(event).map_or_else(|| format!("event {event}"), |frame| frame.to_string())
    }
}
