//! What nearly every segment of an open connection is: the next one, of which Wireshark says nothing.
//!
//! All rules can be passed over at once where none can hold. A property test holds this to what the rules find.

use super::facts::Facts;
use super::flow::Flow;
use super::{Analysis, RoundTrip};
use crate::tcp::head::Head;
use crate::tcp::seq::SeqNum;

impl Analysis {
    /// Whether `segment`, which has no SACK option, is just the next one. Then it has been taken in; else nothing has happened.
    #[inline]
    pub(super) fn in_order(&mut self, segment: &Head, from_client: bool, time: i64) -> bool {
        let is_under_way = self.begun && self.round_trip != RoundTrip::Begun;
        let (fwd, rev) = self.flows(from_client);
        if !(is_under_way && is_next(segment, fwd, rev)) {
            return false;
        }
        fwd.advance(segment, time);
        rev.flight.acknowledge(segment.ack);
        self.completeness.add(segment, false);
        true
    }
}

/// Whether no rule holds for it: it begins where the last one ended, keeps within an open window, and acknowledges something
/// new, if it brings nothing itself, that was captured.
#[inline]
fn is_next(segment: &Head, fwd: &Flow, rev: &Flow) -> bool {
    let unknown = SeqNum::default();
    let has_begun = fwd.facts.has(Facts::BASE) && rev.facts.has(Facts::BASE);
    let says_something = if segment.payload_len == 0 {
        segment.ack != fwd.last_ack
    } else {
        let end = segment.seq + segment.payload_len;
        rev.window != 0 && rev.window_end() != Some(end) && (rev.last_ack == unknown || rev.last_ack.is_before(end))
    };
    segment.is_plain()
        && has_begun
        && segment.window != 0
        && fwd.next != unknown
        && segment.seq == fwd.next
        && rev.seen_until != unknown
        && segment.ack.is_at_or_before(rev.seen_until)
        && says_something
}

impl Flow {
    /// What [`Self::remember`] does with such a segment.
    #[inline]
    fn advance(&mut self, segment: &Head, time: i64) {
        if segment.payload_len > 0 {
            let end = segment.seq + segment.payload_len;
            // Where there is no room, Wireshark moves on all the same: there is no SYN and no FIN to leave out.
            self.flight.keep(segment.seq, end);
            self.facts.set(Facts::MOVED_BY_DATA, true);
            (self.next, self.next_time) = (end, time);
        }
        if self.seen_until == SeqNum::default() || self.seen_until == segment.seq {
            self.seen_until = self.next;
        }
        if segment.ack != self.last_ack {
            self.duplicate_acks = 0;
        }
        self.facts.set(Facts::AWAITS_FIRST_ACK, false);
        self.facts.set(Facts::KEEP_ALIVE, false);
        self.facts.set(Facts::PROBE, false);
        (self.window, self.last_ack, self.last_ack_time) = (segment.window, segment.ack, time);
    }
}
