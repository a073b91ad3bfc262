//! A stream of bytes that knows how far it was read.

use std::io::{self, ErrorKind, Read};

/// How many bytes are asked for at once.
const BUFFER: usize = 256 * 1024;

/// A reader with a count of what was taken from it.
pub struct Bytes<R> {
    input: R,
    /// Read from `input`; what was taken already lies before `start`.
    buffer: Vec<u8>,
    start: usize,
    offset: u64,
}

impl<R: Read> Bytes<R> {
    pub fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), start: 0, offset: 0 }
    }

    /// How many bytes were taken.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// The next `len` bytes without taking them; fewer where the input ends. Memory grows with what is read, so `len` may lie.
    pub fn peek(&mut self, len: usize) -> io::Result<&[u8]> {
        while self.buffer.len() - self.start < len && self.fill(len)? {}
        let end = self.buffer.len().min(self.start.saturating_add(len));
        Ok(&self.buffer[self.start..end])
    }

    /// Takes `len` bytes that [`Bytes::peek`] has shown, or as many as there are.
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
        self.start += len;
        self.offset += len as u64;
    }

    /// Reads once; false at the end of the input.
    fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        let have = self.buffer.len();
        let more = wanted.saturating_sub(have).clamp(1, BUFFER).max(BUFFER - have.min(BUFFER - 1));
        self.buffer.resize(have + more, 0);
        let read = loop {
            match self.input.read(&mut self.buffer[have..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffer.truncate(have + *read.as_ref().unwrap_or(&0));
        read.map(|read| read > 0)
    }
}
