//! What an endpoint shows of itself by what it sends: the user's calls of RFC 9293 §3.10.1 to §3.10.4, seen from outside.

use super::Endpoint;
use super::known::Known;
use crate::tcp::head::Head;
use crate::tcp::rule::Rule;
use crate::tcp::seq::SeqNum;
use crate::tcp::state::State;

impl Endpoint {
    pub(super) fn sends(&mut self, segment: &Head) -> Rule {
        if segment.flags.rst() {
            return self.sends_reset(segment);
        }
        if segment.flags.syn() {
            return self.sends_syn(segment);
        }
        if self.acknowledges_before_its_syn(segment) {
            return Rule::Sent;
        }
        let returned = self.still_there(segment);
        let opened = self.opens_unseen();
        self.note_numbers(segment);
        let caught_up = segment.acknowledges().and_then(|ack| self.catch_up(ack));
        let ended = segment.flags.fin().then(|| self.sends_fin(segment)).flatten();
        returned.or(ended).or(caught_up).or(opened).unwrap_or(Rule::Sent)
    }

    fn sends_syn(&mut self, segment: &Head) -> Rule {
        let (state, rule) = match (self.state, segment.flags.ack()) {
            // In LISTEN the peer's SYN is there already, and this is no answer to it: both were on the way at once, or the
            // server splits the handshake.
            (State::SynSent, true) | (State::Listen, false) => (State::SynReceived, Rule::SimultaneousOpen),
            (State::Closed | State::Listen, true) => (State::SynReceived, Rule::SynAnswered),
            (State::Closed, false) => (State::SynSent, Rule::ActiveOpen),
            (same, _) => (same, Rule::Sent),
        };
        if matches!(self.state, State::Closed | State::Listen) {
            self.begin(segment);
            self.known.set(Known::PASSIVE, rule == Rule::SynAnswered);
        }
        self.state = state;
        self.note_numbers(segment);
        if let Some(ack) = segment.acknowledges() {
            self.answer_syn(ack);
        }
        rule
    }

    /// A new connection's numbers; whatever went before was another's.
    fn begin(&mut self, syn: &Head) {
        (self.isn, self.snd_una, self.snd_nxt) = (Some(syn.seq), syn.seq, syn.seq);
        self.before_reset = None;
        self.rcv_nxt = self.rcv_nxt.filter(|_| self.state == State::Listen);
        self.known = self.known.of_capture();
    }

    /// A SYN-ACK says how much of a SYN with data was taken (RFC 7413 §4.2.2): perhaps less than is presumed, never more than
    /// what the end has.
    fn answer_syn(&mut self, ack: SeqNum) {
        let has_answered = self.confirmed().is_some_and(|confirmed| ack.is_at_or_before(confirmed));
        if !has_answered || self.rcv_nxt.is_none() {
            self.rcv_nxt = Some(ack);
        }
        self.confirm(ack);
    }

    /// In LISTEN, an ACK of the peer's SYN and of nothing else: a split handshake's first half, whose SYN follows with a number
    /// of its own.
    fn acknowledges_before_its_syn(&self, segment: &Head) -> bool {
        self.state == State::Listen && segment.is_pure_ack() && self.rcv_nxt == Some(segment.ack)
    }

    /// What opened it was not captured, but only an open connection sends such a segment.
    fn opens_unseen(&mut self) -> Option<Rule> {
        let rule = match self.state {
            State::Closed if self.is_fresh() => Rule::JoinedMidstream,
            State::Listen => Rule::JoinedMidstream,
            State::SynSent => Rule::OpenConfirmed,
            _ => return None,
        };
        self.state = State::Established;
        Some(rule)
    }

    /// Takes down the numbers of what was sent.
    fn note_numbers(&mut self, segment: &Head) {
        let is_syn = segment.flags.syn();
        if self.is_unseen() {
            let before = SeqNum::new(segment.seq.get().wrapping_sub(1));
            (self.isn, self.snd_una, self.snd_nxt) = (Some(before), segment.seq, segment.seq);
        }
        self.snd_nxt = self.snd_nxt.max(segment.end());
        if is_syn {
            self.scale = segment.scale;
        } else if let Some(fin) = segment.fin_seq().filter(|_| self.fin().is_none()) {
            self.fin = fin;
            self.known.set(Known::FIN, true);
        }
        self.offer(segment);
    }

    /// Takes down the window that it offers.
    pub(super) fn offer(&mut self, segment: &Head) {
        // RFC 7323 §2.2: the window of a SYN is never scaled; §2.3: a shift count above 14 counts as 14.
        let shift = if segment.flags.syn() { 0 } else { self.scale.unwrap_or(0).min(14) };
        self.rcv_wnd = u32::from(segment.window) << shift;
    }

    fn sends_fin(&mut self, segment: &Head) -> Option<Rule> {
        let (state, rule) = match self.state {
            // RFC 9293 §3.10.4: CLOSE in SYN-RECEIVED goes to FIN-WAIT-1 too.
            State::Established | State::SynReceived => (State::FinWait1, Rule::FinSent),
            State::CloseWait if self.has_not_heard(segment) => (State::Closing, Rule::FinsCross),
            State::CloseWait => (State::LastAck, Rule::FinSentAfterPeers),
            _ => return None,
        };
        self.state = state;
        Some(rule)
    }

    /// Whether the peer's FIN, which is presumed to have come, had not when `segment` was sent: it is acknowledged neither there
    /// nor before.
    fn has_not_heard(&self, segment: &Head) -> bool {
        let is_up_to = |ack: SeqNum| self.peer_fin().is_some_and(|fin| ack.is_at_or_before(fin));
        segment.acknowledges().is_some_and(is_up_to) && self.confirmed().is_none_or(is_up_to)
    }
}
