//! New threads, new processes, new programs.

use std::collections::BTreeSet;

use nix::errno::Errno;
use nix::unistd::Pid;

use super::{InCall, Process, Table, Thread, TraceError, Tracer};
use crate::event::Time;
use crate::socket::call::{Arg, Call, CallName, Outcome};
use crate::source::trace::note::Note;
use crate::source::trace::socket::{parent_of, process_of};

/// `KCMP_FILES` of kcmp(2).
const KCMP_FILES: i32 = 2;

impl Tracer {
    /// `thread` made `child`, a thread of `process` or that process itself, which stands still until it is let go here.
    pub(super) fn bears(&mut self, thread: Pid, child: Pid, process: Pid, now: Time) -> Result<(), TraceError> {
        let Some(parent) = self.threads.get(&thread).map(|known| known.process) else { return Ok(()) };
        if process == parent {
            // It may have been there already when its process came to be traced.
            self.threads.entry(child).or_insert_with(|| Thread::of(parent));
            self.processes.entry(parent).or_default().threads.insert(child);
        } else if !self.processes.contains_key(&child) {
            self.bears_process(thread, child, now)?;
        }
        match self.early.remove(&child) {
            Some(stopped) => self.stopped(stopped),
            None => Ok(()),
        }
    }

    fn bears_process(&mut self, thread: Pid, child: Pid, now: Time) -> Result<(), TraceError> {
        let Some(id) = self.table_id(thread) else { return Ok(()) };
        let shares = share_files(thread, child);
        let table = if shares {
            id
        } else {
            let files = self.files(thread).clone();
            self.new_table(Table { files, ..Table::default() })
        };
        if let Some(table) = self.tables.get_mut(&table) {
            table.users.insert(child);
        }
        self.processes.insert(child, Process { table, threads: BTreeSet::from([child]) });
        self.threads.insert(child, Thread::of(child));
        if shares || self.files(child).is_empty() {
            return Ok(());
        }
        let (actor, born) = (self.actor(thread, now)?, self.actor(child, now)?);
        let call = Call::new(CallName::Fork, Vec::new());
        self.notes.tell(Note::Begun { time: now, thread: child, actor: actor.clone(), call })?;
        let outcome = Outcome::success(child.as_raw().into()).with(Arg::Word(born.name().to_owned()));
        Ok(self.notes.tell(Note::Ended { time: now, thread: child, actor, outcome })?)
    }

    /// `thread`, which was called `former` while it asked for that, runs another program. All other threads of its process
    /// are gone, and nobody says so.
    pub(super) fn executed(&mut self, thread: Pid, former: Pid, now: Time) -> Result<(), TraceError> {
        self.foreign.remove(&thread);
        let in_call = self.threads.get_mut(&former).and_then(|known| known.in_call.take());
        let Some(process) = self.processes.get_mut(&thread) else { return Ok(()) };
        let gone = std::mem::replace(&mut process.threads, BTreeSet::from([thread]));
        for gone in gone {
            self.threads.remove(&gone);
            self.stands_no_more(gone)?;
        }
        self.threads.insert(thread, Thread::of(thread));
        self.has_own_files(thread);
        if let Some(in_call) = in_call {
            self.tell_executed(thread, former, &in_call, now)?;
        }
        // Where no socket was known there is none now, but for what the first program was started with.
        let is_first = !std::mem::replace(&mut self.runs, true);
        if is_first || !self.files(thread).is_empty() { self.look_again(thread, now) } else { Ok(()) }
    }

    /// Lets those go whose birth nobody will tell any more, as who bore them was killed over it: each is a process by itself.
    pub(super) fn adopt_orphans(&mut self, now: Time) -> Result<(), TraceError> {
        let orphans: Vec<Pid> = self.early.keys().copied().filter(|child| !self.has_parent(*child)).collect();
        for child in orphans {
            self.adopt(child);
            self.look_again(child, now)?;
            if let Some(stopped) = self.early.remove(&child) {
                self.stopped(stopped)?;
            }
        }
        Ok(())
    }

    fn has_parent(&self, child: Pid) -> bool {
        let known = |pid: Option<Pid>| pid.is_some_and(|pid| self.processes.contains_key(&pid));
        known(parent_of(child)) || known(process_of(child).filter(|process| *process != child))
    }

    /// The call that was begun by `former` has succeeded; nobody will see it return, for what returns is a new program.
    fn tell_executed(&mut self, thread: Pid, former: Pid, in_call: &InCall, now: Time) -> Result<(), TraceError> {
        if in_call.pending.call.name != CallName::Execve {
            return Ok(());
        }
        let (actor, call) = (self.actor(thread, now)?, in_call.pending.call.clone());
        self.notes.tell(Note::Begun { time: in_call.began, thread: former, actor: actor.clone(), call })?;
        Ok(self.notes.tell(Note::Ended { time: now, thread: former, actor, outcome: Outcome::success(0) })?)
    }

    /// execve(2) gives a process a table of its own.
    fn has_own_files(&mut self, pid: Pid) {
        let Some(id) = self.processes.get(&pid).map(|process| process.table) else { return };
        let Some(table) = self.tables.get_mut(&id).filter(|table| table.users.len() > 1) else { return };
        table.users.remove(&pid);
        let (files, waiting) = (table.files.clone(), table.waiting.clone());
        let own = Table { files, actor: None, users: BTreeSet::from([pid]), waiting };
        let new = self.new_table(own);
        if let Some(process) = self.processes.get_mut(&pid) {
            process.table = new;
        }
    }
}

/// Whether two processes share one table of descriptors (`CLONE_FILES`). Where the kernel cannot say: no.
#[allow(unsafe_code, reason = "neither nix nor std has this call")]
pub(super) fn share_files(one: Pid, other: Pid) -> bool {
    // SAFETY: the call takes numbers and touches no memory.
    let same = unsafe { libc::syscall(libc::SYS_kcmp, one.as_raw(), other.as_raw(), KCMP_FILES, 0, 0) };
    Errno::result(same) == Ok(0)
}
