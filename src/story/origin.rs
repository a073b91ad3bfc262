//! Where, in the two streams of a connection, the calls of an end begin that are known only from a later moment on.
//!
//! Numbers are seen in segments and bytes are counted in calls; both count from the same byte only where the calls are known
//! from the stream's beginning. Here they are tied to each other by what the kernel had on its hands at that moment.

use crate::event::{EventId, Holding};
use crate::tcp::machine::Endpoint;
use crate::tcp::seq::SeqNum;

/// The first bytes that an end's known calls handed over and took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The event from which on they are known.
    pub at: EventId,
    /// Bytes that had arrived by then and were not read.
    pub unread: u32,
    /// Whether segments of the connection had been seen by then.
    pub is_in_a_known_stream: bool,
    written: Written,
    /// The number of the first byte that was not read; `None` until it is known.
    unread_from: Option<SeqNum>,
}

/// Where what the known calls hand over begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    /// At this number.
    From(SeqNum),
    /// With the next data: all that was sent before is acknowledged.
    Next,
    /// Nobody knows: bytes that were sent before were on their way, and their numbers had not been seen.
    Unknown,
}

impl Origin {
    /// That of an end that from the event `at` on is known to hold its socket as `holding` says, and of which segments tell
    /// `known`.
    pub fn of(at: EventId, holding: &Holding, known: &Endpoint) -> Self {
        // A FIN takes a number, and a place in the kernel's count.
        let fin = u32::from(holding.state.is_passing());
        let written = match (holding.unacknowledged.saturating_sub(fin), known.isn) {
            (0, _) => Written::Next,
            (sent, Some(_)) => Written::From(known.snd_una + sent),
            (_, None) => Written::Unknown,
        };
        let unread = holding.unread;
        let unread_from = known.rcv_nxt.map(|next| before(next, unread));
        Self { at, unread, is_in_a_known_stream: known.isn.is_some(), written, unread_from }
    }

    /// The end sends data, or its FIN, from the number `first` on.
    pub(super) fn writes(&mut self, first: SeqNum) {
        if self.written == Written::Next {
            self.written = Written::From(first);
        }
    }

    /// The peer sends data, or its FIN, from the number `first` on.
    pub(super) fn reads(&mut self, first: SeqNum) {
        self.unread_from.get_or_insert(before(first, self.unread));
    }

    /// The number of the first byte that a known call handed over; `None` where nobody knows it, or nothing was sent.
    pub const fn written_from(&self) -> Option<SeqNum> {
        match self.written {
            Written::From(first) => Some(first),
            Written::Next | Written::Unknown => None,
        }
    }

    /// Whether it is left open which bytes are the known calls'.
    pub fn is_in_doubt(&self) -> bool {
        self.written == Written::Unknown
    }

    /// The number of the first byte that was not read before; `None` where nothing of the peer's stream is known.
    pub const fn unread_from(&self) -> Option<SeqNum> {
        self.unread_from
    }
}

/// `bytes` before `number`.
const fn before(number: SeqNum, bytes: u32) -> SeqNum {
    SeqNum::new(number.get().wrapping_sub(bytes))
}
