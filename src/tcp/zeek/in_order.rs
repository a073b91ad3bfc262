//! What nearly every segment is: the next one, without SYN, FIN and RST.
//!
//! It moves no phase and shows no repetition and no gap, so that most rules can be passed over at once. A property test holds
//! this to what the rules do.

use super::Zeek;
use super::endpoint::{Endpoint, Phase};
use super::history::Added;
use super::marks;
use crate::tcp::head::Head;

impl Zeek {
    /// The letters of `segment`, if it is the next one between ends that have spoken. Then it has been taken in; else nothing
    /// has happened.
    #[inline]
    pub(super) fn goes_in_order(&mut self, segment: &Head, by_originator: bool) -> Option<Added> {
        let (own, peer) = self.ends.split(by_originator);
        let is_next = is_plain(segment)
            && !matches!(own.phase, Phase::Inactive | Phase::Reset)
            && peer.phase != Phase::Inactive
            && own.is_continued_by(segment)
            && peer.was_seen_before(segment)
            && self.troubles.as_ref().is_none_or(|both| both.of(by_originator).ahead.is_empty());
        if !is_next {
            return None;
        }
        own.last = segment.seq + segment.payload_len;
        own.stream.next = own.relative(own.last);
        peer.acknowledged = peer.acknowledged.max(segment.ack);
        let mut added = Added::default();
        if let Some(letter) = marks::plain(&mut own.known, segment) {
            added.add(letter, by_originator);
        }
        Some(added)
    }
}

/// Whether it has no flag that decides something, and leaves the window open. The acknowledgement 0 is left to the rules, for
/// Zeek does not always believe it.
#[inline]
fn is_plain(segment: &Head) -> bool {
    segment.is_plain() && segment.window != 0 && segment.ack.get() != 0
}

impl Endpoint {
    /// Whether `segment` begins where the last that it sent ended, and everything before was seen.
    #[inline]
    fn is_continued_by(&self, segment: &Head) -> bool {
        segment.seq == self.last && self.relative(segment.seq) == self.stream.next
    }

    /// Whether everything that its peer acknowledges with `segment` was seen.
    #[inline]
    fn was_seen_before(&self, segment: &Head) -> bool {
        !self.stream.next.is_before(self.bytes_before(segment.ack))
    }
}
