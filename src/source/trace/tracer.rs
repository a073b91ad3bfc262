//! Follows programs from stop to stop, and tells of every call of theirs that concerns TCP.
//!
//! All of this is one thread, the one that began to trace: the kernel takes requests about a traced thread from no other.

mod attached;
mod births;
mod calling;
mod ends;
mod gated;
mod holdings;
mod stacks;

use std::collections::{BTreeSet, HashMap};
use std::io;

use nix::unistd::Pid;

use super::calls::Pending;
use super::files::Files;
use super::note::{Note, Notes, Unheard};
use super::patience::Patience;
use super::ptrace::{Go, Stopped, Told, Why};
use super::socket::process_of;
use super::stack::{Stacks, Wanted};
use crate::event::{Actor, ExitStatus, Time};
use crate::socket::call::Outcome;
use crate::socket::errno::Signal;
use crate::source::clock;

pub use gated::Gated;

/// Why tracing ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// wait(2).
    #[error("cannot wait for the traced programs: {0}")]
    Wait(#[source] io::Error),
    /// Nobody takes notes any more.
    #[error("nobody listens to the tracer any more")]
    Unheard,
}

impl From<Unheard> for TraceError {
    fn from(_: Unheard) -> Self {
        Self::Unheard
    }
}

/// A table of descriptors, by the order in which they came.
type TableId = u64;

/// A table of descriptors with those who share it, who are one actor.
#[derive(Debug, Default)]
struct Table {
    files: Files,
    /// Its name, once it was told of.
    actor: Option<Actor>,
    /// The processes that share it.
    users: BTreeSet<Pid>,
    /// How many connections wait at each listener since before it was looked at.
    waiting: HashMap<i32, u32>,
}

#[derive(Debug, Default)]
struct Process {
    table: TableId,
    threads: BTreeSet<Pid>,
}

/// A call that has not ended, as far as was told.
#[derive(Debug)]
struct InCall {
    pending: Pending,
    began: Time,
    /// How it will have ended unless it is made again: a signal interrupted it then.
    interrupted: Option<Time>,
    /// Its end, which is held back in case that a signal comes with it.
    ended: Option<(Time, Outcome)>,
}

#[derive(Debug)]
struct Thread {
    process: Pid,
    in_call: Option<InCall>,
    /// The call in progress may bring descriptors.
    looks: bool,
    /// The tracer has asked it to stop, and it has not done so yet.
    asked: bool,
}

impl Thread {
    const fn of(process: Pid) -> Self {
        Self { process, in_call: None, looks: false, asked: false }
    }
}

/// The tracer.
pub struct Tracer {
    /// How many bytes of a call's data are kept.
    kept: usize,
    notes: Notes,
    tables: HashMap<TableId, Table>,
    /// How many there were.
    last_table: TableId,
    /// Whether a program runs: its first execve(2) is over.
    runs: bool,
    processes: HashMap<Pid, Process>,
    threads: HashMap<Pid, Thread>,
    /// Threads that stopped before their birth was told.
    early: HashMap<Pid, Stopped>,
    /// Whose programs are another architecture's.
    foreign: BTreeSet<Pid>,
    /// Which processes have set up a ring of `io_uring(7)`.
    with_rings: BTreeSet<Pid>,
    /// Where threads are held before their calls.
    gated: Option<Gated>,
    /// Whether the programs ran before, so that no filter stops them.
    attached: bool,
    /// How long the next stop is looked for.
    patience: Patience,
    /// Of which calls the stacks are taken, if of any.
    stacks: Option<Stacks>,
    /// Once the run is over: those that are left are ended, or let go.
    leaving: Option<Leave>,
}

/// What becomes of programs that are still there when the run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// They are killed: their network ends with the run.
    Killed,
    /// They go on without a tracer.
    Running,
}

impl Tracer {
    /// A tracer of nobody, which keeps `kept` bytes of each call's data.
    pub fn new(kept: usize, notes: Notes) -> Self {
        Self {
            kept,
            notes,
            tables: HashMap::new(),
            last_table: 0,
            runs: false,
            processes: HashMap::new(),
            threads: HashMap::new(),
            early: HashMap::new(),
            foreign: BTreeSet::new(),
            with_rings: BTreeSet::new(),
            gated: None,
            attached: false,
            patience: Patience::new(),
            stacks: None,
            leaving: None,
        }
    }

    /// The same, which holds threads before their calls.
    #[must_use]
    pub fn gated(self, gated: Option<Gated>) -> Self {
        Self { gated, ..self }
    }

    /// The same, and it takes the stacks of calls that are `wanted`.
    #[must_use]
    pub fn with_stacks(self, wanted: Option<&Wanted>) -> Self {
        Self { stacks: wanted.map(Stacks::new), ..self }
    }

    /// Takes on the process `pid`, which this thread has seized with all its threads.
    pub fn adopt(&mut self, pid: Pid) {
        let table = self.new_table(Table { users: BTreeSet::from([pid]), ..Table::default() });
        self.processes.insert(pid, Process { table, threads: BTreeSet::from([pid]) });
        self.threads.insert(pid, Thread::of(pid));
    }

    /// Follows until `root` has ended, and returns how; then leaves all that are left, and returns when nobody is.
    pub fn follow(&mut self, root: Pid, leave: Leave) -> Result<Option<ExitStatus>, TraceError> {
        let mut status = None;
        loop {
            match self.next()? {
                Told::Nobody => return Ok(status),
                Told::Stopped(stopped) => self.stopped(stopped)?,
                Told::Exited(thread, code) => {
                    let how = ExitStatus::Code(code);
                    self.gone(thread, how)?;
                    status = status.or((thread == root).then_some(how));
                }
                Told::Killed(thread, signal) => {
                    let how = ExitStatus::Killed(Signal(signal));
                    self.gone(thread, how)?;
                    status = status.or((thread == root).then_some(how));
                }
            }
            if status.is_some() && self.leaving.is_none() {
                self.leave(leave)?;
            }
        }
    }

    /// How often a program had to wait until its calls were taken down.
    pub const fn held_up(&self) -> u64 {
        self.notes.held_up
    }

    fn stopped(&mut self, stopped: Stopped) -> Result<(), TraceError> {
        let thread = stopped.thread;
        if self.leaving == Some(Leave::Running) {
            return self.lets_go(stopped);
        }
        if !self.threads.contains_key(&thread) && !matches!(stopped.why, Why::Executes(_)) {
            self.early.insert(thread, stopped);
            return Ok(());
        }
        let now = clock::now();
        match stopped.why {
            Why::Enters(entry) => self.enters(thread, &entry, now)?,
            Why::Filtered(entry) => self.filtered(thread, &entry, now)?,
            // What only the tracer's request has taken it out of is made again.
            Why::Leaves(_) if self.is_asked(thread) && stopped.goes_on_waiting() => self.is_made_again(thread, now),
            Why::Leaves(value) => self.leaves(thread, value, now)?,
            Why::Signal(signal) => self.signalled(thread, signal)?,
            Why::Forks(child) => self.bears(thread, child, child, now)?,
            Why::Clones(child) => self.bears(thread, child, process_of(child).unwrap_or(child), now)?,
            Why::Executes(former) => self.executed(thread, former, now)?,
            Why::Interrupted => {
                let _ = stopped.goes_on_waiting();
                self.threads.entry(thread).and_modify(|known| known.asked = false);
            }
            Why::Group => {
                stopped.listen();
                return Ok(());
            }
        }
        if let Some(stopped) = self.keep_standing(stopped) {
            self.go_on(stopped);
        }
        Ok(())
    }

    fn is_asked(&self, thread: Pid) -> bool {
        self.threads.get(&thread).is_some_and(|known| known.asked)
    }

    fn go_on(&self, stopped: Stopped) {
        let (go, signal) = (self.way(stopped.thread), stopped.signal());
        stopped.go(go, signal);
    }

    /// How `thread` goes on: a process with a TCP socket is watched in full, and so is a call until its end.
    fn way(&self, thread: Pid) -> Go {
        let Some(known) = self.threads.get(&thread).filter(|known| !self.foreign.contains(&known.process)) else {
            return Go::Free;
        };
        let watched = self.attached || known.in_call.is_some() || known.looks || !self.files(thread).is_empty();
        if watched { Go::Watched } else { Go::Free }
    }

    fn new_table(&mut self, table: Table) -> TableId {
        self.last_table += 1;
        self.tables.insert(self.last_table, table);
        self.last_table
    }

    fn table_id(&self, thread: Pid) -> Option<TableId> {
        let process = self.threads.get(&thread)?.process;
        Some(self.processes.get(&process)?.table)
    }

    fn table(&mut self, thread: Pid) -> Option<&mut Table> {
        let id = self.table_id(thread)?;
        self.tables.get_mut(&id)
    }

    fn files(&self, thread: Pid) -> &Files {
        static NONE: Files = Files::none();
        self.table_id(thread).and_then(|id| self.tables.get(&id)).map_or(&NONE, |table| &table.files)
    }

    /// The name of the process that `thread` is of; it is told of first, if it was not.
    fn actor(&mut self, thread: Pid, now: Time) -> Result<Actor, TraceError> {
        let pid = self.threads.get(&thread).map_or(thread, |known| known.process);
        let known = self.table(thread).and_then(|table| table.actor.clone());
        if let Some(actor) = known {
            return Ok(actor);
        }
        let actor = name(pid);
        if let Some(table) = self.table(thread) {
            table.actor = Some(actor.clone());
        }
        self.notes.tell(Note::Started { time: now, actor: actor.clone(), pid })?;
        Ok(actor)
    }
}

/// What a process is called: its program's name and its number.
fn name(pid: Pid) -> Actor {
    let program = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Actor::new(&format!("{}/{pid}", program.trim_end()))
}
