//! One direction of a connection, as Wireshark remembers it.

use super::facts::Facts;
use super::finding::{Finding, Findings};
use super::flight::Flight;
use crate::tcp::head::Head;
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

/// What one end has sent. A survey keeps two for each connection that goes on, so that what takes a bit has no more.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    /// The number of the SYN; without one the number before the first seen. Counts if `facts` say so.
    base: SeqNum,
    /// The first number behind all that was sent; 0 while not known.
    pub next: SeqNum,
    /// The first number behind what was captured without a gap, which an acknowledgement should not exceed; 0 while not known.
    pub seen_until: SeqNum,
    /// The latest acknowledgement number.
    pub last_ack: SeqNum,
    /// When `next` moved last, in nanoseconds.
    pub next_time: i64,
    /// When the latest segment was sent, in nanoseconds.
    pub last_ack_time: i64,
    /// What is not acknowledged yet.
    pub flight: Flight,
    /// The latest window, unscaled.
    pub window: u16,
    /// The scale of this end's windows.
    pub scale: Scale,
    /// How many duplicate acknowledgements came in a row, at most 255.
    pub duplicate_acks: u8,
    /// What else is known.
    pub facts: Facts,
}

const _: () = assert!(size_of::<Flow>() <= 56, "a flow has grown");

impl Flow {
    /// A direction of which nothing is known, with the room that this one had.
    pub fn renew(&mut self) {
        let mut flight = std::mem::take(&mut self.flight);
        flight.renew();
        *self = Self { flight, ..Self::default() };
    }

    /// The number from which it counts.
    pub fn base(&self) -> Option<SeqNum> {
        self.facts.has(Facts::BASE).then_some(self.base)
    }

    /// It counts from `base`.
    pub const fn begin_at(&mut self, base: SeqNum) {
        self.base = base;
        self.facts.set(Facts::BASE, true);
    }

    /// It counts from `base`, where it is not known yet from which number.
    pub const fn begin_once_at(&mut self, base: SeqNum) {
        if !self.facts.has(Facts::BASE) {
            self.begin_at(base);
        }
    }

    /// The first number behind the window that this end offers; `None` where the scale is not known.
    pub fn window_end(&self) -> Option<SeqNum> {
        let scaled = self.scale.apply(self.window)?;
        let awaits_first_ack = self.facts.has(Facts::AWAITS_FIRST_ACK);
        Some(self.last_ack + if awaits_first_ack { u32::from(self.window) } else { scaled })
    }

    /// Takes in a segment of this direction, of which `found` was found.
    pub fn remember(&mut self, seen: &Seen, found: Findings) {
        let mut end = seen.end;
        if seen.len + seen.control_len() > 0 && self.flight.keep(seen.seq, end + seen.control_len()) {
            end = end + seen.control_len();
        }
        let unknown = SeqNum::default();
        if self.next == unknown || (self.next + seen.control_len()).is_before(end) {
            self.facts.set(Facts::MOVED_BY_DATA, seen.len > 0);
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
        self.facts.set(Facts::KEEP_ALIVE, found.has(Finding::KeepAlive));
        self.facts.set(Facts::PROBE, found.has(Finding::ZeroWindowProbe));
    }

    /// Takes in the scale that a SYN offers.
    pub fn offer(&mut self, segment: &Head) {
        if let Some(shift) = segment.scale.filter(|_| segment.flags.syn()) {
            self.scale = Scale::Shift(shift.min(14));
        }
    }
}
