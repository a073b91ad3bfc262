//! What all blocks share: byte order and options.

use std::borrow::Cow;
use std::ops::Range;

use super::COMMENT;

/// A section's byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Big,
    Little,
}

impl Order {
    /// The order of the section that begins with these 12 bytes, if one does.
    pub fn of_section(beginning: &[u8]) -> Option<Self> {
        if !beginning.starts_with(&super::MAGIC) {
            return None;
        }
        match beginning.get(8..12)? {
            [0x1a, 0x2b, 0x3c, 0x4d] => Some(Self::Big),
            [0x4d, 0x3c, 0x2b, 0x1a] => Some(Self::Little),
            _ => None,
        }
    }

    /// The number at `at`; 0 where `bytes` ends before.
    pub fn u16_at(self, bytes: &[u8], at: usize) -> u16 {
        let two = bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        if self == Self::Big { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) }
    }

    /// The number at `at`; 0 where `bytes` ends before.
    pub fn u32_at(self, bytes: &[u8], at: usize) -> u32 {
        let four = bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        if self == Self::Big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    }

    /// The number at `at`; 0 where `bytes` ends before.
    pub fn u64_at(self, bytes: &[u8], at: usize) -> u64 {
        let eight = bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        if self == Self::Big { u64::from_be_bytes(eight) } else { u64::from_le_bytes(eight) }
    }
}

/// One option by its places in its list.
pub struct Placed {
    pub code: u16,
    pub value: Range<usize>,
    /// Where the next one begins.
    pub next: usize,
}

/// The option at `at` in `list`. A list may end without an end-of-options option, and an option that is longer than what is
/// left ends it.
pub fn option_at(order: Order, list: &[u8], at: usize) -> Option<Placed> {
    let (head, rest) = list.get(at..)?.split_first_chunk::<4>()?;
    let (code, len) = (order.u16_at(head, 0), usize::from(order.u16_at(head, 2)));
    let start = at + 4;
    let next = start + len.next_multiple_of(4);
    (code != 0 && len <= rest.len()).then_some(Placed { code, value: start..start + len, next })
}

/// The options in `list` as code and value.
pub fn options(order: Order, list: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let Placed { code, value, next } = option_at(order, list, at)?;
        at = next;
        Some((code, &list[value]))
    })
}

/// The comments among the options in `list`; bytes that are not UTF-8 become U+FFFD.
pub fn comments(order: Order, list: &[u8]) -> impl Iterator<Item = Cow<'_, str>> {
    options(order, list).filter(|(code, _)| *code == COMMENT).map(|(_, text)| String::from_utf8_lossy(text))
}
