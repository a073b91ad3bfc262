//! The connections of each server, as far as patterns ask for them.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use foldhash::HashMap;

use super::EXAMPLES;
use crate::event::Time;
use crate::story::ending::Kind;
use crate::story::side::{Both, Side};
use crate::story::verdict::Name;
use crate::survey::{Found, Summary};
use crate::tcp::state::State;

/// Some connections, of which a few are named.
#[derive(Clone, Debug, Default)]
pub struct Few {
    pub count: u64,
    pub examples: Vec<u64>,
}

impl Few {
    fn add(&mut self, id: u64) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(id);
        }
    }

    fn append(&mut self, later: &Self) {
        self.count += later.count;
        self.examples.extend(later.examples.iter().take(EXAMPLES - self.examples.len()));
    }
}

/// Connections that ended in one way.
#[derive(Clone, Debug, Default)]
pub struct Ended {
    pub all: Few,
    /// Those of them that had been silent for [`IDLE`] or longer: for how long, in nanoseconds, and the connection.
    pub idle: Vec<(i64, u64)>,
}

impl Ended {
    fn add(&mut self, idle: i64, id: u64) {
        self.all.add(id);
        if idle >= IDLE {
            self.idle.push((idle, id));
        }
    }

    fn append(&mut self, later: &mut Self) {
        self.all.append(&later.all);
        self.idle.append(&mut later.idle);
    }
}

/// What is gathered of one server.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// All connections.
    pub all: u64,
    /// Those ended by a reset of each side.
    pub resets: Both<Ended>,
    /// Those whose first FIN was each side's.
    pub fins: Both<Ended>,
    /// Data was sent after the server's close.
    pub stale: Few,
    /// A host knew nothing of a connection that had been silent.
    pub forgotten: Few,
    /// Hop limit or IP identification speak for another sender.
    pub bystander: Few,
    /// Bytes were lost: which connections, and how many bytes.
    pub losing: Few,
    pub lost: u64,
    pub refused: Few,
    pub unanswered: Few,
    /// The end that has not closed, and for how long at the most, in nanoseconds.
    pub waiting: Both<Few>,
    pub waits: Both<i64>,
}

/// So long an idle time is one that a limit could have ended, in nanoseconds.
pub const IDLE: i64 = 1_000_000_000;

/// What is gathered of all servers, connection by connection, in their order.
pub struct Gathered {
    servers: HashMap<SocketAddr, Seen>,
    until: Time,
}

impl Gathered {
    /// Nothing yet of `found`.
    pub fn new(found: &Found) -> Self {
        let until = found.counted.span.map_or(Time(0), |(_, latest)| latest);
        Self { servers: HashMap::default(), until }
    }

    /// Takes the next connection in.
    pub fn take(&mut self, connection: &Summary<'_>) {
        if connection.copy_of().is_none() {
            let server = connection.end(Side::Server).endpoint;
            self.servers.entry(server).or_default().take(connection, self.until);
        }
    }

    /// Takes in what was gathered of the connections behind those that are here.
    pub fn append(&mut self, later: Self) {
        for (server, seen) in later.servers {
            self.servers.entry(server).or_default().append(seen);
        }
    }

    /// The servers, in the order of their addresses.
    pub(super) fn servers(&self) -> BTreeMap<SocketAddr, &Seen> {
        self.servers.iter().map(|(server, seen)| (*server, seen)).collect()
    }
}

impl Seen {
    fn append(&mut self, mut later: Self) {
        self.all += later.all;
        self.lost += later.lost;
        for side in Side::BOTH {
            self.resets[side].append(&mut later.resets[side]);
            self.fins[side].append(&mut later.fins[side]);
            self.waiting[side].append(&later.waiting[side]);
            self.waits[side] = self.waits[side].max(later.waits[side]);
        }
        let Self { stale, forgotten, bystander, losing, refused, unanswered, .. } = self;
        stale.append(&later.stale);
        forgotten.append(&later.forgotten);
        bystander.append(&later.bystander);
        losing.append(&later.losing);
        refused.append(&later.refused);
        unanswered.append(&later.unanswered);
    }

    fn take(&mut self, connection: &Summary<'_>, until: Time) {
        let (facts, id) = (connection.facts(), connection.id());
        let (name, ending) = (facts.name(), facts.ending);
        self.all += 1;
        let idle = ending.idle.unwrap_or(0);
        match name {
            Name::Refused => self.refused.add(id),
            Name::Unanswered => self.unanswered.add(id),
            Name::NobodyHome if idle >= IDLE => self.forgotten.add(id),
            Name::ResetAfterClose if ending.first_fin == Some(Side::Server) => self.stale.add(id),
            Name::HalfClosed => self.half_closed(connection, until),
            _ => {}
        }
        match (ending.reset, ending.first_fin) {
            // What answers something came when that did: the silence before it is its peer's.
            (Some(reset), _) if reset.kind == Kind::Aborts => self.resets[reset.by].add(idle, id),
            (None, Some(side)) => self.fins[side].add(idle, id),
            _ => {}
        }
        if ending.reset.is_some_and(|reset| reset.odd.is_some()) {
            self.bystander.add(id);
        }
        let lost = facts.lost.client + facts.lost.server;
        if lost > 0 {
            self.losing.add(id);
            self.lost += lost;
        }
    }

    fn half_closed(&mut self, connection: &Summary<'_>, until: Time) {
        let (_, end) = connection.times();
        let waited = until.since(end);
        for side in Side::BOTH {
            if connection.end(side).state() == State::CloseWait && waited >= 5 * IDLE {
                self.waiting[side].add(connection.id());
                self.waits[side] = self.waits[side].max(waited);
            }
        }
    }
}
