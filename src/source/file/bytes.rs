//! A stream of bytes that knows how far it was read.

use std::io::{self, ErrorKind, Read};
use std::ops::Range;

use super::seen::Stand;

/// How many bytes are asked for at once, if nobody says otherwise: a packet costs a tenth less than with a quarter of it, and
/// twice as much makes no difference.
pub const BUFFER: usize = 1 << 20;

/// How many are asked for at first: most captures are small.
const FIRST: usize = 64 * 1024;

/// A reader with a count of what was taken from it. What was taken stays in the buffer until more is asked for than lies there.
pub struct Bytes<R> {
    input: R,
    pub stand: Stand,
    /// What lies in the buffer and was not taken.
    there: Range<usize>,
    offset: u64,
    /// How many bytes are asked for at once.
    step: usize,
}

impl<R: Read> Bytes<R> {
    /// Reads from `input`, `step` bytes at a time.
    pub fn new(input: R, step: usize) -> Self {
        let step = step.max(1);
        Self { input, stand: Stand::new(vec![0; step.min(FIRST)]), there: 0..0, offset: 0, step }
    }

    /// How many bytes were taken.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// How many bytes were read and not taken.
    pub fn left(&self) -> usize {
        self.there.len()
    }

    /// How many bytes the buffer has room for.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.stand.buffer.capacity()
    }

    /// The next `len` bytes without taking them; fewer where the input ends. Memory grows with what is read, so `len` may lie.
    #[inline]
    pub fn peek(&mut self, len: usize) -> io::Result<&[u8]> {
        if self.there.len() < len {
            self.fill(len)?;
        }
        let end = self.there.end.min(self.there.start.saturating_add(len));
        Ok(&self.stand.buffer[self.there.start..end])
    }

    /// What was read and not taken.
    #[inline]
    pub fn at_hand(&self) -> &[u8] {
        &self.stand.buffer[self.there.clone()]
    }

    /// Takes the next `len` bytes, or as many as there are. Returns where they lie, which is so until something is read.
    #[inline]
    pub fn take(&mut self, len: usize) -> io::Result<Range<usize>> {
        if self.there.len() < len {
            self.fill(len)?;
        }
        let start = self.there.start;
        self.consume(len.min(self.there.len()));
        Ok(start..self.there.start)
    }

    /// Passes over `len` bytes, and returns how many there were.
    pub fn skip(&mut self, len: u64) -> io::Result<u64> {
        let mut left = len;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(self.step).min(self.step);
            let there = self.take(wanted)?.len();
            if there == 0 {
                break;
            }
            left -= there as u64;
        }
        Ok(len - left)
    }

    /// Takes `len` bytes of those that are there.
    #[inline]
    pub fn consume(&mut self, len: usize) {
        self.there.start += len;
        self.offset += len as u64;
    }

    /// Reads until `len` bytes are there, or the input ends.
    #[cold]
    fn fill(&mut self, len: usize) -> io::Result<()> {
        self.make_room();
        while self.there.len() < len {
            if self.there.end == self.stand.buffer.len() {
                self.stand.buffer.resize(self.there.end + self.step, 0);
            }
            let read = loop {
                match self.input.read(&mut self.stand.buffer[self.there.end..]) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    read => break read?,
                }
            };
            if read == 0 {
                break;
            }
            self.there.end += read;
        }
        Ok(())
    }

    /// Moves what was not taken to the front, in a buffer of full length: small captures do not need it, and what one long
    /// record made it grow beyond that is given back.
    fn make_room(&mut self) {
        let len = self.there.len();
        let has_wrong_len = self.stand.buffer.len() < self.step || self.stand.buffer.len() > 4 * self.step;
        if self.offset > 0 && has_wrong_len && len < self.step {
            let mut buffer = vec![0; self.step];
            buffer[..len].copy_from_slice(&self.stand.buffer[self.there.clone()]);
            self.stand.buffer = buffer;
        } else {
            self.stand.buffer.copy_within(self.there.clone(), 0);
        }
        self.there = 0..len;
    }
}
