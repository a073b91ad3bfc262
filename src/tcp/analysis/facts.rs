//! What is known of one direction that takes a bit each.

/// A set of facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts(u8);

impl Facts {
    /// The number from which it counts is known.
    pub const BASE: Self = Self(1);
    /// Its SYN was its latest segment with SYN or ACK: the window in that is never scaled.
    pub const AWAITS_FIRST_ACK: Self = Self(1 << 1);
    /// The segment that moved its next number last had a payload.
    pub const MOVED_BY_DATA: Self = Self(1 << 2);
    /// Its latest segment was a keep-alive.
    pub const KEEP_ALIVE: Self = Self(1 << 3);
    /// Its latest segment was a zero-window probe.
    pub const PROBE: Self = Self(1 << 4);

    /// Whether `fact` holds.
    pub const fn has(self, fact: Self) -> bool {
        self.0 & fact.0 != 0
    }

    /// Makes `fact` hold, or not.
    pub const fn set(&mut self, fact: Self, holds: bool) {
        self.0 = if holds { self.0 | fact.0 } else { self.0 & !fact.0 };
    }
}
