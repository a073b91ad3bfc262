//! Resets: which are obeyed, which are passed over, and whose they are (RFC 9293 §3.5.2, §3.5.3; RFC 5961 §3).

use super::Endpoint;
use super::known::Known;
use crate::tcp::head::Head;
use crate::tcp::rule::Rule;
use crate::tcp::seq::SeqNum;
use crate::tcp::state::State;

/// A reset with an ACK is a live socket's; a bare one answers something that nobody could take (RFC 9293 §3.5.2: it has no
/// ACK where the segment that it answers had one, and in a connection all have but the SYN). Linux gives a live one a window
/// too (`tcp_send_active_reset()`); Windows and the BSDs do not.
fn is_live_ends(reset: &Head) -> bool {
    reset.flags.ack()
}

impl Endpoint {
    pub(super) fn sends_reset(&mut self, reset: &Head) -> Rule {
        if self.rejects_ack(reset) {
            return Rule::RejectsAck;
        }
        if self.is_another_ones(reset) {
            return Rule::NotItsOwn;
        }
        let is_opening = matches!(self.state, State::Closed | State::Listen | State::SynSent);
        let is_live = is_live_ends(reset) && (reset.window > 0 || !is_opening);
        if is_live {
            // A live end's own word of how far it has come, but no change of state: this one ends all of them.
            self.confirm(reset.ack);
            self.rcv_nxt = Some(self.rcv_nxt.map_or(reset.ack, |next| next.max(reset.ack)));
        }
        if self.is_unseen() {
            (self.isn, self.snd_una, self.snd_nxt) = (Some(reset.seq), reset.seq, reset.seq);
        }
        let is_beyond = self.snd_nxt.is_before(reset.seq);
        self.close_by_reset(reset.seq, false, is_beyond);
        if is_live { Rule::Aborts } else { Rule::AnswersWithReset }
    }

    /// While it opens, an end answers an ACK of something that it never sent with a reset of that number, and goes on opening.
    /// A reset whose number it has reached answers an ACK that an opening end would have taken: then nobody opens any more.
    fn rejects_ack(&self, reset: &Head) -> bool {
        let is_opening = matches!(self.state, State::SynSent | State::SynReceived);
        is_opening && !reset.flags.ack() && !self.has_sent_before(reset.seq)
    }

    fn is_another_ones(&self, reset: &Head) -> bool {
        let is_bare = !reset.flags.ack() && reset.window == 0;
        let has_numbers = !self.is_unseen() && self.state != State::Closed;
        is_bare && has_numbers && !self.is_flags_only() && self.snd_nxt.is_before(reset.seq)
    }

    /// The first reset counts; what it ended is remembered, in case that the end turns out to be there.
    fn close_by_reset(&mut self, number: SeqNum, by_peer: bool, is_beyond: bool) {
        if self.state != State::Closed {
            (self.reset, self.before_reset) = (number, Some(self.state));
            self.known.set(Known::RESET_BY_PEER, by_peer);
            self.known.set(Known::RESET_BY_FILTER, is_beyond && self.is_flags_only());
        }
        self.state = State::Closed;
    }

    /// Whether `segment` can only come from an end that no reset closed. One that sent the reset itself sends nothing new;
    /// one that got it may have had something on the way, but cannot acknowledge what was sent after the reset. A reset that
    /// was believed for the capture's filter is not, once the capture shows what such a filter drops.
    pub(super) fn still_there(&mut self, segment: &Head) -> Option<Rule> {
        let before = self.before_reset.filter(|_| self.state == State::Closed)?;
        let acks_beyond =
            |known: Option<SeqNum>| segment.acknowledges().zip(known).is_some_and(|(ack, known)| known.is_before(ack));
        let goes_on = if self.known.has(Known::RESET_BY_FILTER) && !self.is_flags_only() {
            true
        } else if self.known.has(Known::RESET_BY_PEER) {
            acks_beyond(self.rcv_nxt.map(|next| next.max(self.reset)))
        } else {
            self.snd_nxt.max(self.reset).is_before(segment.end()) || acks_beyond(self.confirmed())
        };
        goes_on.then(|| {
            (self.state, self.before_reset) = (before, None);
            // Who sent the reset in its name may have kept what it answers from it.
            if !self.known.has(Known::RESET_BY_PEER) && before == State::Established {
                self.take_back();
            }
            Rule::StillThere
        })
    }

    pub(super) fn reset_arrives(&mut self, reset: &Head) -> Rule {
        let rule = match self.state {
            State::Closed | State::Listen => Rule::NoEffect,
            State::SynSent if reset.acknowledges().is_some_and(|ack| self.has_sent_before(ack)) => Rule::Refused,
            State::SynSent => Rule::ResetIgnored,
            _ => self.reset_arrives_in_synchronized(reset),
        };
        if rule.is_reset_obeyed() {
            self.close_by_reset(reset.seq, true, rule == Rule::ResetPresumed);
        }
        rule
    }

    /// RFC 5961 §3.2. Only an exact number is obeyed; the window tells a reset that is answered from a stale one.
    fn reset_arrives_in_synchronized(&self, reset: &Head) -> Rule {
        let Some(expected) = self.rcv_nxt else { return self.obeys() };
        match expected.distance_to(reset.seq) {
            0 => self.obeys(),
            -1 if self.takes_reset_at_fin() => Rule::ResetAtFin,
            ..0 if self.known.has(Known::DOUBT) && self.confirmed() == Some(reset.seq) => Rule::ResetAtConfirmed,
            1.. if self.may_lack_frames_before(reset) => Rule::ResetPresumed,
            1.. if reset.seq.relative_to(expected) < self.rcv_wnd => Rule::ResetChallenged,
            _ => Rule::ResetIgnored,
        }
    }

    /// Its sender knows its own numbers, so that what lies between was not captured; or it is forged, which shows later. Behind
    /// a FIN there is nothing to be captured.
    fn may_lack_frames_before(&self, reset: &Head) -> bool {
        (self.is_flags_only() || is_live_ends(reset)) && !self.state.has_received_fin()
    }

    fn obeys(&self) -> Rule {
        let is_passive = self.state == State::SynReceived && self.known.has(Known::PASSIVE);
        if is_passive { Rule::ResetEndsPassiveOpen } else { Rule::ResetArrives }
    }

    fn takes_reset_at_fin(&self) -> bool {
        matches!(self.state, State::CloseWait | State::Closing | State::LastAck)
    }
}
