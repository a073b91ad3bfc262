//! How a connection ends where no segment says so, or none says why: the kernel's timers, a close before any answer, and an
//! outsider.

use super::presume::change;
use super::{Change, Record, Track};
use crate::event::ConnectionId;
use crate::socket::call::{Arg, Call, CallName, Outcome};
use crate::socket::errno::Errno;
use crate::story::end::Exchange;
use crate::story::side::Side;
use crate::tcp::rule::Rule;
use crate::tcp::state::State;

impl Track {
    /// What a call's end tells of the connection that no segment told.
    pub(super) fn ends_silently(
        &mut self,
        id: ConnectionId,
        side: Side,
        call: &Call,
        outcome: &Outcome,
    ) -> Vec<Change> {
        let Some(connection) = self.connection_mut(id) else { return Vec::new() };
        let end = &mut connection.ends[side];
        let state = end.tcp.state;
        let is_closed = call.name == CallName::Close && end.socket.descriptors == 0;
        let rule = match outcome.errno {
            _ if state == State::Closed => return Vec::new(),
            Some(Errno::ETIMEDOUT) => Rule::TimesOut,
            None if is_closed && state == State::SynSent => Rule::ClosedUnanswered,
            None if is_closed && end.socket.in_repair => Rule::Vanishes,
            _ => return Vec::new(),
        };
        let change = change(end, side, State::Closed, rule);
        end.socket.dies();
        vec![change]
    }

    /// A request of an outsider: the end that it names.
    pub(super) fn destroys(&mut self, call: &Call) -> Record {
        let [Arg::Addr(local), Arg::Addr(remote)] = call.args.as_slice() else { return Record::default() };
        self.beside(*local, *remote)
    }

    /// The request was answered. Where no segment was captured, the reset is presumed.
    pub(super) fn destroyed(&mut self, call: &Call, outcome: &Outcome) -> Record {
        let record = self.destroys(call);
        let Some((id, side)) = record.connection.zip(record.side).filter(|_| self.blind && outcome.errno.is_none())
        else {
            return record;
        };
        let changes = self.presume_reset(id, side);
        if let Some(connection) = self.connection_mut(id) {
            let socket = &mut connection.ends[side].socket;
            socket.pending = Some(Errno::ECONNABORTED);
        }
        Record { changes, ..record }
    }

    /// An end with a program sent a reset that no call of this program asked for: the error that the kernel notes for it.
    pub(super) fn gives_up(&mut self, id: ConnectionId, side: Side, exchange: &Exchange) {
        if exchange.sent.rule != Rule::Aborts {
            return;
        }
        let ends = self.connection(id).map(|one| (one.addresses[side], one.addresses[side.peer()]));
        let destroyed = self.destroying.values().any(|asked| Some(*asked) == ends);
        let Some(connection) = self.connection_mut(id) else { return };
        let in_vain = connection.ending.reset.is_some_and(|reset| reset.by == side && reset.after_silence());
        let socket = &mut connection.ends[side].socket;
        if socket.descriptors > 0 && destroyed {
            socket.pending = Some(Errno::ECONNABORTED);
        } else if socket.descriptors > 0 && in_vain {
            socket.pending = Some(Errno::ETIMEDOUT);
        }
    }
}
