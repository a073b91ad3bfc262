//! Sockets that come to a process without a call that shows them: those that it had when it came to be traced, and those that
//! it is handed.

use nix::unistd::Pid;

use super::{TraceError, Tracer};
use crate::event::{Holding, Time};
use crate::socket::call::Outcome;
use crate::source::trace::calls::{Brings, Pending};
use crate::source::trace::held;
use crate::source::trace::note::Note;
use crate::tcp::state::State;

impl Tracer {
    /// Looks at the descriptors after a call that may have brought some.
    pub(super) fn look_again(&mut self, thread: Pid, now: Time) -> Result<(), TraceError> {
        let was_empty = self.files(thread).is_empty();
        let holdings = self.new_holdings(thread);
        if was_empty && !self.files(thread).is_empty() {
            self.watch_all(thread);
        }
        self.tell_holdings(holdings, now)
    }

    /// The sockets of the process that `thread` is of which no call has shown.
    pub(super) fn new_holdings(&mut self, thread: Pid) -> Vec<(Pid, Time, Holding)> {
        let Some(table) = self.table(thread) else { return Vec::new() };
        let new = table.files.look(thread);
        let held = new.into_iter().filter_map(|(fd, _)| held::held(thread, fd));
        held.map(|(time, holding)| (thread, time, holding)).collect()
    }

    /// Tells of sockets. Listeners come first: who listens tells which end of a connection is the server.
    pub(super) fn tell_holdings(
        &mut self,
        mut holdings: Vec<(Pid, Time, Holding)>,
        now: Time,
    ) -> Result<(), TraceError> {
        holdings.sort_by_key(|(.., holding)| holding.state != State::Listen);
        for (thread, time, holding) in holdings {
            // A listener has no bytes that could come meanwhile.
            let time = if holding.state == State::Listen { now } else { time };
            self.tell_holding(thread, time, holding)?;
        }
        Ok(())
    }

    fn tell_holding(&mut self, thread: Pid, time: Time, holding: Holding) -> Result<(), TraceError> {
        if let Some(table) = self.table(thread).filter(|_| holding.state == State::Listen) {
            table.waiting.insert(holding.fd.0, holding.unread);
        }
        let actor = self.actor(thread, time)?;
        if held::is_of_another_network(thread, holding.fd.0) {
            let fd = holding.fd;
            let remedy = if self.attached { "" } else { "; of the host's, epipe run --host sees them" };
            let what = format!(
                "descriptor {fd} of {actor} is a socket of another network, whose segments are not captured here{remedy}"
            );
            self.notes.tell(Note::Untraced(time, what))?;
        }
        Ok(self.notes.tell(Note::Holds { time, actor, holding })?)
    }

    /// Where accept(2) hands out a connection whose opening nobody can have seen, tells how that stands, and when: before
    /// the call's end.
    pub(super) fn waited_before(
        &mut self,
        thread: Pid,
        pending: &Pending,
        outcome: &Outcome,
    ) -> Result<Option<Time>, TraceError> {
        let accepted = outcome.count().filter(|_| matches!(pending.brings, Brings::Connection { .. }));
        let Some((listener, fd)) = pending.call.fd().zip(accepted.and_then(|fd| i32::try_from(fd).ok())) else {
            return Ok(None);
        };
        let waiting = self.table(thread).and_then(|table| table.waiting.get_mut(&listener.0));
        let Some(waiting) = waiting.filter(|waiting| **waiting > 0) else { return Ok(None) };
        *waiting -= 1;
        let Some((time, holding)) = held::held(thread, fd) else { return Ok(None) };
        self.tell_holding(thread, time, holding)?;
        Ok(Some(time))
    }
}
