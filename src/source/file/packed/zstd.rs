//! zstd (RFC 8878): frames one after the other, some of which are to be skipped.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::Watched;

/// How many packed bytes are read at once.
const BUFFER: usize = 64 * 1024;

const FRAME: u32 = 0xfd2f_b528;
/// The first of the 16 numbers of frames that hold no data (RFC 8878 §3.1.2).
const SKIPPABLE: u32 = 0x184d_2a50;

/// Whether a zstd file can begin with `magic`.
pub fn is_magic(magic: [u8; 4]) -> bool {
    let number = u32::from_le_bytes(magic);
    number == FRAME || number & !0xf == SKIPPABLE
}

/// zstd data being unpacked.
pub struct Zstd {
    input: BufReader<Watched>,
    decoder: FrameDecoder,
    inside: bool,
    /// What ended the frame before its time, told when all that was unpacked has been handed out.
    failure: Option<io::Error>,
}

/// An empty last block and a checksum. The decoder keeps back as much as later blocks may look back to, which is all of a
/// small file: only a last block makes it hand that out.
const LAST_BLOCK: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

impl Zstd {
    pub fn new(input: Watched) -> Self {
        Self {
            input: BufReader::with_capacity(BUFFER, input),
            decoder: FrameDecoder::new(),
            inside: false,
            failure: None,
        }
    }

    /// Goes on to the next frame with data; false where the input ends.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.at_end()? {
            match self.decoder.init(&mut self.input) {
                Ok(()) => {
                    self.inside = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    self.skip(u64::from(length))?;
                }
                Err(error) => return Err(self.error(&error)),
            }
        }
        Ok(false)
    }

    fn at_end(&mut self) -> io::Result<bool> {
        loop {
            match self.input.fill_buf() {
                Ok(there) => return Ok(there.is_empty()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.error(&error)),
            }
        }
    }

    fn skip(&mut self, len: u64) -> io::Result<()> {
        match io::copy(&mut self.input.by_ref().take(len), &mut io::sink()) {
            Ok(skipped) if skipped == len => Ok(()),
            Ok(_) => Err(self.error(&"it ends early")),
            Err(error) => Err(self.error(&error)),
        }
    }

    /// Unpacks until there is something to hand out, or the frame is over.
    fn advance(&mut self) {
        while self.failure.is_none() && self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
            let unpacked = self.decoder.decode_blocks(&mut self.input, BlockDecodingStrategy::UptoBlocks(1));
            if let Err(error) = unpacked {
                let error = self.error(&error);
                // Where that fails too, what was kept back is lost, and the first failure says enough.
                let _ = self.decoder.decode_blocks(LAST_BLOCK.as_slice(), BlockDecodingStrategy::All);
                self.failure = Some(error);
            }
        }
    }

    /// Says what was wrong with the frame that is over.
    fn end(&mut self) -> io::Result<()> {
        self.inside = false;
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        match (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum()) {
            (Some(said), Some(is)) if said != is => {
                Err(self.input.get_mut().error("zstd", false, &"its checksum is wrong"))
            }
            _ => Ok(()),
        }
    }

    /// The decoder does not tell in a type of its own that the input ended early.
    fn error(&mut self, why: &dyn std::fmt::Display) -> io::Error {
        let early = matches!(self.input.fill_buf(), Ok([]));
        self.input.get_mut().error("zstd", early, why)
    }
}

impl Read for Zstd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.inside || self.begin()? {
            self.advance();
            let read = self.decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            self.end()?;
        }
        Ok(0)
    }
}
