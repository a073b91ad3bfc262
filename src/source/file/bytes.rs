//! A stream of bytes that knows how far it was read.

use std::io::{self, ErrorKind, Read};

/// How many bytes are asked for at once.
const BUFFER: usize = 256 * 1024;

/// A reader with a count of what was taken from it.
pub struct Bytes<R> {
    input: R,
    buffer: Vec<u8>,
    /// What lies in the buffer and was not taken.
    there: std::ops::Range<usize>,
    offset: u64,
}

impl<R: Read> Bytes<R> {
    pub fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), there: 0..0, offset: 0 }
    }

    /// How many bytes were taken.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// The next `len` bytes without taking them; fewer where the input ends. Memory grows with what is read, so `len` may lie.
    pub fn peek(&mut self, len: usize) -> io::Result<&[u8]> {
        while self.there.len() < len && self.fill()? {}
        let end = self.there.end.min(self.there.start.saturating_add(len));
        Ok(&self.buffer[self.there.start..end])
    }

    /// Takes the next `len` bytes, or as many as there are.
    pub fn take(&mut self, len: usize) -> io::Result<Vec<u8>> {
        let taken = self.peek(len)?.to_vec();
        self.consume(taken.len());
        Ok(taken)
    }

    /// Passes over `len` bytes, and returns how many there were.
    pub fn skip(&mut self, len: u64) -> io::Result<u64> {
        let mut left = len;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER);
            let there = self.peek(wanted)?.len();
            if there == 0 {
                break;
            }
            self.consume(there);
            left -= there as u64;
        }
        Ok(len - left)
    }

    fn consume(&mut self, len: usize) {
        self.there.start += len;
        self.offset += len as u64;
    }

    /// Reads once; false at the end of the input.
    fn fill(&mut self) -> io::Result<bool> {
        if self.there.end == self.buffer.len() {
            self.make_room();
        }
        let read = loop {
            match self.input.read(&mut self.buffer[self.there.end..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.there.end += read;
        Ok(read > 0)
    }

    fn make_room(&mut self) {
        self.buffer.copy_within(self.there.clone(), 0);
        self.there = 0..self.there.len();
        if self.buffer.len() - self.there.end < BUFFER {
            self.buffer.resize(self.there.end + BUFFER, 0);
        }
    }
}
