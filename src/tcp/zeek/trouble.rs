//! What few ends have, so that it has no place of its own in each.

use super::ahead::Ahead;

/// What went wrong at one end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Its segments that bring again what was sent before.
    pub repetitions: Scaled,
    /// Its segments that shut its window.
    pub zero_windows: Scaled,
    /// Where its bytes were not seen.
    pub gaps: Scaled,
    /// Its bytes that were seen behind such a place.
    pub ahead: Ahead,
}

/// A letter that is written at the first, the tenth, the hundredth time and so on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scaled(u32);

impl Scaled {
    /// Counts one more, and says whether it is to be written.
    pub fn rises(&mut self) -> bool {
        self.0 = self.0.saturating_add(1);
        self.0 == 10u32.saturating_pow(self.0.ilog10())
    }
}
