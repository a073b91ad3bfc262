//! The causes of resets: the segment that one answers, or the call that gave the connection up.

use super::{Correlation, Made, Seen};
use crate::event::{ConnectionId, EventId};
use crate::socket::call::CallName;
use crate::socket::errno::Errno;
use crate::story::cause::Cause;
use crate::story::side::Side;
use crate::story::track::Record;

/// What the reset of a connection that nobody had accepted rests on.
const UNACCEPTED: &str = "the listening socket was closed, and nobody had accepted this connection";

impl<'a> Correlation<'a> {
    pub(super) fn reset(&mut self, id: ConnectionId, seen: Seen<'a>) -> Cause {
        let flags = seen.segment.flags;
        if flags.ack() && seen.segment.window == 0 && seen.segment.seq.get() == 0 {
            return self.refusal(id, seen);
        }
        if flags.ack() {
            return self.abort(id, seen);
        }
        self.answer(id, seen)
    }

    /// A SYN that nobody listens to is answered with RST and ACK, number 0 (RFC 9293 §3.10.7.1).
    fn refusal(&mut self, id: ConnectionId, seen: Seen<'a>) -> Cause {
        match self.latest(id, self.peer(id, seen.side), |other| other.segment.end() == seen.segment.ack) {
            Some(other) => {
                let evidence = format!("its ACK follows the number of {}", other.frame);
                Cause::proven(seen.event, vec![other.event], evidence)
            }
            None => Cause::unknown(seen.event, "what it answers was not captured"),
        }
    }

    /// A bare reset carries as its number the ACK number of the segment that it answers (RFC 9293 §3.10.7.1). Where several
    /// carry it, those that the state machine says draw no answer are out, and those that were answered already.
    fn answer(&mut self, id: ConnectionId, seen: Seen<'a>) -> Cause {
        let peer = self.peer(id, seen.side);
        let number = seen.segment.seq;
        let memory = self.memory(id);
        let candidates: Vec<Seen<'a>> = memory
            .seen
            .iter()
            .rev()
            .filter(|other| other.side == peer && other.segment.acknowledges() == Some(number))
            .copied()
            .collect();
        let (mut drew, silent): (Vec<Seen<'a>>, Vec<Seen<'a>>) =
            candidates.into_iter().partition(|other| other.draws_reset);
        drew.retain(|other| !memory.answered.contains(&other.event));
        // Several in flight are answered in the order in which they came.
        let Some(answered) = drew.last().copied() else { return self.forgotten(id, seen, silent.first().copied()) };
        let only = drew.len() == 1;
        memory.answered.push(answered.event);
        let relative = self.connection(id).map_or(0, |connection| connection.relative(seen.side, number));
        let mut evidence = format!("seq {relative} = ack of {}", answered.frame);
        if let Some(out) = silent.first() {
            evidence = format!("{evidence}; {} drew none", out.frame);
        }
        let mut causes = vec![answered.event];
        causes.extend(self.own_end(id, seen));
        if only { Cause::proven(seen.event, causes, evidence) } else { Cause::likely(seen.event, causes, evidence) }
    }

    /// No segment should have drawn the reset, had this end known of the connection. Where no call gave it up, the latest
    /// segment whose ACK number it bears is taken: the end's host had forgotten the connection, or never knew of it.
    fn forgotten(&mut self, id: ConnectionId, seen: Seen<'a>, latest: Option<Seen<'a>>) -> Cause {
        let Some(latest) = latest.filter(|_| self.ending_call(id, seen.side).is_none()) else {
            return self.abort(id, seen);
        };
        self.memory(id).answered.push(latest.event);
        let relative = self.connection(id).map_or(0, |connection| connection.relative(seen.side, seen.segment.seq));
        let by_another = self.record(seen.event).is_some_and(Record::is_sent_by_another);
        let why = if by_another {
            format!("the {}'s program holds its socket, which would have taken it: another sent this", seen.side.name())
        } else {
            "which an end that knew of the connection would have taken".to_owned()
        };
        let evidence = format!("seq {relative} = ack of {}, {why}", latest.frame);
        Cause::likely(seen.event, vec![latest.event], evidence)
    }

    /// The FIN with which the resetting end had ended its own direction: why no program was there.
    fn own_end(&self, id: ConnectionId, seen: Seen<'a>) -> Option<EventId> {
        self.latest(id, seen.side, |other| other.segment.flags.fin()).map(|other| other.event)
    }

    fn abort(&mut self, id: ConnectionId, seen: Seen<'a>) -> Cause {
        let pending = self.record(seen.event).and_then(|record| record.ends[seen.side].socket.pending);
        if pending == Some(Errno::ETIMEDOUT) {
            let cause = self.probed_in_vain(id, seen.side, seen.event);
            return Cause { evidence: format!("{}, so the kernel gave up", cause.evidence), ..cause };
        }
        if let Some(made) = self.end_of_listener(id, seen.side) {
            return Cause::proven(seen.event, vec![made.event], UNACCEPTED);
        }
        let Some(made) = self.ending_call(id, seen.side) else {
            let why = if seen.segment.flags.ack() {
                "a live end gave up: unread bytes, SO_LINGER 0 or another abort; no calls are known"
            } else {
                "no segment that was captured bears its number as ACK"
            };
            return Cause::unknown(seen.event, why);
        };
        let end = self.before(id, seen.event).map(|record| &record.ends[seen.side]);
        let why = match end {
            Some(end) if end.socket.linger_zero => "SO_LINGER with 0 was set".to_owned(),
            Some(end) if end.socket.unread > 0 => match end.socket.unread {
                1 => "1 byte had arrived and was not read".to_owned(),
                unread => format!("{unread} bytes had arrived and were not read"),
            },
            _ if made.call.name == CallName::SockDestroy => "another process asked the kernel for it".to_owned(),
            _ if made.call.name == CallName::Connect => "AF_UNSPEC gives up what was connected".to_owned(),
            _ if made.call.name == CallName::Exit => "the program ended".to_owned(),
            _ => "the only call in progress that can abort".to_owned(),
        };
        let unread = self.unread_frames(id, seen);
        Cause::proven(seen.event, std::iter::once(made.event).chain(unread).collect(), why)
    }

    /// The close of the listening socket, or the end of its program, that is in progress, where nobody has accepted the
    /// connection: Linux resets what still waits in the queue (`inet_csk_listen_stop()`).
    fn end_of_listener(&self, id: ConnectionId, side: Side) -> Option<Made<'a>> {
        let connection = self.connection(id).filter(|one| one.holders[side].is_empty())?;
        let port = connection.addresses[side].port();
        let is_own = |other: &&Made<'a>, made: &Made<'a>| {
            other.actor == made.actor && (made.call.name == CallName::Exit || other.call.fd() == made.call.fd())
        };
        let listens = |made: &Made<'a>| {
            let own = || self.made.iter().filter(|other| is_own(other, made));
            let bound = own().rev().find(|other| other.call.name == CallName::Bind).and_then(|bind| bind.call.addr());
            own().any(|other| other.call.name == CallName::Listen) && bound.is_some_and(|addr| addr.port() == port)
        };
        let ends = |made: &&Made<'a>| matches!(made.call.name, CallName::Close | CallName::Exit);
        self.in_progress().rev().filter(ends).find(|made| listens(made)).copied()
    }

    /// The record of the connection's latest event before `event`.
    fn before(&self, id: ConnectionId, event: EventId) -> Option<&'a Record> {
        let events = &self.connection(id)?.events;
        let latest = events.get(events.partition_point(|other| *other < event).checked_sub(1)?)?;
        self.record(*latest)
    }

    fn record(&self, event: EventId) -> Option<&'a Record> {
        self.track.record(event)
    }

    /// The last segment whose bytes the aborting end had not read.
    fn unread_frames(&self, id: ConnectionId, seen: Seen<'a>) -> Option<EventId> {
        let memory = self.memory.get(&id)?;
        let read = memory.read[seen.side].next;
        self.latest(id, self.peer(id, seen.side), |other| {
            other.segment.payload_len > 0 && self.offsets(id, *other).is_some_and(|(_, end)| end > read)
        })
        .map(|other| other.event)
    }
}
