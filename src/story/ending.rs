//! What the segments of a connection amount to, taken in one by one: who ended it, who reset it, and what the reset answers.
//!
//! A story keeps all segments and a survey of millions keeps none, and both must come to the same verdict. So this is all that
//! a verdict rests on, of fixed size whatever the number of segments, and both feed it alike.

use std::fmt;
use std::num::NonZeroU64;

use super::end::Exchange;
use super::marks::{Marks, Odd};
use super::side::{Both, Side};
use super::telling::Certainty;
use crate::decode::Hop;
use crate::event::{FrameNo, Time};
use crate::tcp::head::Head;
use crate::tcp::rule::Rule;
use crate::tcp::seq::SeqNum;
use crate::tcp::state::State;

/// So many repetitions in a row without a sign of the peer, and it is taken to be gone.
pub const GIVES_UP: u8 = 3;

/// A frame's number, which is never 0, so that "none" costs no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InFrame(NonZeroU64);

impl InFrame {
    fn new(frame: FrameNo) -> Self {
        Self(NonZeroU64::new(frame.0).unwrap_or(NonZeroU64::MAX))
    }

    /// The frame.
    pub const fn frame(self) -> FrameNo {
        FrameNo(self.0.get())
    }
}

impl fmt::Display for InFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.frame().fmt(f)
    }
}

/// A segment as a verdict speaks of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Told {
    frame: InFrame,
    /// Nanoseconds of silence before it: since the last byte, SYN or FIN of either end.
    idle: i64,
    len: u32,
}

impl Told {
    /// Without the silence before it.
    const fn answered(self) -> Answered {
        Answered { frame: self.frame, len: self.len }
    }
}

/// A segment that was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Its frame.
    pub frame: InFrame,
    /// Its payload in bytes.
    pub len: u32,
}

/// How a reset came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It answered a SYN: nobody listens.
    Refuses,
    /// A live end gave up.
    Aborts,
    /// A kernel answered what no program could take.
    Answers,
}

/// The reset that ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reset {
    /// Its frame.
    pub frame: InFrame,
    /// What it answers.
    pub answers: Option<Answered>,
    /// In whose name it was sent.
    pub by: Side,
    /// How it came to be.
    pub kind: Kind,
    /// How sure it is what it answers, or that it was obeyed.
    pub certainty: Certainty,
    /// Whether its sender had sent a FIN before.
    pub after_fin: bool,
    /// How often its sender had repeated itself in vain before; at most 255.
    pub repeats: u8,
    /// In what it differs from the other packets of its supposed sender.
    pub odd: Option<Odd>,
}

/// What one end has sent with the acknowledgement number that it sends now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Thread {
    number: SeqNum,
    /// How many draw a reset where no program is, and are not answered.
    drawing: u32,
    /// The first such; without one the latest of all. `None` where there is no number yet.
    told: Option<Told>,
}

impl Thread {
    fn has(&self, number: SeqNum) -> bool {
        self.told.is_some() && self.number == number
    }
}

/// How a connection ended, as far as its segments tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Ending {
    /// Each end's first FIN.
    pub fins: Both<Option<InFrame>>,
    /// The reset that ended it.
    pub reset: Option<Reset>,
    /// Nanoseconds of silence before what ended it: its reset, or else its first FIN.
    pub idle: Option<i64>,
    /// How many segments each end repeated, or sent to see whether its peer is there, since it heard of it; at most 255.
    pub repeats: Both<u8>,
    /// Who sent the first FIN of all.
    pub first_fin: Option<Side>,
    /// Whether each FIN was sent before the other had arrived.
    pub crossed: bool,
    /// Whether the server was heard of.
    pub answered: bool,
    /// Whether something was acknowledged that was not captured.
    pub has_gaps: bool,
    /// Whether an end went on after a reset in its name: that was another's, or was not obeyed.
    pub went_on: bool,
}

/// What has to be watched while a connection goes on, to tell how it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// Whether a segment was seen.
    has_begun: bool,
    threads: Both<Thread>,
    /// Whether a byte, a SYN or a FIN was sent, and when the last was.
    has_been_active: bool,
    active: Time,
    /// What is usual for each end's packets.
    marks: Both<Marks>,
}

/// One is kept for each connection of a survey that goes on.
const _: () = assert!(size_of::<Watch>() <= 88, "what is watched has grown");

/// One segment that is just the next one.
#[derive(Clone, Copy, Debug)]
pub struct Next<'a> {
    /// Who sent it.
    pub side: Side,
    /// Its frame.
    pub frame: FrameNo,
    /// When it was captured.
    pub time: Time,
    /// Its numbers.
    pub head: &'a Head,
    /// The IP header's hop limit and number; all 0 where they are not known.
    pub hop: Hop,
}

/// One segment with what it did.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Who sent it.
    pub side: Side,
    /// Its frame.
    pub frame: FrameNo,
    /// When it was captured.
    pub time: Time,
    /// Its numbers.
    pub head: &'a Head,
    /// The IP header's hop limit and number; all 0 where they are not known.
    pub hop: Hop,
    /// SND.NXT of its sender before it.
    pub snd_nxt: SeqNum,
    /// What it did.
    pub exchange: &'a Exchange,
    /// Whether the connection is one of a socket with itself.
    pub with_itself: bool,
}

impl Reset {
    /// Whether its sender had repeated itself in vain before.
    pub const fn after_silence(&self) -> bool {
        self.repeats >= 2
    }
}

impl Ending {
    /// Takes the next segment in.
    pub fn take(&mut self, watch: &mut Watch, seen: &Seen<'_>) {
        let (side, head) = (seen.side, seen.head);
        let told = Told { frame: InFrame::new(seen.frame), len: head.payload_len, idle: watch.silence(seen.time) };
        let changes = [seen.exchange.sent, seen.exchange.arrived];
        if changes.iter().any(|change| change.rule == Rule::StillThere) {
            self.goes_on();
        }
        self.has_gaps |= changes.iter().any(|change| change.rule == Rule::AckOfUncaptured);
        self.crossed |= !seen.with_itself && changes.iter().any(|change| change.rule == Rule::FinsCross);
        // An acknowledgement shows that there was something to acknowledge, captured or not.
        self.answered |= side == Side::Server || (head.flags.ack() && !head.flags.rst() && !head.flags.syn());
        if head.flags.rst() {
            self.reset(watch, seen, told);
        } else {
            self.repeats(seen);
            self.fin(side, told, head);
            watch.segment(side, head, seen.hop, told, seen.exchange.draws_reset);
        }
        if seen.is_active() {
            watch.acts(seen.time);
        }
        watch.has_begun = true;
    }

    /// Takes in a segment of `side` that [`in_order`](super::end::in_order) passed on: it ends nothing and repeats nothing.
    #[inline]
    pub fn goes_in_order(&mut self, watch: &mut Watch, next: &Next<'_>) {
        let Next { side, frame, time, head, hop } = *next;
        self.answered = true;
        self.repeats[side.peer()] = 0;
        let told = Told { frame: InFrame::new(frame), len: head.payload_len, idle: watch.silence(time) };
        watch.segment(side, head, hop, told, false);
        if head.payload_len > 0 {
            watch.acts(time);
        }
    }

    /// What a reset seemed to have ended goes on.
    fn goes_on(&mut self) {
        if self.reset.take().is_some() {
            self.went_on = true;
            self.idle = self.idle.filter(|_| self.first_fin.is_some());
        }
    }

    fn fin(&mut self, side: Side, told: Told, head: &Head) {
        if !head.flags.fin() {
            return;
        }
        self.fins[side].get_or_insert(told.frame);
        if self.first_fin.is_none() {
            self.first_fin = Some(side);
            self.idle = self.idle.or(Some(told.idle));
        }
    }

    fn repeats(&mut self, seen: &Seen<'_>) {
        let (side, head) = (seen.side, seen.head);
        self.repeats[side.peer()] = 0;
        let was_sent = head.range().len > 0 && head.end().is_at_or_before(seen.snd_nxt);
        if !head.flags.syn() && (was_sent || seen.is_keep_alive()) {
            self.repeats[side] = self.repeats[side].saturating_add(1);
        }
    }

    fn reset(&mut self, watch: &mut Watch, seen: &Seen<'_>, told: Told) {
        let (answers, certainty) = watch.answered_by(seen);
        // An end that only rejects an ACK goes on opening.
        let rejects = seen.exchange.sent.rule == Rule::RejectsAck;
        let is_answer = !seen.head.flags.ack() && certainty == Certainty::Proven && !rejects;
        // Of a connection that begins with a reset nothing else is known: it ended something that was not captured.
        let is_first = !watch.has_begun;
        if self.reset.is_some() || !(seen.ends_something() || is_answer || is_first) {
            return;
        }
        let Exchange { sent, arrived, .. } = seen.exchange;
        let (kind, certainty) = match (sent.rule, arrived.rule) {
            (_, Rule::Refused) => (Kind::Refuses, Certainty::Proven),
            (Rule::Aborts, Rule::ResetPresumed | Rule::ResetAtConfirmed) => (Kind::Aborts, Certainty::Likely),
            (Rule::Aborts, _) => (Kind::Aborts, Certainty::Proven),
            _ => (Kind::Answers, certainty),
        };
        let (kind, certainty) = if is_first { (seen.presumed_kind(), Certainty::Likely) } else { (kind, certainty) };
        self.idle = Some(answers.filter(|_| kind == Kind::Answers).map_or(told.idle, |answered| answered.idle));
        self.reset = Some(Reset {
            by: seen.side,
            frame: told.frame,
            kind,
            answers: answers.map(Told::answered),
            certainty,
            after_fin: self.fins[seen.side].is_some(),
            repeats: self.repeats[seen.side],
            odd: watch.marks[seen.side].odd(seen.hop, kind),
        });
    }
}

impl Watch {
    fn silence(&self, now: Time) -> i64 {
        if self.has_been_active { now.since(self.active).max(0) } else { 0 }
    }

    const fn acts(&mut self, now: Time) {
        (self.has_been_active, self.active) = (true, now);
    }

    #[inline]
    fn segment(&mut self, side: Side, head: &Head, hop: Hop, told: Told, draws_reset: bool) {
        self.marks[side].take(hop);
        let Some(number) = head.acknowledges() else { return };
        let thread = &mut self.threads[side];
        if !thread.has(number) {
            *thread = Thread { number, ..Thread::default() };
        }
        if thread.drawing == 0 {
            thread.told = Some(told);
        }
        thread.drawing = thread.drawing.saturating_add(u32::from(draws_reset));
    }

    /// A bare reset carries as its number the ACK number of the segment that it answers (RFC 9293 §3.10.7.1). Of several with
    /// that number those are out that the state machine says draw no answer; several in flight are answered in their order.
    fn answered_by(&mut self, seen: &Seen<'_>) -> (Option<Told>, Certainty) {
        let peer = if seen.with_itself { seen.side } else { seen.side.peer() };
        let thread = &mut self.threads[peer];
        if seen.head.flags.ack() || !thread.has(seen.head.seq) {
            return (None, Certainty::Unknown);
        }
        let certainty = if thread.drawing == 1 { Certainty::Proven } else { Certainty::Likely };
        thread.drawing = thread.drawing.saturating_sub(1);
        (thread.told, certainty)
    }
}

impl Seen<'_> {
    /// Whether it carries a byte, a SYN or a FIN, other than to see whether the peer is there.
    fn is_active(&self) -> bool {
        self.head.range().len > 0 && !self.is_keep_alive()
    }

    fn is_keep_alive(&self) -> bool {
        let flags = self.head.flags;
        let is_plain = !(flags.syn() || flags.fin() || flags.rst());
        is_plain && self.head.payload_len <= 1 && self.head.seq + 1 == self.snd_nxt
    }

    /// What a reset probably is of which only its own numbers are known: Linux refuses a SYN with the number 0 and an ACK.
    fn presumed_kind(&self) -> Kind {
        match self.head.flags.ack() {
            _ if self.head.answers_syn() => Kind::Refuses,
            true => Kind::Aborts,
            false => Kind::Answers,
        }
    }

    /// Whether a reset was obeyed, or ended its own sender's connection. One that a full or a small socket passes over, and
    /// one that comes when all is over, says nothing of how the connection ended.
    fn ends_something(&self) -> bool {
        let changes = [self.exchange.sent, self.exchange.arrived];
        let passed_over = |rule| matches!(rule, Rule::ResetChallenged | Rule::ResetIgnored | Rule::RejectsAck);
        !changes.iter().any(|change| passed_over(change.rule))
            && changes.iter().any(|change| change.from != change.to || change.rule == Rule::Refused)
    }
}

/// Whether nothing but stray segments can follow: both ends closed, one of them perhaps in TIME-WAIT.
pub fn is_over(states: Both<State>) -> bool {
    let done = |state| matches!(state, State::Closed | State::TimeWait);
    done(states.client) && done(states.server)
}
