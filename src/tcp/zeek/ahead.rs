//! What was seen of one end's bytes behind a gap.

use std::collections::VecDeque;

use crate::tcp::seq::{SeqNum, SeqRange};

/// So many runs of bytes behind a gap are kept; where there are more, gaps are no longer looked for. (Zeek gives up at
/// 10 MiB of bytes.)
pub const MOST_RUNS: usize = 4096;

/// The runs of bytes behind a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ahead {
    /// In the order of their numbers.
    Runs(VecDeque<SeqRange>),
    /// There were too many.
    GivenUp,
}

impl Default for Ahead {
    fn default() -> Self {
        Self::Runs(VecDeque::new())
    }
}

impl Ahead {
    /// Whether gaps are looked for, and there is none that bytes were seen behind.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Runs(runs) if runs.is_empty())
    }

    /// Whether there were too many.
    pub const fn is_given_up(&self) -> bool {
        matches!(self, Self::GivenUp)
    }

    /// The first run.
    pub fn first(&self) -> Option<SeqRange> {
        match self {
            Self::Runs(runs) => runs.front().copied(),
            Self::GivenUp => None,
        }
    }

    /// Takes the first run out if `next` has come to it.
    pub fn reached(&mut self, next: SeqNum) -> Option<SeqRange> {
        let Self::Runs(runs) = self else { return None };
        let first = runs.pop_front_if(|run| run.start.is_at_or_before(next))?;
        if runs.is_empty() {
            *self = Self::default();
        }
        Some(first)
    }

    /// Keeps `range` in its place.
    pub fn keep(&mut self, range: SeqRange) {
        let Self::Runs(runs) = self else { return };
        let place = runs.partition_point(|known| known.start.is_at_or_before(range.start));
        let before = place.checked_sub(1).and_then(|before| runs.get_mut(before));
        match before.filter(|known| range.start.is_at_or_before(known.end())) {
            Some(known) => known.len = range.end().max(known.end()).relative_to(known.start),
            None => runs.insert(place, range),
        }
        if runs.len() > MOST_RUNS {
            *self = Self::GivenUp;
        }
    }
}
