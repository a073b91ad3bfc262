//! Several captures as one, merged by time.
//!
//! Each file keeps its order: only what the files stand at is compared. So a packet whose time lies before that of the one
//! before it in its file follows that one all the same, and the step back is counted. Of equal times the file named first comes
//! first. What has no time stays behind what stands before it in its file.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io::Read;

use super::{AtHand, Capture, FileError, Seen, bytes};
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
    file: usize,
}

impl<R: Read> Merged<R> {
    /// The captures as one; a file's place in `captures` is its number.
    pub fn new(mut captures: Vec<Capture<R>>) -> Self {
        for (file, capture) in captures.iter_mut().enumerate() {
            capture.number(file);
        }
        Self { captures, turns: BinaryHeap::new(), has_begun: false, file: 0 }
    }

    /// The captures, with what is counted of each.
    pub fn captures(&self) -> &[Capture<R>] {
        &self.captures
    }

    /// Goes on to what comes next in time and lends it; `None` where all are at their end. [`Merged::file`] says of which file
    /// it is, and a packet says so itself.
    ///
    /// After an error, which names its file, the others can be read on.
    #[inline]
    pub fn advance(&mut self) -> Option<Result<Seen<'_>, FileError>> {
        if self.captures.len() == 1 {
            return self.captures[0].advance();
        }
        self.file = self.turn()?;
        self.captures[self.file].seen()
    }

    /// Lends to `take` all packets that can be lent without reading on, if there is only one file.
    #[inline]
    pub fn at_hand(&mut self, take: impl FnMut(AtHand<'_>)) {
        if let [capture] = self.captures.as_mut_slice() {
            capture.at_hand(take);
        }
    }

    /// The number of the file, from 0, that what was lent last is of.
    pub const fn file(&self) -> usize {
        self.file
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
