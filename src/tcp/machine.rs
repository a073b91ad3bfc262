//! One endpoint, and the step that a segment makes it take (RFC 9293 §3.10.7).
//!
//! [`Endpoint::step`] is pure: it says what would follow and by which rule, and changes nothing. Both directions are stimuli,
//! since an observer learns of an open or a close from the segment that it puts on the wire.

use super::head::Head;
use super::rule::Rule;
use super::seq::SeqNum;
use super::state::State;

/// What one endpoint knows of its connection, as far as segments show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// Its state.
    pub state: State,
    /// Its initial sequence number; where the beginning was not captured, the number before the first byte seen.
    pub isn: Option<SeqNum>,
    /// SND.UNA: the first number not acknowledged.
    pub snd_una: SeqNum,
    /// SND.NXT: the next number to be sent.
    pub snd_nxt: SeqNum,
    /// RCV.NXT: the next number expected; `None` before anything is known of the peer's numbers.
    pub rcv_nxt: Option<SeqNum>,
    /// The window that it last offered, in bytes.
    pub rcv_wnd: u32,
    /// The window scale that it offered on its SYN, a shift count.
    pub scale: Option<u8>,
    /// The number of its FIN, once sent.
    pub fin: Option<SeqNum>,
}

/// Something that happens to an endpoint.
#[derive(Clone, Copy, Debug)]
pub enum Stimulus<'a> {
    /// It sends a segment.
    Sends(&'a Head),
    /// A segment arrives.
    Arrives(&'a Head),
}

/// What a stimulus does to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The state before.
    pub from: State,
    /// The state after.
    pub to: State,
    /// Why.
    pub rule: Rule,
    /// The endpoint afterwards.
    pub after: Endpoint,
}

impl Step {
    /// Whether the state is another one afterwards.
    pub fn changes_state(&self) -> bool {
        self.from != self.to
    }
}

impl Endpoint {
    /// What `stimulus` does to this endpoint.
    pub fn step(&self, stimulus: Stimulus<'_>) -> Step {
        let mut after = self.clone();
        let rule = match stimulus {
            Stimulus::Sends(segment) => after.sends(segment),
            Stimulus::Arrives(segment) => after.arrives(segment),
        };
        Step { from: self.state, to: after.state, rule, after }
    }

    fn is_unseen(&self) -> bool {
        self.isn.is_none()
    }

    fn sends(&mut self, segment: &Head) -> Rule {
        if segment.flags.rst() {
            return self.sends_reset(segment);
        }
        let midstream = self.is_unseen() && !segment.flags.syn();
        self.note_sent(segment);
        if midstream {
            self.state = State::Established;
        }
        if segment.flags.syn() {
            self.sends_syn(segment)
        } else if segment.flags.fin() {
            self.sends_fin()
        } else if midstream {
            Rule::JoinedMidstream
        } else {
            Rule::Sent
        }
    }

    /// Takes down the numbers of what was sent.
    fn note_sent(&mut self, segment: &Head) {
        if self.is_unseen() {
            let first = if segment.flags.syn() { segment.seq } else { SeqNum::new(segment.seq.get().wrapping_sub(1)) };
            (self.isn, self.snd_una, self.snd_nxt) = (Some(first), segment.seq, segment.seq);
        }
        self.snd_nxt = self.snd_nxt.max(segment.end());
        self.fin = self.fin.or(segment.fin_seq());
        if segment.flags.syn() {
            self.scale = segment.scale;
        }
        // RFC 7323 §2.2: the window of a SYN is never scaled.
        let shift = if segment.flags.syn() { 0 } else { self.scale.unwrap_or(0).min(14) };
        self.rcv_wnd = u32::from(segment.window) << shift;
        if let Some(ack) = segment.acknowledges() {
            self.rcv_nxt = Some(self.rcv_nxt.map_or(ack, |known| known.max(ack)));
        }
    }

    fn sends_syn(&mut self, segment: &Head) -> Rule {
        match (self.state, segment.flags.ack()) {
            // In LISTEN the peer's SYN is there already, and this is no answer to it: both were on the way at once.
            (State::SynSent, true) | (State::Listen, false) => {
                self.state = State::SynReceived;
                Rule::SimultaneousOpen
            }
            (State::Closed | State::Listen, true) => {
                self.state = State::SynReceived;
                Rule::SynAnswered
            }
            (State::Closed, false) => {
                self.state = State::SynSent;
                Rule::ActiveOpen
            }
            _ => Rule::Sent,
        }
    }

    fn sends_fin(&mut self) -> Rule {
        match self.state {
            // RFC 9293 §3.10.4: CLOSE in SYN-RECEIVED goes to FIN-WAIT-1 too.
            State::Established | State::SynReceived => {
                self.state = State::FinWait1;
                Rule::FinSent
            }
            State::CloseWait => {
                self.state = State::LastAck;
                Rule::FinSentAfterPeers
            }
            _ => Rule::Sent,
        }
    }

    /// A reset with an ACK and a window is a live socket's; a bare one answers something that nobody could take
    /// (`tcp_v4_send_reset`: window 0, and no ACK where the segment that it answers had one).
    fn sends_reset(&mut self, segment: &Head) -> Rule {
        let is_bare = !segment.flags.ack() && segment.window == 0;
        if is_bare && !self.is_unseen() && self.state != State::Closed && self.snd_nxt.is_before(segment.seq) {
            return Rule::NotItsOwn;
        }
        self.isn = self.isn.or(Some(segment.seq));
        self.state = State::Closed;
        if segment.flags.ack() && segment.window > 0 { Rule::Aborts } else { Rule::AnswersWithReset }
    }

    fn arrives(&mut self, segment: &Head) -> Rule {
        if segment.flags.rst() {
            return self.reset_arrives(segment);
        }
        match self.state {
            State::Closed if self.is_unseen() => self.first_arrives(segment),
            State::Closed | State::Listen => Rule::NoEffect,
            State::SynSent => self.arrives_in_syn_sent(segment),
            _ => self.arrives_in_synchronized(segment),
        }
    }

    fn first_arrives(&mut self, segment: &Head) -> Rule {
        self.rcv_nxt = Some(segment.end());
        if segment.flags.syn() {
            // Whether somebody listens shows only in the answer.
            self.state = State::Listen;
            return Rule::SynArrives;
        }
        self.state = State::Established;
        if let Some(ack) = segment.acknowledges() {
            self.isn = Some(SeqNum::new(ack.get().wrapping_sub(1)));
            (self.snd_una, self.snd_nxt) = (ack, ack);
        }
        if segment.flags.fin() {
            self.state = State::CloseWait;
        }
        Rule::JoinedMidstream
    }

    fn arrives_in_syn_sent(&mut self, segment: &Head) -> Rule {
        let acknowledged = segment.acknowledges() == Some(self.snd_nxt);
        if segment.flags.syn() && acknowledged {
            self.rcv_nxt = Some(segment.end());
            self.snd_una = segment.ack;
            self.state = State::Established;
            return Rule::SynAckArrives;
        }
        if segment.flags.syn() && !segment.flags.ack() {
            self.rcv_nxt = Some(segment.end());
            self.state = State::SynReceived;
            return Rule::SimultaneousOpen;
        }
        Rule::NoEffect
    }

    fn arrives_in_synchronized(&mut self, segment: &Head) -> Rule {
        let by_ack = self.ack_arrives(segment);
        let by_text = self.text_arrives(segment);
        let by_fin = self.fin_arrives(segment);
        by_fin.or(by_ack.filter(|rule| *rule != Rule::AckArrives)).or(by_text).or(by_ack).unwrap_or(Rule::NoEffect)
    }

    fn ack_arrives(&mut self, segment: &Head) -> Option<Rule> {
        let ack = segment.acknowledges()?;
        if !ack.is_at_or_before(self.snd_nxt) {
            return None;
        }
        self.snd_una = self.snd_una.max(ack);
        let fin_acknowledged = self.fin.is_some_and(|fin| fin.is_before(ack));
        let (state, rule) = match self.state {
            State::SynReceived => (State::Established, Rule::SynAcknowledged),
            State::FinWait1 if fin_acknowledged => (State::FinWait2, Rule::FinAcknowledged),
            State::Closing if fin_acknowledged => (State::TimeWait, Rule::FinAcknowledged),
            State::LastAck if fin_acknowledged => (State::Closed, Rule::LastAckArrives),
            same => (same, Rule::AckArrives),
        };
        self.state = state;
        Some(rule)
    }

    fn text_arrives(&mut self, segment: &Head) -> Option<Rule> {
        let expected = *self.rcv_nxt.get_or_insert(segment.seq);
        let range = segment.payload_range();
        if range.len == 0 {
            return None;
        }
        let in_order = range.start.is_at_or_before(expected) && expected.is_before(range.end());
        if in_order {
            self.rcv_nxt = Some(range.end());
            return Some(Rule::DataArrives);
        }
        Some(Rule::OutOfOrder)
    }

    fn fin_arrives(&mut self, segment: &Head) -> Option<Rule> {
        let fin = segment.fin_seq()?;
        if self.rcv_nxt != Some(fin) {
            return None;
        }
        let (state, rule) = match self.state {
            State::Established | State::SynReceived => (State::CloseWait, Rule::FinArrives),
            State::FinWait1 => (State::Closing, Rule::FinsCross),
            State::FinWait2 => (State::TimeWait, Rule::FinArrivesAfterOwn),
            _ => return None,
        };
        self.rcv_nxt = Some(fin + 1);
        self.state = state;
        Some(rule)
    }

    fn reset_arrives(&mut self, segment: &Head) -> Rule {
        match self.state {
            State::Closed | State::Listen => Rule::NoEffect,
            State::SynSent if segment.acknowledges() == Some(self.snd_nxt) => {
                self.state = State::Closed;
                Rule::Refused
            }
            State::SynSent => Rule::ResetIgnored,
            _ => self.reset_arrives_in_synchronized(segment),
        }
    }

    /// RFC 5961 §3.2. A FIN that has not arrived, or data in flight, may lie between RCV.NXT and an honest reset's number;
    /// the window tells such a reset from a stale one, but only an exact one is obeyed.
    fn reset_arrives_in_synchronized(&mut self, segment: &Head) -> Rule {
        let offset = self.rcv_nxt.map(|expected| segment.seq.relative_to(expected));
        match offset {
            None | Some(0) => {
                self.state = State::Closed;
                Rule::ResetArrives
            }
            Some(bytes) if bytes < self.rcv_wnd => Rule::ResetChallenged,
            Some(_) => Rule::ResetIgnored,
        }
    }

    /// Whether this endpoint, in its present state and with no program at it, would answer `segment` with a reset.
    ///
    /// A pure ACK is taken in silence by every synchronised state and by the small records of FIN-WAIT-2 and TIME-WAIT
    /// (Linux: `tcp_timewait_state_process`, which looks for new data); new data or a SYN is not.
    pub fn would_reset_without_reader(&self, segment: &Head) -> bool {
        let is_new = self.rcv_nxt.is_none_or(|expected| expected.is_before(segment.end()));
        match self.state {
            State::FinWait1 | State::FinWait2 => segment.payload_len > 0 && is_new,
            State::Closed => !segment.flags.rst(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
