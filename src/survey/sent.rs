//! What one end of a connection sent, and how it stood in the end.

use super::wide::FINDINGS;
use crate::socket::errno::Errno;
use crate::socket::outlook::Socket;
use crate::story::account::{Counts, Shift, direction};
use crate::story::end::End;
use crate::tcp::analysis::Finding;
use crate::tcp::head::Head;
use crate::tcp::seq::SeqNum;
use crate::tcp::state::State;

/// One end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent {
    /// Payload, in bytes; what was sent again counts again.
    pub bytes: u64,
    /// Segments.
    pub packets: u32,
    /// Payload that nobody can read any more, in bytes.
    pub lost: u32,
    /// Bytes that had arrived and that nobody is known to have read, below 4 GiB.
    unread: u32,
    isn: SeqNum,
    /// Segments that repeat earlier ones, by our own judgement.
    pub repeated: u16,
    bits: u16,
    /// SYN without ACK, SYN with ACK, FIN, RST.
    flags: [u8; 4],
    findings: [u8; FINDINGS],
    /// Its state.
    pub state: State,
    pending: u8,
}

/// What a bit of `bits` stands for.
#[derive(Clone, Copy)]
enum Bit {
    KnowsIsn,
    AllAcknowledged,
    GaveUp,
    EndSeen,
    ReceiveShut,
    SendShut,
}

impl Sent {
    /// Counts a segment; which of the four flags' counts ran over.
    #[inline]
    pub fn count(&mut self, head: &Head) -> [bool; 4] {
        self.packets = self.packets.saturating_add(1);
        self.bytes += u64::from(head.payload_len);
        let flags = head.flags;
        if !(flags.syn() || flags.fin() || flags.rst()) {
            return [false; 4];
        }
        let set = [flags.opens(), flags.syn() && flags.ack(), flags.fin(), flags.rst()];
        let mut over = [false; 4];
        for ((count, over), set) in self.flags.iter_mut().zip(&mut over).zip(set) {
            (*count, *over) = count.overflowing_add(u8::from(set));
        }
        over
    }

    /// Counts a finding; whether its count ran over.
    pub fn find(&mut self, finding: Finding) -> bool {
        let Some(count) = self.findings.get_mut(finding as usize) else { return false };
        let (sum, over) = count.overflowing_add(1);
        *count = sum;
        over
    }

    /// How many SYN without ACK, SYN with ACK, FIN and RST it sent, of which `overflows` times 256 are not held here.
    pub fn flags(&self, overflows: [u32; 4]) -> [u64; 4] {
        let mut counts = [0; 4];
        for ((count, low), over) in counts.iter_mut().zip(self.flags).zip(overflows) {
            *count = u64::from(low) + (u64::from(over) << 8);
        }
        counts
    }

    /// Whether none of its segments has any finding, where `overflows` are as below.
    pub fn is_clean(&self, overflows: Option<&[u32; FINDINGS]>) -> bool {
        self.findings == [0; FINDINGS] && overflows.is_none_or(|overflows| *overflows == [0; FINDINGS])
    }

    /// How many of its segments have `finding`, of which `overflows` times 256 are not held here.
    pub fn times(&self, finding: Finding, overflows: Option<&[u32; FINDINGS]>) -> u64 {
        let place = finding as usize;
        let low = self.findings.get(place).copied().unwrap_or(0);
        let over = overflows.and_then(|overflows| overflows.get(place)).copied().unwrap_or(0);
        u64::from(low) + (u64::from(over) << 8)
    }

    /// Its initial sequence number, as far as it is known.
    #[inline]
    pub fn isn(&self) -> Option<SeqNum> {
        self.has(Bit::KnowsIsn).then_some(self.isn)
    }

    /// Takes down the initial sequence number.
    #[inline]
    pub fn set_isn(&mut self, isn: Option<SeqNum>) {
        self.isn = isn.unwrap_or(self.isn);
        self.set(Bit::KnowsIsn, isn.is_some());
    }

    /// Takes down how `end` stands, whose peer is `peer`.
    pub fn close(&mut self, end: &End, peer: &End) {
        let account = direction(Counts::default(), Shift::default(), end, peer);
        let narrow = |bytes: u64| u32::try_from(bytes).unwrap_or(u32::MAX);
        self.lost = narrow(account.lost);
        self.set(Bit::AllAcknowledged, account.acknowledged == account.sent);
        self.state = end.tcp.state;
        self.unread = narrow(end.socket.unread);
        self.pending = end.socket.pending.and_then(|errno| u8::try_from(errno.0).ok()).unwrap_or(0);
        self.set(Bit::GaveUp, end.gave_up);
        self.set(Bit::EndSeen, end.socket.end_seen);
        self.set(Bit::ReceiveShut, end.socket.receive_shut);
        self.set(Bit::SendShut, end.socket.send_shut);
    }

    /// Whether every byte that it sent was acknowledged.
    pub fn all_acknowledged(&self) -> bool {
        self.has(Bit::AllAcknowledged)
    }

    /// Whether a program can still use it: not once it has sent a reset.
    pub fn has_program(&self) -> bool {
        !self.has(Bit::GaveUp)
    }

    /// What its socket remembers.
    pub fn socket(&self) -> Socket {
        Socket {
            state: self.state,
            unread: u64::from(self.unread),
            pending: (self.pending != 0).then(|| Errno(u16::from(self.pending))),
            end_seen: self.has(Bit::EndSeen),
            receive_shut: self.has(Bit::ReceiveShut),
            send_shut: self.has(Bit::SendShut),
            ..Socket::default()
        }
    }

    const fn has(&self, bit: Bit) -> bool {
        self.bits & 1 << bit as u16 != 0
    }

    const fn set(&mut self, bit: Bit, on: bool) {
        let mask = 1 << bit as u16;
        self.bits = if on { self.bits | mask } else { self.bits & !mask };
    }
}
