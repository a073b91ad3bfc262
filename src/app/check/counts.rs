//! How many scenarios came to which answer.

/// How many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Went as their scenarios expect.
    pub as_expected: usize,
    /// Did not.
    pub otherwise: usize,
    /// Were not run, because something is missing.
    pub skipped: usize,
}
