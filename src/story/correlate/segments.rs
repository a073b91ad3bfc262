//! The causes of segments: the call whose bytes or whose end they carry, or the segment that they answer.

use super::{Correlation, Made, Memory, Seen};
use crate::event::ConnectionId;
use crate::socket::call::CallName;
use crate::story::cause::Cause;
use crate::story::side::Side;
use crate::tcp::segment::Segment;
use crate::tcp::seq::SeqNum;

impl<'a> Correlation<'a> {
    pub(super) fn segment(&mut self, id: ConnectionId, seen: Seen<'a>) -> Option<Cause> {
        let cause = Some(self.cause_of(id, seen));
        let peer = self.peer(id, seen.side);
        let offsets = self.offsets(id, seen).filter(|_| seen.heard && seen.segment.payload_len > 0);
        let memory = self.memory(id);
        if let Some(offsets) = offsets {
            memory.carried[seen.side].add(seen.event, offsets);
        }
        if seen.obeyed {
            memory.reset_by[peer].get_or_insert(seen.event);
        }
        if seen.segment.flags.fin() {
            memory.fin_taken[peer].get_or_insert(seen.event);
        }
        if !seen.segment.flags.rst() {
            let end = seen.segment.end();
            memory.next[seen.side] = Some(memory.next[seen.side].map_or(end, |next| next.max(end)));
        }
        memory.seen.push(seen);
        cause
    }

    fn cause_of(&mut self, id: ConnectionId, seen: Seen<'a>) -> Cause {
        let flags = seen.segment.flags;
        if flags.rst() {
            return self.reset(id, seen);
        }
        if flags.syn() {
            return self.syn(id, seen);
        }
        if seen.segment.payload_len > 0 {
            let cause = self.data(id, seen);
            return if flags.fin() { self.with_fin(id, seen.side, cause) } else { cause };
        }
        if flags.fin() {
            return self.fin(id, seen);
        }
        if seen.is_probe {
            return self.window_probe(id, seen).unwrap_or_else(|| self.probe(id, seen));
        }
        self.pure_ack(id, seen)
    }

    fn probe(&self, id: ConnectionId, seen: Seen<'a>) -> Cause {
        let sets = |made: &&Made<'a>| made.end == Some((id, seen.side)) && made.call.has_flag("SO_KEEPALIVE");
        match self.rare().rev().find(sets) {
            Some(made) => Cause::proven(
                seen.event,
                vec![made.event],
                "SO_KEEPALIVE asks for it, since nothing had come for a while",
            ),
            None => Cause::unknown(seen.event, "a timer sent it, to see whether the peer is there"),
        }
    }

    fn syn(&mut self, id: ConnectionId, seen: Seen<'a>) -> Cause {
        if let Some(ack) = seen.segment.acknowledges() {
            // With data on it (RFC 7413 §4.2.2), a SYN is answered by an ACK of all, of some or of none of that.
            let answers = |syn: &Segment| syn.seq.is_before(ack) && ack.is_at_or_before(syn.end());
            let asked = |bare: bool| {
                self.latest(id, self.peer(id, seen.side), |other| {
                    let flags = other.segment.flags;
                    flags.syn() && flags.ack() != bare && answers(other.segment)
                })
            };
            return match asked(true).or_else(|| asked(false)) {
                Some(syn) => {
                    Cause::proven(seen.event, vec![syn.event], format!("its ACK follows the number of {}", syn.frame))
                }
                None => Cause::unknown(seen.event, "the SYN that it answers was not captured"),
            };
        }
        let (connect, evidence) = self.asked_for(seen);
        let same = |other: &Seen<'a>| other.segment.flags.syn() && other.segment.seq == seen.segment.seq;
        let earlier = self.latest(id, seen.side, same);
        let causes = connect.into_iter().map(|made| made.event).chain(earlier.map(|other| other.event)).collect();
        match (connect, earlier) {
            (_, Some(other)) => Cause::proven(seen.event, causes, format!("the same SYN as in {}", other.frame)),
            (Some(_), None) => match evidence {
                Ok(proof) => Cause::proven(seen.event, causes, proof),
                Err(doubt) => Cause::likely(seen.event, causes, doubt),
            },
            (None, None) => Cause::unknown(seen.event, "a program called connect(); no calls are known"),
        }
    }

    /// The connect(2) that asked for a SYN, with what proves it, or what is in doubt.
    fn asked_for(&self, seen: Seen<'a>) -> (Option<&Made<'a>>, Result<&'static str, &'static str>) {
        let goes_there =
            |made: &&Made<'_>| made.call.name == CallName::Connect && made.call.addr() == Some(seen.segment.dst);
        let mut asking = self.in_progress().rev().filter(goes_there);
        let (latest, another) = (asking.next(), asking.next());
        if another.is_none() {
            return (latest, Ok("the only connect() in progress to that address"));
        }
        let known = self.track.connects().of_syn(seen.segment, seen.event);
        match known.and_then(|(begun, _)| self.made.get(self.place(*begun)?)) {
            Some(made) => (Some(made), Ok("of the connect() calls in progress it has this address")),
            None => (latest, Err("the latest of several connect() calls in progress to that address")),
        }
    }

    fn data(&mut self, id: ConnectionId, seen: Seen<'a>) -> Cause {
        let side = seen.side;
        let Some((start, end)) = self.offsets(id, seen) else { return Cause::unknown(seen.event, "") };
        let goes_back = self.memory(id).next[side].is_some_and(|next| seen.segment.seq.is_before(next));
        let overlaps = |other: &Seen<'a>| other.segment.payload_range().overlaps(seen.segment.payload_range());
        let earlier = if goes_back { self.latest(id, side, overlaps) } else { None };
        let calls = self.writers(id, seen);
        let mut causes = calls.clone();
        causes.extend(earlier.map(|other| other.event));
        if let Some(other) = earlier {
            return Cause::proven(seen.event, causes, format!("the same bytes as in {}", other.frame));
        }
        if calls.is_empty() {
            return Cause::unknown(seen.event, self.why_nobodys(id, side));
        }
        let whose = if calls.len() == 1 { "this call's" } else { "these calls'" };
        // As the drawing counts: the first byte is 1, the range ends before its second number.
        Cause::proven(seen.event, causes, format!("bytes {} to {} are {whose}", start + 1, end))
    }

    /// The offsets of a segment's payload in its sender's stream, the first byte being 0.
    pub(super) fn offsets(&self, id: ConnectionId, seen: Seen<'a>) -> Option<(u64, u64)> {
        let connection = self.connection(id)?;
        let first = connection.relative(seen.side, seen.segment.payload_range().start);
        let start = u64::from(first.wrapping_sub(1));
        Some((start, start + u64::from(seen.segment.payload_len)))
    }

    fn fin(&mut self, id: ConnectionId, seen: Seen<'a>) -> Cause {
        let before = self.latest(id, seen.side, |other| other.segment.flags.fin());
        if let Some(made) = self.ending_call(id, seen.side) {
            self.memory(id).ended_by[seen.side].get_or_insert(made.event);
            let evidence = match made.call.name {
                CallName::Execve => {
                    "another program took this one's place, and this descriptor was marked close-on-exec"
                }
                CallName::Exit => "the program ended with this descriptor open",
                CallName::Shutdown => "the call that ended this direction",
                _ => "the last descriptor was closed, nothing was unread",
            };
            return match before {
                Some(other) => {
                    let evidence = format!("the same FIN as in {}", other.frame);
                    Cause::proven(seen.event, vec![made.event, other.event], evidence)
                }
                None => Cause::proven(seen.event, vec![made.event], evidence),
            };
        }
        match before {
            Some(other) => Cause::proven(seen.event, vec![other.event], format!("the same FIN as in {}", other.frame)),
            None => self.fin_of_a_death(id, seen),
        }
    }

    /// The cause of data that carries a FIN too: the FIN has an owner of its own.
    fn with_fin(&mut self, id: ConnectionId, side: Side, mut cause: Cause) -> Cause {
        if let Some(made) = self.ending_call(id, side).filter(|_| !cause.causes.is_empty()) {
            self.memory(id).ended_by[side].get_or_insert(made.event);
            cause.causes.push(made.event);
            cause.evidence = format!("{}, the FIN is {}'s", cause.evidence, made.call.name);
        }
        cause
    }

    /// A FIN while a send is in progress that never returned: the signal that came with its error killed the program.
    fn fin_of_a_death(&self, id: ConnectionId, seen: Seen<'a>) -> Cause {
        let holders = self.connection(id).map_or(&[][..], |connection| connection.holders[seen.side].as_slice());
        let last = self.in_progress().rev().find(|made| holders.contains(made.actor));
        match last {
            Some(made) => Cause::likely(seen.event, vec![made.event], "the program ended during this call"),
            None => Cause::unknown(seen.event, "close(), shutdown() or the end of the program; no calls are known"),
        }
    }

    fn pure_ack(&mut self, id: ConnectionId, seen: Seen<'a>) -> Cause {
        let ack = seen.segment.ack;
        let (before, peer) = (self.last_ack(id, seen.side), self.peer(id, seen.side));
        let memory = self.memory(id);
        let newly = newly_acknowledged(memory, peer, before, ack);
        if let Some(latest) = newly.first() {
            let evidence = format!("its ACK follows the last number of {}", latest.frame);
            return Cause::proven(seen.event, newly.iter().map(|other| other.event).collect(), evidence);
        }
        if let Some(cause) = self.selective_ack(id, seen) {
            return cause;
        }
        let reading =
            self.in_progress().rev().find(|made| made.end == Some((id, seen.side)) && made.call.name.receives());
        if let Some(made) = reading {
            return Cause::proven(
                seen.event,
                vec![made.event],
                "it acknowledges nothing new: the read opened the window",
            );
        }
        match self.latest(id, peer, |_| true) {
            Some(other) => {
                Cause::likely(seen.event, vec![other.event], "it acknowledges nothing new; the latest segment is taken")
            }
            None => Cause::unknown(seen.event, "what it acknowledges was not captured"),
        }
    }

    /// A probe because the peer's last word had closed the window.
    fn window_probe(&self, id: ConnectionId, seen: Seen<'a>) -> Option<Cause> {
        let closed = self.latest(id, self.peer(id, seen.side), |_| true).filter(Seen::closes_window)?;
        let evidence = format!("{} had closed the window", closed.frame);
        Some(Cause::proven(seen.event, vec![closed.event], evidence))
    }

    /// The last acknowledgement that `side` sent.
    fn last_ack(&self, id: ConnectionId, side: Side) -> Option<SeqNum> {
        let memory = self.memory.get(&id)?;
        memory.seen.iter().rev().filter(|other| other.side == side).find_map(|other| other.segment.acknowledges())
    }

    /// The latest segment of `side` for which `wanted` holds.
    /// An ACK whose first SACK block, which tells of what came last (RFC 2018 §4), holds a segment of the peer's.
    fn selective_ack(&self, id: ConnectionId, seen: Seen<'a>) -> Option<Cause> {
        let (left, right) = *seen.segment.sack()?.blocks().first()?;
        let is_held = |other: &Seen<'a>| {
            let range = other.segment.range();
            range.len > 0 && left.is_at_or_before(range.start) && other.segment.end().is_at_or_before(right)
        };
        let held = self.latest(id, self.peer(id, seen.side), is_held)?;
        Some(Cause::proven(seen.event, vec![held.event], format!("its SACK block names {}", held.frame)))
    }

    pub(super) fn latest(&self, id: ConnectionId, side: Side, wanted: impl Fn(&Seen<'a>) -> bool) -> Option<Seen<'a>> {
        let memory = self.memory.get(&id)?;
        memory.seen.iter().rev().find(|other| other.side == side && wanted(other)).copied()
    }
}

/// The segments of `side` whose last number lies after `before` and at or before `ack`, latest first. The search ends at the
/// first that `before` covers.
fn newly_acknowledged<'a>(memory: &Memory<'a>, side: Side, before: Option<SeqNum>, ack: SeqNum) -> Vec<Seen<'a>> {
    let of_side = memory.seen.iter().rev().filter(|other| other.side == side && other.segment.range().len > 0);
    let is_new = |other: &&Seen<'a>| before.is_none_or(|before| before.is_before(other.segment.end()));
    of_side.take_while(is_new).filter(|other| other.segment.end().is_at_or_before(ack)).copied().collect()
}
