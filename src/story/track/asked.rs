//! What a call meets: the socket behind its descriptor, also one without a connection.

use std::net::SocketAddr;

use super::{Asked, Track};
use crate::event::{Actor, Event};
use crate::socket::call::{Call, CallName};
use crate::socket::outlook::{Socket, Target};
use crate::story::connection::Connection;
use crate::story::descriptors::{Handle, reaches};
use crate::story::side::Side;
use crate::tcp::state::State;

impl Track {
    /// What `call`, which `event` begins or ends, meets before anything of that is taken in.
    pub(super) fn asked(&self, event: &Event, call: &Call) -> Option<Asked> {
        let socket = self.behind(event.actor.as_ref()?, call)?;
        Some(Asked { socket, target: self.target(call) })
    }

    /// What `call` would meet if `actor` made it now, and at which end.
    pub fn would_meet(&self, actor: &Actor, call: &Call) -> (Option<Side>, Option<Asked>) {
        let side = call.fd().and_then(|fd| self.descriptors.get(actor, fd)).and_then(|handle| match handle {
            Handle::Connected(_, side) => Some(side),
            Handle::Listener { .. } => Some(Side::Server),
            Handle::Fresh { .. } | Handle::Other => None,
        });
        let connects = (call.name == CallName::Connect).then_some(Side::Client);
        let asked = self.behind(actor, call).map(|socket| Asked { socket, target: self.target(call) });
        (side.or(connects), asked)
    }

    fn behind(&self, actor: &Actor, call: &Call) -> Option<Socket> {
        match self.descriptors.get(actor, call.fd()?)? {
            Handle::Connected(id, side) => Some(self.connection(id)?.ends[side].socket),
            // What came of an attempt nobody saw.
            Handle::Fresh { connecting: Some(_), .. } if self.blind && call.name != CallName::Connect => None,
            Handle::Fresh { preset, .. } => {
                let mut socket = Socket { descriptors: 1, ..Socket::default() };
                preset.apply(&mut socket);
                Some(socket)
            }
            Handle::Listener { bound, preset } => {
                let waiting = bound.map_or(0, |bound| self.never_accepted(bound).count());
                let unseen = bound.map_or(0, |bound| self.descriptors.waiting(bound));
                let unread = u64::try_from(waiting).unwrap_or(u64::MAX).saturating_add(unseen);
                let mut socket = Socket { state: State::Listen, descriptors: 1, unread, ..Socket::default() };
                preset.apply(&mut socket);
                Some(socket)
            }
            Handle::Other => None,
        }
    }

    /// What is where a connect goes. Known is only a listener that hears, and whose queue is empty: how many it takes is not
    /// followed, and what listens beside the actors nobody knows.
    fn target(&self, call: &Call) -> Option<Target> {
        if call.name != CallName::Connect {
            return None;
        }
        let Some(to) = call.addr() else { return Some(Target::Unspecified) };
        let hears = self.descriptors.listener_at(to).is_some_and(|preset| !preset.deaf);
        (hears && self.never_accepted(to).next().is_none()).then_some(Target::Listening)
    }

    /// The connections with a listener at `bound` that no accept has handed out, whatever has become of them since.
    pub(super) fn never_accepted(&self, bound: SocketAddr) -> impl Iterator<Item = &Connection> {
        let waits = move |connection: &&Connection| {
            let (server, socket) = (connection.addresses.server, &connection.ends.server.socket);
            let was_opened = match socket.state {
                State::Closed => socket.pending.is_some(),
                state => !matches!(state, State::Listen | State::SynSent | State::SynReceived),
            };
            was_opened && reaches(bound, server)
        };
        self.never_accepted.iter().filter_map(|id| self.connection(*id)).filter(waits)
    }
}
