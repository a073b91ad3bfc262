//! pcap: a header, then packets (draft-ietf-opsawg-pcap).

use std::io::{self, Read};

use super::MAX_PACKET;
use super::bytes::Bytes;
use super::seen::{Aside, Stand, Step};
use crate::event::{FrameNo, Gap, LinkType, Time};

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
        let link_type = LinkType(kind.numbers(&bytes[8..])[3] & 0xffff);
        Self { kind, link_type }
    }
}

impl Kind {
    #[inline]
    fn time(self, seconds: u32, fraction: u32) -> Time {
        Time(i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * self.unit)
    }

    /// The first four numbers in `bytes`; 0 where `bytes` ends before.
    #[inline]
    fn numbers(self, bytes: &[u8]) -> [u32; 4] {
        let (fours, _) = bytes.as_chunks::<4>();
        let number = |at: usize| {
            let four = fours.get(at).copied().unwrap_or_default();
            if self.big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
        };
        [number(0), number(1), number(2), number(3)]
    }
}

/// A packet that lies in the buffer as a whole.
#[derive(Clone, Copy, Debug)]
pub struct AtHand<'a> {
    /// Its place in its file.
    pub number: FrameNo,
    /// When it was captured.
    pub time: Time,
    /// How its first bytes are to be read.
    pub link_type: LinkType,
    /// Its length on the wire in bytes.
    pub original_len: u32,
    /// Its bytes, as far as they were captured.
    pub data: &'a [u8],
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

    pub const fn bytes(&self) -> &Bytes<R> {
        &self.bytes
    }

    pub const fn stand(&mut self) -> &mut Stand {
        &mut self.bytes.stand
    }

    /// How many frames were counted.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// Lends to `take` all packets that lie in the buffer as a whole, one after another: a loop that keeps to its registers
    /// takes a third less time than steps do.
    #[inline]
    pub fn at_hand(&mut self, mut take: impl FnMut(AtHand<'_>)) {
        if self.damaged {
            return;
        }
        let Header { kind, link_type } = self.header;
        let there = self.bytes.at_hand();
        let (mut rest, mut frames) = (there, self.frames);
        while let Some((head, behind)) = rest.split_at_checked(kind.record_len) {
            let [seconds, fraction, captured, original_len] = kind.numbers(head);
            // What lies is left to `step`.
            let captured = if captured > MAX_PACKET { usize::MAX } else { captured as usize };
            let Some((data, next)) = behind.split_at_checked(captured) else { break };
            frames += 1;
            take(AtHand { number: FrameNo(frames), time: kind.time(seconds, fraction), link_type, original_len, data });
            rest = next;
        }
        let taken = there.len() - rest.len();
        self.frames = frames;
        self.bytes.consume(taken);
    }

    #[inline]
    pub fn step(&mut self) -> io::Result<Step> {
        if self.damaged {
            return Ok(Step::End);
        }
        let Header { kind, link_type } = self.header;
        let head = self.bytes.peek(kind.record_len)?;
        if head.len() < kind.record_len {
            return self.cut_short(kind.record_len);
        }
        let [seconds, fraction, captured, original_len] = kind.numbers(head);
        if captured > MAX_PACKET {
            let at = self.bytes.offset();
            return Ok(self.damage(format!("at byte {at} a packet claims {captured} bytes")));
        }
        let whole = kind.record_len + usize::try_from(captured).unwrap_or(usize::MAX);
        if self.bytes.peek(whole)?.len() < whole {
            return self.cut_short(whole);
        }
        let record = self.bytes.take(whole)?;
        self.frames += 1;
        let head = &mut self.bytes.stand.head;
        head.number = FrameNo(self.frames);
        head.link_type = link_type;
        head.original_len = original_len;
        head.time = Some(kind.time(seconds, fraction));
        head.data = record.start + kind.record_len..record.end;
        Ok(Step::Packet)
    }

    /// Takes what is left of a record of `wanted` bytes.
    #[cold]
    fn cut_short(&mut self, wanted: usize) -> io::Result<Step> {
        self.damaged = true;
        let bytes = self.bytes.take(wanted)?.len() as u64;
        Ok(if bytes == 0 { Step::End } else { self.bytes.stand.come_to(Aside::Gap(Gap::CutShort { bytes })) })
    }

    /// Nothing tells where the next packet would begin: the rest of the file is lost.
    #[cold]
    fn damage(&mut self, why: String) -> Step {
        self.damaged = true;
        let why = why + "; nothing after it can be read";
        self.bytes.stand.come_to(Aside::Gap(Gap::Malformed { frame: FrameNo(self.frames + 1), why }))
    }
}
