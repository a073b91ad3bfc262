//! The fold over a run's events: which connection each belongs to, and how both ends stand after it.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use foldhash::{HashMap, HashSet};

use super::connection::Connection;
use super::copies::{Copies, fingerprint, is_any};
use super::descriptors::{Descriptors, Handle, Preset};
pub use super::end::Change;
use super::end::{End, Exchange, exchange};
use super::ending::Seen;
use super::journal::Journal;
use super::side::{Both, Side};
use crate::decode::{Glance, glance, hop};
use crate::event::{Actor, ConnectionId, Event, EventId, Frame, Time, What};
use crate::socket::call::Fd;
use crate::socket::outlook::{Attachment, Socket, Target};
use crate::tcp::rule::Rule;
use crate::tcp::segment::Segment;

mod asked;
mod calls;
mod connects;
mod holds;
mod options;
mod presume;
mod processes;
mod silent;

pub use connects::Connects;

/// What a call meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The socket behind its descriptor.
    pub socket: Socket,
    /// For a connect: what is where it goes, if that is known.
    pub target: Option<Target>,
}

/// What is known of one event beside itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Record {
    /// The connection that it belongs to.
    pub connection: Option<ConnectionId>,
    /// The end that sent it or called.
    pub side: Option<Side>,
    /// The sender's step and then the receiver's, for a segment; presumed steps, for a call without a capture.
    pub changes: Vec<Change>,
    /// Whether the call works on a descriptor that is no TCP socket.
    pub elsewhere: bool,
    /// Whether the receiving end, had it no program, would have answered this segment with a reset.
    pub draws_reset: bool,
    /// Whether a program could still take it when it arrived.
    pub heard: bool,
    /// Whether it is a packet that was captured before at another interface.
    pub is_copy: bool,
    /// How both ends stood after it.
    pub ends: Both<End>,
    /// What the socket that a call works on remembered just before the call began, or just before it returned.
    pub asked: Option<Asked>,
}

impl Record {
    /// The change of state at `side`, if there was one.
    pub fn change(&self, side: Side) -> Option<Change> {
        self.changes.iter().find(|change| change.side == side && change.from != change.to).copied()
    }

    /// Whether it is a reset that somebody else sent in an end's name, as this end's calls show.
    pub fn is_sent_by_another(&self) -> bool {
        self.changes.iter().any(|change| change.rule == Rule::SentByAnother)
    }
}

/// The fold's state.
#[derive(Clone, Debug, Default)]
pub struct Track {
    connections: Vec<Connection>,
    by_ends: HashMap<(SocketAddr, SocketAddr), ConnectionId>,
    descriptors: Descriptors,
    /// The calls in progress that name both ends of a connection, as an outsider's do.
    destroying: HashMap<EventId, (SocketAddr, SocketAddr)>,
    /// The calls in progress.
    in_progress: HashSet<EventId>,
    /// The connections that no accept has handed out.
    never_accepted: BTreeSet<ConnectionId>,
    records: Vec<Record>,
    /// Whether the run has no capture, so that segments are presumed from calls.
    blind: bool,
    /// Which connect(2) turned out to be which connection's.
    connects: Connects,
}

impl Track {
    /// A fold over nothing yet of `count` events. `blind` where the run has no capture.
    pub fn new(blind: bool, connects: Connects, count: usize) -> Self {
        Self { blind, connects, records: Vec::with_capacity(count), ..Self::default() }
    }

    /// The connections, in the order of their numbers.
    pub fn connections(&self) -> &[Connection] {
        &self.connections
    }

    /// What is known of each event, in the order of ids.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// What is known of the event `id`, once it was taken in.
    pub fn record(&self, id: EventId) -> Option<&Record> {
        self.records.get(usize::try_from(id.0).ok()?.checked_sub(1)?)
    }

    /// Which connect(2) turned out to be which connection's.
    pub const fn connects(&self) -> &Connects {
        &self.connects
    }

    /// The connection called `id`.
    pub fn connection(&self, id: ConnectionId) -> Option<&Connection> {
        self.connections.get(index(id))
    }

    fn connection_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.connections.get_mut(index(id))
    }

    /// Takes the next event of `journal` in.
    pub fn apply(&mut self, journal: &Journal, event: &Event) {
        let call = match &event.what {
            What::Begun(call) => Some(call),
            What::Ended { begun, .. } if self.in_progress.contains(begun) => journal.get(*begun).and_then(Event::begun),
            _ => None,
        };
        let asked = call.and_then(|call| self.asked(event, call));
        let mut record = match &event.what {
            What::Segment { frame, segment } => self.segment(event.time, frame, segment),
            What::Begun(call) => self.begun(event, call),
            What::Ended { begun, outcome } => {
                call.map_or_else(Record::default, |call| self.ended(event, *begun, call, outcome))
            }
            What::Holds(holding) => self.holds(event.actor.as_ref(), holding),
            What::Exit(_) => self.exit(event.actor.as_ref()),
            What::Sample(sample) => self.beside(sample.local, sample.remote),
            What::Stack(_) | What::Started { .. } | What::Gap(_) => Record::default(),
        };
        if let Some(connection) = record.connection.and_then(|id| self.connection_mut(id)) {
            connection.events.push(event.id);
            if connection.is_with_itself() {
                connection.ends.server = connection.ends.client.clone();
            }
            record.ends = connection.ends.clone();
        }
        record.asked = asked;
        self.records.push(record);
    }

    /// The socket of the connection that `fd` of `actor` holds.
    fn socket(&mut self, actor: &Actor, fd: Fd) -> Option<&mut Socket> {
        let Some(Handle::Connected(id, side)) = self.descriptors.get(actor, fd) else { return None };
        self.connection_mut(id).map(|connection| &mut connection.ends[side].socket)
    }

    fn beside(&self, local: SocketAddr, remote: SocketAddr) -> Record {
        let connection = self.between(local, remote);
        let side = connection.and_then(|id| self.connection(id)?.side_of(local));
        Record { connection, side, ..Record::default() }
    }

    fn between(&self, one: SocketAddr, other: SocketAddr) -> Option<ConnectionId> {
        self.by_ends.get(&key(one, other)).copied()
    }

    fn open(&mut self, client: SocketAddr, server: SocketAddr) -> ConnectionId {
        let id = ConnectionId(u32::try_from(self.connections.len() + 1).unwrap_or(u32::MAX));
        self.connections.push(Connection::new(id, client, server));
        self.never_accepted.insert(id);
        self.by_ends.insert(key(client, server), id);
        id
    }

    /// The connection that `segment` belongs to; a new one where it opens one or is the first of its addresses.
    fn connection_of(&mut self, segment: &Segment) -> ConnectionId {
        let known = self.between(segment.src, segment.dst);
        let opens = segment.flags.opens();
        match known {
            Some(id) if !(opens && self.is_another(id, segment)) => id,
            // An answer to a SYN comes from the server, whoever was seen first.
            _ if segment.head().answers_syn() => self.open(segment.dst, segment.src),
            _ => self.open(segment.src, segment.dst),
        }
    }

    /// Whether a SYN between the ends of `id` asks for another connection: its number is not the one that opened `id`
    /// (a SYN sent again has the same, and in a simultaneous open the other end has not been seen yet).
    fn is_another(&self, id: ConnectionId, syn: &Segment) -> bool {
        self.connection(id).is_some_and(|connection| {
            let side = connection.side_of(syn.src).unwrap_or(Side::Client);
            connection.ends[side].tcp.isn.is_some_and(|isn| isn != syn.seq)
        })
    }

    fn segment(&mut self, time: Time, frame: &Frame, segment: &Segment) -> Record {
        let id = self.connection_of(segment);
        self.tie_connect(id, segment);
        let listener = self.descriptors.listener_at(segment.dst);
        let Some(connection) = self.connection_mut(id) else { return Record::default() };
        let side = connection.side_of(segment.src).unwrap_or(Side::Client);
        let peer = connection.peer_of(side);
        if connection.actors[peer].is_none() {
            connection.ends[peer].socket.deaf = listener.is_some_and(|preset| preset.deaf);
        }
        connection.note_origins(side, segment);
        connection.frames = Some((connection.frames.map_or(frame.number, |(first, _)| first), frame.number));
        if is_copy(&mut connection.copies[side], time, frame) {
            return Record { connection: Some(id), side: Some(side), is_copy: true, ..Record::default() };
        }
        let head = segment.head();
        let snd_nxt = connection.ends[side].tcp.snd_nxt;
        let exchange = exchange(&mut connection.ends, side, peer, &head);
        let (hop, with_itself) = (hop(frame.link_type, &frame.data).unwrap_or_default(), connection.is_with_itself());
        let frame = frame.number;
        let seen = Seen { side, frame, time, head: &head, hop, snd_nxt, exchange: &exchange, with_itself };
        connection.ending.take(&mut connection.watch, &seen);
        self.gives_up(id, side, &exchange);
        let Exchange { sent, arrived, draws_reset, heard } = exchange;
        Record {
            connection: Some(id),
            side: Some(side),
            changes: vec![sent, arrived],
            draws_reset,
            heard,
            ..Record::default()
        }
    }

    /// The first SYN of a connection belongs to the connect in progress that goes where it goes. Of several it is the one
    /// whose own address is the SYN's, as its end tells.
    fn tie_connect(&mut self, id: ConnectionId, segment: &Segment) {
        if !segment.flags.opens() {
            return;
        }
        let now = EventId(self.records.len() as u64 + 1);
        let known = self.connects.of_syn(segment, now);
        let in_progress = || self.descriptors.connecting_to(segment.dst);
        let is_it = |one: &&(Actor, Fd)| known.is_none_or(|(_, known)| known == *one);
        let Some((actor, fd)) = in_progress().find(is_it).or_else(|| in_progress().next()).cloned() else { return };
        self.hold(&actor, fd, id, Side::Client);
        if let Some(socket) = self.socket(&actor, fd) {
            socket.attachment = Attachment::Asked;
        }
    }

    /// `fd` of `actor` is the end `side` of `id` from now on.
    fn hold(&mut self, actor: &Actor, fd: Fd, id: ConnectionId, side: Side) {
        let preset = if let Some(Handle::Fresh { preset, .. }) = self.descriptors.get(actor, fd) {
            preset
        } else {
            let listener = self.connection(id).and_then(|one| self.descriptors.listener_at(one.addresses[side]));
            listener.unwrap_or_default().inherited()
        };
        self.descriptors.set(actor, fd, Handle::Connected(id, side));
        if side == Side::Server {
            self.never_accepted.remove(&id);
        }
        let Some(connection) = self.connection_mut(id) else { return };
        connection.actors[side] = Some(actor.clone());
        connection.holders[side].push(actor.clone());
        let end = &mut connection.ends[side];
        end.has_calls = true;
        end.socket.descriptors += 1;
        // What came of a connection while it stood in the listener's queue is its own.
        Preset { pending: end.socket.pending.or(preset.pending), ..preset }.apply(&mut end.socket);
        end.socket.attachment = Attachment::Made;
    }
}

/// Whether `frame` is a packet that was captured just before at another interface.
fn is_copy(copies: &mut Copies, time: Time, frame: &Frame) -> bool {
    let mut glanced = Glance::default();
    is_any(frame.link_type)
        && glance(frame.link_type, &frame.data, frame.original_len, &mut glanced).is_ok()
        && copies.seen(fingerprint(&glanced), time)
}

fn index(id: ConnectionId) -> usize {
    usize::try_from(id.0).unwrap_or(usize::MAX).wrapping_sub(1)
}

fn key(one: SocketAddr, other: SocketAddr) -> (SocketAddr, SocketAddr) {
    if one <= other { (one, other) } else { (other, one) }
}
