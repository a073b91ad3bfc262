//! One TCP segment, as decoded from one packet.

use std::fmt;
use std::net::SocketAddr;

use super::head::{Head, Sack};
use super::seq::{SeqNum, SeqRange};

/// The control bits of the header (RFC 9293 §3.1), with the low bit FIN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(u16);

impl Flags {
    /// No more data from the sender.
    pub const FIN: Self = Self(0x001);
    /// Synchronise sequence numbers.
    pub const SYN: Self = Self(0x002);
    /// Reset the connection.
    pub const RST: Self = Self(0x004);
    /// Push.
    pub const PSH: Self = Self(0x008);
    /// The acknowledgement number counts.
    pub const ACK: Self = Self(0x010);
    /// The urgent pointer counts.
    pub const URG: Self = Self(0x020);
    /// ECN echo (RFC 3168).
    pub const ECE: Self = Self(0x040);
    /// Congestion window reduced (RFC 3168).
    pub const CWR: Self = Self(0x080);
    /// Accurate ECN (RFC 9768), the former nonce sum.
    pub const AE: Self = Self(0x100);

    /// The flags from the header's bits, of which the low nine count.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & 0x1ff)
    }

    /// The header's bits.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every flag of `other` is set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// FIN is set.
    pub const fn fin(self) -> bool {
        self.has(Self::FIN)
    }

    /// SYN is set.
    pub const fn syn(self) -> bool {
        self.has(Self::SYN)
    }

    /// It asks for a connection: SYN without ACK.
    pub const fn opens(self) -> bool {
        self.syn() && !self.ack()
    }

    /// RST is set.
    pub const fn rst(self) -> bool {
        self.has(Self::RST)
    }

    /// ACK is set.
    pub const fn ack(self) -> bool {
        self.has(Self::ACK)
    }
}

/// The letters in tcpdump's order, which packetdrill and transcripts share.
const LETTERS: [(Flags, char); 9] = [
    (Flags::FIN, 'F'),
    (Flags::SYN, 'S'),
    (Flags::RST, 'R'),
    (Flags::PSH, 'P'),
    (Flags::ACK, '.'),
    (Flags::URG, 'U'),
    (Flags::ECE, 'E'),
    (Flags::CWR, 'W'),
    (Flags::AE, 'e'),
];

impl fmt::Display for Flags {
    /// As tcpdump prints them: `S.`, `P.`, `R`, and `none` where nothing is set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters: String = LETTERS.iter().filter(|(flag, _)| self.has(*flag)).map(|(_, letter)| letter).collect();
        f.pad(if letters.is_empty() { "none" } else { &letters })
    }
}

impl std::str::FromStr for Flags {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::default());
        }
        text.chars().try_fold(Self::default(), |flags, letter| {
            let (flag, _) = LETTERS
                .iter()
                .find(|(_, known)| *known == letter)
                .ok_or_else(|| format!("no TCP flag is written {letter:?}"))?;
            Ok(flags.with(*flag))
        })
    }
}

/// One option of the header. What is not known by name is kept as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TcpOption {
    /// End of the list (kind 0).
    EndOfList,
    /// Padding (kind 1).
    Nop,
    /// Maximum segment size in bytes (kind 2).
    MaximumSegmentSize(u16),
    /// Window scale, a shift count (kind 3, RFC 7323 §2).
    WindowScale(u8),
    /// Selective acknowledgement permitted (kind 4, RFC 2018).
    SackPermitted,
    /// Selective acknowledgement: left and right edges (kind 5, RFC 2018).
    Sack(Vec<(SeqNum, SeqNum)>),
    /// Timestamps (kind 8, RFC 7323 §3).
    Timestamps {
        /// The sender's clock.
        val: u32,
        /// The peer's clock, sent back.
        ecr: u32,
    },
    /// Another kind, or one of the above with a length that does not fit it.
    Other {
        /// The option's kind.
        kind: u8,
        /// Its bytes after kind and length.
        data: Vec<u8>,
    },
}

/// One TCP segment with the addresses of the packet that carried it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Who sent it.
    pub src: SocketAddr,
    /// Whom it was sent to.
    pub dst: SocketAddr,
    /// The sequence number of its first byte (of the SYN, if one is set).
    pub seq: SeqNum,
    /// The acknowledgement number, as it stands in the header; it counts only if ACK is set.
    pub ack: SeqNum,
    /// The control bits.
    pub flags: Flags,
    /// The window as it stands in the header, unscaled.
    pub window: u16,
    /// The urgent pointer.
    pub urgent: u16,
    /// The options in their order.
    pub options: Vec<TcpOption>,
    /// Whether the option list ended in the middle of an option.
    pub options_cut: bool,
    /// The payload's length in bytes, by the IP header; it may exceed what was captured.
    pub payload_len: u32,
    /// The payload's bytes as far as they were captured.
    pub payload: Vec<u8>,
}

/// TCP Fast Open's option (RFC 7413 §4.1.1).
const FAST_OPEN: u8 = 34;
/// The experimental option that Fast Open used before (RFC 6994), and its magic number.
const EXPERIMENT: u8 = 254;
const FAST_OPEN_MAGIC: [u8; 2] = [0xf9, 0x89];

impl TcpOption {
    /// Whether an option of `kind` with `data` is a Fast Open cookie, and not the request for one.
    pub fn is_cookie(kind: u8, data: &[u8]) -> bool {
        match kind {
            FAST_OPEN => !data.is_empty(),
            EXPERIMENT => data.starts_with(&FAST_OPEN_MAGIC) && data.len() > FAST_OPEN_MAGIC.len(),
            _ => false,
        }
    }
}

impl Segment {
    /// The header's numbers, which is what the rules look at.
    pub fn head(&self) -> Head {
        let mut head = self.numbers();
        for option in &self.options {
            match option {
                TcpOption::WindowScale(shift) => head.scale = head.scale.or(Some(*shift)),
                TcpOption::Other { kind, data } => head.has_cookie |= TcpOption::is_cookie(*kind, data),
                _ => {}
            }
        }
        head
    }

    /// What it acknowledges selectively, if anything.
    pub fn sack(&self) -> Option<Sack> {
        let blocks = self.options.iter().rev().find_map(|option| match option {
            TcpOption::Sack(blocks) => Some(blocks),
            _ => None,
        });
        blocks.filter(|blocks| !blocks.is_empty()).map(|blocks| blocks.iter().copied().collect())
    }

    /// [`Self::head`] without what stands in options.
    fn numbers(&self) -> Head {
        let Self { seq, ack, payload_len, window, flags, .. } = *self;
        Head { seq, ack, payload_len, window, flags, ..Head::default() }
    }

    /// The sequence numbers that it takes: see [`Head::range`].
    pub fn range(&self) -> SeqRange {
        self.numbers().range()
    }

    /// The payload's own sequence numbers.
    pub fn payload_range(&self) -> SeqRange {
        self.numbers().payload_range()
    }

    /// The first sequence number after the segment.
    pub fn end(&self) -> SeqNum {
        self.numbers().end()
    }

    /// The sequence number of its FIN, if it has one.
    pub fn fin_seq(&self) -> Option<SeqNum> {
        self.numbers().fin_seq()
    }

    /// The acknowledgement number, if it counts.
    pub fn acknowledges(&self) -> Option<SeqNum> {
        self.numbers().acknowledges()
    }

    /// Whether it carries an acknowledgement and nothing else that takes or ends sequence space.
    pub fn is_pure_ack(&self) -> bool {
        self.numbers().is_pure_ack()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_print_and_read_as_tcpdump_writes_them() {
        let flags = Flags::SYN.with(Flags::ACK);
        assert_eq!(flags.to_string(), "S.");
        assert_eq!("S.".parse(), Ok(flags));
        assert_eq!(Flags::default().to_string(), "none");
        assert_eq!("none".parse(), Ok(Flags::default()));
        assert!("Q".parse::<Flags>().is_err());
    }

    #[test]
    fn every_set_of_flags_reads_back() {
        for bits in 0..0x200 {
            let flags = Flags::from_bits(bits);
            assert_eq!(flags.to_string().parse(), Ok(flags));
        }
    }
}
