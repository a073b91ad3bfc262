//! Sequence numbers: 32 bits that wrap (RFC 9293 §3.4).
//!
//! There is no `Ord` on purpose: on a ring, "before" is only meaningful between numbers less than 2³¹ apart, and it is not
//! transitive. Nothing here can panic, since captures come from strangers.

use std::ops::Add;

/// A sequence number as it stands in the header, in bytes of the stream, modulo 2³².
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SeqNum(u32);

impl SeqNum {
    /// The number as it stands in the header.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The header's number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// How many bytes `later` lies after `self`: negative if it lies before.
    pub const fn distance_to(self, later: Self) -> i32 {
        later.0.wrapping_sub(self.0).cast_signed()
    }

    /// `self < other` in the sense of RFC 9293 §3.4.
    pub const fn is_before(self, other: Self) -> bool {
        self.distance_to(other) > 0
    }

    /// `self =< other` in the sense of RFC 9293 §3.4.
    pub const fn is_at_or_before(self, other: Self) -> bool {
        self.distance_to(other) >= 0
    }

    /// The number counted from the initial sequence number, so that the SYN is 0 and the first byte 1.
    pub const fn relative_to(self, isn: Self) -> u32 {
        self.0.wrapping_sub(isn.0)
    }

    /// The later of two numbers.
    #[must_use]
    pub const fn max(self, other: Self) -> Self {
        if self.is_before(other) { other } else { self }
    }
}

impl Add<u32> for SeqNum {
    type Output = Self;

    fn add(self, bytes: u32) -> Self {
        Self(self.0.wrapping_add(bytes))
    }
}

/// A run of sequence numbers: `start` is in it, `end` is the first that is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeqRange {
    /// The first number of the run.
    pub start: SeqNum,
    /// How many numbers the run has, in bytes (a SYN or a FIN counts as one).
    pub len: u32,
}

impl SeqRange {
    /// The run of `len` numbers from `start`.
    pub const fn new(start: SeqNum, len: u32) -> Self {
        Self { start, len }
    }

    /// The first number after the run.
    pub fn end(self) -> SeqNum {
        self.start + self.len
    }

    /// Whether `number` is one of the run.
    pub fn contains(self, number: SeqNum) -> bool {
        number.relative_to(self.start) < self.len
    }

    /// Whether the two runs share a number.
    pub fn overlaps(self, other: Self) -> bool {
        (self.len > 0 && other.contains(self.start)) || (other.len > 0 && self.contains(other.start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEAR_THE_END: SeqNum = SeqNum::new(u32::MAX - 2);

    #[test]
    fn order_survives_the_wrap() {
        let after = NEAR_THE_END + 5;
        assert_eq!(after.get(), 2);
        assert!(NEAR_THE_END.is_before(after));
        assert!(!after.is_before(NEAR_THE_END));
        assert_eq!(NEAR_THE_END.distance_to(after), 5);
        assert_eq!(after.distance_to(NEAR_THE_END), -5);
        assert_eq!(after.relative_to(NEAR_THE_END), 5);
        assert_eq!(NEAR_THE_END.max(after), after);
        assert_eq!(after.max(NEAR_THE_END), after);
    }

    #[test]
    fn equal_numbers_are_at_but_not_before() {
        assert!(NEAR_THE_END.is_at_or_before(NEAR_THE_END));
        assert!(!NEAR_THE_END.is_before(NEAR_THE_END));
    }

    #[test]
    fn the_opposite_side_of_the_ring_does_not_panic() {
        let opposite = NEAR_THE_END + 0x8000_0000;
        assert_eq!(NEAR_THE_END.distance_to(opposite), i32::MIN);
        assert!(!NEAR_THE_END.is_before(opposite));
    }

    #[test]
    fn ranges_across_the_wrap_contain_and_overlap() {
        let range = SeqRange::new(NEAR_THE_END, 5);
        assert!(range.contains(NEAR_THE_END));
        assert!(range.contains(SeqNum::new(1)));
        assert!(!range.contains(range.end()));
        assert!(range.overlaps(SeqRange::new(SeqNum::new(1), 9)));
        assert!(!range.overlaps(SeqRange::new(SeqNum::new(2), 9)));
        assert!(!range.overlaps(SeqRange::new(SeqNum::new(1), 0)));
    }
}
