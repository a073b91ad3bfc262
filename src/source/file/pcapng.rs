//! pcapng: sections of blocks (draft-ietf-opsawg-pcapng).

mod block;
mod interface;
mod packet;

use std::io::{self, Read};
use std::ops::Range;

use self::block::option_at;
pub use self::block::{Order, comments};
use self::interface::Interface;
use super::bytes::Bytes;
use super::seen::{Aside, Stand, Step};
use crate::event::{FrameNo, Gap};

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

/// How many interfaces of a section are remembered: as many as the older packet blocks can name.
const MAX_INTERFACES: usize = 1 << 16;

/// A pcapng file.
pub struct Reader<R> {
    bytes: Bytes<R>,
    order: Order,
    interfaces: Vec<Interface>,
    /// How many interfaces the sections before had.
    interfaces_before: u32,
    frames: u64,
    /// The options of a section's header that were not looked at yet.
    section_options: Range<usize>,
    /// What is wrong behind what was handed out last.
    damage: Option<Gap>,
    over: bool,
}

/// A block's beginning.
#[derive(Clone, Copy)]
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
            interfaces_before: 0,
            frames: 0,
            section_options: 0..0,
            damage: None,
            over: false,
        }
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

    pub fn step(&mut self) -> io::Result<Step> {
        loop {
            if !self.section_options.is_empty()
                && let Some(comment) = self.section_comment()
            {
                return Ok(self.bytes.stand.come_to(Aside::SectionComment(comment)));
            }
            if self.over {
                return Ok(self.damage.take().map_or(Step::End, |gap| self.bytes.stand.come_to(Aside::Gap(gap))));
            }
            if let Some(step) = self.read_block()? {
                return Ok(step);
            }
        }
    }

    /// The next comment in the section's header.
    fn section_comment(&mut self) -> Option<String> {
        let end = self.section_options.end;
        let list = self.bytes.stand.at(&(0..end));
        let mut at = std::mem::replace(&mut self.section_options, 0..0).start;
        while let Some(option) = option_at(self.order, list, at) {
            at = option.next;
            if option.code == COMMENT {
                self.section_options = at..end;
                return Some(String::from_utf8_lossy(&list[option.value]).into_owned());
            }
        }
        None
    }

    /// Reads one block; `None` where it holds nothing to be handed out.
    fn read_block(&mut self) -> io::Result<Option<Step>> {
        let at = self.bytes.offset();
        let beginning = self.bytes.peek(12)?;
        let there = beginning.len();
        if there < 12 {
            return Ok(Some(self.cut_short(there as u64)));
        }
        if beginning.starts_with(&MAGIC) {
            let Some(order) = Order::of_section(beginning) else {
                self.damage(format!("at byte {at} a section begins with an unknown byte-order magic"));
                return Ok(None);
            };
            self.order = order;
        }
        let head = Head { kind: self.order.u32_at(beginning, 0), total_len: self.order.u32_at(beginning, 4), at };
        if head.total_len < 12 {
            self.damage(format!("at byte {at} a block claims {} bytes; 12 are the least", head.total_len));
            return Ok(None);
        }
        // Some writers leave the padding out of the length; the next block begins behind it all the same.
        let padded = u64::from(head.total_len).next_multiple_of(4);
        if is_kept(head.kind) && head.total_len <= MAX_BLOCK {
            let block = self.bytes.take(usize::try_from(padded).unwrap_or(usize::MAX))?;
            return Ok(self.block(head, block));
        }
        let skipped = self.bytes.skip(padded)?;
        Ok(if skipped < u64::from(head.total_len) { Some(self.cut_short(skipped)) } else { self.passed_over(head) })
    }

    /// What the block at `block` holds, which is shorter than `head` claims where the file ends.
    fn block(&mut self, head: Head, block: Range<usize>) -> Option<Step> {
        let Head { kind, total_len, at } = head;
        let claimed = usize::try_from(total_len).unwrap_or(usize::MAX);
        if block.len() < claimed {
            return Some(self.cut_short(block.len() as u64));
        }
        let body = block.start + 8..block.start + claimed - 4;
        let said_again = self.order.u32_at(self.bytes.stand.at(&block), claimed - 4);
        let step = self.body(kind, body);
        if said_again != total_len {
            self.damage(format!("at byte {at} a block of {total_len} bytes ends by claiming {said_again}"));
        }
        step
    }

    fn passed_over(&mut self, head: Head) -> Option<Step> {
        let Head { kind, total_len, at } = head;
        if is_kept(kind) {
            return Some(
                self.malformed(format!("at byte {at} a block of {total_len} bytes, which is more than epipe keeps")),
            );
        }
        let (_, name) = ROWS.iter().find(|(row, _)| *row == kind)?;
        let number = self.count();
        Some(self.bytes.stand.come_to(Aside::Row((number, name))))
    }

    fn body(&mut self, kind: u32, place: Range<usize>) -> Option<Step> {
        if packet::is_packet(kind) {
            return Some(self.packet(kind, place));
        }
        let body = self.bytes.stand.at(&place);
        match kind {
            SECTION_HEADER => {
                let interfaces = u32::try_from(self.interfaces.len()).unwrap_or(u32::MAX);
                self.interfaces_before = self.interfaces_before.saturating_add(interfaces);
                self.interfaces.clear();
                self.section_options = place.end.min(place.start + 16)..place.end;
                None
            }
            INTERFACE_STATISTICS => {
                let dropped = interface::dropped(self.order, body);
                (dropped > 0).then(|| self.bytes.stand.come_to(Aside::Gap(Gap::Dropped(dropped))))
            }
            _ => {
                if self.interfaces.len() < MAX_INTERFACES {
                    self.interfaces.push(Interface::read(self.order, body));
                }
                None
            }
        }
    }

    #[inline]
    fn packet(&mut self, kind: u32, place: Range<usize>) -> Step {
        let Stand { buffer, head, .. } = &mut self.bytes.stand;
        if let Err(why) = packet::read(kind, self.order, &buffer[place.clone()], &self.interfaces, head) {
            return self.malformed(why);
        }
        self.frames += 1;
        head.number = FrameNo(self.frames);
        head.interface = self.interfaces_before.saturating_add(head.interface);
        head.data = place.start + head.data.start..place.start + head.data.end;
        head.options = place.start + head.options.start..place.start + head.options.end;
        head.order = self.order;
        Step::Packet
    }

    #[inline]
    fn count(&mut self) -> FrameNo {
        self.frames += 1;
        FrameNo(self.frames)
    }

    fn malformed(&mut self, why: String) -> Step {
        let frame = self.count();
        self.bytes.stand.come_to(Aside::Gap(Gap::Malformed { frame, why }))
    }

    /// Nothing tells where the next block would begin: the rest of the file is lost.
    fn damage(&mut self, why: String) {
        self.over = true;
        let frame = FrameNo(self.frames + 1);
        self.damage = Some(Gap::Malformed { frame, why: why + "; nothing after it can be read" });
    }

    fn cut_short(&mut self, bytes: u64) -> Step {
        self.over = true;
        if bytes == 0 { Step::End } else { self.bytes.stand.come_to(Aside::Gap(Gap::CutShort { bytes })) }
    }
}

/// Whether blocks of this type are read, and not passed over.
const fn is_kept(kind: u32) -> bool {
    packet::is_packet(kind) || matches!(kind, SECTION_HEADER | INTERFACE_DESCRIPTION | INTERFACE_STATISTICS)
}
