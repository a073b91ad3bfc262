//! One end of a connection as Zeek follows it (`TCPSessionAdapter.cc`).

use super::ahead::Ahead;
use super::known::Known;
use super::marks::Marks;
use super::stream::Stream;
use crate::tcp::head::Head;
use crate::tcp::seq::{SeqNum, SeqRange};

/// A jump of a SYN's or a reset's number by more bytes than this is not believed (`TOO_LARGE_SEQ_DELTA`).
const TOO_FAR: u32 = 1_048_576;

/// The state of one end, in Zeek's words (`TCP_ENDPOINT_…`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Nothing was sent.
    #[default]
    Inactive,
    /// A SYN was sent.
    SynSent,
    /// A SYN-ACK was the first that it sent, as originator.
    SynAckSent,
    /// Joined midstream.
    Partial,
    /// It is open.
    Established,
    /// It sent a FIN.
    Closed,
    /// It sent a reset.
    Reset,
}

impl Phase {
    /// Whether `conn_state` takes it for an end that has not spoken.
    pub fn is_inactive(self) -> bool {
        matches!(self, Self::Inactive | Self::Partial)
    }
}

/// What Zeek knows of one end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    pub phase: Phase,
    /// The phase before the present one.
    before: Phase,
    pub known: Known,
    /// The number of its SYN; where none was seen, the number before its first.
    start: SeqNum,
    /// The number after the last that it sent.
    pub last: SeqNum,
    /// What the peer acknowledged of it.
    pub acknowledged: SeqNum,
    /// The number after its FIN, counted from `start`, where it is known.
    fin_end: SeqNum,
    marks: Marks,
    pub stream: Stream,
}

impl Endpoint {
    /// Takes its first number from `segment`, or a new one where a SYN brings one that is believed.
    pub fn begins(&mut self, segment: &Head) {
        let syn = segment.flags.syn();
        let anew = match self.phase {
            Phase::Inactive => true,
            Phase::SynSent | Phase::SynAckSent => syn && segment.seq != self.start,
            Phase::Established | Phase::Partial => syn,
            Phase::Reset => syn && self.before == Phase::Inactive,
            Phase::Closed => false,
        };
        if anew {
            let start = if syn { segment.seq } else { one_before(segment.seq) };
            let last = if syn { end(segment) } else { segment.seq };
            (self.start, self.acknowledged, self.last) = (start, start, last);
        }
    }

    /// The letter of the flags.
    pub fn flag(&mut self, segment: &Head) -> Option<u8> {
        let relative = segment.seq.relative_to(self.start);
        self.marks.letter(&mut self.known, segment, relative)
    }

    /// Whether the window is shut and that means something: not beside or after a reset, nor after the peer's FIN.
    pub fn closes_window(&self, peer: &Self, segment: &Head) -> bool {
        segment.window == 0 && !segment.flags.rst() && peer.phase != Phase::Closed && self.phase != Phase::Reset
    }

    /// Remembers where its stream ends.
    pub fn notes_fin(&mut self, segment: &Head) {
        if segment.flags.fin() {
            self.fin_end = self.relative(end(segment));
            self.known.learns(Known::END);
        }
    }

    /// Takes down what its peer acknowledges with `segment`.
    pub fn is_acknowledged(&mut self, segment: &Head) {
        let Some(ack) = segment.acknowledges() else { return };
        if self.phase == Phase::Inactive {
            let start = one_before(ack);
            (self.start, self.acknowledged, self.last) = (start, start, start);
            return;
        }
        let is_broken = ack.get() == 0 && ack.relative_to(self.acknowledged) > TOO_FAR;
        if !segment.flags.rst() && !is_broken {
            self.acknowledged = self.acknowledged.max(ack);
        }
    }

    /// Whether the payload lies before the end of what was sent.
    pub fn repeats(&mut self, segment: &Head) -> bool {
        let (end, flags) = (end(segment), segment.flags);
        let jump = self.last.distance_to(end).unsigned_abs();
        if (flags.syn() || flags.rst()) && jump > TOO_FAR {
            return false;
        }
        let is_first_fin = flags.fin() && self.last == self.start + 1;
        if is_first_fin || (self.phase != Phase::Reset && self.last.is_before(end)) {
            self.last = end;
            return false;
        }
        self.phase != Phase::Reset && segment.payload_len > 0
    }

    /// Its next phase after sending `segment`. True where this shows that the ends are to be exchanged: a SYN-ACK of one end
    /// was seen before the SYN of the other.
    pub fn moves(&mut self, peer: &mut Self, segment: &Head, by_originator: bool) -> bool {
        let flags = segment.flags;
        match self.phase {
            Phase::Inactive => return self.moves_first(peer, segment, by_originator),
            Phase::SynSent | Phase::SynAckSent | Phase::Established | Phase::Partial if flags.rst() => {
                self.enter(Phase::Reset);
            }
            Phase::SynSent | Phase::SynAckSent if flags.fin() => self.enter(Phase::Closed),
            Phase::Established | Phase::Partial if flags.fin() => {
                self.enter(Phase::Closed);
                if peer.phase == Phase::Reset && peer.before == Phase::Closed {
                    peer.enter(Phase::Closed);
                }
            }
            Phase::Partial if flags.opens() && peer.phase == Phase::Inactive => {
                self.enter(Phase::SynSent);
            }
            Phase::Closed if flags.rst() && peer.phase != Phase::Closed => self.enter(Phase::Reset),
            _ => {}
        }
        false
    }

    fn moves_first(&mut self, peer: &mut Self, segment: &Head, by_originator: bool) -> bool {
        let flags = segment.flags;
        let reversed = flags.syn() && !by_originator && !flags.ack() && peer.phase == Phase::SynAckSent;
        if flags.syn() && by_originator {
            self.enter(if flags.ack() { Phase::SynAckSent } else { Phase::SynSent });
        } else if flags.syn() {
            if reversed || peer.phase == Phase::SynSent {
                peer.enter(Phase::Established);
            }
            self.enter(Phase::Established);
        }
        if flags.fin() {
            self.enter(Phase::Closed);
        }
        if flags.rst() {
            self.enter(Phase::Reset);
        }
        // Some acknowledge a SYN before they answer it with their own.
        let answers_later = !by_originator && segment.payload_len == 0 && peer.phase == Phase::SynSent;
        if self.phase == Phase::Inactive && !answers_later {
            let opens = flags.ack() && peer.phase == Phase::Established;
            self.enter(if opens { Phase::Established } else { Phase::Partial });
        }
        reversed
    }

    /// How many gaps there are in its stream, before which `ahead` lies, now that its peer has acknowledged with `segment`.
    pub fn misses(&mut self, ahead: Option<&mut Ahead>, segment: &Head) -> usize {
        let Some(ack) = segment.acknowledges() else { return 0 };
        self.stream.acknowledged(self.bytes_before(ack), ahead)
    }

    /// The end of the bytes before `ack`, counted from its first: a FIN is none.
    #[inline]
    pub fn bytes_before(&self, ack: SeqNum) -> SeqNum {
        let ack = self.relative(ack);
        let ends = self.known.has(Known::END) && self.fin_end.is_at_or_before(ack);
        if ends { one_before(self.fin_end) } else { ack }
    }

    /// Takes the payload in; what is to be kept of it, for there is a gap before it.
    pub fn brings(&mut self, ahead: Option<&mut Ahead>, segment: &Head) -> Option<SeqRange> {
        if segment.flags.rst() || segment.payload_len == 0 {
            return None;
        }
        let payload = segment.payload_range();
        let payload = SeqRange::new(self.relative(payload.start), payload.len);
        self.stream.arrives(payload, ahead).then_some(payload)
    }

    /// Whether its numbers show that it sent no bytes.
    pub fn sent_nothing(&self) -> bool {
        let far = self.start.distance_to(self.last).max(self.start.distance_to(self.acknowledged));
        far <= 1 + i32::from(self.known.has(Known::END))
    }

    /// Gaps are trusted only while both ends are open or were closed in order.
    pub fn is_clean(&self) -> bool {
        self.phase == Phase::Established || (self.phase == Phase::Closed && self.before == Phase::Established)
    }

    /// `number` counted from its first.
    #[inline]
    pub fn relative(&self, number: SeqNum) -> SeqNum {
        SeqNum::new(number.relative_to(self.start))
    }

    fn enter(&mut self, phase: Phase) {
        if phase != self.phase {
            (self.before, self.phase) = (self.phase, phase);
        }
    }
}

/// The number after `segment`; what a reset carries is not of the stream.
fn end(segment: &Head) -> SeqNum {
    let range = segment.range();
    let payload = if segment.flags.rst() { segment.payload_len } else { 0 };
    range.start + range.len.wrapping_sub(payload)
}

fn one_before(number: SeqNum) -> SeqNum {
    SeqNum::new(number.get().wrapping_sub(1))
}
