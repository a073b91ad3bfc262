//! One direction of a connection, as Wireshark remembers it.

use super::finding::{Finding, Findings};
use super::unacked::Unacked;
use crate::tcp::head::{Head, Sack};
use crate::tcp::segment::Flags;
use crate::tcp::seq::SeqNum;

/// What the rules look at in one segment.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub seq: SeqNum,
    /// Behind the payload; SYN and FIN are not counted.
    pub end: SeqNum,
    pub ack: SeqNum,
    pub len: u32,
    pub flags: Flags,
    /// Unscaled.
    pub window: u16,
    /// In nanoseconds.
    pub time: i64,
}

impl Seen {
    pub fn new(segment: &Head, time: i64) -> Self {
        Self {
            seq: segment.seq,
            end: segment.seq + segment.payload_len,
            ack: segment.ack,
            len: segment.payload_len,
            flags: segment.flags,
            window: segment.window,
            time,
        }
    }

    /// Whether it opens, closes or resets: such segments are neither keep-alives nor window updates.
    pub fn is_control(&self) -> bool {
        self.flags.syn() || self.flags.fin() || self.flags.rst()
    }

    /// Whether it takes a number for a SYN or a FIN. One with both takes one, by Wireshark's count.
    pub fn control_len(&self) -> u32 {
        u32::from(self.flags.syn() || self.flags.fin())
    }
}

/// What is known of the window scale (RFC 7323 §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// No SYN was seen.
    #[default]
    Unknown,
    /// The ends do not scale.
    Unused,
    /// The shift count.
    Shift(u8),
}

impl Scale {
    /// The window that `window` in a header stands for, in bytes; `None` where the scale is not known.
    fn apply(self, window: u16) -> Option<u32> {
        match self {
            Self::Unknown => None,
            Self::Unused => Some(u32::from(window)),
            Self::Shift(shift) => Some(u32::from(window).wrapping_shl(u32::from(shift))),
        }
    }

    /// What a SYN with this scale means for both ends: without the option neither scales.
    pub fn agree(&mut self, other: &mut Self, is_syn_ack: bool) {
        if *self == Self::Unknown {
            *self = Self::Unused;
            *other = Self::Unused;
        } else if is_syn_ack && *other == Self::Unused {
            *self = Self::Unused;
        }
    }
}

/// What one end has sent.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    /// The number of the SYN; without one the number before the first seen.
    pub base: Option<SeqNum>,
    /// The first number behind all that was sent; 0 while not known.
    pub next: SeqNum,
    /// When `next` moved last, in nanoseconds.
    pub next_time: i64,
    /// The first number behind what was captured without a gap, which an acknowledgement should not exceed; 0 while not known.
    pub seen_until: SeqNum,
    /// The latest acknowledgement number.
    pub last_ack: SeqNum,
    /// When the latest segment was sent, in nanoseconds.
    pub last_ack_time: i64,
    /// The latest window, unscaled.
    pub window: u16,
    /// The scale of this end's windows.
    pub scale: Scale,
    /// Whether its SYN was its latest segment with SYN or ACK: the window in that is never scaled.
    pub awaits_first_ack: bool,
    /// How many duplicate acknowledgements came in a row.
    pub duplicate_acks: u32,
    /// The payload's length of the segment that moved `next` last.
    pub last_len: u32,
    /// What was found of the latest segment.
    pub last_found: Findings,
    /// The blocks of the latest SACK option (RFC 2018).
    pub sacked: Option<Box<Sack>>,
    /// What is not acknowledged yet.
    pub unacked: Unacked,
}

impl Flow {
    /// A direction of which nothing is known, with the room that this one had.
    pub fn renew(&mut self) {
        let mut unacked = std::mem::take(&mut self.unacked);
        unacked.renew();
        *self = Self { unacked, ..Self::default() };
    }

    /// The first number behind the window that this end offers; `None` where the scale is not known.
    pub fn window_end(&self) -> Option<SeqNum> {
        let scaled = self.scale.apply(self.window)?;
        Some(self.last_ack + if self.awaits_first_ack { u32::from(self.window) } else { scaled })
    }

    /// Takes in a segment of this direction, of which `found` was found.
    pub fn remember(&mut self, seen: &Seen, found: Findings) {
        let mut end = seen.end;
        if seen.len + seen.control_len() > 0 && self.unacked.keep(seen.seq, end + seen.control_len()) {
            end = end + seen.control_len();
        }
        let unknown = SeqNum::default();
        if self.next == unknown || (self.next + seen.control_len()).is_before(end) {
            self.last_len = seen.len;
        }
        // The byte of a probe is not taken while the window is closed.
        if !found.has(Finding::ZeroWindowProbe) {
            if self.next == unknown || self.next.is_before(end) {
                self.next = end;
                self.next_time = seen.time;
            }
            if self.seen_until == unknown || self.seen_until == seen.seq {
                self.seen_until = self.next;
            }
        }
        self.window = seen.window;
        self.last_ack = seen.ack;
        self.last_ack_time = seen.time;
        self.last_found = found;
    }

    /// Takes in the options that matter for later segments.
    pub fn options(&mut self, segment: &Head, sack: Option<&Sack>) {
        if let Some(shift) = segment.scale.filter(|_| segment.flags.syn()) {
            self.scale = Scale::Shift(shift.min(14));
        }
        if let Some(sack) = sack {
            self.sacked = Some(Box::new(*sack));
        }
    }
}
