//! States without a capture: what a call's success lets presume of the segments that nobody saw.
//!
//! It holds between settled calls on one machine, where a segment arrives at once: a FIN is taken in, data for an end without
//! a program is answered with a reset. Every change here is presumed, and views say that the segments are missing.

use std::net::SocketAddr;

use super::{Change, Track};
use crate::event::ConnectionId;
use crate::socket::call::{Call, CallName, How, Outcome};
use crate::story::connection::Connection;
use crate::story::descriptors::reaches;
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
            CallName::Connect if call.word(1) == Some("AF_UNSPEC") => self.presume_abort(id, side),
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
        let peer = &mut connection.ends[side.peer()];
        if peer.has_program() && !(peer.socket.receive_shut && peer.socket.send_shut) {
            let read_ahead = &mut connection.read_ahead[side.peer()];
            let ahead = (*read_ahead).min(bytes);
            *read_ahead -= ahead;
            peer.socket.data_arrives(bytes - ahead);
            return Vec::new();
        }
        if peer.has_program() {
            // Its own kernel answers, and tells it so.
            peer.socket.reset_arrives(State::Established);
        }
        let gone = change(peer, side.peer(), State::Closed, Rule::AnswersWithReset);
        vec![gone, reset(&mut connection.ends[side], side)]
    }

    fn presume_fin(&mut self, id: ConnectionId, side: Side) -> Vec<Change> {
        let Some(connection) = self.connection_mut(id) else { return Vec::new() };
        let (to, peer_to) = match connection.ends[side].socket.state {
            State::Established => (State::FinWait2, State::CloseWait),
            State::CloseWait => (State::Closed, State::TimeWait),
            _ => return Vec::new(),
        };
        let own = change(&mut connection.ends[side], side, to, Rule::FinSent);
        let peer = &mut connection.ends[side.peer()];
        peer.socket.fin_arrives();
        vec![own, change(peer, side.peer(), peer_to, Rule::FinArrives)]
    }

    /// The last descriptor of `side` is closed: a FIN, or a reset where bytes were not read.
    pub(super) fn presume_end(&mut self, id: ConnectionId, side: Side) -> Vec<Change> {
        let Some(connection) = self.connection_mut(id) else { return Vec::new() };
        let end = &mut connection.ends[side];
        if end.socket.descriptors > 0 {
            return Vec::new();
        }
        if end.socket.unread > 0 || end.socket.linger_zero {
            return abort(&mut connection.ends, side);
        }
        let mut changes = self.presume_fin(id, side);
        let Some(connection) = self.connection_mut(id) else { return changes };
        let socket = &connection.ends[side].socket;
        if socket.state == State::FinWait2 && socket.skips_fin_wait_2 {
            changes.extend(abort(&mut connection.ends, side));
        }
        changes
    }

    /// `side` is given up by a reset, at once.
    pub(super) fn presume_abort(&mut self, id: ConnectionId, side: Side) -> Vec<Change> {
        self.connection_mut(id).map(|connection| abort(&mut connection.ends, side)).unwrap_or_default()
    }

    /// The listener at `bound` is closed: what nobody had accepted is reset (`inet_csk_listen_stop()`).
    pub(super) fn presume_never_accepted(&mut self, bound: SocketAddr) {
        let queued = |connection: &Connection| {
            let server = connection.addresses.server;
            connection.actors.server.is_none()
                && connection.ends.server.socket.state == State::Established
                && reaches(bound, server)
        };
        let ids: Vec<ConnectionId> =
            self.connections().iter().filter(|one| queued(one)).map(|connection| connection.id).collect();
        for id in ids {
            if let Some(connection) = self.connection_mut(id) {
                abort(&mut connection.ends, Side::Server);
            }
        }
    }
}

/// `side` gives the connection up, and its peer hears of it.
fn abort(ends: &mut Both<End>, side: Side) -> Vec<Change> {
    let gone = change(&mut ends[side], side, State::Closed, Rule::Aborts);
    vec![gone, reset(&mut ends[side.peer()], side.peer())]
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

fn reset(end: &mut End, side: Side) -> Change {
    let from = end.socket.state;
    end.socket.reset_arrives(from);
    set_state(end, State::Closed);
    Change { side, from, to: State::Closed, rule: Rule::ResetArrives }
}
