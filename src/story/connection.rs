//! One connection: who its ends are, and how each stands.

use std::net::SocketAddr;

use super::side::{Both, Side};
use crate::event::{Actor, ConnectionId, EventId, FrameNo};
use crate::socket::outlook::Socket;
use crate::tcp::machine::Endpoint;
use crate::tcp::seq::SeqNum;

/// One end at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// What its segments say.
    pub tcp: Endpoint,
    /// What its socket remembers, as far as segments and calls tell.
    pub socket: Socket,
    /// Whether calls at this end are known, so that reads and descriptors count.
    pub has_calls: bool,
    /// Whether, without known calls, a reset of its own shows that no program is there any more.
    pub gave_up: bool,
    /// Without segments: bytes that were read before the call that sent them was told to have ended.
    pub read_ahead: u64,
}

impl End {
    /// Whether a program can still use it: false once its last descriptor is closed, or, where its calls are not known, once
    /// it has sent a reset.
    pub fn has_program(&self) -> bool {
        if self.has_calls { self.socket.descriptors > 0 } else { !self.gave_up }
    }
}

/// One connection of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its number.
    pub id: ConnectionId,
    /// The ends' addresses.
    pub addresses: Both<SocketAddr>,
    /// Who makes the calls at each end, where that is known.
    pub actors: Both<Option<Actor>>,
    /// Its events, rising.
    pub events: Vec<EventId>,
    /// Its first and its last frame.
    pub frames: Option<(FrameNo, FrameNo)>,
    /// The ends after its last event.
    pub ends: Both<End>,
}

impl Connection {
    /// A connection of which nothing is known but its addresses.
    pub fn new(id: ConnectionId, client: SocketAddr, server: SocketAddr) -> Self {
        Self {
            id,
            addresses: Both { client, server },
            actors: Both::default(),
            events: Vec::new(),
            frames: None,
            ends: Both::default(),
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

    /// `number`, sent by `side`, counted from its initial sequence number.
    pub fn relative(&self, side: Side, number: SeqNum) -> u32 {
        number.relative_to(self.isn(side))
    }
}
