//! Which bytes of a stream are which call's.

use std::collections::BTreeMap;

use crate::event::EventId;

/// The bytes that one call handed to its kernel: offsets in the stream, the first byte being 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The beginning of the call.
    pub call: EventId,
    /// The offset of its first byte.
    pub start: u64,
    /// How many bytes: what it returned, or what it asked for while it is in progress.
    pub len: u64,
}

impl Span {
    /// The offset after its last byte.
    pub const fn end(&self) -> u64 {
        self.start + self.len
    }
}

/// The spans of all sends at one end, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans {
    spans: Vec<Span>,
}

impl Spans {
    /// A call that asks to send `asked` bytes was begun.
    pub fn begin(&mut self, call: EventId, asked: u64) {
        self.spans.push(Span { call, start: self.end(), len: asked });
    }

    /// The call returned that it took `count` bytes; 0 where it failed. Calls at one end come one after the other, so what
    /// was begun later moves with it.
    pub fn end_call(&mut self, call: EventId, count: u64) {
        let Some(at) = self.spans.iter().rposition(|span| span.call == call) else { return };
        let given_up = self.spans[at].len.saturating_sub(count);
        self.spans[at].len = count;
        for span in &mut self.spans[at + 1..] {
            span.start = span.start.saturating_sub(given_up);
        }
    }

    /// The calls whose bytes are among those from `start` to before `end`.
    pub fn covering(&self, start: u64, end: u64) -> Vec<Span> {
        let first = self.spans.partition_point(|span| span.end() <= start);
        let rest = self.spans.get(first..).unwrap_or_default();
        rest.iter().take_while(|span| span.start < end).filter(|span| span.len > 0).copied().collect()
    }

    /// How many bytes all calls together took.
    pub fn end(&self) -> u64 {
        self.spans.last().map_or(0, Span::end)
    }
}

/// Which segments carried which bytes of one end's stream, a repetition among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// By the offset of their first byte: the offset after the last.
    segments: BTreeMap<(u64, EventId), u64>,
    longest: u64,
}

impl Carried {
    /// The segment `event` carries the bytes from `start` to before `end`.
    pub fn add(&mut self, event: EventId, (start, end): (u64, u64)) {
        self.longest = self.longest.max(end.saturating_sub(start));
        self.segments.insert((start, event), end);
    }

    /// Those that carry a byte from `start` to before `end`, rising.
    pub fn covering(&self, start: u64, end: u64) -> Vec<EventId> {
        let from = (start.saturating_sub(self.longest), EventId(0));
        let near = self.segments.range(from..(end, EventId(0)));
        let mut found: Vec<EventId> = near.filter(|(_, after)| **after > start).map(|((_, event), _)| *event).collect();
        found.sort_unstable();
        found
    }
}

/// How much one end has read of its peer's stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The offset of the next byte to be read.
    pub next: u64,
}

impl Taken {
    /// `count` bytes were read; their offsets, from the first to before the last.
    pub fn take(&mut self, count: u64) -> (u64, u64) {
        let start = self.next;
        self.next += count;
        (start, self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_count_moves_what_follows() {
        let mut spans = Spans::default();
        spans.begin(EventId(1), 5);
        spans.end_call(EventId(1), 5);
        spans.begin(EventId(2), 100);
        spans.end_call(EventId(2), 40);
        spans.begin(EventId(3), 7);
        assert_eq!(spans.end(), 52);
        let calls = |start, end| spans.covering(start, end).iter().map(|span| span.call.0).collect::<Vec<_>>();
        assert_eq!(calls(0, 5), [1]);
        assert_eq!(calls(4, 46), [1, 2, 3]);
        assert_eq!(calls(45, 46), [3]);
    }

    #[test]
    fn a_failed_call_owns_nothing() {
        let mut spans = Spans::default();
        spans.begin(EventId(1), 5);
        assert_eq!(spans.covering(0, 1).len(), 1);
        spans.end_call(EventId(1), 0);
        assert!(spans.covering(0, 1).is_empty());
        assert_eq!(spans.end(), 0);
    }
}
