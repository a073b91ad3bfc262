//! The segments of one direction that were not acknowledged yet.

use crate::tcp::seq::SeqNum;

/// How many segments are kept at most, as in Wireshark: where the acknowledgements are missing, those behind are not kept.
const MOST: usize = 10_000;

#[derive(Clone, Copy, Debug)]
struct Span {
    start: SeqNum,
    end: SeqNum,
}

/// Segments with data, SYN or FIN, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Unacked(Vec<Span>);

impl Unacked {
    /// Empty, with the room that there was.
    pub fn renew(&mut self) {
        self.0.clear();
    }

    /// Keeps the segment from `start` up to `end`; whether there was room for it.
    pub fn keep(&mut self, start: SeqNum, end: SeqNum) -> bool {
        let room = self.0.len() < MOST;
        if room {
            self.0.push(Span { start, end });
        }
        room
    }

    /// Whether one segment held what lies from `start` up to `end`, and no more.
    pub fn holds(&self, start: SeqNum, end: SeqNum) -> bool {
        self.0.iter().any(|span| span.start == start && span.end == end)
    }

    /// Drops what `ack` acknowledges. A segment of which it acknowledges a part begins there from now on.
    pub fn acknowledge(&mut self, ack: SeqNum) {
        self.0.retain_mut(|span| {
            if span.start.is_before(ack) && ack.is_before(span.end) {
                span.start = ack;
            }
            ack.is_before(span.end)
        });
    }
}
