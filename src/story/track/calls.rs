//! What calls tell of descriptors, and of what a socket has been asked and has answered.

use std::net::SocketAddr;

use super::{Record, Track};
use crate::event::{Actor, ConnectionId, Event, EventId};
use crate::socket::call::{Arg, Call, CallName, Fd, Outcome};
use crate::socket::errno::Errno;
use crate::socket::outlook::{Attachment, Target};
use crate::story::descriptors::{Handle, Preset};
use crate::story::side::Side;

impl Track {
    pub(super) fn begun(&mut self, event: &Event, call: &Call) -> Record {
        self.in_progress.insert(event.id);
        if let [Arg::Addr(local), Arg::Addr(remote)] = call.args.as_slice() {
            self.destroying.insert(event.id, (*local, *remote));
        }
        if call.name == CallName::SockDestroy {
            return self.destroys(call);
        }
        let Some((actor, fd)) = event.actor.as_ref().zip(call.fd()) else { return Record::default() };
        self.hands_over(actor, call);
        if let (CallName::Connect, Some(Handle::Fresh { preset, .. })) = (call.name, self.descriptors.get(actor, fd)) {
            // A new attempt forgets an old error (tcp_connect_init()).
            let preset = Preset { pending: None, ..preset };
            self.descriptors.set(actor, fd, Handle::Fresh { preset, connecting: call.addr() });
        }
        self.at(actor, fd)
    }

    /// The record of something that `actor` did to `fd`.
    fn at(&self, actor: &Actor, fd: Fd) -> Record {
        match self.descriptors.get(actor, fd) {
            Some(Handle::Connected(id, side)) => Record { connection: Some(id), side: Some(side), ..Record::default() },
            Some(Handle::Fresh { .. } | Handle::Listener { .. }) => Record::default(),
            Some(Handle::Other) | None => Record { elsewhere: true, ..Record::default() },
        }
    }

    pub(super) fn ended(&mut self, event: &Event, begun: EventId, call: &Call, outcome: &Outcome) -> Record {
        self.in_progress.remove(&begun);
        self.destroying.remove(&begun);
        let Some(actor) = event.actor.as_ref() else { return Record::default() };
        if call.name == CallName::SockDestroy {
            return self.destroyed(call, outcome);
        }
        if matches!(call.name, CallName::Fork | CallName::Execve) && outcome.errno.is_none() {
            return match outcome.word() {
                Some(child) => Self::of_one(&self.forked(actor, &Actor::new(child))),
                None => self.replaced(actor),
            };
        }
        let before = call.fd().map(|fd| self.at(actor, fd)).unwrap_or_default();
        self.reported(actor, call, outcome);
        if outcome.errno.is_some() {
            self.keeps(actor, call);
        } else {
            self.opened(actor, call, outcome);
            self.reset_by_disconnect(actor, call, begun);
        }
        let mut record = call.fd().map(|fd| self.at(actor, fd)).unwrap_or_default();
        if record.connection.is_none() {
            record = before;
        }
        if call.name.accepts() {
            let fd = outcome.count().and_then(|fd| i32::try_from(fd).ok()).map(Fd);
            record = fd.map(|fd| self.at(actor, fd)).unwrap_or_default();
        }
        if let Some((id, side)) = record.connection.zip(record.side) {
            if self.blind && call.name.receives() && !call.has_flag("MSG_PEEK") {
                self.presume_read(id, side, outcome.count().unwrap_or(0));
            }
            self.answered(id, side, call, outcome);
            record.changes = self.ends_silently(id, side, call, outcome);
            if self.blind && record.changes.is_empty() {
                record.changes = self.presume(id, side, call, outcome);
            }
        }
        if call.name == CallName::Close && outcome.errno.is_none() {
            let Some(fd) = call.fd() else { return record };
            if let Some(Handle::Listener { bound: Some(bound), .. }) = self.descriptors.get(actor, fd)
                && self.blind
            {
                self.presume_never_accepted(bound);
            }
            self.descriptors.close(actor, fd);
        }
        record
    }

    /// A connection that was open when `call` began to disconnect it leaves its own end an error too (`tcp_disconnect()`).
    fn reset_by_disconnect(&mut self, actor: &Actor, call: &Call, begun: EventId) {
        let met = self.record(begun).and_then(|record| record.asked);
        let was_open = met.is_some_and(|met| met.target == Some(Target::Unspecified) && !met.socket.is_gone());
        if let Some(fd) = call.fd().filter(|_| was_open)
            && let Some(Handle::Fresh { preset, connecting }) = self.descriptors.get(actor, fd)
        {
            let preset = Preset { pending: Some(Errno::ECONNRESET), ..preset };
            self.descriptors.set(actor, fd, Handle::Fresh { preset, connecting });
        }
    }

    /// An error that waited on a socket without a connection is gone once a call has reported it (`sock_error()`).
    fn reported(&mut self, actor: &Actor, call: &Call, outcome: &Outcome) {
        let asked = || outcome.word().filter(|_| call.name == CallName::Getsockopt)?.parse().ok();
        let Some((fd, errno)) = call.fd().zip(outcome.errno.or_else(asked)) else { return };
        if let Some(Handle::Fresh { mut preset, connecting }) = self.descriptors.get(actor, fd)
            && preset.pending == Some(errno)
        {
            preset.pending = None;
            self.descriptors.set(actor, fd, Handle::Fresh { preset, connecting });
        }
    }

    /// What a successful call did to the descriptors.
    fn opened(&mut self, actor: &Actor, call: &Call, outcome: &Outcome) {
        let fresh = Handle::Fresh { preset: Preset::default(), connecting: None };
        let returned = outcome.count().and_then(|fd| i32::try_from(fd).ok()).map(Fd);
        match (call.name, call.fd(), returned) {
            (CallName::Socket, _, Some(fd)) => {
                let tcp =
                    call.word(0).is_some_and(|family| family.starts_with("AF_INET")) && call.has_flag("SOCK_STREAM");
                self.descriptors.set(actor, fd, if tcp { fresh } else { Handle::Other });
                self.opened_with(actor, fd, call);
            }
            (CallName::Bind | CallName::Listen, Some(fd), _) => {
                // Which port the kernel chose, the outcome tells.
                let bound = outcome.addr().or_else(|| call.addr());
                if let Some(addr) = bound {
                    self.descriptors.bind(actor, fd, addr);
                }
                if call.name == CallName::Listen {
                    self.listens(actor, fd);
                }
            }
            (CallName::Setsockopt, Some(fd), _) => self.option_set(actor, fd, call),
            (CallName::Fcntl, Some(fd), Some(copy))
                if call.word(1).is_some_and(|asked| asked.starts_with("F_DUPFD")) =>
            {
                self.copied(actor, fd, copy, call);
            }
            (CallName::Fcntl, Some(fd), _) => self.flags_set(actor, fd, call),
            (CallName::Connect, Some(fd), _) if call.word(1) == Some("AF_UNSPEC") => self.disconnected(actor, fd),
            (CallName::Connect, Some(fd), _) => self.connected(actor, fd, call, outcome),
            (name, Some(listener), Some(fd)) if name.accepts() => {
                self.accepted(actor, listener, fd, outcome);
                self.opened_with(actor, fd, call);
            }
            (name, Some(fd), Some(copy)) if name.copies() => self.copied(actor, fd, copy, call),
            (CallName::CloseRange, ..) => self.closed_range(actor, call),
            _ => {}
        }
    }

    fn listens(&mut self, actor: &Actor, fd: Fd) {
        let preset = match self.descriptors.get(actor, fd) {
            Some(Handle::Fresh { preset, .. } | Handle::Listener { preset, .. }) => preset,
            _ => Preset::default(),
        };
        let bound = self.descriptors.bound(actor, fd);
        self.descriptors.set(actor, fd, Handle::Listener { bound, preset });
    }

    /// connect(2) with `AF_UNSPEC`: the connection has lost its program, and the descriptor holds a fresh socket.
    fn disconnected(&mut self, actor: &Actor, fd: Fd) {
        if let Some(socket) = self.socket(actor, fd) {
            let preset = Preset::of(socket);
            socket.descriptors = 0;
            self.descriptors.set(actor, fd, Handle::Fresh { preset, connecting: None });
        }
    }

    fn connected(&mut self, actor: &Actor, fd: Fd, call: &Call, outcome: &Outcome) {
        if let Some(socket) = self.socket(actor, fd) {
            socket.attachment = Attachment::Made;
            return;
        }
        let Some((local, remote)) = outcome.addr().zip(call.addr()) else { return };
        let id = match self.between(local, remote) {
            Some(id) => id,
            None => self.open_without_segments(local, remote),
        };
        self.hold(actor, fd, id, Side::Client);
    }

    fn accepted(&mut self, actor: &Actor, listener: Fd, fd: Fd, outcome: &Outcome) {
        let bound = match self.descriptors.get(actor, listener) {
            Some(Handle::Listener { bound, .. }) => bound,
            _ => None,
        };
        let Some(client) = outcome.addr() else { return };
        if self.is_end_of(actor, fd, client) {
            // It had waited since before the listener was known, and was told of before this call's end.
            if let Some(bound) = bound {
                self.descriptors.takes_waiting(bound);
            }
            return;
        }
        let known = self.connections().iter().rev().find(|connection| {
            connection.addresses.client == client
                && connection.actors.server.is_none()
                && bound.is_none_or(|bound| bound.port() == connection.addresses.server.port())
        });
        let id = match (known.map(|connection| connection.id), bound) {
            (Some(id), _) => id,
            (None, Some(server)) if self.blind => {
                // A listener on all addresses of this machine was reached by the client's own.
                let ip = if server.ip().is_unspecified() { client.ip() } else { server.ip() };
                self.open_without_segments(client, (ip, server.port()).into())
            }
            _ => return,
        };
        self.hold(actor, fd, id, Side::Server);
    }

    /// Whether `fd` of `actor` is the server's end of a connection that `client` opened.
    fn is_end_of(&self, actor: &Actor, fd: Fd, client: SocketAddr) -> bool {
        let Some(Handle::Connected(id, Side::Server)) = self.descriptors.get(actor, fd) else { return false };
        self.connection(id).is_some_and(|connection| connection.addresses.client == client)
    }

    /// What a call's answer tells of the socket: errors reported, bytes read, directions shut, descriptors closed.
    fn answered(&mut self, id: ConnectionId, side: Side, call: &Call, outcome: &Outcome) {
        let Some(connection) = self.connection_mut(id) else { return };
        let socket = &mut connection.ends[side].socket;
        if let Some(errno) = outcome.errno {
            socket.reports(errno);
            return;
        }
        match call.name {
            name if name.receives() && !call.has_flag("MSG_PEEK") => socket.reads(outcome.count().unwrap_or(0)),
            CallName::Shutdown => call.how().into_iter().for_each(|how| socket.shuts(how)),
            CallName::Close => socket.descriptors = socket.descriptors.saturating_sub(1),
            CallName::Getsockopt => {
                outcome.word().and_then(|word| word.parse().ok()).into_iter().for_each(|errno| socket.reports(errno));
            }
            _ => {}
        }
    }
}
