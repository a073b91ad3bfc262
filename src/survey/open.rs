//! What a connection needs while it goes on, so that the next segment can be judged.

use std::num::NonZeroU64;

use super::Sighting;
use super::record::Record;
use super::table::is_long_over;
use crate::story::copies::Copies;
use crate::story::end::{End, exchange, in_order};
use crate::story::ending::{Next, Seen, Watch, is_over};
use crate::story::side::{Both, Side};

/// A connection that goes on, or has ended a short while ago.
#[derive(Clone, Debug, Default)]
pub struct Open {
    pub ends: Both<End>,
    copies: Option<Box<Both<Copies>>>,
    watch: Watch,
    pub with_itself: bool,
    /// The place of its record.
    pub at: u32,
    /// The place of the packet since which it is over: the first is 1.
    pub over_since: Option<NonZeroU64>,
}

impl Open {
    /// What a connection, the place of whose record is `at`, needs to begin.
    pub fn new(at: u32, with_itself: bool) -> Self {
        Self { with_itself, at, ..Self::default() }
    }

    /// The packets of `side` that a copy could be of.
    pub fn copies(&mut self, side: Side) -> &mut Copies {
        &mut self.copies.get_or_insert_default()[side]
    }

    /// Takes the next segment in, which `side` sent.
    #[inline]
    pub fn take(&mut self, record: &mut Record, sighting: &Sighting, side: Side) {
        let Sighting { frame, time, ref glance, .. } = *sighting;
        if !self.with_itself && in_order(&mut self.ends, side, &glance.head) {
            let next = Next { side, frame, time, head: &glance.head, hop: glance.hop };
            record.ending.goes_in_order(&mut self.watch, &next);
        } else {
            self.decide(record, sighting, side);
        }
    }

    /// Takes in a segment that may change something.
    fn decide(&mut self, record: &mut Record, sighting: &Sighting, side: Side) {
        let head = &sighting.glance.head;
        let peer = if self.with_itself { side } else { side.peer() };
        let snd_nxt = self.ends[side].tcp.snd_nxt;
        let known = self.ends[side].tcp.isn.is_some();
        let exchange = exchange(&mut self.ends, side, peer, head);
        let seen = Seen {
            side,
            frame: sighting.frame,
            time: sighting.time,
            head,
            hop: sighting.glance.hop,
            snd_nxt,
            exchange: &exchange,
            with_itself: self.with_itself,
        };
        record.ending.take(&mut self.watch, &seen);
        if known && head.payload_len > 0 && head.end().is_at_or_before(snd_nxt) {
            record.ends[side].repeated = record.ends[side].repeated.saturating_add(1);
        }
        // A peer's acknowledgement can tell an end's number too, and a SYN can begin anew.
        if !known || head.flags.syn() || record.ends[peer].isn().is_none() {
            record.ends[side].set_isn(self.ends[side].tcp.isn);
            record.ends[peer].set_isn(self.ends[peer].tcp.isn);
        }
    }

    /// Whether nothing but strays can follow.
    #[inline]
    pub fn is_over(&self) -> bool {
        is_over(Both { client: self.ends.client.tcp.state, server: self.ends.server.tcp.state })
    }

    /// Whether it is over for so long that a stray of it at the packet `place` is not judged.
    #[inline]
    pub fn is_long_over(&self, place: u64) -> bool {
        self.over_since.is_some_and(|since| is_long_over(since.get(), place))
    }

    /// Takes down in `record` how it stands.
    pub fn close(&mut self, record: &mut Record) {
        if self.with_itself {
            self.ends.server = self.ends.client.clone();
        }
        record.ends.client.close(&self.ends.client, &self.ends.server);
        record.ends.server.close(&self.ends.server, &self.ends.client);
        if self.with_itself {
            record.ends.server.lost = 0;
        }
    }
}
