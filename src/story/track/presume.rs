//! States without a capture: what a call's success lets presume of the segments that nobody saw.
//!
//! It holds between settled calls on one machine, where a segment arrives at once: a FIN is taken in, data for an end without
//! a program is answered with a reset. Every change here is presumed, and views say that the segments are missing.

use std::net::SocketAddr;

use super::{Change, Track};
use crate::event::ConnectionId;
use crate::socket::call::{Call, CallName, How, Outcome};
use crate::socket::settled::{Caused, Ends, From, Wire};
use crate::story::connection::Connection;
use crate::story::end::End;
use crate::story::side::{Both, Side};
use crate::tcp::rule::Rule;
use crate::tcp::state::State;

impl Track {
    pub(super) fn open_without_segments(&mut self, client: SocketAddr, server: SocketAddr) -> ConnectionId {
        if let Some(id) = self.between(client, server) {
            return id;
        }
        let id = self.open(client, server);
        if let Some(connection) = self.connection_mut(id) {
            for side in Side::BOTH {
                set_state(&mut connection.ends[side], State::Established);
            }
        }
        id
    }

    pub(super) fn presume(&mut self, id: ConnectionId, side: Side, call: &Call, outcome: &Outcome) -> Vec<Change> {
        if outcome.errno.is_some() {
            return Vec::new();
        }
        match call.name {
            name if name.sends() => self.presume_data(id, side, outcome.count().unwrap_or(0)),
            CallName::Shutdown if call.how() != Some(How::Read) => self.presume_fin(id, side),
            CallName::Close => self.presume_end(id, side),
            CallName::Connect if call.word(1) == Some("AF_UNSPEC") => self.presume_disconnect(id, side),
            _ => Vec::new(),
        }
    }

    /// `bytes` were read. A read that waited for them can end before the send does.
    pub(super) fn presume_read(&mut self, id: ConnectionId, side: Side, bytes: u64) {
        let Some(connection) = self.connection_mut(id) else { return };
        connection.read_ahead[side] += bytes.saturating_sub(connection.ends[side].socket.unread);
    }

    fn presume_data(&mut self, id: ConnectionId, side: Side, bytes: u64) -> Vec<Change> {
        let Some(connection) = self.connection_mut(id) else { return Vec::new() };
        let read_ahead = &mut connection.read_ahead[side.peer()];
        let ahead = (*read_ahead).min(bytes);
        *read_ahead -= ahead;
        act(&mut connection.ends, side, |ends| ends.data(bytes - ahead))
    }

    fn presume_fin(&mut self, id: ConnectionId, side: Side) -> Vec<Change> {
        self.connection_mut(id).map_or_else(Vec::new, |one| act(&mut one.ends, side, Ends::fin))
    }

    /// The last descriptor of `side` is closed: a FIN, or a reset where bytes were not read.
    pub(super) fn presume_end(&mut self, id: ConnectionId, side: Side) -> Vec<Change> {
        let closed = |one: &&mut Connection| one.ends[side].socket.descriptors == 0;
        let closed = self.connection_mut(id).filter(closed);
        closed.map_or_else(Vec::new, |one| act(&mut one.ends, side, Ends::close))
    }

    fn presume_disconnect(&mut self, id: ConnectionId, side: Side) -> Vec<Change> {
        self.connection_mut(id).map_or_else(Vec::new, |one| act(&mut one.ends, side, Ends::disconnect))
    }

    /// `side` is given up by a reset, at once.
    pub(super) fn presume_reset(&mut self, id: ConnectionId, side: Side) -> Vec<Change> {
        self.connection_mut(id).map_or_else(Vec::new, |one| act(&mut one.ends, side, Ends::reset))
    }

    /// The listener at `bound` is closed: what nobody had accepted is reset (`inet_csk_listen_stop()`).
    pub(super) fn presume_never_accepted(&mut self, bound: SocketAddr) {
        let open = |one: &&Connection| one.ends.server.socket.state == State::Established;
        let ids: Vec<ConnectionId> = self.never_accepted(bound).filter(open).map(|connection| connection.id).collect();
        for id in ids {
            if let Some(connection) = self.connection_mut(id) {
                act(&mut connection.ends, Side::Server, Ends::disconnect);
            }
        }
    }
}

/// Has both ends act on each other; what that changes.
fn act(ends: &mut Both<End>, side: Side, act: impl FnOnce(&mut Ends) -> Vec<Caused>) -> Vec<Change> {
    let mut sockets = Ends { near: ends[side].socket, far: ends[side.peer()].socket };
    let mut before = (sockets.near.state, sockets.far.state);
    let caused = act(&mut sockets);
    for (side, socket) in [(side, sockets.near), (side.peer(), sockets.far)] {
        ends[side].socket = socket;
        set_state(&mut ends[side], socket.state);
    }
    let mut changes = Vec::new();
    for Caused { from, wire, near, far } in caused {
        let (near_rule, far_rule) = match (from, wire) {
            (From::Near, Wire::Fin) => (Rule::FinSent, Rule::FinArrives),
            (From::Near, Wire::Rst) => (Rule::Aborts, Rule::ResetArrives),
            (From::Far, Wire::Rst) => (Rule::ResetArrives, Rule::AnswersWithReset),
            _ => continue,
        };
        changes.push(Change { side, from: before.0, to: near, rule: near_rule });
        changes.push(Change { side: side.peer(), from: before.1, to: far, rule: far_rule });
        before = (near, far);
    }
    changes
}

pub(super) fn set_state(end: &mut End, state: State) {
    end.tcp.state = state;
    end.socket.state = state;
}

pub(super) fn change(end: &mut End, side: Side, to: State, rule: Rule) -> Change {
    let from = end.socket.state;
    set_state(end, to);
    Change { side, from, to, rule }
}
