//! One connection: who its ends are, and how each stands.

use std::net::SocketAddr;

use super::copies::Copies;
use super::end::End;
use super::ending::{Ending, Watch};
use super::origin::Origin;
use super::side::{Both, Side};
use crate::event::{Actor, ConnectionId, EventId, FrameNo};
use crate::tcp::segment::Segment;
use crate::tcp::seq::SeqNum;

/// One connection of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its number.
    pub id: ConnectionId,
    /// The ends' addresses.
    pub addresses: Both<SocketAddr>,
    /// Who makes the calls at each end, where that is known.
    pub actors: Both<Option<Actor>>,
    /// Everybody who has held each end: whoever opened it, and who got a copy by fork(2).
    pub holders: Both<Vec<Actor>>,
    /// Its events, rising.
    pub events: Vec<EventId>,
    /// Its first and its last frame.
    pub frames: Option<(FrameNo, FrameNo)>,
    /// What its segments amount to.
    pub ending: Ending,
    /// The latest packets of each end, where a packet may have been captured several times.
    pub copies: Both<Copies>,
    /// What has to be watched to tell that.
    pub watch: Watch,
    /// The ends after its last event.
    pub ends: Both<End>,
    /// How many descriptors of each end are on their way to another process in a message.
    pub in_messages: Both<u16>,
    /// Of an end whose calls are known from a later moment on than its stream: where they begin in it.
    pub origins: Both<Option<Origin>>,
    /// Without segments: bytes that each end read before the call that sent them was told to have ended.
    pub read_ahead: Both<u64>,
}

impl Connection {
    /// A connection of which nothing is known but its addresses.
    pub fn new(id: ConnectionId, client: SocketAddr, server: SocketAddr) -> Self {
        Self {
            id,
            addresses: Both { client, server },
            actors: Both::default(),
            holders: Both::default(),
            events: Vec::new(),
            frames: None,
            ending: Ending::default(),
            copies: Both::default(),
            watch: Watch::default(),
            ends: Both::default(),
            in_messages: Both::default(),
            origins: Both::default(),
            read_ahead: Both::default(),
        }
    }

    /// Which end has the address `addr`. Where both have the same (a self-connection), the client's.
    pub fn side_of(&self, addr: SocketAddr) -> Option<Side> {
        Side::BOTH.into_iter().find(|side| self.addresses[*side] == addr)
    }

    /// Whether source and destination are the same: a socket connected with itself (RFC 9293 §3.5, figure 7, with one end).
    /// All that is sent is the client's, and arrives there too; what stands for the server is a copy.
    pub fn is_with_itself(&self) -> bool {
        self.addresses.client == self.addresses.server
    }

    /// Where what `side` sends arrives.
    pub fn peer_of(&self, side: Side) -> Side {
        if self.is_with_itself() { side } else { side.peer() }
    }

    /// The initial sequence number of `side`; 0 where nothing was seen of it.
    pub fn isn(&self, side: Side) -> SeqNum {
        self.ends[side].tcp.isn.unwrap_or_default()
    }

    /// A segment of `side`: the first data that it carries shows where the calls of which nothing was known begin.
    pub fn note_origins(&mut self, side: Side, segment: &Segment) {
        if segment.payload_len == 0 && !segment.flags.fin() {
            return;
        }
        let (first, peer) = (segment.payload_range().start, self.peer_of(side));
        if let Some(origin) = &mut self.origins[side] {
            origin.writes(first);
        }
        if let Some(origin) = &mut self.origins[peer] {
            origin.reads(first);
        }
    }

    /// `number`, sent by `side`, counted from its initial sequence number.
    pub fn relative(&self, side: Side, number: SeqNum) -> u32 {
        number.relative_to(self.isn(side))
    }
}
