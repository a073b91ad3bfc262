//! Captures in files: pcap and pcapng, plain or compressed, from a file, a pipe or standard input, without libpcap.
//!
//! The reader takes what real files hold: sections and interfaces of several kinds, lengths that lie, tails that are missing.
//! What could be read before damage is handed out, and the damage after it. Memory grows with what was really read, never
//! with what a length field claims.

mod bytes;
mod error;
mod follow;
mod input;
mod merged;
mod packed;
mod pcap;
mod pcapng;
mod recording;
mod seen;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use self::bytes::Bytes;
pub use self::error::{FileError, NotPlain};
use self::follow::Follow;
use self::input::{Ended, Input};
pub use self::input::{Progress, TICK, Watch};
pub use self::merged::{Merged, buffer_len};
pub use self::pcap::AtHand;
pub use self::recording::{Recording, read};
use self::seen::{Aside, Stand, Step};
pub use self::seen::{Head, Seen, View};
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

/// A capture being read. After an error or a cut tail the reading is over.
///
/// [`Capture::advance`] lends what it comes upon and allocates nothing for a packet; as an iterator a capture gives the same
/// things to be kept.
pub struct Capture<R> {
    name: String,
    format: Format<R>,
    step: Step,
    /// Why it ended, where it did so before its end.
    failure: Option<FileError>,
    over: bool,
    /// The time of the last packet that had one.
    last_time: Time,
    steps_back: u64,
}

/// An opened input.
pub type Source = Box<dyn Read + Send>;

/// The file at `path`, or standard input where that is `-`, unpacked, with what errors call it.
pub fn open(path: &Path) -> Result<(String, Source), FileError> {
    open_watched(path, &Watch::default())
}

/// The same, watched by `watch`.
pub fn open_watched(path: &Path, watch: &Watch) -> Result<(String, Source), FileError> {
    let (name, input) = if path.as_os_str() == "-" {
        ("standard input".to_owned(), Input::stdin(watch))
    } else {
        (path.display().to_string(), Input::open(path, watch))
    };
    let input = match input {
        Ok(input) => input,
        Err(source) => return Err(FileError::Open { name, source }),
    };
    match packed::unpack(Box::new(input)) {
        Ok(input) => Ok((name, input)),
        Err(source) => Err(FileError::reading(name, 0, source)),
    }
}

/// The plain file at `path`, which goes on growing. Reading it waits at its end for more, and ends by an error alone: when
/// `watch` stops it, and when the file shrinks, is deleted or gives way to another.
pub fn follow(path: &Path, watch: &Watch) -> Result<(String, Source), FileError> {
    let name = path.display().to_string();
    let refused = |name, is| FileError::NotFollowed { name, is };
    if path.as_os_str() == "-" {
        return Err(refused("standard input".to_owned(), NotPlain::Stream));
    }
    let mut input = match Follow::open(path, watch) {
        Ok(Some(input)) => input,
        Ok(None) => return Err(refused(name, NotPlain::Stream)),
        Err(source) => return Err(FileError::Open { name, source }),
    };
    let mut beginning = Vec::new();
    if let Err(source) = input.by_ref().take(packed::MAGIC_LEN).read_to_end(&mut beginning) {
        return Err(FileError::reading(name, 0, source));
    }
    if packed::is_packed(&beginning) {
        return Err(refused(name, NotPlain::Packed));
    }
    Ok((name, Box::new(io::Cursor::new(beginning).chain(input))))
}

/// The captures at `paths`, opened by [`open_watched`], as one.
pub fn open_all(paths: &[PathBuf], watch: &Watch) -> Result<Merged<Source>, FileError> {
    let len = buffer_len(paths.len());
    let captures = paths.iter().map(|path| {
        let (name, input) = open_watched(path, watch)?;
        Capture::with_buffer(name, input, len)
    });
    Ok(Merged::new(captures.collect::<Result<_, _>>()?))
}

impl<R: Read> Capture<R> {
    /// What errors call the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads the beginning of `input`, which errors call `name`, and sees what it is.
    pub fn new(name: String, input: R) -> Result<Self, FileError> {
        Self::with_buffer(name, input, bytes::BUFFER)
    }

    /// The same with a buffer of `len` bytes, which grows for a packet that is longer.
    pub fn with_buffer(name: String, input: R, len: usize) -> Result<Self, FileError> {
        let mut bytes = Bytes::new(input, len);
        let format = match Format::recognise(&mut bytes, &name)? {
            Recognised::Pcap(header) => Format::Pcap(pcap::Reader::new(bytes, header)),
            Recognised::Pcapng => Format::Pcapng(pcapng::Reader::new(bytes)),
        };
        Ok(Self { name, format, step: Step::End, failure: None, over: false, last_time: Time(i64::MIN), steps_back: 0 })
    }

    /// Goes on to the next thing in the file and lends it; `None` at the end. Nothing is allocated for a packet.
    #[inline]
    pub fn advance(&mut self) -> Option<Result<Seen<'_>, FileError>> {
        self.step();
        self.seen()
    }

    /// Lends to `take` all packets that can be lent without reading on, if the file is of a kind whose packets tell all of
    /// themselves. [`Capture::advance`] gives the others, and the same ones to who does not ask.
    #[inline]
    pub fn at_hand(&mut self, mut take: impl FnMut(AtHand<'_>)) {
        let Self { format: Format::Pcap(reader), over: false, last_time, steps_back, .. } = self else { return };
        let (mut last, mut back) = (*last_time, 0);
        reader.at_hand(|packet| {
            back += u64::from(packet.time < last);
            last = packet.time;
            take(packet);
        });
        *last_time = last;
        *steps_back += back;
    }

    /// How many packets and other rows were counted so far.
    pub const fn frames(&self) -> u64 {
        match &self.format {
            Format::Pcap(reader) => reader.frames(),
            Format::Pcapng(reader) => reader.frames(),
        }
    }

    /// How many packets had a time that lies before that of the packet before them.
    pub const fn steps_back(&self) -> u64 {
        self.steps_back
    }

    /// How many bytes of the file, unpacked, lie before what is read next.
    pub fn offset(&self) -> u64 {
        self.format.bytes().offset()
    }

    /// Goes on to the next thing in the file.
    #[inline]
    fn step(&mut self) {
        let step = match &mut self.format {
            _ if self.over => Ok(Step::End),
            Format::Pcap(reader) => reader.step(),
            Format::Pcapng(reader) => reader.step(),
        };
        self.step = step.unwrap_or_else(|source| self.broken(source));
        if self.step == Step::Packet
            && let Some(time) = self.format.bytes().stand.head.time
        {
            self.steps_back += u64::from(time < self.last_time);
            self.last_time = time;
        }
    }

    /// Gives all packets this number of their file.
    const fn number(&mut self, file: usize) {
        self.format.stand().head.file = file;
    }

    /// Whether nothing is left, not even an error.
    fn is_at_end(&self) -> bool {
        self.step == Step::End && self.failure.is_none()
    }

    /// The time of the last packet that had one; the least there is before the first.
    const fn last_time(&self) -> Time {
        self.last_time
    }

    /// What the reading stands at.
    #[inline]
    fn seen(&mut self) -> Option<Result<Seen<'_>, FileError>> {
        let stand = &self.format.bytes().stand;
        match self.step {
            Step::Packet => Some(Ok(stand.packet())),
            Step::Aside => Some(Ok(stand.aside())),
            Step::End => {
                self.over = true;
                self.failure.take().map(Err)
            }
        }
    }

    /// The last step of a reading that cannot go on.
    #[cold]
    fn broken(&mut self, source: io::Error) -> Step {
        self.over = true;
        if let Some(damage) = packed::Damage::of(&source) {
            let why = format!("{damage}; nothing after it can be read");
            let frame = FrameNo(self.frames() + 1);
            return self.format.stand().come_to(Aside::Gap(Gap::Malformed { frame, why }));
        }
        let left = self.format.bytes().left() as u64;
        let is_lost = matches!(Ended::of(&source), Some(Ended::Lost(_)));
        self.failure = Some(FileError::reading(self.name.clone(), self.offset(), source));
        // What a growing file holds of its last packet is not coming to its end any more.
        if is_lost && left > 0 {
            self.format.stand().come_to(Aside::Gap(Gap::CutShort { bytes: left }))
        } else {
            Step::End
        }
    }
}

enum Recognised {
    Pcap(pcap::Header),
    Pcapng,
}

impl<R: Read> Format<R> {
    #[inline]
    const fn bytes(&self) -> &Bytes<R> {
        match self {
            Self::Pcap(reader) => reader.bytes(),
            Self::Pcapng(reader) => reader.bytes(),
        }
    }

    const fn stand(&mut self) -> &mut Stand {
        match self {
            Self::Pcap(reader) => reader.stand(),
            Self::Pcapng(reader) => reader.stand(),
        }
    }

    fn recognise(bytes: &mut Bytes<R>, name: &str) -> Result<Recognised, FileError> {
        let failed = |source| FileError::reading(name.to_owned(), 0, source);
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
        Some(self.advance()?.map(Seen::to_item))
    }
}

#[cfg(test)]
mod tests;
