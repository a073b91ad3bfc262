//! Lets the calls of held programs go one at a time: when all that the last one caused has settled, says which is the next.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use nix::unistd::Pid;

use super::gate::{Gatekeeper, Order};
use super::note::Note;
use crate::event::Actor;
use crate::socket::call::Call;
use crate::source::lab::message::{Command, NextCall};
use crate::source::stat;

/// How long a thread may run without coming to a call, before the next call of another may go: what computes for longer is
/// not waited for.
const PATIENCE: Duration = Duration::from_millis(500);

/// Who stands before which call.
struct Standing {
    thread: Pid,
    actor: Actor,
    call: Call,
}

/// The conductor.
pub struct Conductor {
    gatekeeper: Gatekeeper,
    commands: Receiver<Command>,
    /// In the order in which they came.
    standing: VecDeque<Standing>,
    /// The processes that have a name.
    processes: BTreeMap<Actor, Pid>,
    /// What stands was said, or that nobody does.
    announced: bool,
    /// When the last call was let go.
    since: Instant,
    /// Nobody is held any more.
    open: bool,
}

impl Conductor {
    /// One that lets through at the `gatekeeper`'s gate as the `commands` say.
    pub fn new(gatekeeper: Gatekeeper, commands: Receiver<Command>) -> Self {
        Self {
            gatekeeper,
            commands,
            standing: VecDeque::new(),
            processes: BTreeMap::new(),
            announced: false,
            since: Instant::now(),
            open: false,
        }
    }

    /// Takes in what the tracer noted.
    pub fn take(&mut self, note: &Note) {
        match note {
            Note::Started { actor, pid, .. } => drop(self.processes.insert(actor.clone(), *pid)),
            Note::Exited { actor, .. } => drop(self.processes.remove(actor)),
            Note::Stands { thread, actor, call } => {
                // Whoever was said to be the next stays it.
                if self.announced && self.standing.is_empty() {
                    self.announced = false;
                    self.since = Instant::now();
                }
                self.standing.push_back(Standing { thread: *thread, actor: actor.clone(), call: call.clone() });
            }
            Note::Fled(thread) => {
                self.announced &= self.standing.front().is_some_and(|first| first.thread != *thread);
                self.standing.retain(|one| one.thread != *thread);
            }
            // What it is not about.
            _ => {}
        }
    }

    /// Does as it was told, and returns whether it is time to say which call is the next.
    pub fn can_announce(&mut self) -> bool {
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Go | Command::Walk => self.let_go(),
                Command::Other if self.announced => {
                    self.announced = false;
                    self.standing.rotate_left(1.min(self.standing.len()));
                }
                Command::Other => {}
                Command::Run | Command::Stop => {
                    self.open = true;
                    self.standing.clear();
                    self.gatekeeper.give(Order::Open);
                }
            }
        }
        !self.announced && !self.open && self.are_at_rest()
    }

    /// Lets the call go that was said to be the next.
    fn let_go(&mut self) {
        if !self.announced {
            return;
        }
        if let Some(next) = self.standing.pop_front() {
            self.announced = false;
            self.since = Instant::now();
            self.gatekeeper.give(Order::Through(next.thread));
        }
    }

    /// Whether every thread stands before a call or sleeps, in a call or elsewhere; or has run for too long to be waited for.
    pub fn are_at_rest(&self) -> bool {
        self.since.elapsed() >= PATIENCE || self.processes.values().all(|process| self.is_at_rest(*process))
    }

    fn is_at_rest(&self, process: Pid) -> bool {
        let Ok(tasks) = fs::read_dir(format!("/proc/{process}/task")) else { return true };
        tasks
            .flatten()
            .filter_map(|task| task.file_name().to_str()?.parse().ok().map(Pid::from_raw))
            .all(|thread| self.standing.iter().any(|one| one.thread == thread) || !moves(thread))
    }

    /// The call that goes next; `None` where nobody stands.
    pub fn announce(&mut self) -> Option<NextCall> {
        self.announced = true;
        let next = self.standing.front()?;
        let beside = self.standing.len() - 1;
        Some(NextCall { beside, ..NextCall::held(next.actor.clone(), next.call.clone()) })
    }
}

/// Whether `thread` runs or is about to: it does not where it is asleep (S), stopped by a signal (T), or gone (Z, X). One that
/// stands still for its tracer (t) is let go at once, unless it is held.
fn moves(thread: Pid) -> bool {
    !matches!(stat::state(thread), None | Some('S' | 'T' | 'Z' | 'X'))
}
