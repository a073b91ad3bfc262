//! Captures in files: pcap and pcapng, plain or compressed, from a file, a pipe or standard input, without libpcap.
//!
//! The reader takes what real files hold: sections and interfaces of several kinds, lengths that lie, tails that are missing.
//! What could be read before damage is handed out, and the damage after it. Memory grows with what was really read, never
//! with what a length field claims.

mod bytes;
mod error;
mod packed;
mod pcap;
mod pcapng;
mod recording;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use self::bytes::Bytes;
pub use self::error::FileError;
pub use self::recording::{Recording, read};
use crate::event::{Frame, FrameNo, Gap, Time};

/// The longest packet in bytes that is believed: 16 MiB, more than any link carries. Wireshark believes 256 KiB of most links.
pub const MAX_PACKET: u32 = 16 << 20;

/// One packet of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The packet. Its number counts every row that Wireshark shows; its comments are all there are, whoever wrote them.
    pub frame: Frame,
    /// When it was captured; `None` where the file does not say (pcapng's simple packet blocks).
    pub time: Option<Time>,
}

/// What a file holds, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A packet.
    Packet(Record),
    /// Something else that Wireshark gives a row and a number, by its name.
    Row(FrameNo, &'static str),
    /// A comment on the section that begins.
    SectionComment(String),
    /// Something is missing or damaged here.
    Gap(Gap),
}

enum Format<R> {
    Pcap(pcap::Reader<R>),
    Pcapng(pcapng::Reader<R>),
}

/// A capture being read. After an error or a cut tail the iteration is over.
pub struct Capture<R> {
    name: String,
    format: Format<R>,
    over: bool,
}

/// The file at `path`, or standard input where that is `-`, unpacked, with what errors call it.
pub fn open(path: &Path) -> Result<(String, Box<dyn Read>), FileError> {
    let (name, input): (_, Box<dyn Read>) = if path.as_os_str() == "-" {
        ("standard input".to_owned(), Box::new(io::stdin()))
    } else {
        let name = path.display().to_string();
        match File::open(path) {
            Ok(file) => (name, Box::new(file)),
            Err(source) => return Err(FileError::Open { name, source }),
        }
    };
    match packed::unpack(input) {
        Ok(input) => Ok((name, input)),
        Err(source) => Err(FileError::Read { name, offset: 0, source }),
    }
}

impl<R: Read> Capture<R> {
    /// What errors call the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads the beginning of `input`, which errors call `name`, and sees what it is.
    pub fn new(name: String, input: R) -> Result<Self, FileError> {
        let mut bytes = Bytes::new(input);
        let format = Format::recognise(&mut bytes, &name)?;
        let format = match format {
            Recognised::Pcap(header) => Format::Pcap(pcap::Reader::new(bytes, header)),
            Recognised::Pcapng => Format::Pcapng(pcapng::Reader::new(bytes)),
        };
        Ok(Self { name, format, over: false })
    }
}

enum Recognised {
    Pcap(pcap::Header),
    Pcapng,
}

impl<R: Read> Format<R> {
    fn recognise(bytes: &mut Bytes<R>, name: &str) -> Result<Recognised, FileError> {
        let failed = |source| FileError::Read { name: name.to_owned(), offset: 0, source };
        let beginning = bytes.peek(pcap::HEADER_LEN).map_err(failed)?;
        let magic = beginning.first_chunk::<4>().copied();
        if magic == Some(pcapng::MAGIC) {
            return Ok(Recognised::Pcapng);
        }
        let Some(kind) = magic.and_then(pcap::kind) else {
            return Err(FileError::NotACapture { name: name.to_owned(), beginning: beginning.to_vec() });
        };
        let Some(header) = beginning.first_chunk::<{ pcap::HEADER_LEN }>() else {
            return Err(FileError::CutHeader { name: name.to_owned(), len: beginning.len() });
        };
        let header = pcap::Header::read(kind, header);
        bytes.skip(pcap::HEADER_LEN as u64).map_err(failed)?;
        Ok(Recognised::Pcap(header))
    }
}

impl<R: Read> Iterator for Capture<R> {
    type Item = Result<Item, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let (item, offset, frames) = match &mut self.format {
            Format::Pcap(reader) => (reader.next(), reader.offset(), reader.frames()),
            Format::Pcapng(reader) => (reader.next(), reader.offset(), reader.frames()),
        };
        match item {
            Ok(Some(item)) => Some(Ok(item)),
            Ok(None) => {
                self.over = true;
                None
            }
            Err(source) => {
                self.over = true;
                if let Some(damage) = packed::Damage::of(&source) {
                    let why = format!("{damage}; nothing after it can be read");
                    return Some(Ok(Item::Gap(Gap::Malformed { frame: FrameNo(frames + 1), why })));
                }
                Some(Err(FileError::Read { name: self.name.clone(), offset, source }))
            }
        }
    }
}

#[cfg(test)]
mod tests;
