//! The blocks that a saved story needs (draft-ietf-opsawg-pcapng), little-endian.

use std::io::Write;

use super::SaveError;
use crate::event::{Frame, LinkType};

const END: u16 = 0;
const COMMENT: u16 = 1;
const USER_APPLICATION: u16 = 4;
const TIME_RESOLUTION: u16 = 9;

/// The most bytes that an option holds.
const MAX_OPTION: usize = 0xffff;

/// A block before its lengths are written round it.
pub struct Block {
    kind: u32,
    body: Vec<u8>,
}

/// The section's header, with `comments`.
pub fn section_header(comments: &[String]) -> Block {
    let mut block = Block { kind: 0x0a0d_0d0a, body: Vec::new() };
    block.bytes(&0x1a2b_3c4d_u32.to_le_bytes());
    block.bytes(&1_u16.to_le_bytes()).bytes(&0_u16.to_le_bytes());
    // The section's length, not said.
    block.bytes(&(-1_i64).to_le_bytes());
    block.option(USER_APPLICATION, concat!("epipe ", env!("CARGO_PKG_VERSION")).as_bytes());
    block.comments(comments);
    block.option(END, &[]);
    block
}

/// An interface whose clock counts nanoseconds.
pub fn interface_description(link_type: LinkType) -> Block {
    let mut block = Block { kind: 1, body: Vec::new() };
    let link_type = u16::try_from(link_type.0).unwrap_or(u16::MAX);
    block.bytes(&link_type.to_le_bytes()).bytes(&[0; 2]);
    // No limit on what is captured of a packet.
    block.bytes(&[0; 4]);
    block.option(TIME_RESOLUTION, &[9]);
    block.option(END, &[]);
    block
}

/// A packet of `interface` at `time`, in nanoseconds since 1970, with its own comments and `lines`.
pub fn enhanced_packet(frame: &Frame, interface: usize, time: u64, lines: &[String]) -> Block {
    let mut block = Block { kind: 6, body: Vec::new() };
    let [high, low] = [(time >> 32), time & 0xffff_ffff].map(|half| u32::try_from(half).unwrap_or(u32::MAX));
    let captured = u32::try_from(frame.data.len()).unwrap_or(u32::MAX);
    let interface = u32::try_from(interface).unwrap_or(u32::MAX);
    for number in [interface, high, low, captured, frame.original_len] {
        block.bytes(&number.to_le_bytes());
    }
    block.bytes(&frame.data).pad();
    if !(frame.comments.is_empty() && lines.is_empty()) {
        block.comments(&frame.comments);
        block.comments(lines);
        block.option(END, &[]);
    }
    block
}

impl Block {
    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.body.extend_from_slice(bytes);
        self
    }

    fn pad(&mut self) {
        self.body.resize(self.body.len().next_multiple_of(4), 0);
    }

    fn option(&mut self, code: u16, value: &[u8]) {
        let len = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.bytes(&code.to_le_bytes()).bytes(&len.to_le_bytes()).bytes(value).pad();
    }

    fn comments(&mut self, comments: &[String]) {
        for piece in comments.iter().flat_map(|comment| pieces(comment)) {
            self.option(COMMENT, piece.as_bytes());
        }
    }

    /// Writes the block.
    pub fn write(&self, out: &mut impl Write) -> Result<(), SaveError> {
        let total_len = u32::try_from(self.body.len() + 12).map_err(|_| SaveError::TooLong)?.to_le_bytes();
        out.write_all(&self.kind.to_le_bytes())?;
        out.write_all(&total_len)?;
        out.write_all(&self.body)?;
        Ok(out.write_all(&total_len)?)
    }
}

/// A comment in pieces that an option holds: somebody's own may have grown when what was not UTF-8 in it was replaced.
fn pieces(mut comment: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    while comment.len() > MAX_OPTION {
        let (piece, rest) = comment.split_at(comment.floor_char_boundary(MAX_OPTION));
        pieces.push(piece);
        comment = rest;
    }
    pieces.push(comment);
    pieces
}
