//! Wireshark's `tcp.completeness`: which parts of a connection's life a capture holds.

use crate::tcp::segment::Segment;

/// The parts that were seen, as the sum of their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Completeness(u8);

impl Completeness {
    const SYN: u8 = 1;
    const SYN_ACK: u8 = 2;
    const ACK: u8 = 4;
    const DATA: u8 = 8;
    const FIN: u8 = 16;
    const RST: u8 = 32;

    /// 1 SYN, 2 SYN-ACK, 4 ACK, 8 data, 16 FIN, 32 RST.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Adds what `segment` shows. A SYN without ACK counts only as the `first` of its connection.
    pub(super) fn add(&mut self, segment: &Segment, first: bool) {
        let flags = segment.flags;
        let has_data = segment.payload_len > 0;
        self.0 |= match (flags.syn(), flags.ack()) {
            (true, true) => Self::SYN_ACK,
            (true, false) if first && has_data => Self::SYN | Self::DATA,
            (true, false) if first => Self::SYN,
            (false, true) if has_data => Self::DATA,
            (false, true) => Self::ACK,
            _ => 0,
        };
        if flags.fin() && flags.ack() {
            self.0 |= Self::FIN;
        }
        if flags.rst() {
            self.0 |= Self::RST;
        }
    }
}
