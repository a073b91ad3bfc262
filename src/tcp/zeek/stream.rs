//! How far one end's bytes were seen without a gap.

use super::ahead::Ahead;
use crate::tcp::seq::{SeqNum, SeqRange};

/// The bytes that one end sent, in numbers counted from its first.
///
/// What was seen of them behind a gap is kept elsewhere, since few streams have any, and a survey keeps many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// The first number that was neither seen nor given up.
    pub next: SeqNum,
}

impl Default for Stream {
    fn default() -> Self {
        Self { next: SeqNum::new(1) }
    }
}

impl Stream {
    /// Bytes were seen; whether they lie behind a gap and are to be kept.
    pub fn arrives(&mut self, range: SeqRange, ahead: Option<&mut Ahead>) -> bool {
        if !self.next.is_before(range.end()) || ahead.as_ref().is_some_and(|ahead| ahead.is_given_up()) {
            return false;
        }
        if !range.start.is_at_or_before(self.next) {
            return true;
        }
        self.next = range.end();
        if let Some(ahead) = ahead {
            self.join(ahead);
        }
        false
    }

    /// The peer has everything before `up_to`: how many gaps that shows.
    pub fn acknowledged(&mut self, up_to: SeqNum, ahead: Option<&mut Ahead>) -> usize {
        if !self.next.is_before(up_to) {
            return 0;
        }
        let Some(ahead) = ahead else {
            self.next = up_to;
            return 1;
        };
        let mut gaps = 0;
        while !ahead.is_given_up() && self.next.is_before(up_to) {
            gaps += 1;
            let behind = ahead.first().filter(|range| range.start.is_before(up_to)).map(|range| range.start);
            self.next = behind.unwrap_or(up_to);
            self.join(ahead);
        }
        gaps
    }

    fn join(&mut self, ahead: &mut Ahead) {
        while let Some(range) = ahead.reached(self.next) {
            self.next = self.next.max(range.end());
        }
    }
}
