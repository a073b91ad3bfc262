//! SEGMENT ARRIVES (RFC 9293 §3.10.7), but for resets.

use super::Endpoint;
use super::known::Known;
use crate::tcp::head::Head;
use crate::tcp::rule::Rule;
use crate::tcp::seq::SeqNum;
use crate::tcp::state::State;

impl Endpoint {
    pub(super) fn arrives(&mut self, segment: &Head) -> Rule {
        if segment.flags.rst() {
            return self.reset_arrives(segment);
        }
        self.note_peer_fin(segment);
        match self.state {
            State::Closed if self.is_fresh() => self.first_arrives(segment),
            State::Closed => Rule::NoEffect,
            State::Listen => self.arrives_in_listen(segment),
            State::SynSent => self.arrives_in_syn_sent(segment),
            _ => self.arrives_in_synchronized(segment),
        }
    }

    fn first_arrives(&mut self, segment: &Head) -> Rule {
        if !segment.flags.syn() || segment.flags.ack() {
            return self.joins(segment);
        }
        // Whether somebody listens shows only in the answer, and so does what becomes of data on the SYN.
        self.state = State::Listen;
        self.rcv_nxt = Some(segment.seq + 1);
        Rule::SynArrives
    }

    /// An ACK comes where nothing was sent that it could acknowledge: what opened the connection was not captured.
    fn joins(&mut self, segment: &Head) -> Rule {
        self.state = State::Established;
        self.take_own_numbers(segment);
        self.rcv_nxt = self.rcv_nxt.or(Some(segment.payload_range().start));
        self.text_and_fin_arrive(segment);
        Rule::JoinedMidstream
    }

    /// Of an end that was not seen yet: the peer says what it has sent.
    fn take_own_numbers(&mut self, segment: &Head) {
        if let Some(ack) = segment.acknowledges().filter(|_| self.is_unseen()) {
            self.isn = Some(SeqNum::new(ack.get().wrapping_sub(1)));
            (self.snd_una, self.snd_nxt) = (ack, ack);
        }
    }

    /// RFC 9293 §3.10.7.2 has a listener answer an ACK with a reset; but who sends one here has got an answer to its SYN.
    fn arrives_in_listen(&mut self, segment: &Head) -> Rule {
        if segment.flags.syn() || !segment.flags.ack() { Rule::NoEffect } else { self.joins(segment) }
    }

    fn arrives_in_syn_sent(&mut self, segment: &Head) -> Rule {
        match segment.acknowledges() {
            Some(ack) if !self.has_sent_before(ack) => return Rule::AckUnacceptable,
            Some(ack) if segment.flags.syn() => {
                self.snd_una = ack;
                self.state = State::Established;
            }
            None if segment.flags.syn() => self.state = State::SynReceived,
            _ => return Rule::NoEffect,
        }
        self.rcv_nxt = Some(segment.seq + 1);
        self.known.set(Known::PEER_FIN, false);
        if self.state == State::SynReceived {
            return Rule::SimultaneousOpen;
        }
        self.text_arrives(segment);
        Rule::SynAckArrives
    }

    fn arrives_in_synchronized(&mut self, segment: &Head) -> Rule {
        self.take_own_numbers(segment);
        if segment.flags.syn() {
            return self.syn_arrives(segment);
        }
        let Some(ack) = segment.acknowledges() else { return Rule::WithoutAck };
        // RFC 9293 asks for a number in the window; Linux (tcp_sequence()) still takes the ACK of what ends at RCV.NXT.
        if self.confirmed().is_some_and(|confirmed| segment.end().is_before(confirmed)) {
            return Rule::Duplicate;
        }
        let by_ack = self.ack_arrives(ack);
        if by_ack == Rule::AckUnacceptable {
            return by_ack;
        }
        let by_text = self.text_and_fin_arrive(segment);
        let says_little = matches!(by_ack, Rule::AckArrives | Rule::AckOfUncaptured);
        by_text.filter(|rule| says_little || rule.takes_fin()).unwrap_or(by_ack)
    }

    /// In SYN-RECEIVED after both SYNs crossed, the peer's SYN comes again with its ACK (RFC 9293 §3.5, figure 8).
    fn syn_arrives(&mut self, segment: &Head) -> Rule {
        let answers = self.state == State::SynReceived && self.rcv_nxt == Some(segment.seq + 1);
        match segment.acknowledges().filter(|_| answers) {
            Some(ack) => self.ack_arrives(ack),
            None => Rule::SynChallenged,
        }
    }

    fn ack_arrives(&mut self, ack: SeqNum) -> Rule {
        let is_beyond = self.snd_nxt.is_before(ack);
        let may_be_uncaptured = self.fin().is_none() && (self.state != State::SynReceived || self.is_flags_only());
        let answers_nothing = self.state == State::SynReceived && ack.is_at_or_before(self.snd_una);
        if answers_nothing || (is_beyond && !may_be_uncaptured) {
            return Rule::AckUnacceptable;
        }
        self.snd_una = self.snd_una.max(ack);
        self.snd_nxt = self.snd_nxt.max(ack);
        let fin_acknowledged = self.fin().is_some_and(|fin| fin.is_before(ack));
        let (state, rule) = match self.state {
            State::SynReceived => (State::Established, Rule::SynAcknowledged),
            State::FinWait1 if fin_acknowledged => (State::FinWait2, Rule::FinAcknowledged),
            State::Closing if fin_acknowledged => (State::TimeWait, Rule::FinAcknowledged),
            State::LastAck if fin_acknowledged => (State::Closed, Rule::LastAckArrives),
            same if is_beyond => (same, Rule::AckOfUncaptured),
            same => (same, Rule::AckArrives),
        };
        self.state = state;
        rule
    }

    /// Seventh and eighth: the text, and the FIN behind it.
    fn text_and_fin_arrive(&mut self, segment: &Head) -> Option<Rule> {
        if self.state.has_received_fin() {
            return self.arrives_after_fin(segment);
        }
        let by_text = self.text_arrives(segment);
        let fin = segment.fin_seq();
        if fin.is_some() && self.is_flags_only() {
            self.rcv_nxt = self.rcv_nxt.zip(fin).map(|(next, fin)| next.max(fin));
        }
        let may_end = fin.is_some() || by_text == Some(Rule::DataArrives);
        let ended = self.peer_fin().filter(|fin| may_end && self.rcv_nxt == Some(*fin)).and_then(|fin| {
            self.rcv_nxt = Some(fin + 1);
            self.take_fin()
        });
        ended.or(by_text).or(fin.map(|_| Rule::OutOfOrder))
    }

    /// What comes behind the peer's FIN, or again. In LAST-ACK, CLOSING and TIME-WAIT it is acknowledged and no more.
    fn arrives_after_fin(&mut self, segment: &Head) -> Option<Rule> {
        let range = segment.range();
        let next = self.rcv_nxt?;
        match range.end() {
            _ if range.len == 0 => None,
            end if end.is_at_or_before(next) => Some(self.comes_again(segment)),
            _ => Some(Rule::AfterFin),
        }
    }

    fn text_arrives(&mut self, segment: &Head) -> Option<Rule> {
        let range = segment.payload_range();
        let expected = *self.rcv_nxt.get_or_insert(range.start);
        if range.len == 0 {
            return None;
        }
        if range.end().is_at_or_before(expected) {
            return Some(self.comes_again(segment));
        }
        if expected.is_before(range.start) {
            return Some(Rule::OutOfOrder);
        }
        if self.confirmed().is_some() && self.rcv_wnd == 0 {
            return Some(Rule::ZeroWindow);
        }
        self.rcv_nxt = Some(range.end());
        Some(Rule::DataArrives)
    }

    /// Whether what comes again had come before, its own acknowledgement says.
    fn comes_again(&mut self, segment: &Head) -> Rule {
        if self.has_confirmed(segment.end()) {
            return Rule::Duplicate;
        }
        self.known.set(Known::DOUBT, true);
        Rule::PresumedAnew
    }
}
