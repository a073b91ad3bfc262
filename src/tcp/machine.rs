//! One endpoint, and the step that a segment makes it take (RFC 9293 §3.10.7).
//!
//! [`Endpoint::step`] is pure: it says what would follow and by which rule, and changes nothing; [`Endpoint::take`] does it. Both directions are stimuli,
//! since an observer learns of an open or a close from the segment that it puts on the wire.
//! [`super::transition::ALL`] lists every change of state that comes of it.
//!
//! # Presumed and confirmed
//!
//! Whatever one end sends is *presumed* to arrive at the other. RCV.NXT and the state are what that presumption leads to; an
//! end *confirms* it with each acknowledgement that it sends. Where the two differ, the end itself is right:
//!
//! - An ACK beyond RCV.NXT shows what had arrived, whether a capture missed it or it had been held out of order. If it covers
//!   the peer's FIN, the state moves as if the FIN had come then.
//! - What is sent again before anything confirmed it (`PresumedAnew`) may not have come the first time. The state stays: the
//!   copy is presumed to come instead, it fills the hole that taking the first back would leave, and what lies behind the hole
//!   was held. So only the doubt is kept, and it counts where it can be told from certainty: a reset that bears the very
//!   number which the end confirmed last shows that the presumption was wrong, and is obeyed (`ResetAtConfirmed`).
//! - What is captured of one end can lack numbers. An ACK of something that was not seen shows that it was sent; a hole before
//!   data or a FIN waits for the end's own ACK. Only where a capture has no segment without SYN, FIN or RST, so that its
//!   filter let nothing else through, is what the hole hides presumed to have arrived.
//! - A reset closes its sender. If that end goes on afterwards, somebody else had sent it: `StillThere`.

use super::head::Head;
use super::rule::Rule;
use super::seq::SeqNum;
use super::state::State;

mod arrives;
mod in_order;
mod known;
mod resets;
mod sends;

pub use in_order::in_order;
use known::Known;

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
    /// RCV.NXT: the next number expected, as is presumed; `None` before anything is known of the peer's numbers.
    pub rcv_nxt: Option<SeqNum>,
    /// The window that it last offered, in bytes.
    pub rcv_wnd: u32,
    /// The window scale that it offered on its SYN, a shift count.
    pub scale: Option<u8>,
    /// The number of its FIN; counts if `known` says so.
    fin: SeqNum,
    /// The highest number that it acknowledged; counts if `known` says so.
    confirmed: SeqNum,
    /// The number of the peer's FIN, whether it is presumed to have arrived or not; counts if `known` says so.
    peer_fin: SeqNum,
    /// The number of the reset that closed it; counts if there is a state before it.
    reset: SeqNum,
    /// The state that a reset ended.
    before_reset: Option<State>,
    /// What else is known.
    known: Known,
}

/// Two of them are kept for each connection of a survey.
const _: () = assert!(size_of::<Endpoint>() <= 52, "an endpoint has grown");

/// Something that happens to an endpoint.
#[derive(Clone, Copy, Debug)]
pub enum Stimulus<'a> {
    /// It sends a segment.
    Sends(&'a Head),
    /// A segment arrives.
    Arrives(&'a Head),
}

/// What a stimulus would do to an endpoint.
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
    /// What `stimulus` would do to this endpoint.
    pub fn step(&self, stimulus: Stimulus<'_>) -> Step {
        let mut after = self.clone();
        let rule = after.take(stimulus);
        Step { from: self.state, to: after.state, rule, after }
    }

    /// Does to this endpoint what `stimulus` does, and says by which rule. [`Self::step`] on a copy: moving an endpoint about
    /// costs more than most stimuli do.
    #[inline]
    pub fn take(&mut self, stimulus: Stimulus<'_>) -> Rule {
        match stimulus {
            Stimulus::Sends(segment) => {
                self.known.set(Known::SEEN, true);
                self.note_plain(segment);
                self.sends(segment)
            }
            Stimulus::Arrives(segment) => {
                self.note_plain(segment);
                self.arrives(segment)
            }
        }
    }

    /// The highest number that it acknowledged: everything before has arrived, whatever was captured. What lies between it
    /// and RCV.NXT is presumed.
    pub fn confirmed(&self) -> Option<SeqNum> {
        self.known.has(Known::CONFIRMED).then_some(self.confirmed)
    }

    /// The number of its FIN, once sent.
    pub fn fin(&self) -> Option<SeqNum> {
        self.known.has(Known::FIN).then_some(self.fin)
    }

    /// Whether a segment of its own was captured.
    pub fn was_seen(&self) -> bool {
        self.known.has(Known::SEEN)
    }

    /// Whether this endpoint, in its present state and with no program at it, would answer `segment` with a reset.
    ///
    /// A pure ACK is taken in silence by every synchronised state and by the small records of FIN-WAIT-2 and TIME-WAIT
    /// (Linux: `tcp_timewait_state_process`, which looks for new data); new data or a SYN is not. While a connection opens,
    /// an ACK of something that was never sent is answered with a reset whoever is there (RFC 9293 §3.10.7.3, §3.10.7.4).
    pub fn would_reset_without_reader(&self, segment: &Head) -> bool {
        let is_new = self.rcv_nxt.is_none_or(|expected| expected.is_before(segment.end()));
        match self.state {
            State::FinWait1 | State::FinWait2 => segment.payload_len > 0 && is_new,
            State::Closed => !segment.flags.rst(),
            State::SynSent | State::SynReceived => {
                !segment.flags.rst() && segment.acknowledges().is_some_and(|ack| !self.has_sent_before(ack))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
