//! A socket that an actor holds although no call that was seen brought it: inherited, handed over, or older than its tracing.
//!
//! The kernel's own view is no stimulus (RFC 9293 has none such): where segments or calls tell of an end, they alone decide.
//! But of an end of which nothing is known yet, what the kernel says at that moment is all that there is, and to presume
//! ESTABLISHED instead would be to make something up: a server that leaks descriptors is full of sockets in CLOSE-WAIT.

use std::net::SocketAddr;

use super::presume::set_state;
use super::{Record, Track};
use crate::event::{Actor, ConnectionId, EventId, Holding};
use crate::socket::call::{Call, CallName, Fd};
use crate::socket::outlook::Attachment;
use crate::story::connection::Connection;
use crate::story::descriptors::{Handle, Preset};
use crate::story::end::End;
use crate::story::origin::Origin;
use crate::story::side::Side;
use crate::tcp::state::State;

impl Track {
    /// `actor` turns out to hold a socket.
    pub(super) fn holds(&mut self, actor: Option<&Actor>, holding: &Holding) -> Record {
        let Some(actor) = actor else { return Record::default() };
        let Some((local, remote)) = holding.local.zip(holding.remote) else {
            self.holds_unconnected(actor, holding);
            return Record::default();
        };
        let id = self.held(local, remote, holding.state);
        let side = self.connection(id).and_then(|known| known.side_of(local)).unwrap_or(Side::Client);
        // A call that was seen may have told of it already.
        if self.descriptors.get(actor, holding.fd) != Some(Handle::Connected(id, side)) {
            self.lets_go(actor, holding);
            self.descriptors.set(actor, holding.fd, Handle::Connected(id, side));
            self.begins(actor, id, side, holding);
        }
        Record { connection: Some(id), side: Some(side), ..Record::default() }
    }

    /// `actor` sends descriptors to another process, which may have them before the call returns: on its way a copy holds the
    /// socket too.
    pub(super) fn hands_over(&mut self, actor: &Actor, call: &Call) {
        for fd in handed_over(call) {
            if let Some((connection, side)) = self.held_by(actor, fd) {
                connection.in_messages[side] += 1;
                connection.ends[side].socket.descriptors += 1;
            }
        }
    }

    /// They were not sent.
    pub(super) fn keeps(&mut self, actor: &Actor, call: &Call) {
        for fd in handed_over(call) {
            if let Some((connection, side)) = self.held_by(actor, fd) {
                connection.in_messages[side] = connection.in_messages[side].saturating_sub(1);
                let descriptors = &mut connection.ends[side].socket.descriptors;
                *descriptors = descriptors.saturating_sub(1);
            }
        }
    }

    fn held_by(&mut self, actor: &Actor, fd: Fd) -> Option<(&mut Connection, Side)> {
        let Some(Handle::Connected(id, side)) = self.descriptors.get(actor, fd) else { return None };
        Some((self.connection_mut(id)?, side))
    }

    fn holds_unconnected(&mut self, actor: &Actor, holding: &Holding) {
        self.lets_go(actor, holding);
        let preset = preset(holding);
        let handle = match holding.state {
            State::Listen => Handle::Listener { bound: holding.local, preset },
            _ => Handle::Fresh { preset, connecting: None },
        };
        self.descriptors.set(actor, holding.fd, handle);
        let Some(local) = holding.local else { return };
        self.descriptors.bind(actor, holding.fd, local);
        if holding.state == State::Listen {
            self.descriptors.waits(local, holding.unread.into());
        }
    }

    /// What the descriptor was before has ended unseen.
    fn lets_go(&mut self, actor: &Actor, holding: &Holding) {
        if let Some(Handle::Connected(id, side)) = self.descriptors.get(actor, holding.fd) {
            self.loses_one(id, side);
        }
        self.descriptors.close(actor, holding.fd);
    }

    /// The connection between these ends; a new one where none is known, or one that has ended.
    fn held(&mut self, local: SocketAddr, remote: SocketAddr, state: State) -> ConnectionId {
        let is_over = |known: &Connection| {
            let is_closed = |side: Side| known.ends[side].tcp.state == State::Closed && !known.ends[side].has_program();
            state != State::Closed && Side::BOTH.into_iter().all(is_closed)
        };
        match self.between(local, remote) {
            Some(id) if !self.connection(id).is_some_and(is_over) => id,
            _ if self.is_server(local, remote) => self.open(remote, local),
            _ => self.open(local, remote),
        }
    }

    /// Whether, of two ends whose opening nobody saw, the one at `local` is the server: something listens there; where nobody
    /// is known to listen, the lower port is the server's.
    fn is_server(&self, local: SocketAddr, remote: SocketAddr) -> bool {
        let listens = |addr| self.descriptors.listener_at(addr).is_some();
        listens(local) || (!listens(remote) && local.port() < remote.port())
    }

    /// `actor` holds the end `side` of `id`, perhaps as the first of whom that is known.
    fn begins(&mut self, actor: &Actor, id: ConnectionId, side: Side, holding: &Holding) {
        let now = EventId(self.records.len() as u64 + 1);
        if side == Side::Server {
            self.never_accepted.remove(&id);
        }
        let Some(connection) = self.connection_mut(id) else { return };
        connection.actors[side].get_or_insert_with(|| actor.clone());
        if !connection.holders[side].contains(actor) {
            connection.holders[side].push(actor.clone());
        }
        if !connection.ends[side].has_calls {
            let origin = Origin::of(now, holding, &connection.ends[side].tcp);
            connection.origins[side] = Some(origin);
            begin(&mut connection.ends[side], holding);
            let peer = &mut connection.ends[side.peer()];
            if is_unknown(peer)
                && let Some(state) = opposite(holding.state)
            {
                set_state(peer, state);
            }
        }
        match &mut connection.in_messages[side] {
            0 => connection.ends[side].socket.descriptors += 1,
            // The copy that was on its way has arrived.
            on_their_way => *on_their_way -= 1,
        }
    }
}

/// The descriptors that `call` hands to another process.
fn handed_over(call: &Call) -> impl Iterator<Item = Fd> {
    let rights =
        call.word(1).filter(|_| call.name == CallName::Sendmsg).and_then(|word| word.strip_prefix("SCM_RIGHTS:"));
    rights.into_iter().flat_map(|fds| fds.split(':')).filter_map(|fd| fd.parse().ok()).map(Fd)
}

fn preset(holding: &Holding) -> Preset {
    Preset { linger_zero: holding.linger_zero, nonblocking: holding.nonblocking, ..Preset::default() }
}

/// Whether neither calls nor segments tell of it.
fn is_unknown(end: &End) -> bool {
    !end.has_calls && end.tcp.isn.is_none()
}

fn begin(end: &mut End, holding: &Holding) {
    if is_unknown(end) {
        set_state(end, holding.state);
    }
    let state = end.tcp.state;
    end.has_calls = true;
    preset(holding).apply(&mut end.socket);
    end.socket.unread = holding.unread.into();
    end.socket.attachment = if state == State::SynSent { Attachment::Asked } else { Attachment::Made };
    end.socket.end_seen = state.has_received_fin();
    end.socket.receive_shut = state.has_received_fin();
    end.socket.send_shut = state.has_sent_fin();
}

/// The state of the peer of an end in `state`, once nothing is on its way; `None` where that may be one of several.
const fn opposite(state: State) -> Option<State> {
    Some(match state {
        State::Established | State::FinWait1 => State::Established,
        State::CloseWait | State::LastAck => State::FinWait2,
        State::FinWait2 => State::CloseWait,
        _ => return None,
    })
}
