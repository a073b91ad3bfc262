//! Which descriptor of which actor is which socket.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

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

/// The descriptors of all actors.
#[derive(Clone, Debug, Default)]
pub struct Descriptors {
    handles: HashMap<(Actor, Fd), Handle>,
    bound: HashMap<(Actor, Fd), SocketAddr>,
    /// How many connections wait at an address since before its listener was known.
    waiting: HashMap<SocketAddr, u64>,
    /// Those that execve(2) closes.
    closed_on_exec: HashSet<(Actor, Fd)>,
}

impl Descriptors {
    /// What `fd` of `actor` refers to.
    pub fn get(&self, actor: &Actor, fd: Fd) -> Option<Handle> {
        self.handles.get(&(actor.clone(), fd)).copied()
    }

    /// `fd` of `actor` now refers to `handle`.
    pub fn set(&mut self, actor: &Actor, fd: Fd, handle: Handle) {
        self.handles.insert((actor.clone(), fd), handle);
    }

    /// `fd` of `actor` is bound to `addr`.
    pub fn bind(&mut self, actor: &Actor, fd: Fd, addr: SocketAddr) {
        self.bound.insert((actor.clone(), fd), addr);
    }

    /// What `fd` of `actor` was bound to.
    pub fn bound(&self, actor: &Actor, fd: Fd) -> Option<SocketAddr> {
        self.bound.get(&(actor.clone(), fd)).copied()
    }

    /// `fd` of `actor` is closed.
    pub fn close(&mut self, actor: &Actor, fd: Fd) {
        self.bound.remove(&(actor.clone(), fd));
        self.closed_on_exec.remove(&(actor.clone(), fd));
        self.handles.remove(&(actor.clone(), fd));
    }

    /// What `actor` has from `first` to `last`.
    pub fn in_range(&self, actor: &Actor, first: Fd, last: Fd) -> Vec<Fd> {
        let owned = self.handles.keys().filter(|(owner, fd)| owner == actor && (first..=last).contains(fd));
        let mut found: Vec<Fd> = owned.map(|(_, fd)| *fd).collect();
        found.sort();
        found
    }

    /// execve(2) will close `fd` of `actor`.
    pub fn close_on_exec(&mut self, actor: &Actor, fd: Fd) {
        self.closed_on_exec.insert((actor.clone(), fd));
    }

    /// What execve(2) closes of `actor`; the ends that it referred to.
    pub fn close_for_exec(&mut self, actor: &Actor) -> Vec<(ConnectionId, Side)> {
        let marked: Vec<Fd> =
            self.closed_on_exec.iter().filter(|(owner, _)| owner == actor).map(|(_, fd)| *fd).collect();
        let mut ends = Vec::new();
        for fd in marked {
            if let Some(Handle::Connected(id, side)) = self.get(actor, fd) {
                ends.push((id, side));
            }
            self.close(actor, fd);
        }
        ends
    }

    /// `child` gets a copy of everything that `parent` has; the ends that it holds with that.
    pub fn copy_all(&mut self, parent: &Actor, child: &Actor) -> Vec<(ConnectionId, Side)> {
        let of = |owner: &Actor| owner == parent;
        let handles: Vec<_> =
            self.handles.iter().filter(|((owner, _), _)| of(owner)).map(|((_, fd), h)| (*fd, *h)).collect();
        let bound: Vec<_> =
            self.bound.iter().filter(|((owner, _), _)| of(owner)).map(|((_, fd), at)| (*fd, *at)).collect();
        let marked: Vec<_> = self.closed_on_exec.iter().filter(|(owner, _)| of(owner)).map(|(_, fd)| *fd).collect();
        self.closed_on_exec.extend(marked.into_iter().map(|fd| (child.clone(), fd)));
        self.bound.extend(bound.into_iter().map(|(fd, at)| ((child.clone(), fd), at)));
        let ends = handles.iter().filter_map(|(_, handle)| match handle {
            Handle::Connected(id, side) => Some((*id, *side)),
            _ => None,
        });
        let ends = ends.collect();
        self.handles.extend(handles.into_iter().map(|(fd, handle)| ((child.clone(), fd), handle)));
        ends
    }

    /// Every descriptor of `actor` is closed; the ends that they referred to.
    pub fn close_all(&mut self, actor: &Actor) -> Vec<(ConnectionId, Side)> {
        let held = self.handles.iter().filter(|((owner, _), _)| owner == actor);
        let ends = held.filter_map(|(_, handle)| match handle {
            Handle::Connected(id, side) => Some((*id, *side)),
            _ => None,
        });
        let ends = ends.collect();
        self.handles.retain(|(owner, _), _| owner != actor);
        self.bound.retain(|(owner, _), _| owner != actor);
        self.closed_on_exec.retain(|(owner, _)| owner != actor);
        ends
    }

    /// What was set on the socket that listens at `addr`.
    pub fn listener_at(&self, addr: SocketAddr) -> Option<Preset> {
        self.handles.values().find_map(|handle| match handle {
            Handle::Listener { bound: Some(bound), preset } if reaches(*bound, addr) => Some(*preset),
            _ => None,
        })
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
    pub fn connecting_to(&self, target: SocketAddr) -> Vec<(Actor, Fd)> {
        let wanted = |handle: &Handle| matches!(handle, Handle::Fresh { connecting: Some(to), .. } if *to == target);
        let mut found: Vec<_> =
            self.handles.iter().filter(|(_, handle)| wanted(handle)).map(|(key, _)| key.clone()).collect();
        found.sort();
        found
    }
}

/// Whether what is sent to `addr` comes to a socket that is bound to `bound`.
pub fn reaches(bound: SocketAddr, addr: SocketAddr) -> bool {
    bound.port() == addr.port() && (bound.ip().is_unspecified() || bound.ip() == addr.ip())
}
