//! Wireshark's `tcp.completeness`: which parts of a connection's life a capture holds.

use crate::tcp::head::Head;

/// The parts that were seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Completeness {
    told: u8,
    /// What the first segment shows beside a SYN. tshark 4.0 takes it in only when a second one follows, even in two passes.
    waiting: u8,
}

impl Completeness {
    const SYN: u8 = 1;
    const SYN_ACK: u8 = 2;
    const ACK: u8 = 4;
    const DATA: u8 = 8;
    const FIN: u8 = 16;
    const RST: u8 = 32;

    /// 1 SYN, 2 SYN-ACK, 4 ACK, 8 data, 16 FIN, 32 RST.
    pub const fn number(self) -> u8 {
        self.told
    }

    /// Adds what `segment` shows. A SYN without ACK counts only as the `first` of its connection.
    pub(super) fn add(&mut self, segment: &Head, first: bool) {
        let shown = shown(segment);
        let flags = segment.flags;
        if !first {
            self.told |= shown | std::mem::take(&mut self.waiting);
        } else if flags.opens() {
            self.told = Self::SYN | if segment.payload_len > 0 { Self::DATA } else { 0 };
            self.waiting = shown;
        } else {
            self.waiting = shown;
        }
    }
}

/// What any segment but a SYN shows.
fn shown(segment: &Head) -> u8 {
    let flags = segment.flags;
    let handshake = match (flags.syn(), flags.ack()) {
        (true, true) => Completeness::SYN_ACK,
        (false, true) if segment.payload_len > 0 => Completeness::DATA,
        (false, true) => Completeness::ACK,
        _ => 0,
    };
    let fin = if flags.fin() && flags.ack() { Completeness::FIN } else { 0 };
    let rst = if flags.rst() { Completeness::RST } else { 0 };
    handshake | fin | rst
}
