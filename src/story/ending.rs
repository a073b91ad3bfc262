//! What the segments of a connection amount to, taken in one by one: who ended it, who reset it, and what the reset answers.
//!
//! A story keeps all segments and a survey of millions keeps none, and both must come to the same verdict. So this is all that
//! a verdict rests on, of fixed size whatever the number of segments, and both feed it alike.

use super::end::Exchange;
use super::side::{Both, Side};
use super::telling::Certainty;
use crate::decode::Hop;
use crate::event::{FrameNo, Time};
use crate::tcp::head::Head;
use crate::tcp::rule::Rule;
use crate::tcp::seq::SeqNum;
use crate::tcp::state::State;

/// So many repetitions in a row without a sign of the peer, and it is taken to be gone.
pub const GIVES_UP: u16 = 3;

/// A segment as a verdict speaks of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its frame.
    pub frame: FrameNo,
    /// Its payload in bytes.
    pub len: u32,
    /// Nanoseconds of silence before it: since the last byte, SYN or FIN of either end.
    pub idle: i64,
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
    /// In whose name it was sent.
    pub by: Side,
    /// Its frame.
    pub frame: FrameNo,
    /// How it came to be.
    pub kind: Kind,
    /// What it answers.
    pub answers: Option<Told>,
    /// How sure that is.
    pub certainty: Certainty,
    /// Whether its sender had repeated itself in vain before.
    pub after_silence: bool,
    /// Its hop limit and the one that other packets of its sender had, where they differ.
    pub hops: Option<(u8, u8)>,
}

/// What one end has sent with the acknowledgement number that it sends now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Thread {
    number: Option<SeqNum>,
    latest: Option<Told>,
    /// The first that draws a reset where no program is, and is not answered.
    draws: Option<Told>,
    /// How many such there are.
    drawing: u32,
}

/// What is held of one connection's ending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// Each end's first FIN.
    pub fins: Both<Option<FrameNo>>,
    /// Who sent the first FIN of all.
    pub first_fin: Option<Side>,
    /// Whether each FIN was sent before the other had arrived.
    pub crossed: bool,
    /// Whether the server was heard of.
    pub answered: bool,
    /// The reset that ended it.
    pub reset: Option<Reset>,
    /// How many segments each end repeated, or sent to see whether its peer is there, since it heard of it.
    pub repeats: Both<u16>,
    /// Nanoseconds of silence before what ended it: its reset, or else its first FIN.
    pub idle: Option<i64>,
    threads: Both<Thread>,
    /// When a byte, a SYN or a FIN was sent last.
    active: Option<Time>,
    /// The hop limit of each end's packets, its resets aside; 0 where not known.
    hops: Both<u8>,
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
    /// The IP header's hop limit and number, where they are known.
    pub hop: Option<Hop>,
    /// SND.NXT of its sender before it.
    pub snd_nxt: SeqNum,
    /// What it did.
    pub exchange: &'a Exchange,
    /// Whether the connection is one of a socket with itself.
    pub with_itself: bool,
}

impl Ending {
    /// Takes the next segment in.
    pub fn take(&mut self, seen: &Seen<'_>) {
        let (side, head) = (seen.side, seen.head);
        let told = Told { frame: seen.frame, len: head.payload_len, idle: self.silence(seen.time) };
        let changes = [seen.exchange.sent, seen.exchange.arrived];
        self.crossed |= !seen.with_itself && changes.iter().any(|change| change.rule == Rule::FinsCross);
        // An acknowledgement shows that there was something to acknowledge, captured or not.
        self.answered |= side == Side::Server || (head.flags.ack() && !head.flags.rst() && !head.flags.syn());
        if head.flags.rst() {
            self.reset(seen, told);
        } else {
            self.repeats(seen);
            self.fin(side, told, head);
            self.thread(seen, told);
            self.hops[side] = seen.hop.map_or(self.hops[side], |hop| hop.limit);
        }
        if seen.is_active() {
            self.active = Some(seen.time);
        }
    }

    fn silence(&self, now: Time) -> i64 {
        self.active.map_or(0, |active| now.since(active).max(0))
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

    fn thread(&mut self, seen: &Seen<'_>, told: Told) {
        let Some(number) = seen.head.acknowledges() else { return };
        let thread = &mut self.threads[seen.side];
        if thread.number != Some(number) {
            *thread = Thread { number: Some(number), ..Thread::default() };
        }
        thread.latest = Some(told);
        if seen.exchange.draws_reset {
            thread.draws.get_or_insert(told);
            thread.drawing = thread.drawing.saturating_add(1);
        }
    }

    fn reset(&mut self, seen: &Seen<'_>, told: Told) {
        let (answers, certainty) = self.answered_by(seen);
        let is_answer = !seen.head.flags.ack() && certainty == Certainty::Proven;
        if self.reset.is_some() || !(seen.ends_something() || is_answer) {
            return;
        }
        let Exchange { sent, arrived, .. } = seen.exchange;
        let kind = match (sent.rule, arrived.rule) {
            (_, Rule::Refused) => Kind::Refuses,
            (Rule::Aborts, _) => Kind::Aborts,
            _ => Kind::Answers,
        };
        let usual = self.hops[seen.side];
        let hops = seen.hop.map(|hop| (hop.limit, usual)).filter(|(own, usual)| *usual != 0 && own != usual);
        let after_silence = self.repeats[seen.side] >= 2;
        self.idle = Some(answers.filter(|_| kind == Kind::Answers).map_or(told.idle, |answered| answered.idle));
        self.reset = Some(Reset { by: seen.side, frame: told.frame, kind, answers, certainty, after_silence, hops });
    }

    /// A bare reset carries as its number the ACK number of the segment that it answers (RFC 9293 §3.10.7.1). Of several with
    /// that number those are out that the state machine says draw no answer; several in flight are answered in their order.
    fn answered_by(&mut self, seen: &Seen<'_>) -> (Option<Told>, Certainty) {
        let peer = if seen.with_itself { seen.side } else { seen.side.peer() };
        let thread = &mut self.threads[peer];
        if seen.head.flags.ack() || thread.number != Some(seen.head.seq) {
            return (None, Certainty::Unknown);
        }
        let only = thread.drawing == 1;
        thread.drawing = thread.drawing.saturating_sub(1);
        match thread.draws.take() {
            Some(draws) if only => (Some(draws), Certainty::Proven),
            Some(draws) => (Some(draws), Certainty::Likely),
            None => (thread.latest, Certainty::Likely),
        }
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

    /// Whether a reset was obeyed, or ended its own sender's connection. One that a full or a small socket passes over, and
    /// one that comes when all is over, says nothing of how the connection ended.
    fn ends_something(&self) -> bool {
        let changes = [self.exchange.sent, self.exchange.arrived];
        let passed_over = |rule| matches!(rule, Rule::ResetChallenged | Rule::ResetIgnored);
        !changes.iter().any(|change| passed_over(change.rule))
            && changes.iter().any(|change| change.from != change.to || change.rule == Rule::Refused)
    }
}

/// Whether nothing but stray segments can follow: both ends closed, one of them perhaps in TIME-WAIT.
pub fn is_over(states: Both<State>) -> bool {
    let done = |state| matches!(state, State::Closed | State::TimeWait);
    done(states.client) && done(states.server)
}
