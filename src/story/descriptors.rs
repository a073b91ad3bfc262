//! Which descriptor of which actor is which socket.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use foldhash::HashMap;

use super::side::Side;
use crate::event::{Actor, ConnectionId};
use crate::socket::call::Fd;
use crate::socket::errno::Errno;
use crate::socket::outlook::Socket;

/// What a socket remembers that has no connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preset {
    /// Whether `SO_LINGER` is on with a time of 0.
    pub linger_zero: bool,
    /// Whether a filter drops every segment that comes.
    pub deaf: bool,
    /// `O_NONBLOCK`.
    pub nonblocking: bool,
    /// The error of an earlier connection, which a disconnect left (`tcp_disconnect()`).
    pub pending: Option<Errno>,
}

impl Preset {
    /// The connection's socket has it.
    pub const fn apply(self, socket: &mut Socket) {
        socket.linger_zero = self.linger_zero;
        socket.deaf = self.deaf;
        socket.nonblocking = self.nonblocking;
        socket.pending = self.pending;
    }

    /// What was set on `socket`.
    pub const fn of(socket: &Socket) -> Self {
        Self {
            linger_zero: socket.linger_zero,
            deaf: socket.deaf,
            nonblocking: socket.nonblocking,
            pending: socket.pending,
        }
    }

    /// What a socket has that accept(2) makes of a listener with this (`sk_clone_lock()`): all but the descriptor's flags and an error.
    #[must_use]
    pub const fn inherited(self) -> Self {
        Self { nonblocking: false, pending: None, ..self }
    }
}

/// What a descriptor refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handle {
    /// A TCP socket that is not connected.
    Fresh {
        /// What was set on it.
        preset: Preset,
        /// Where a connect in progress goes.
        connecting: Option<SocketAddr>,
    },
    /// A listening socket.
    Listener {
        /// What it is bound to.
        bound: Option<SocketAddr>,
        /// What was set on it, which every socket that it accepts inherits.
        preset: Preset,
    },
    /// An end of a connection.
    Connected(ConnectionId, Side),
    /// Something without TCP: a pipe, a Unix socket.
    Other,
}

impl Handle {
    /// The end that it is.
    fn end(self) -> Option<(ConnectionId, Side)> {
        match self {
            Self::Connected(id, side) => Some((id, side)),
            _ => None,
        }
    }
}

/// The descriptors of one actor.
#[derive(Clone, Debug, Default)]
struct Table {
    handles: BTreeMap<Fd, Handle>,
    bound: BTreeMap<Fd, SocketAddr>,
    /// Those that execve(2) closes.
    closed_on_exec: BTreeSet<Fd>,
}

/// The sockets that listen at one port, by whose they are: what each is bound to, and what was set on it.
type Listening = BTreeMap<(Actor, Fd), (SocketAddr, Preset)>;

/// The descriptors of all actors.
#[derive(Clone, Debug, Default)]
pub struct Descriptors {
    tables: HashMap<Actor, Table>,
    /// What every segment and every SYN looks for, of whom there may be thousands among all: those that listen, by their
    /// ports, and those whose connect is in progress, by where it goes.
    listening: HashMap<u16, Listening>,
    connecting: HashMap<SocketAddr, BTreeSet<(Actor, Fd)>>,
    /// How many connections wait at an address since before its listener was known.
    waiting: HashMap<SocketAddr, u64>,
}

impl Descriptors {
    /// What `fd` of `actor` refers to.
    pub fn get(&self, actor: &Actor, fd: Fd) -> Option<Handle> {
        self.tables.get(actor)?.handles.get(&fd).copied()
    }

    fn table(&mut self, actor: &Actor) -> &mut Table {
        self.tables.entry(actor.clone()).or_default()
    }

    /// `fd` of `actor` now refers to `handle`.
    pub fn set(&mut self, actor: &Actor, fd: Fd, handle: Handle) {
        if let Some(former) = self.table(actor).handles.insert(fd, handle) {
            self.unlist(actor, fd, former);
        }
        self.list(actor, fd, handle);
    }

    /// `fd` of `actor` can be found by what it listens at or connects to.
    fn list(&mut self, actor: &Actor, fd: Fd, handle: Handle) {
        match handle {
            Handle::Listener { bound: Some(bound), preset } => {
                self.listening.entry(bound.port()).or_default().insert((actor.clone(), fd), (bound, preset));
            }
            Handle::Fresh { connecting: Some(target), .. } => {
                self.connecting.entry(target).or_default().insert((actor.clone(), fd));
            }
            _ => {}
        }
    }

    fn unlist(&mut self, actor: &Actor, fd: Fd, handle: Handle) {
        match handle {
            Handle::Listener { bound: Some(bound), .. } => {
                if let Some(listening) = self.listening.get_mut(&bound.port()) {
                    listening.remove(&(actor.clone(), fd));
                }
            }
            Handle::Fresh { connecting: Some(target), .. } => {
                if let Some(connecting) = self.connecting.get_mut(&target) {
                    connecting.remove(&(actor.clone(), fd));
                }
            }
            _ => {}
        }
    }

    /// `fd` of `actor` is bound to `addr`.
    pub fn bind(&mut self, actor: &Actor, fd: Fd, addr: SocketAddr) {
        self.table(actor).bound.insert(fd, addr);
    }

    /// What `fd` of `actor` was bound to.
    pub fn bound(&self, actor: &Actor, fd: Fd) -> Option<SocketAddr> {
        self.tables.get(actor)?.bound.get(&fd).copied()
    }

    /// `fd` of `actor` is closed.
    pub fn close(&mut self, actor: &Actor, fd: Fd) {
        let table = self.table(actor);
        table.bound.remove(&fd);
        table.closed_on_exec.remove(&fd);
        if let Some(former) = table.handles.remove(&fd) {
            self.unlist(actor, fd, former);
        }
    }

    /// What `actor` has from `first` to `last`.
    pub fn in_range(&self, actor: &Actor, first: Fd, last: Fd) -> Vec<Fd> {
        let table = self.tables.get(actor).filter(|_| first <= last);
        table.map_or_else(Vec::new, |table| table.handles.range(first..=last).map(|(fd, _)| *fd).collect())
    }

    /// execve(2) will close `fd` of `actor`.
    pub fn close_on_exec(&mut self, actor: &Actor, fd: Fd) {
        self.table(actor).closed_on_exec.insert(fd);
    }

    /// What execve(2) closes of `actor`; the ends that it referred to.
    pub fn close_for_exec(&mut self, actor: &Actor) -> Vec<(ConnectionId, Side)> {
        let marked = std::mem::take(&mut self.table(actor).closed_on_exec);
        let mut ends = Vec::new();
        for fd in marked {
            ends.extend(self.get(actor, fd).and_then(Handle::end));
            self.close(actor, fd);
        }
        ends
    }

    /// `child` gets a copy of everything that `parent` has; the ends that it holds with that.
    pub fn copy_all(&mut self, parent: &Actor, child: &Actor) -> Vec<(ConnectionId, Side)> {
        let Table { handles, bound, closed_on_exec } = self.table(parent).clone();
        for (fd, handle) in &handles {
            self.set(child, *fd, *handle);
        }
        let table = self.table(child);
        table.bound.extend(bound);
        table.closed_on_exec.extend(closed_on_exec);
        handles.into_values().filter_map(Handle::end).collect()
    }

    /// Every descriptor of `actor` is closed; the ends that they referred to.
    pub fn close_all(&mut self, actor: &Actor) -> Vec<(ConnectionId, Side)> {
        let Some(table) = self.tables.remove(actor) else { return Vec::new() };
        table.handles.iter().for_each(|(fd, handle)| self.unlist(actor, *fd, *handle));
        table.handles.into_values().filter_map(Handle::end).collect()
    }

    /// What was set on the socket that listens at `addr`.
    pub fn listener_at(&self, addr: SocketAddr) -> Option<Preset> {
        let near = self.listening.get(&addr.port())?;
        near.values().find(|(bound, _)| reaches(*bound, addr)).map(|(_, preset)| *preset)
    }

    /// `count` connections wait at `bound` whose opening nobody saw. Whoever holds the listener too tells the same.
    pub fn waits(&mut self, bound: SocketAddr, count: u64) {
        self.waiting.entry(bound).or_insert(count);
    }

    /// One of them was accepted.
    pub fn takes_waiting(&mut self, bound: SocketAddr) {
        if let Some(count) = self.waiting.get_mut(&bound) {
            *count = count.saturating_sub(1);
        }
    }

    /// How many of them are left.
    pub fn waiting(&self, bound: SocketAddr) -> u64 {
        self.waiting.get(&bound).copied().unwrap_or(0)
    }

    /// The actors with a connect to `target` in progress, each with its descriptor.
    pub fn connecting_to(&self, target: SocketAddr) -> impl Iterator<Item = &(Actor, Fd)> {
        self.connecting.get(&target).into_iter().flatten()
    }
}

/// Whether what is sent to `addr` comes to a socket that is bound to `bound`.
pub fn reaches(bound: SocketAddr, addr: SocketAddr) -> bool {
    bound.port() == addr.port() && (bound.ip().is_unspecified() || bound.ip() == addr.ip())
}
