//! Which bytes are whose at an end whose calls are known only from a later moment on.

use super::{Correlation, Seen};
use crate::event::{ConnectionId, EventId};
use crate::story::origin::Origin;
use crate::story::side::Side;
use crate::story::track::Record;
use crate::tcp::seq::SeqNum;

impl<'a> Correlation<'a> {
    fn origin(&self, id: ConnectionId, side: Side) -> Option<&'a Origin> {
        self.connection(id)?.origins[side].as_ref()
    }

    /// An end turned out to be held. Where no segments are seen, what it reads is counted in its peer's calls.
    pub(super) fn held(&mut self, event: EventId, record: &Record) {
        let Some((id, side)) = record.connection.zip(record.side) else { return };
        let Some(origin) = self.origin(id, side).filter(|origin| origin.at == event) else { return };
        let peer = self.peer(id, side);
        let memory = self.memory(id);
        memory.read_before[side] = memory.written[peer].end().cast_signed() - i64::from(origin.unread);
    }

    /// The calls whose bytes `seen` carries.
    pub(super) fn writers(&mut self, id: ConnectionId, seen: Seen<'a>) -> Vec<EventId> {
        let (start, end) = match self.origin(id, seen.side).map(Origin::written_from) {
            None => self.offsets(id, seen).map_or((0, 0), |(start, end)| (start.cast_signed(), end.cast_signed())),
            Some(Some(first)) => {
                let start = i64::from(first.distance_to(seen.segment.payload_range().start));
                (start, start + i64::from(seen.segment.payload_len))
            }
            Some(None) => return Vec::new(),
        };
        let Some((start, end)) = from_zero((start, end)) else { return Vec::new() };
        self.memory(id).written[seen.side].covering(start, end).iter().map(|span| span.call).collect()
    }

    /// Why bytes of `side` are no call's.
    pub(super) fn why_nobodys(&self, id: ConnectionId, side: Side) -> &'static str {
        match self.origin(id, side) {
            None => "a program sent these bytes; no calls are known",
            Some(origin) if origin.is_in_doubt() => {
                "bytes from before this end's calls were known were still on their way: whose these are is not known"
            }
            Some(_) => "a program sent these bytes before this end's calls were known",
        }
    }

    /// Where in the peer's stream the bytes lie that `side` took, counted from its first known call; as far as they came later
    /// than that was known. `None` where none did.
    pub(super) fn in_peers_stream(&self, id: ConnectionId, side: Side, taken: (u64, u64)) -> Option<(u64, u64)> {
        let Some(origin) = self.origin(id, side) else { return Some(taken) };
        let connection = self.connection(id)?;
        let first = connection.ends[connection.peer_of(side)].tcp.isn.map(|isn| isn + 1);
        let before = |unread_from: SeqNum| Some(i64::from(first?.distance_to(unread_from)));
        let by_calls = || self.memory.get(&id).map_or(0, |memory| memory.read_before[side]);
        let moved = origin.unread_from().and_then(before).unwrap_or_else(by_calls);
        from_zero((taken.0.cast_signed() + moved, taken.1.cast_signed() + moved))
    }
}

/// What of the range lies at 0 or later.
fn from_zero((start, end): (i64, i64)) -> Option<(u64, u64)> {
    let end = u64::try_from(end).ok().filter(|end| *end > 0)?;
    Some((u64::try_from(start).unwrap_or(0), end))
}
