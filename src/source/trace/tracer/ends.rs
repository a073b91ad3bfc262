//! The ends of threads, of processes, and of the run.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Leave, TableId, TraceError, Tracer};
use crate::event::{Actor, ExitStatus};
use crate::source::clock;
use crate::source::trace::looks;
use crate::source::trace::note::Note;
use crate::source::trace::ptrace::{self, Go, Stopped, Why};

impl Tracer {
    /// `thread` is gone. The end of a process is told by its first thread, when all others are gone.
    pub(super) fn gone(&mut self, thread: Pid, status: ExitStatus) -> Result<(), TraceError> {
        self.tell_held(thread)?;
        self.stands_no_more(thread)?;
        self.early.remove(&thread);
        let Some(known) = self.threads.remove(&thread) else { return Ok(()) };
        if let Some(process) = self.processes.get_mut(&known.process) {
            process.threads.remove(&thread);
        }
        // The first thread of a process that ran before may have ended by itself, before it was traced.
        let is_last = self.processes.get(&known.process).is_some_and(|process| process.threads.is_empty());
        let pid = known.process;
        if thread != pid && !is_last {
            return Ok(());
        }
        self.foreign.remove(&pid);
        self.with_rings.remove(&pid);
        let Some(process) = self.processes.remove(&pid) else { return Ok(()) };
        for other in process.threads {
            self.threads.remove(&other);
        }
        if let Some(actor) = self.leaves_table(pid, process.table) {
            self.notes.tell(Note::Exited { time: clock::now(), actor, status })?;
        }
        if self.early.is_empty() { Ok(()) } else { self.adopt_orphans(clock::now()) }
    }

    /// Lets a thread go for good. What it returns from just now has still been seen.
    pub(super) fn lets_go(&mut self, stopped: Stopped) -> Result<(), TraceError> {
        // The request to stop still waits for it: the call that it enters here would end with EINTR at once. At its exit that
        // can be put right.
        if matches!(stopped.why, Why::Enters(_) | Why::Filtered(_)) {
            stopped.go(Go::Watched, 0);
            return Ok(());
        }
        let (thread, signal) = (stopped.thread, stopped.signal());
        if !stopped.goes_on_waiting()
            && let Why::Leaves(value) = stopped.why
        {
            self.leaves(thread, value, clock::now())?;
        }
        self.tell_held(thread)?;
        stopped.detach(signal);
        Ok(())
    }

    /// The process `pid` uses its table no more. If nobody does, the table is gone: its name, if it was told of.
    fn leaves_table(&mut self, pid: Pid, id: TableId) -> Option<Actor> {
        let table = self.tables.get_mut(&id)?;
        table.users.remove(&pid);
        if table.users.is_empty() { self.tables.remove(&id)?.actor } else { None }
    }

    /// The run is over: what is left is left so.
    pub(super) fn leave(&mut self, leave: Leave) -> Result<(), TraceError> {
        self.leaving = Some(leave);
        self.leave_standing(leave)?;
        self.look_before(leave)?;
        for (pid, process) in &self.processes {
            let (name, now) = (super::name(*pid), clock::now());
            let fate = match leave {
                Leave::Killed => "was still running when the run was over, and was ended with it",
                Leave::Running => "was still running when the run was over, and runs on",
            };
            self.notes.tell(Note::Untraced(now, format!("{name} {fate}")))?;
            match leave {
                // That it is gone meanwhile is as good.
                Leave::Killed => drop(kill(*pid, Signal::SIGKILL)),
                Leave::Running => process.threads.iter().for_each(|thread| ptrace::interrupt(*thread)),
            }
        }
        for (pid, stopped) in std::mem::take(&mut self.early) {
            let signal = stopped.signal();
            match leave {
                // It dies as it stands.
                Leave::Killed => drop(kill(pid, Signal::SIGKILL)),
                Leave::Running => stopped.detach(signal),
            }
        }
        Ok(())
    }

    /// What ends with the run takes its sockets along: what the kernel holds of them is told before. That it does not answer
    /// is told by who asks it all along.
    fn look_before(&mut self, leave: Leave) -> Result<(), TraceError> {
        let last = if leave == Leave::Killed && !self.processes.is_empty() { looks::steady().ok() } else { None };
        last.map_or(Ok(()), |(time, table)| Ok(self.notes.tell(Note::Looked(time, table))?))
    }
}
