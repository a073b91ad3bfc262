//! Calls, from their entry to their exit.

use nix::unistd::Pid;

use super::{InCall, TraceError, Tracer};
use crate::event::Time;
use crate::socket::call::{Arg, CallName, Outcome};
use crate::socket::errno::{Errno, Signal};
use crate::source::trace::calls::{self, Brings, Happened, Pending, Reader};
use crate::source::trace::filter::{self, NATIVE};
use crate::source::trace::note::Note;
use crate::source::trace::ptrace::{self, Entry};

impl Tracer {
    /// `thread` enters a call, and is watched.
    pub(super) fn enters(&mut self, thread: Pid, entry: &Entry, now: Time) -> Result<(), TraceError> {
        if entry.arch != NATIVE {
            return self.is_foreign(thread, now);
        }
        self.tell_held(thread)?;
        if self.goes_on(thread, entry) {
            return Ok(());
        }
        self.tell_interrupted(thread)?;
        if self.files(thread).is_empty() && !(self.attached && filter::stops(entry)) {
            return Ok(());
        }
        self.look_at(thread, entry, now)
    }

    /// The filter stopped `thread` at the entry of a call, unless it was seen entering already.
    pub(super) fn filtered(&mut self, thread: Pid, entry: &Entry, now: Time) -> Result<(), TraceError> {
        let is_known = self.threads.get(&thread).is_some_and(|known| known.in_call.is_some() || known.looks);
        if is_known { Ok(()) } else { self.look_at(thread, entry, now) }
    }

    pub(super) fn look_at(&mut self, thread: Pid, entry: &Entry, now: Time) -> Result<(), TraceError> {
        if calls::sets_up_ring(entry) {
            return self.sets_up_ring(thread, now);
        }
        let looks = calls::may_bring_descriptors(entry, self.files(thread));
        if let Some(known) = self.threads.get_mut(&thread) {
            known.looks = looks;
        }
        let reader = Reader { thread, files: self.files(thread), kept: self.kept };
        let Some(pending) = reader.read(entry) else { return Ok(()) };
        if self.holds(thread, entry, &pending.call, now)? { Ok(()) } else { self.makes(thread, pending, now) }
    }

    /// `thread` stood before the call of `entry`, and makes it now.
    pub(super) fn begins(&mut self, thread: Pid, entry: &Entry, now: Time) -> Result<(), TraceError> {
        let reader = Reader { thread, files: self.files(thread), kept: self.kept };
        reader.read(entry).map_or(Ok(()), |pending| self.makes(thread, pending, now))
    }

    fn makes(&mut self, thread: Pid, pending: Pending, now: Time) -> Result<(), TraceError> {
        // Where a program is looked for in many places it is told of once, when it was found.
        if pending.call.name != CallName::Execve {
            let (actor, call) = (self.actor(thread, now)?, pending.call.clone());
            self.notes.tell(Note::Begun { time: now, thread, actor, call })?;
        }
        // At once: another thread may be given the same number before this one is seen to return.
        if let (Brings::Ends(first, last), Some(table)) = (&pending.brings, self.table(thread)) {
            table.files.close(*first, *last);
        }
        self.keep(thread, InCall { pending, began: now, interrupted: None, ended: None });
        Ok(())
    }

    /// Whether the call that `thread` enters is the one that a signal had interrupted.
    fn goes_on(&mut self, thread: Pid, entry: &Entry) -> bool {
        let Some(known) = self.threads.get_mut(&thread) else { return false };
        let Some(in_call) = known.in_call.as_mut().filter(|in_call| in_call.interrupted.is_some()) else {
            return false;
        };
        let same = entry.number == libc::SYS_restart_syscall || in_call.pending.entry == (entry.number, entry.args);
        if same {
            in_call.interrupted = None;
        }
        same
    }

    /// `thread` leaves a call, perhaps one whose entry nobody saw.
    pub(super) fn leaves(&mut self, thread: Pid, value: i64, now: Time) -> Result<(), TraceError> {
        if self.threads.get_mut(&thread).is_some_and(|known| std::mem::take(&mut known.looks)) {
            self.look_again(thread, now)?;
        }
        let Some(mut in_call) = self.threads.get_mut(&thread).and_then(|known| known.in_call.take()) else {
            return Ok(());
        };
        let reader = Reader { thread, files: self.files(thread), kept: self.kept };
        match reader.happened(&in_call.pending, value) {
            Happened::Interrupted => {
                in_call.interrupted = Some(now);
                self.keep(thread, in_call);
                Ok(())
            }
            Happened::Returned(_) if in_call.pending.call.name == CallName::Execve => Ok(()),
            Happened::Returned(outcome) => {
                self.tell_stack(thread, &in_call.pending.call, &outcome, now)?;
                self.take_effect(thread, &in_call.pending, &outcome);
                let now = self.waited_before(thread, &in_call.pending, &outcome)?.unwrap_or(now);
                if outcome.errno == Some(Errno::EPIPE) {
                    in_call.ended = Some((now, outcome));
                    self.keep(thread, in_call);
                    return Ok(());
                }
                self.tell_end(thread, now, outcome)
            }
        }
    }

    fn keep(&mut self, thread: Pid, in_call: InCall) {
        if let Some(known) = self.threads.get_mut(&thread) {
            known.in_call = Some(in_call);
        }
    }

    fn tell_end(&mut self, thread: Pid, time: Time, outcome: Outcome) -> Result<(), TraceError> {
        let actor = self.actor(thread, time)?;
        Ok(self.notes.tell(Note::Ended { time, thread, actor, outcome })?)
    }

    /// A signal is about to be delivered. SIGPIPE belongs to the call that has just failed; the kernel tells a tracer of it
    /// even where the program ignores it.
    pub(super) fn signalled(&mut self, thread: Pid, signal: i32) -> Result<(), TraceError> {
        if signal == libc::SIGPIPE
            && let Some(known) = self.threads.get_mut(&thread)
            && let Some((_, outcome)) = known.in_call.as_mut().and_then(|in_call| in_call.ended.as_mut())
        {
            outcome.signal = Some(Signal::SIGPIPE);
        }
        self.tell_held(thread)
    }

    /// Tells the end that was held back, if there is one.
    pub(super) fn tell_held(&mut self, thread: Pid) -> Result<(), TraceError> {
        let has_ended = |in_call: &mut InCall| in_call.ended.is_some();
        let held = self.threads.get_mut(&thread).and_then(|known| known.in_call.take_if(has_ended));
        match held.and_then(|in_call| in_call.ended) {
            Some((time, outcome)) => self.tell_end(thread, time, outcome),
            None => Ok(()),
        }
    }

    /// Another call follows one that a signal had interrupted: that one has returned EINTR.
    fn tell_interrupted(&mut self, thread: Pid) -> Result<(), TraceError> {
        let taken = self.threads.get_mut(&thread).and_then(|known| known.in_call.take());
        match taken.and_then(|in_call| in_call.interrupted) {
            Some(time) => self.tell_end(thread, time, Outcome::failure(Errno::EINTR)),
            None => Ok(()),
        }
    }

    /// What a call that has returned did to the descriptors.
    fn take_effect(&mut self, thread: Pid, pending: &Pending, outcome: &Outcome) {
        let was_empty = self.files(thread).is_empty();
        let Some(table) = self.table(thread) else { return };
        let returned = outcome.count().and_then(|fd| i32::try_from(fd).ok());
        match (&pending.brings, returned) {
            (Brings::Socket | Brings::Connection { .. }, Some(fd)) => table.files.open(fd),
            (Brings::Copy, Some(copy)) => {
                pending.call.fd().into_iter().for_each(|fd| table.files.copy(fd.0, copy));
            }
            (Brings::Interest(fd, data), Some(_)) => {
                let data = (pending.call.word(1) != Some("EPOLL_CTL_DEL")).then_some(*data);
                if let Some(Arg::Int(epoll)) = pending.call.args.first() {
                    table.files.interest(i32::try_from(*epoll).unwrap_or(-1), *fd, data);
                }
            }
            _ => {}
        }
        if was_empty && !table.files.is_empty() {
            self.watch_all(thread);
        }
    }

    /// The process that `thread` is of has its first TCP socket: its other threads must stop to be watched.
    pub(super) fn watch_all(&mut self, thread: Pid) {
        let Some(table) = self.table_id(thread).and_then(|id| self.tables.get(&id)) else { return };
        for (other, known) in &mut self.threads {
            if *other != thread && table.users.contains(&known.process) {
                known.asked = true;
                ptrace::interrupt(*other);
            }
        }
    }

    /// Said once of each process: its filter and its entry stop the same call.
    fn sets_up_ring(&mut self, thread: Pid, now: Time) -> Result<(), TraceError> {
        let Some(pid) = self.threads.get(&thread).map(|known| known.process) else { return Ok(()) };
        if self.with_rings.insert(pid) {
            let what = format!("{} uses io_uring, whose calls on sockets no tracer sees", super::name(pid));
            self.notes.tell(Note::Untraced(now, what))?;
        }
        Ok(())
    }

    fn is_foreign(&mut self, thread: Pid, now: Time) -> Result<(), TraceError> {
        let Some(pid) = self.threads.get(&thread).map(|known| known.process) else { return Ok(()) };
        if self.foreign.insert(pid) {
            let what = format!("{} is a program of another architecture and runs untraced", super::name(pid));
            self.notes.tell(Note::Untraced(now, what))?;
        }
        Ok(())
    }
}
