//! Several captures as one, merged by time.
//!
//! Each file keeps its order: only what the files stand at is compared. So a packet whose time lies before that of the one
//! before it in its file follows that one all the same, and the step back is counted. Of equal times the file named first comes
//! first. What has no time stays behind what stands before it in its file.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io::Read;

use super::{Capture, FileError, Seen, bytes};
use crate::event::Time;

/// What the buffers of all files hold together in bytes, if there are not so many that each would have too little.
const ALL_BUFFERS: usize = 8 << 20;
/// The least that one file's buffer holds.
const LEAST_BUFFER: usize = 16 * 1024;

/// How many bytes of buffer each of `files` captures is to have, so that many files need no more memory than a few.
pub fn buffer_len(files: usize) -> usize {
    (ALL_BUFFERS / files.max(1)).clamp(LEAST_BUFFER, bytes::BUFFER)
}

/// Captures being read as one.
pub struct Merged<R> {
    captures: Vec<Capture<R>>,
    /// The files that stand at something, with its time. Once begun, the first is the one that was lent last.
    turns: BinaryHeap<Reverse<(Time, usize)>>,
    has_begun: bool,
}

impl<R: Read> Merged<R> {
    /// The captures as one; a file's place in `captures` is its number.
    pub fn new(captures: Vec<Capture<R>>) -> Self {
        Self { captures, turns: BinaryHeap::new(), has_begun: false }
    }

    /// The captures, with what is counted of each.
    pub fn captures(&self) -> &[Capture<R>] {
        &self.captures
    }

    /// Goes on to what comes next in time and lends it, with the number of its file from 0; `None` where all are at their end.
    ///
    /// After an error, which names its file, the others can be read on.
    #[inline]
    pub fn advance(&mut self) -> Option<Result<(usize, Seen<'_>), FileError>> {
        let file = if let [only] = self.captures.as_mut_slice() {
            only.step();
            0
        } else {
            self.turn()?
        };
        Some(self.captures.get_mut(file)?.seen()?.map(|seen| (file, seen)))
    }

    /// Goes on in the file that was lent from last, and returns the one whose turn it is.
    fn turn(&mut self) -> Option<usize> {
        if !std::mem::replace(&mut self.has_begun, true) {
            self.begin();
        } else if let Some(mut turn) = self.turns.peek_mut() {
            let Reverse((time, file)) = &mut *turn;
            let capture = &mut self.captures[*file];
            capture.step();
            *time = capture.last_time();
            if capture.is_at_end() {
                PeekMut::pop(turn);
            }
        }
        self.turns.peek().map(|Reverse((_, file))| *file)
    }

    fn begin(&mut self) {
        for (file, capture) in self.captures.iter_mut().enumerate() {
            capture.step();
            if !capture.is_at_end() {
                self.turns.push(Reverse((capture.last_time(), file)));
            }
        }
    }
}

#[cfg(test)]
mod tests;
