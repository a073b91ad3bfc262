//! What fork(2), execve(2) and the end of a process do to descriptors.

use super::{Change, Record, Track};
use crate::event::{Actor, ConnectionId};
use crate::socket::call::{Call, Fd};
use crate::story::descriptors::Handle;
use crate::story::side::Side;

impl Track {
    /// `child` has copies of all descriptors of `parent`.
    pub(super) fn forked(&mut self, parent: &Actor, child: &Actor) -> Vec<(ConnectionId, Side)> {
        let ends = self.descriptors.copy_all(parent, child);
        for (id, side) in ends.iter().copied() {
            if let Some(connection) = self.connection_mut(id) {
                connection.ends[side].socket.descriptors += 1;
                if !connection.holders[side].contains(child) {
                    connection.holders[side].push(child.clone());
                }
            }
        }
        ends
    }

    /// The record of what concerns one end only; of several it can name none.
    pub(super) fn of_one(ends: &[(ConnectionId, Side)]) -> Record {
        match ends {
            [(id, side)] => Record { connection: Some(*id), side: Some(*side), ..Record::default() },
            _ => Record::default(),
        }
    }

    /// Another program runs as `actor`: what was marked close-on-exec is closed, all else stays open.
    pub(super) fn replaced(&mut self, actor: &Actor) -> Record {
        let ends = self.descriptors.close_for_exec(actor);
        self.lose(&ends)
    }

    /// `copy` refers to what `fd` refers to; what it referred to before is closed (dup(2)).
    pub(super) fn copied(&mut self, actor: &Actor, fd: Fd, copy: Fd, call: &Call) {
        if fd == copy {
            return;
        }
        let replaced = self.descriptors.get(actor, copy);
        self.descriptors.close(actor, copy);
        if let Some(Handle::Connected(id, side)) = replaced {
            self.loses_one(id, side);
        }
        let Some(handle) = self.descriptors.get(actor, fd) else { return };
        self.descriptors.set(actor, copy, handle);
        if let Handle::Connected(id, side) = handle
            && let Some(connection) = self.connection_mut(id)
        {
            connection.ends[side].socket.descriptors += 1;
        }
        if call.has_flag("O_CLOEXEC") || call.has_flag("F_DUPFD_CLOEXEC") {
            self.descriptors.close_on_exec(actor, copy);
        }
    }

    /// `close_range(2)` succeeded.
    pub(super) fn closed_range(&mut self, actor: &Actor, call: &Call) {
        let end = |index| call.int(index).map_or(i32::MAX, |number| i32::try_from(number).unwrap_or(i32::MAX));
        for fd in self.descriptors.in_range(actor, Fd(end(0)), Fd(end(1))) {
            if call.has_flag("CLOSE_RANGE_CLOEXEC") {
                self.descriptors.close_on_exec(actor, fd);
                continue;
            }
            let handle = self.descriptors.get(actor, fd);
            self.descriptors.close(actor, fd);
            if let Some(Handle::Connected(id, side)) = handle {
                self.loses_one(id, side);
            }
        }
    }

    pub(super) fn exit(&mut self, actor: Option<&Actor>) -> Record {
        let Some(actor) = actor else { return Record::default() };
        let ends = self.descriptors.close_all(actor);
        self.lose(&ends)
    }

    /// Each of `ends` has one descriptor less.
    fn lose(&mut self, ends: &[(ConnectionId, Side)]) -> Record {
        let changes: Vec<Vec<Change>> = ends.iter().map(|(id, side)| self.loses_one(*id, *side)).collect();
        let changes = if ends.len() == 1 { changes.concat() } else { Vec::new() };
        Record { changes, ..Self::of_one(ends) }
    }

    /// The end has one descriptor less; what that is presumed to change.
    pub(super) fn loses_one(&mut self, id: ConnectionId, side: Side) -> Vec<Change> {
        if let Some(connection) = self.connection_mut(id) {
            let socket = &mut connection.ends[side].socket;
            socket.descriptors = socket.descriptors.saturating_sub(1);
        }
        if self.blind { self.presume_end(id, side) } else { Vec::new() }
    }
}
