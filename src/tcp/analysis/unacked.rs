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
    /// Keeps the segment from `start` up to `end`; whether there was room for it.
    pub fn keep(&mut self, start: SeqNum, end: SeqNum) -> bool {
        let room = self.0.len() < MOST;
        if room {
            self.0.push(Span { start, end });
        }
        room
    }

    /// Whether one segment held all from `start` up to `end`.
    pub fn covers(&self, start: SeqNum, end: SeqNum) -> bool {
        self.0.iter().any(|span| span.start.is_at_or_before(start) && end.is_at_or_before(span.end))
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

    /// The end of the run of segments that begins at `ack` and was captured before what lies in front of it.
    pub fn run_from(&self, ack: SeqNum) -> Option<SeqNum> {
        let newest = self.0.last()?;
        let mut run = Span { start: newest.start, end: newest.end };
        for span in self.0.iter().rev().filter(|span| ack.is_at_or_before(span.start)) {
            if span.end != run.start {
                run.end = span.end;
            }
            run.start = span.start;
        }
        (run.start == ack && ack.is_before(run.end)).then_some(run.end)
    }
}
