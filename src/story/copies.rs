//! Packets captured twice: `-i any` sees a packet at each interface that it passes, and merged captures have it once for each.

use std::num::NonZeroU64;

use crate::decode::{Glance, LinkType};
use crate::event::Time;

/// Whether a packet may have been captured several times, as far as its link header tells: `-i any` gives these.
pub const fn is_any(link_type: LinkType) -> bool {
    matches!(link_type, LinkType::LINUX_SLL | LinkType::LINUX_SLL2)
}

/// How many earlier packets of one direction a copy may lie behind.
const KEPT: usize = 4;
/// How much later a copy may come, in milliseconds. A repetition waits longer (RFC 6298 §2.4; Linux: 200 ms).
const SOON: u16 = 100;

/// The latest packets of one direction: 48 bits of a fingerprint, and 16 bits of its time in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copies {
    ring: [u64; KEPT],
    next: usize,
}

impl Copies {
    /// Whether the packet was seen just before; remembers it if not.
    #[inline]
    pub fn seen(&mut self, fingerprint: NonZeroU64, time: Time) -> bool {
        let fingerprint = fingerprint.get();
        let millis = u16::try_from((time.0 / 1_000_000).rem_euclid(1 << 16)).unwrap_or(0);
        let is_copy = |kept: &u64| {
            (*kept ^ fingerprint) >> 16 == 0 && millis.wrapping_sub(u16::try_from(*kept & 0xffff).unwrap_or(0)) < SOON
        };
        if self.ring.iter().any(is_copy) {
            return true;
        }
        if let Some(place) = self.ring.get_mut(self.next) {
            *place = fingerprint & !0xffff | u64::from(millis);
        }
        self.next = (self.next + 1) % KEPT;
        false
    }
}

/// What a packet has in common with its copies, and with no other: its numbers, checksum and IP identification.
#[inline]
pub fn fingerprint(glance: &Glance) -> NonZeroU64 {
    let id = glance.hop.id;
    let head = &glance.head;
    let numbers = u64::from(head.seq.get()) << 32 | u64::from(head.ack.get());
    let rest = u64::from(id) << 48 | u64::from(glance.checksum) << 32 | u64::from(head.payload_len) << 9;
    let mixed = u128::from(numbers ^ 0x9e37_79b9_7f4a_7c15) * u128::from(rest ^ u64::from(head.flags.bits()) | 1 << 63);
    #[allow(clippy::cast_possible_truncation, reason = "both halves are taken")]
    let folded = (mixed >> 64) as u64 ^ mixed as u64;
    NonZeroU64::new(folded).unwrap_or(NonZeroU64::MAX)
}
