//! What is known of one end, as far as it is a yes or a no.

/// Facts that take a bit each: numbers that are known, and letters of which one is enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known(u8);

impl Known {
    /// The number of a SYN.
    pub const SYN: Self = Self(1);
    /// The number of a FIN.
    pub const FIN: Self = Self(1 << 1);
    /// The number of a reset.
    pub const RST: Self = Self(1 << 2);
    /// Where the stream ends.
    pub const END: Self = Self(1 << 3);
    /// `a` was written.
    pub const ACKNOWLEDGED: Self = Self(1 << 4);
    /// `d` was written.
    pub const DATA: Self = Self(1 << 5);
    /// `i` was written.
    pub const INCONSISTENT: Self = Self(1 << 6);
    /// `q` was written.
    pub const QUIRK: Self = Self(1 << 7);

    /// Whether `fact` is known.
    #[inline]
    pub const fn has(self, fact: Self) -> bool {
        self.0 & fact.0 != 0
    }

    /// Makes `fact` known; whether it was not.
    #[inline]
    pub const fn learns(&mut self, fact: Self) -> bool {
        let is_new = !self.has(fact);
        self.0 |= fact.0;
        is_new
    }
}
