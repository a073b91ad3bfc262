//! One connection of a survey, as reports speak of it.

use std::net::SocketAddr;

use super::record::Record;
use super::wide::FINDINGS;
use crate::decode::Key;
use crate::event::{FrameNo, Time};
use crate::socket::errno::Errno;
use crate::socket::outlook::Socket;
use crate::story::side::{Both, Side};
use crate::story::telling::Certainty;
use crate::story::verdict::{ByCalls, Facts, Name};
use crate::tcp::analysis::Finding;
use crate::tcp::seq::SeqNum;
use crate::tcp::state::State;

/// A connection that was found.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'a> {
    id: u64,
    copy_of: Option<u64>,
    /// The place of its first packet in the capture.
    begin: u64,
    key: &'a Key,
    record: &'a Record,
}

/// What one end sent, and how it stood in the end.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    side: Side,
    record: &'a Record,
    /// Its address and port.
    pub endpoint: SocketAddr,
}

impl<'a> Summary<'a> {
    pub(super) const fn new(id: u64, copy_of: Option<u64>, begin: u64, (key, record): &'a (Key, Record)) -> Self {
        Self { id, copy_of, begin, key, record }
    }

    /// Its number, from 0: tshark's `tcp.stream`.
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// The connection that this one is, seen again behind an address translation.
    pub const fn copy_of(&self) -> Option<u64> {
        self.copy_of
    }

    /// Its first and its last packet.
    pub const fn frames(&self) -> (FrameNo, FrameNo) {
        (self.record.first, self.record.last)
    }

    /// When its first packet was captured, and when its last.
    pub const fn times(&self) -> (Time, Time) {
        (self.record.start, self.record.end)
    }

    /// Nanoseconds of silence before what ended it; `None` where nothing did.
    pub const fn idle_before_end(&self) -> Option<i64> {
        self.record.ending.idle
    }

    /// Packets that were captured several times, beyond the first.
    pub const fn copies(&self) -> u16 {
        self.record.copies
    }

    /// Whether a segment from `src` to `dst` in the packet at `place`, counted from 1, is of it, if it is not behind its last.
    pub fn has(&self, place: u64, src: SocketAddr, dst: SocketAddr) -> bool {
        let (low, high) = self.key.ends();
        place >= self.begin && ((src, dst) == (low, high) || (src, dst) == (high, low))
    }

    /// One end.
    pub fn end(&self, side: Side) -> End<'a> {
        let (low, high) = self.key.ends();
        let is_low = self.record.client_is_low == (side == Side::Client);
        End { side, record: self.record, endpoint: if is_low { low } else { high } }
    }

    /// What the verdict rests on.
    pub fn facts(&self) -> Facts {
        let ends = &self.record.ends;
        Facts {
            ending: self.record.ending,
            states: Both { client: ends.client.state, server: ends.server.state },
            lost: Both { client: ends.client.lost.into(), server: ends.server.lost.into() },
            all_acknowledged: ends.client.all_acknowledged() && ends.server.all_acknowledged(),
            seen: Both { client: ends.client.packets > 0, server: ends.server.packets > 0 },
            server: self.end(Side::Server).endpoint,
            with_itself: self.key.is_with_itself(),
            has_calls: Both::default(),
            sent: Both { client: ends.client.bytes, server: ends.server.bytes },
            by_calls: ByCalls::default(),
        }
    }

    /// How it ended.
    pub fn verdict(&self) -> Name {
        self.facts().name()
    }

    /// Wireshark's completeness.
    pub const fn completeness(&self) -> u8 {
        self.record.completeness.number()
    }

    /// Zeek's `conn_state` and history.
    pub fn in_zeeks_words(&self) -> (&'static str, &'a str) {
        self.record.in_zeeks_words()
    }
}

impl End<'_> {
    /// Its initial sequence number, as far as it is known.
    pub fn isn(&self) -> Option<SeqNum> {
        self.record.ends[self.side].isn()
    }

    /// Its segments.
    pub fn packets(&self) -> u64 {
        self.record.ends[self.side].packets.into()
    }

    /// Their payload in bytes; what was sent again counts again.
    pub fn bytes(&self) -> u64 {
        self.record.ends[self.side].bytes
    }

    /// How many of them are SYN without ACK, SYN with ACK, FIN, RST.
    pub fn flags(&self) -> [u64; 4] {
        let overflows = self.record.wide.as_ref().map_or([0; 4], |wide| wide.flags[self.side]);
        self.record.ends[self.side].flags(overflows)
    }

    /// Whether none of them has any of Wireshark's flags.
    pub fn is_clean(&self) -> bool {
        self.record.ends[self.side].is_clean(self.overflows())
    }

    /// How many of them have `finding`, one of Wireshark's flags.
    pub fn times(&self, finding: Finding) -> u64 {
        self.record.ends[self.side].times(finding, self.overflows())
    }

    fn overflows(&self) -> Option<&[u32; FINDINGS]> {
        self.record.wide.as_ref().map(|wide| &wide.findings[self.side])
    }

    /// How many of them have each of Wireshark's flags, where they have any.
    pub fn findings(&self) -> impl Iterator<Item = (Finding, u64)> {
        Finding::ALL.iter().map(|finding| (*finding, self.times(*finding))).filter(|(_, count)| *count > 0)
    }

    /// How many of them carry data that was sent before, by our own judgement.
    pub fn repeated(&self) -> u64 {
        self.record.ends[self.side].repeated.into()
    }

    /// Its state after the last segment.
    pub fn state(&self) -> State {
        self.record.ends[self.side].state
    }

    /// What it sent that nobody can read any more, in bytes.
    pub fn lost(&self) -> u64 {
        self.record.ends[self.side].lost.into()
    }

    /// What its socket remembers; `None` where no program has it any more.
    pub fn socket(&self) -> Option<Socket> {
        let sent = &self.record.ends[self.side];
        let was_open = !(sent.state == State::Closed && sent.isn().is_none());
        (sent.has_program() && was_open).then(|| sent.socket())
    }

    /// The error that its program has seen or will see, and how sure that is.
    pub fn error(&self, verdict: Name) -> Option<(Errno, Certainty)> {
        let is_client = self.side == Side::Client;
        match verdict {
            Name::Refused if is_client => {
                let certainty = self.record.ending.reset.map_or(Certainty::Likely, |reset| reset.certainty);
                Some((Errno::ECONNREFUSED, certainty))
            }
            Name::Unanswered if is_client => Some((Errno::ETIMEDOUT, Certainty::Likely)),
            Name::TimedOut => {
                let repeats = self.record.ending.repeats[self.side];
                let gave_up = self.record.ending.reset.is_some_and(|reset| reset.by == self.side);
                (gave_up || repeats > 0).then_some((Errno::ETIMEDOUT, Certainty::Likely))
            }
            _ => self.socket().and_then(|socket| socket.pending).map(|errno| (errno, Certainty::Likely)),
        }
    }
}
