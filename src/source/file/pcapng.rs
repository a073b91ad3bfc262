//! pcapng: sections of blocks (draft-ietf-opsawg-pcapng).

mod block;
mod interface;
mod packet;

use std::io::{self, Read};

use self::block::{Order, options};
use self::interface::Interface;
use super::bytes::Bytes;
use super::{Item, Record};
use crate::event::{Frame, FrameNo, Gap};

/// The type of a section header block, the same in both byte orders.
pub const MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const INTERFACE_STATISTICS: u32 = 5;

/// Blocks without packets that Wireshark (4.0) shows as rows and numbers all the same.
const ROWS: [(u32, &str); 6] = [
    (9, "systemd journal entry"),
    (0x204, "sysdig event"),
    (0x216, "sysdig event"),
    (0x221, "sysdig event"),
    (0xbad, "custom block"),
    (0x4000_0bad, "custom block"),
];

/// The longest block in bytes that is kept in memory: packets with their comments, which hold a saved story's calls. Longer
/// ones are passed over.
const MAX_BLOCK: u32 = 128 << 20;

/// The option that holds a comment, in every block.
const COMMENT: u16 = 1;

/// A pcapng file.
pub struct Reader<R> {
    bytes: Bytes<R>,
    order: Order,
    interfaces: Vec<Interface>,
    frames: u64,
    /// What a block held beside its first item.
    waiting: std::collections::VecDeque<Item>,
    over: bool,
}

/// A block's beginning.
struct Head {
    kind: u32,
    total_len: u32,
    at: u64,
}

impl<R: Read> Reader<R> {
    pub fn new(bytes: Bytes<R>) -> Self {
        Self {
            bytes,
            order: Order::Little,
            interfaces: Vec::new(),
            frames: 0,
            waiting: std::collections::VecDeque::new(),
            over: false,
        }
    }

    pub const fn offset(&self) -> u64 {
        self.bytes.offset()
    }

    /// How many frames were counted.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    pub fn next(&mut self) -> io::Result<Option<Item>> {
        loop {
            if let Some(item) = self.waiting.pop_front() {
                return Ok(Some(item));
            }
            if self.over {
                return Ok(None);
            }
            self.read_block()?;
        }
    }

    fn read_block(&mut self) -> io::Result<()> {
        let at = self.bytes.offset();
        let beginning = self.bytes.peek(12)?;
        let there = beginning.len();
        if let Some(order) = Order::of_section(beginning) {
            self.order = order;
        } else if there == 12 && beginning.starts_with(&MAGIC) {
            self.damage(format!("at byte {at} a section begins with an unknown byte-order magic"));
            return Ok(());
        }
        match there {
            0 => self.over = true,
            12 => {
                let head = self.bytes.peek(8)?;
                let head = Head { kind: self.order.u32_at(head, 0), total_len: self.order.u32_at(head, 4), at };
                return self.read_body(&head);
            }
            _ => self.cut_short(there as u64),
        }
        Ok(())
    }

    fn read_body(&mut self, head: &Head) -> io::Result<()> {
        let Head { kind, total_len, at } = *head;
        if total_len < 12 {
            self.damage(format!("at byte {at} a block claims {total_len} bytes; 12 are the least"));
            return Ok(());
        }
        // Some writers leave the padding out of the length; the next block begins behind it all the same.
        let padded = u64::from(total_len).next_multiple_of(4);
        let kept = is_kept(kind) && total_len <= MAX_BLOCK;
        if !kept {
            let skipped = self.bytes.skip(padded)?;
            if skipped < u64::from(total_len) {
                self.cut_short(skipped);
            } else {
                self.passed_over(head);
            }
            return Ok(());
        }
        let block = self.bytes.take(usize::try_from(padded).unwrap_or(usize::MAX))?;
        if block.len() < usize::try_from(total_len).unwrap_or(usize::MAX) {
            self.cut_short(block.len() as u64);
            return Ok(());
        }
        let end = usize::try_from(total_len - 4).unwrap_or(usize::MAX);
        let said_again = self.order.u32_at(&block, end);
        self.body(kind, &block[8..end]);
        if said_again != total_len {
            self.damage(format!("at byte {at} a block of {total_len} bytes ends by claiming {said_again}"));
        }
        Ok(())
    }

    fn passed_over(&mut self, head: &Head) {
        if is_kept(head.kind) {
            let why =
                format!("at byte {} a block of {} bytes, which is more than epipe keeps", head.at, head.total_len);
            self.malformed(why);
        } else if let Some((_, name)) = ROWS.iter().find(|(kind, _)| *kind == head.kind) {
            let number = self.count();
            self.waiting.push_back(Item::Row(number, name));
        }
    }

    fn body(&mut self, kind: u32, body: &[u8]) {
        let order = self.order;
        match kind {
            SECTION_HEADER => {
                self.interfaces.clear();
                let comments = block::comments(options(order, body.get(16..).unwrap_or_default()));
                self.waiting.extend(comments.into_iter().map(Item::SectionComment));
            }
            INTERFACE_DESCRIPTION => self.interfaces.push(Interface::read(order, body)),
            INTERFACE_STATISTICS => {
                let dropped = interface::dropped(order, body);
                self.waiting.extend((dropped > 0).then_some(Item::Gap(Gap::Dropped(dropped))));
            }
            _ => self.packet(kind, body),
        }
    }

    fn packet(&mut self, kind: u32, body: &[u8]) {
        match packet::read(kind, self.order, body, &self.interfaces) {
            Err(why) => self.malformed(why),
            Ok(packet) => {
                let number = self.count();
                let packet::Packet { link_type, original_len, data, comments, time } = packet;
                let frame = Frame { number, link_type, original_len, data, comments };
                self.waiting.push_back(Item::Packet(Record { frame, time }));
            }
        }
    }

    fn count(&mut self) -> FrameNo {
        self.frames += 1;
        FrameNo(self.frames)
    }

    fn malformed(&mut self, why: String) {
        let frame = self.count();
        self.waiting.push_back(Item::Gap(Gap::Malformed { frame, why }));
    }

    /// Nothing tells where the next block would begin: the rest of the file is lost.
    fn damage(&mut self, why: String) {
        self.over = true;
        let frame = FrameNo(self.frames + 1);
        let why = why + "; nothing after it can be read";
        self.waiting.push_back(Item::Gap(Gap::Malformed { frame, why }));
    }

    fn cut_short(&mut self, bytes: u64) {
        self.over = true;
        self.waiting.push_back(Item::Gap(Gap::CutShort { bytes }));
    }
}

/// Whether blocks of this type are read, and not passed over.
const fn is_kept(kind: u32) -> bool {
    packet::is_packet(kind) || matches!(kind, SECTION_HEADER | INTERFACE_DESCRIPTION | INTERFACE_STATISTICS)
}
