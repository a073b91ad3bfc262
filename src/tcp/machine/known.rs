//! What an endpoint's own words confirm, and what is only presumed of it.

use super::Endpoint;
use crate::tcp::head::Head;
use crate::tcp::rule::Rule;
use crate::tcp::seq::SeqNum;
use crate::tcp::state::State;

/// Facts that take a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Known(u16);

impl Known {
    /// It has acknowledged something.
    pub const CONFIRMED: Self = Self(1);
    /// A FIN of the peer's was seen.
    pub const PEER_FIN: Self = Self(1 << 1);
    /// A segment without SYN, FIN and RST was seen, so that the capture holds more than those three.
    pub const PLAIN: Self = Self(1 << 2);
    /// It was opened by the peer's SYN.
    pub const PASSIVE: Self = Self(1 << 3);
    /// Something between what it confirmed and what it is presumed to have was sent again.
    pub const DOUBT: Self = Self(1 << 4);
    /// The reset that closed it came from the peer.
    pub const RESET_BY_PEER: Self = Self(1 << 5);
    /// The reset that closed it was taken for true only because the capture seemed to hold SYN, FIN and RST alone.
    pub const RESET_BY_FILTER: Self = Self(1 << 6);

    /// A segment that it sent was seen.
    pub const SEEN: Self = Self(1 << 7);
    /// It has sent a FIN.
    pub const FIN: Self = Self(1 << 8);

    /// Whether all of `fact` is known.
    pub const fn has(self, fact: Self) -> bool {
        self.0 & fact.0 == fact.0
    }

    /// What holds of the capture, and of no connection.
    pub const fn of_capture(self) -> Self {
        Self(self.0 & (Self::PLAIN.0 | Self::SEEN.0))
    }

    /// Makes `fact` known, or unknown.
    pub const fn set(&mut self, fact: Self, known: bool) {
        if known { self.0 |= fact.0 } else { self.0 &= !fact.0 }
    }
}

impl Endpoint {
    /// Whether nothing at all was seen of its connection.
    pub(super) fn is_fresh(&self) -> bool {
        self.state == State::Closed && self.is_unseen() && self.before_reset.is_none()
    }

    /// Whether nothing was seen of what it sent.
    pub(super) fn is_unseen(&self) -> bool {
        self.isn.is_none()
    }

    /// Whether the capture holds SYN, FIN and RST only, as far as this end shows: then numbers jump without a segment being
    /// lost.
    pub fn is_flags_only(&self) -> bool {
        !self.known.has(Known::PLAIN)
    }

    /// ISN < `ack` =< SND.NXT: whether `ack` acknowledges something that it sent.
    pub(super) fn has_sent_before(&self, ack: SeqNum) -> bool {
        self.isn.is_some_and(|isn| isn.is_before(ack)) && ack.is_at_or_before(self.snd_nxt)
    }

    pub(super) fn note_plain(&mut self, segment: &Head) {
        let flags = segment.flags;
        if !flags.syn() && !flags.fin() && !flags.rst() {
            self.known.set(Known::PLAIN, true);
        }
    }

    /// Remembers the peer's FIN, so that this end's acknowledgement of it is understood whether it is presumed to have come
    /// or not. On a SYN or without an ACK it does not count (Linux: `tcp_rcv_state_process()` discards both).
    pub(super) fn note_peer_fin(&mut self, segment: &Head) {
        if let Some(fin) = segment.fin_seq().filter(|_| segment.flags.ack() && !segment.flags.syn()) {
            self.peer_fin = fin;
            self.known.set(Known::PEER_FIN, true);
        }
    }

    pub(super) fn peer_fin(&self) -> Option<SeqNum> {
        self.known.has(Known::PEER_FIN).then_some(self.peer_fin)
    }

    /// Whether it acknowledged everything up to `end`.
    pub(super) fn has_confirmed(&self, end: SeqNum) -> bool {
        self.confirmed().is_some_and(|confirmed| end.is_at_or_before(confirmed))
    }

    /// Its own acknowledgement `ack` says how far it has come, whatever was captured of the way there.
    pub(super) fn catch_up(&mut self, ack: SeqNum) -> Option<Rule> {
        self.confirm(ack);
        let is_beyond = self.rcv_nxt.is_none_or(|next| next.is_before(ack));
        if is_beyond {
            self.rcv_nxt = Some(ack);
        }
        let opened = self.opens_by_own_ack(is_beyond);
        self.peer_fin().filter(|fin| *fin + 1 == ack).and_then(|_| self.take_fin()).or(opened)
    }

    pub(super) fn confirm(&mut self, ack: SeqNum) {
        if self.confirmed().is_none_or(|confirmed| confirmed.is_before(ack)) {
            self.confirmed = ack;
            self.known.set(Known::CONFIRMED, true);
            self.known.set(Known::DOUBT, false);
        }
    }

    /// Takes back what is presumed to have arrived: only what it acknowledged has.
    pub fn take_back(&mut self) {
        self.rcv_nxt = self.confirmed().or(self.rcv_nxt);
    }

    /// In SYN-RECEIVED it has the peer's SYN and no more; whatever it acknowledges beyond came with the acknowledgement of its
    /// own SYN.
    fn opens_by_own_ack(&mut self, is_beyond: bool) -> Option<Rule> {
        (is_beyond && self.state == State::SynReceived).then(|| {
            self.state = State::Established;
            Rule::OpenConfirmed
        })
    }

    /// The state after the peer's FIN (RFC 9293 §3.10.7.4, eighth).
    pub(super) fn take_fin(&mut self) -> Option<Rule> {
        let (state, rule) = match self.state {
            State::Established => (State::CloseWait, Rule::FinArrives),
            State::FinWait1 => (State::Closing, Rule::FinsCross),
            State::FinWait2 => (State::TimeWait, Rule::FinArrivesAfterOwn),
            _ => return None,
        };
        self.state = state;
        Some(rule)
    }
}
