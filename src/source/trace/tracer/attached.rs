//! Programs that ran before they were traced.

use std::collections::BTreeSet;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::births::share_files;
use super::{Leave, Process, Table, Thread, TraceError, Tracer};
use crate::event::{ExitStatus, Time};
use crate::socket::errno;
use crate::source::clock;
use crate::source::trace::note::Note;
use crate::source::trace::ptrace::{self, Stopped, Told};

impl Tracer {
    /// Takes on running processes, all of whose threads this thread has seized: stops them, looks at what they hold and wait
    /// for, and lets them go on. Returns false where `bell` has ended meanwhile: nobody wants to know any more.
    pub fn attach(&mut self, processes: &[(Pid, BTreeSet<Pid>)], bell: Pid) -> Result<bool, TraceError> {
        (self.attached, self.runs) = (true, true);
        for (pid, threads) in processes {
            self.adopt_running(*pid, threads);
        }
        let threads: BTreeSet<Pid> = processes.iter().flat_map(|(_, threads)| threads).copied().collect();
        let (stopped, wanted) = self.bring_to_a_stop(threads, bell)?;
        self.look_at_all(processes)?;
        for stopped in stopped {
            self.begins_in_the_middle(&stopped)?;
            self.stopped(stopped)?;
        }
        if let Some((first, _)) = processes.first() {
            self.notes.tell(Note::Attached(*first))?;
        }
        Ok(wanted)
    }

    fn adopt_running(&mut self, pid: Pid, threads: &BTreeSet<Pid>) {
        let shared = self.processes.iter().find(|(other, _)| share_files(**other, pid)).map(|(_, known)| known.table);
        let table = shared.unwrap_or_else(|| self.new_table(Table::default()));
        if let Some(table) = self.tables.get_mut(&table) {
            table.users.insert(pid);
        }
        self.processes.insert(pid, Process { table, threads: threads.clone() });
        for thread in threads {
            self.threads.insert(*thread, Thread::of(pid));
        }
    }

    /// Stops these threads, and returns them; and whether `bell` is still there.
    fn bring_to_a_stop(&mut self, mut running: BTreeSet<Pid>, bell: Pid) -> Result<(Vec<Stopped>, bool), TraceError> {
        let mut all = Vec::new();
        for thread in &running {
            ptrace::interrupt(*thread);
        }
        while !running.is_empty() {
            match ptrace::wait(&mut self.patience).map_err(TraceError::Wait)? {
                Told::Nobody => break,
                Told::Stopped(stopped) => {
                    running.remove(&stopped.thread);
                    all.push(stopped);
                }
                // A thread that does not stop, as in an uninterruptible wait, holds the others up no longer.
                Told::Exited(thread, _) | Told::Killed(thread, _) if thread == bell => return Ok((all, false)),
                Told::Exited(thread, code) => {
                    running.remove(&thread);
                    self.gone(thread, ExitStatus::Code(code))?;
                }
                Told::Killed(thread, signal) => {
                    running.remove(&thread);
                    self.gone(thread, ExitStatus::Killed(errno::Signal(signal)))?;
                }
            }
        }
        Ok((all, true))
    }

    /// Tells what these processes hold.
    fn look_at_all(&mut self, processes: &[(Pid, BTreeSet<Pid>)]) -> Result<(), TraceError> {
        let now = clock::now();
        let mut holdings = Vec::new();
        for (pid, _) in processes {
            holdings.extend(self.new_holdings(*pid));
        }
        self.tell_holdings(holdings, now)
    }

    /// A call that `stopped` was taken out of is told as begun now: it is made again.
    fn begins_in_the_middle(&mut self, stopped: &Stopped) -> Result<(), TraceError> {
        let _ = stopped.goes_on_waiting();
        let Some(entry) = stopped.interrupted_call() else { return Ok(()) };
        let (thread, now) = (stopped.thread, clock::now());
        if self.files(thread).is_empty() {
            return Ok(());
        }
        self.look_at(thread, &entry, now)?;
        self.is_made_again(thread, now);
        Ok(())
    }

    /// The call of `thread` was interrupted, and will be made again.
    pub(super) fn is_made_again(&mut self, thread: Pid, now: Time) {
        if let Some(in_call) = self.threads.get_mut(&thread).and_then(|known| known.in_call.as_mut()) {
            in_call.interrupted = Some(now);
        }
    }

    /// Follows until `processes` have ended, or until `bell` has, a child of this process; then lets all go that are left, and
    /// returns when nobody is.
    pub fn follow_attached(&mut self, processes: &[Pid], bell: Pid, mut wanted: bool) -> Result<(), TraceError> {
        let mut run_on = false;
        loop {
            let all_ended = !processes.iter().any(|pid| self.processes.contains_key(pid));
            if self.leaving.is_none() && (all_ended || !wanted) {
                run_on = !all_ended;
                self.leave(Leave::Running)?;
            }
            if all_ended && wanted {
                // It is a child that was not waited for yet, so that the number is its.
                let _ = kill(bell, Signal::SIGKILL);
            }
            match ptrace::wait(&mut self.patience).map_err(TraceError::Wait)? {
                Told::Nobody if run_on => return Ok(self.notes.tell(Note::LetGo(clock::now()))?),
                Told::Nobody => return Ok(()),
                Told::Stopped(stopped) => self.stopped(stopped)?,
                Told::Exited(thread, _) | Told::Killed(thread, _) if thread == bell => wanted = false,
                Told::Exited(thread, code) => self.gone(thread, ExitStatus::Code(code))?,
                Told::Killed(thread, signal) => self.gone(thread, ExitStatus::Killed(errno::Signal(signal)))?,
            }
        }
    }
}
