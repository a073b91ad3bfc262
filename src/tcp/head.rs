//! What the rules of this room look at in a segment: the header's numbers, without addresses and without payload.
//!
//! A survey of millions of packets decodes this much of each and no more; a [`Segment`](super::segment::Segment) gives it
//! too, so that one state machine and one analysis serve both.

use super::segment::Flags;
use super::seq::{SeqNum, SeqRange};

/// How many blocks a SACK option can hold (RFC 2018 §3).
const MOST_BLOCKS: usize = 4;

/// The numbers of one segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The sequence number of its first byte (of the SYN, if one is set).
    pub seq: SeqNum,
    /// The acknowledgement number, as it stands in the header; it counts only if ACK is set.
    pub ack: SeqNum,
    /// The payload's length in bytes, by the IP header.
    pub payload_len: u32,
    /// The window as it stands in the header, unscaled.
    pub window: u16,
    /// The control bits.
    pub flags: Flags,
    /// The window scale that it offers, a shift count.
    pub scale: Option<u8>,
    /// Whether it carries a Fast Open cookie (RFC 7413 §4.1.1).
    pub has_cookie: bool,
}

/// The blocks of a SACK option (RFC 2018 §3), which few segments have: they stand beside the numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sack {
    blocks: [(SeqNum, SeqNum); MOST_BLOCKS],
    len: u8,
}

impl Sack {
    /// The blocks as left and right edges.
    pub fn blocks(&self) -> &[(SeqNum, SeqNum)] {
        &self.blocks[..usize::from(self.len).min(MOST_BLOCKS)]
    }
}

impl FromIterator<(SeqNum, SeqNum)> for Sack {
    /// At most four blocks; an option has no room for more.
    fn from_iter<T: IntoIterator<Item = (SeqNum, SeqNum)>>(edges: T) -> Self {
        let mut sack = Self::default();
        for (place, edge) in sack.blocks.iter_mut().zip(edges) {
            *place = edge;
            sack.len += 1;
        }
        sack
    }
}

impl Head {
    /// The sequence numbers that the segment takes: its payload, and one each for SYN and FIN (RFC 9293 §3.4).
    pub fn range(&self) -> SeqRange {
        let controls = u32::from(self.flags.syn()) + u32::from(self.flags.fin());
        SeqRange::new(self.seq, self.payload_len.wrapping_add(controls))
    }

    /// The payload's own sequence numbers.
    pub fn payload_range(&self) -> SeqRange {
        SeqRange::new(self.seq + u32::from(self.flags.syn()), self.payload_len)
    }

    /// The first sequence number after the segment.
    pub fn end(&self) -> SeqNum {
        self.range().end()
    }

    /// The sequence number of its FIN, if it has one.
    pub fn fin_seq(&self) -> Option<SeqNum> {
        self.flags.fin().then(|| self.payload_range().end())
    }

    /// The acknowledgement number, if it counts.
    pub fn acknowledges(&self) -> Option<SeqNum> {
        self.flags.ack().then_some(self.ack)
    }

    /// Whether it answers a SYN, and so comes from whoever did not send that: with another, or with a reset that refuses it,
    /// which has the number 0 and an ACK (RFC 9293 §3.10.7.1).
    pub fn answers_syn(&self) -> bool {
        self.flags.ack() && (self.flags.syn() || (self.flags.rst() && self.seq.get() == 0))
    }

    /// Whether it acknowledges, neither opens nor ends nor resets anything, and is short enough to be judged at a glance:
    /// longer payloads are left to the rules, for half the ring would be ambiguous.
    #[inline]
    pub const fn is_plain(&self) -> bool {
        const DECIDE: u16 = Flags::SYN.with(Flags::FIN).with(Flags::RST).bits();
        self.flags.ack() && self.flags.bits() & DECIDE == 0 && self.payload_len <= 1 << 20
    }

    /// Whether it carries an acknowledgement and nothing else that takes or ends sequence space.
    pub fn is_pure_ack(&self) -> bool {
        self.flags.ack() && !self.flags.rst() && self.range().len == 0
    }
}
