//! The segments of one direction that were not acknowledged yet.

use crate::tcp::head::Sack;
use crate::tcp::seq::SeqNum;

/// How many segments are kept at most, as in Wireshark: where the acknowledgements are missing, those behind are not kept.
const MOST: usize = 10_000;

/// From the first number up to the one behind the last. One that is empty is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Span {
    start: SeqNum,
    end: SeqNum,
}

impl Span {
    const fn is_none(self) -> bool {
        self.start.get() == self.end.get()
    }

    /// What is left of it where everything before `ack` is acknowledged.
    fn after(self, ack: SeqNum) -> Self {
        if !ack.is_before(self.end) {
            return Self::default();
        }
        let start = if self.start.is_before(ack) { ack } else { self.start };
        Self { start, ..self }
    }
}

/// What one end has sent, with data, SYN or FIN, and its peer has not acknowledged.
#[derive(Clone, Debug, Default)]
pub struct Flight {
    /// One segment has a place of its own, so that whoever never has more needs no allocation.
    one: Span,
    more: Option<Box<More>>,
}

/// What few have.
#[derive(Clone, Debug, Default)]
struct More {
    spans: Vec<Span>,
    /// What the peer's latest SACK option says that it has (RFC 2018).
    sack: Option<Sack>,
}

impl Flight {
    /// Empty, with the room that there was.
    pub fn renew(&mut self) {
        self.one = Span::default();
        if let Some(more) = &mut self.more {
            more.spans.clear();
            more.sack = None;
        }
    }

    /// Keeps the segment from `start` up to `end`; whether there was room for it.
    #[inline]
    pub fn keep(&mut self, start: SeqNum, end: SeqNum) -> bool {
        let span = Span { start, end };
        if self.one.is_none() && self.more.is_none() {
            self.one = span;
            return true;
        }
        self.keep_more(span)
    }

    fn keep_more(&mut self, span: Span) -> bool {
        if self.one.is_none() {
            self.one = span;
            return true;
        }
        let spans = &mut self.more.get_or_insert_default().spans;
        let room = spans.len() + 1 < MOST;
        if room {
            spans.push(span);
        }
        room
    }

    /// Whether one segment held what lies from `start` up to `end`, and no more.
    pub fn holds(&self, start: SeqNum, end: SeqNum) -> bool {
        let span = Span { start, end };
        self.one == span || self.more.as_ref().is_some_and(|more| more.spans.contains(&span))
    }

    /// Drops what `ack` acknowledges. A segment of which it acknowledges a part begins there from now on.
    #[inline]
    pub fn acknowledge(&mut self, ack: SeqNum) {
        self.one = self.one.after(ack);
        if let Some(more) = &mut self.more {
            more.spans.retain_mut(|span| {
                *span = span.after(ack);
                !span.is_none()
            });
        }
    }

    /// The peer says selectively what it has.
    pub fn acknowledge_selectively(&mut self, sack: &Sack) {
        self.more.get_or_insert_default().sack = Some(*sack);
    }

    /// Whether the peer's latest SACK option leaves out what lies from `start` up to `end`.
    pub fn is_left_out(&self, start: SeqNum, end: SeqNum) -> bool {
        let holds = |(left, right): &(SeqNum, SeqNum)| left.is_at_or_before(start) && end.is_at_or_before(*right);
        let sack = self.more.as_ref().and_then(|more| more.sack.as_ref());
        sack.is_some_and(|sack| !sack.blocks().iter().any(holds))
    }
}
