//! pcap: a header, then packets (draft-ietf-opsawg-pcap).

use std::io::{self, Read};

use super::bytes::Bytes;
use super::{Item, MAX_PACKET, Record};
use crate::event::{Frame, FrameNo, Gap, LinkType, Time};

/// The length in bytes of the file's header.
pub const HEADER_LEN: usize = 24;

/// What the first four bytes say.
#[derive(Clone, Copy)]
pub struct Kind {
    big_endian: bool,
    /// How many nanoseconds one unit of the time's second field is.
    unit: i64,
    /// The length of a packet's header: 16 bytes, or 24 in Alexey Kuznetsov's "modified" libpcap.
    record_len: usize,
}

const KINDS: [(u32, i64, usize); 3] = [(0xa1b2_c3d4, 1000, 16), (0xa1b2_3c4d, 1, 16), (0xa1b2_cd34, 1000, 24)];

/// The kind that `magic` stands for.
pub fn kind(magic: [u8; 4]) -> Option<Kind> {
    let find = |number: u32, big_endian: bool| {
        let (_, unit, record_len) = *KINDS.iter().find(|(known, ..)| *known == number)?;
        Some(Kind { big_endian, unit, record_len })
    };
    find(u32::from_be_bytes(magic), true).or_else(|| find(u32::from_le_bytes(magic), false))
}

/// The file's header.
#[derive(Clone, Copy)]
pub struct Header {
    kind: Kind,
    link_type: LinkType,
}

impl Header {
    pub fn read(kind: Kind, bytes: &[u8; HEADER_LEN]) -> Self {
        // The upper half tells of a frame check sequence behind each packet, which the IP length passes over.
        let link_type = LinkType(kind.number(bytes, 20) & 0xffff);
        Self { kind, link_type }
    }
}

impl Kind {
    /// The number at `at`; 0 where `bytes` ends before.
    fn number(self, bytes: &[u8], at: usize) -> u32 {
        let four = bytes.get(at..).and_then(<[u8]>::first_chunk::<4>).copied().unwrap_or_default();
        if self.big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    }
}

/// A file whose header was read.
pub struct Reader<R> {
    bytes: Bytes<R>,
    header: Header,
    frames: u64,
    damaged: bool,
}

impl<R: Read> Reader<R> {
    pub fn new(bytes: Bytes<R>, header: Header) -> Self {
        Self { bytes, header, frames: 0, damaged: false }
    }

    pub const fn offset(&self) -> u64 {
        self.bytes.offset()
    }

    /// How many frames were counted.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    pub fn next(&mut self) -> io::Result<Option<Item>> {
        if self.damaged {
            return Ok(None);
        }
        let Header { kind, link_type } = self.header;
        let at = self.bytes.offset();
        let head = self.bytes.peek(kind.record_len)?.to_vec();
        let captured = kind.number(&head, 8);
        let whole = kind.record_len + usize::try_from(captured.min(MAX_PACKET)).unwrap_or(usize::MAX);
        if head.is_empty() {
            return Ok(None);
        }
        if head.len() == kind.record_len && captured > MAX_PACKET {
            return Ok(Some(self.damage(format!("at byte {at} a packet claims {captured} bytes"))));
        }
        let record = self.bytes.take(whole)?;
        if head.len() < kind.record_len || record.len() < whole {
            self.damaged = true;
            return Ok(Some(Item::Gap(Gap::CutShort { bytes: record.len() as u64 })));
        }
        self.frames += 1;
        let seconds = i64::from(kind.number(&head, 0)) * 1_000_000_000;
        Ok(Some(Item::Packet(Record {
            frame: Frame {
                number: FrameNo(self.frames),
                link_type,
                original_len: kind.number(&head, 12),
                data: record[kind.record_len..].into(),
                comments: Vec::new(),
            },
            time: Some(Time(seconds + i64::from(kind.number(&head, 4)) * kind.unit)),
        })))
    }

    /// Nothing tells where the next packet would begin: the rest of the file is lost.
    fn damage(&mut self, why: String) -> Item {
        self.damaged = true;
        Item::Gap(Gap::Malformed { frame: FrameNo(self.frames + 1), why: why + "; nothing after it can be read" })
    }
}
