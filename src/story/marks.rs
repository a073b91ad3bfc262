//! Whether a reset bears the marks of its supposed sender: the hop limit, and the counter in the IPv4 header.
//!
//! A box on the way that resets a connection in an end's name sends from nearer or farther, so that another hop limit is left,
//! and knows nothing of that end's counter. Linux counts the packets of a connection one by one (`inet_id`) and takes the
//! next number for the reset of a live socket (`tcp_send_active_reset()`); what its kernel answers for no socket has number 0
//! (`tcp_v4_send_reset()`). Others count over all connections, so that numbers grow by more, or choose them at random, which
//! says nothing: only an end that was seen to count is believed to go on doing so.

use super::ending::Kind;
use crate::decode::Hop;

/// By how much the number of a next packet grows at the most, where an end counts: it may send to others between, and a
/// packet that its network card cuts up takes several.
const STEP: u16 = 64;

/// By how much more a reset's may, after a pause.
const AFTER_PAUSE: u16 = 1024;

/// So many steps in a row, and an end is taken to count.
const COUNTS: u8 = 2;

/// What is usual for the packets of one end, its resets aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// The hop limit that was left; 0 where not known.
    limit: u8,
    /// How many numbers in a row came a step after the one before, at most 255.
    steps: u8,
    /// The latest number that was not 0.
    id: u16,
}

/// In what a reset differs from the other packets of its supposed sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    /// Its hop limit, and theirs.
    Limit(u8, u8),
    /// Its number, and the latest of theirs, which count up.
    Id(u16, u16),
}

impl Marks {
    /// Takes in a packet of this end.
    #[inline]
    pub fn take(&mut self, hop: Hop) {
        if hop.limit != 0 {
            self.limit = hop.limit;
        }
        if hop.id != 0 {
            let is_step = self.id != 0 && (1..=STEP).contains(&hop.id.wrapping_sub(self.id));
            self.steps = if is_step { self.steps.saturating_add(1) } else { 0 };
            self.id = hop.id;
        }
    }

    /// In what a reset with `hop` differs from these.
    pub fn odd(self, hop: Hop, kind: Kind) -> Option<Odd> {
        if hop.limit != 0 && self.limit != 0 && hop.limit != self.limit {
            return Some(Odd::Limit(hop.limit, self.limit));
        }
        // Version 6 has no number, and a kernel's answer for no socket has 0.
        let says_something = hop.limit != 0 && (hop.id != 0 || kind == Kind::Aborts);
        let goes_on = (1..=AFTER_PAUSE).contains(&hop.id.wrapping_sub(self.id));
        (self.steps >= COUNTS && says_something && !goes_on).then_some(Odd::Id(hop.id, self.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting(ids: &[u16]) -> Marks {
        let mut marks = Marks::default();
        for id in ids {
            marks.take(Hop { limit: 64, id: *id });
        }
        marks
    }

    #[test]
    fn another_hop_limit_is_odd() {
        let marks = counting(&[5, 900, 3]);
        assert_eq!(marks.odd(Hop { limit: 251, id: 4 }, Kind::Answers), Some(Odd::Limit(251, 64)));
        assert_eq!(marks.odd(Hop { limit: 64, id: 4 }, Kind::Answers), None);
        assert_eq!(marks.odd(Hop::default(), Kind::Aborts), None, "nothing is known of it");
    }

    #[test]
    fn a_live_end_that_counts_goes_on_counting() {
        let marks = counting(&[0, 65_534, 65_535, 2, 3]);
        let odd = |id, kind| marks.odd(Hop { limit: 64, id }, kind);
        assert_eq!(odd(4, Kind::Aborts), None);
        assert_eq!(odd(1000, Kind::Aborts), None);
        assert_eq!(odd(3, Kind::Aborts), Some(Odd::Id(3, 3)));
        assert_eq!(odd(40_000, Kind::Aborts), Some(Odd::Id(40_000, 3)));
        assert_eq!(odd(0, Kind::Aborts), Some(Odd::Id(0, 3)));
    }

    #[test]
    fn a_kernels_answer_has_no_number_and_any_other_is_odd() {
        let marks = counting(&[10, 11, 12, 13]);
        assert_eq!(marks.odd(Hop { limit: 64, id: 0 }, Kind::Answers), None);
        assert_eq!(marks.odd(Hop { limit: 64, id: 40_000 }, Kind::Answers), Some(Odd::Id(40_000, 13)));
    }

    #[test]
    fn numbers_at_random_say_nothing() {
        for ids in [&[7, 50_000, 3, 900, 12_000][..], &[0, 0, 0, 0, 0], &[1, 2]] {
            assert_eq!(counting(ids).odd(Hop { limit: 64, id: 40_000 }, Kind::Aborts), None, "{ids:?}");
        }
    }
}
