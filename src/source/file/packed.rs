//! Compressed captures: gzip and zstd, known by their first bytes, unpacked while they are read.
//!
//! Memory is bounded: gzip looks back 32 KiB, and a zstd frame that wants to look back farther than the decoder allows is
//! refused as damaged. Nothing can be sought in such a file, and nothing needs to be.

mod zstd;

use std::fmt;
use std::io::{self, ErrorKind, Read};

use flate2::read::MultiGzDecoder;

use super::Source;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// How many bytes tell whether data is compressed.
pub const MAGIC_LEN: u64 = 4;

/// How much of gzip data is unpacked at once: where it is damaged, the decoder gives up what it unpacked in the same step.
const STEP: usize = 4096;

/// Compressed data that ended early or is damaged. What was unpacked before stays good.
#[derive(Debug)]
pub struct Damage(String);

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Damage {}

impl Damage {
    fn into_error(self) -> io::Error {
        io::Error::new(ErrorKind::InvalidData, self)
    }

    /// The damage that `error` tells of, if it is not the system's.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

/// `input` unpacked, if it begins as gzip or zstd data does; else as it is.
pub fn unpack(mut input: Source) -> io::Result<Source> {
    let mut beginning = Vec::new();
    input.by_ref().take(MAGIC_LEN).read_to_end(&mut beginning)?;
    let format = format(&beginning);
    let whole = Watched { input: Box::new(io::Cursor::new(beginning).chain(input)), failure: None };
    Ok(match format {
        Some(Format::Gzip) => Box::new(Gzip(MultiGzDecoder::new(whole))),
        Some(Format::Zstd) => Box::new(zstd::Zstd::new(whole)),
        None => whole.input,
    })
}

/// Whether what begins with `beginning` is compressed in a way that is read here.
pub fn is_packed(beginning: &[u8]) -> bool {
    format(beginning).is_some()
}

enum Format {
    Gzip,
    Zstd,
}

fn format(beginning: &[u8]) -> Option<Format> {
    let magic = *beginning.first_chunk::<4>()?;
    let is_gzip = magic.starts_with(&GZIP);
    if is_gzip { Some(Format::Gzip) } else { zstd::is_magic(magic).then_some(Format::Zstd) }
}

/// The packed input, which keeps the system's own errors apart from what a decoder makes of them.
struct Watched {
    input: Source,
    failure: Option<io::Error>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.input.read(buffer).map_err(|error| {
            let kind = error.kind();
            if kind != ErrorKind::Interrupted {
                self.failure = Some(error);
            }
            kind.into()
        })
    }
}

impl Watched {
    /// The error to hand on where a decoder failed by `why`.
    fn error(&mut self, format: &str, early: bool, why: &dyn fmt::Display) -> io::Error {
        let told = if early { "it ends early".to_owned() } else { why.to_string() };
        self.failure.take().unwrap_or_else(|| Damage(format!("the {format} data is damaged: {told}")).into_error())
    }
}

struct Gzip(MultiGzDecoder<Watched>);

impl Read for Gzip {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let step = buffer.len().min(STEP);
        self.0.read(&mut buffer[..step]).map_err(|error| match error.kind() {
            ErrorKind::Interrupted => error,
            kind => self.0.get_mut().error("gzip", kind == ErrorKind::UnexpectedEof, &error),
        })
    }
}

#[cfg(test)]
mod tests;
