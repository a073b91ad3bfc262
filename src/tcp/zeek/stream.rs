//! How far one end's bytes were seen without a gap.

use std::collections::VecDeque;

use crate::tcp::seq::{SeqNum, SeqRange};

/// So many runs of bytes behind a gap are kept; where there are more, gaps are no longer looked for. (Zeek gives up at
/// 10 MiB of bytes.)
const MOST_RUNS: usize = 4096;

/// The bytes that one end sent, in numbers counted from its first.
#[derive(Clone, Debug)]
#[allow(clippy::box_collection, reason = "few streams have gaps, and a survey keeps many")]
pub struct Stream {
    /// The first number that was neither seen nor given up.
    next: SeqNum,
    /// What was seen behind it.
    ahead: Option<Box<VecDeque<SeqRange>>>,
    gave_up: bool,
}

impl Default for Stream {
    fn default() -> Self {
        Self { next: SeqNum::new(1), ahead: None, gave_up: false }
    }
}

impl Stream {
    /// Bytes were seen.
    pub fn arrives(&mut self, range: SeqRange) {
        if self.gave_up || !self.next.is_before(range.end()) {
            return;
        }
        if range.start.is_at_or_before(self.next) {
            self.next = range.end();
            self.join();
        } else {
            self.keep(range);
        }
    }

    /// The peer has everything before `up_to`: how many gaps that shows.
    pub fn acknowledged(&mut self, up_to: SeqNum) -> usize {
        let mut gaps = 0;
        while !self.gave_up && self.next.is_before(up_to) {
            gaps += 1;
            let behind = self.first_ahead().filter(|range| range.start.is_before(up_to)).map(|range| range.start);
            self.next = behind.unwrap_or(up_to);
            self.join();
        }
        gaps
    }

    fn join(&mut self) {
        while let Some(range) = self.first_ahead().filter(|range| range.start.is_at_or_before(self.next)) {
            self.next = self.next.max(range.end());
            self.ahead.as_mut().and_then(|ahead| ahead.pop_front());
        }
        if self.first_ahead().is_none() {
            self.ahead = None;
        }
    }

    fn first_ahead(&self) -> Option<SeqRange> {
        self.ahead.as_ref()?.front().copied()
    }

    fn keep(&mut self, range: SeqRange) {
        let ahead = self.ahead.get_or_insert_default();
        let place = ahead.partition_point(|known| known.start.is_at_or_before(range.start));
        let before = place.checked_sub(1).and_then(|before| ahead.get_mut(before));
        match before.filter(|known| range.start.is_at_or_before(known.end())) {
            Some(known) => known.len = range.end().max(known.end()).relative_to(known.start),
            None => ahead.insert(place, range),
        }
        if ahead.len() > MOST_RUNS {
            self.ahead = None;
            self.gave_up = true;
        }
    }
}
