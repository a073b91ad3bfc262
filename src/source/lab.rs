//! The lab: two small programs on a private loopback, making one socket call at a time.
//!
//! Three kinds of process: the program itself, which holds a [`Lab`]; the stage, which owns the sandbox and the capture
//! and in which the director runs; and the actors, which make the calls. A child dies with its parent in every case:
//! by a signal of the kernel's, and where the pipe between them ends.

use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use self::listener::{Heard, Listener};
use self::message::{Command, Message};
use self::scenario::Scenario;
use self::stage::{HostReason, Request, STAGE_ARGUMENT};

pub mod action;
mod actor;
mod ambient;
mod cast;
pub mod compare;
mod director;
mod ground;
pub mod kernel;
pub mod library;
pub mod link;
pub(in crate::source) mod listener;
pub mod message;
pub mod need;
mod perform;
pub mod process;
mod report;
pub mod scenario;
pub mod script;
pub(in crate::source) mod stage;
pub mod storm;
pub(in crate::source) mod teller;

/// How many messages may wait for whoever watches.
const CHANNEL: usize = 1024;

/// How fast a scenario runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// With its pauses.
    #[default]
    Walk,
    /// Without pauses: its nanosleep calls are neither made nor told.
    Fast,
}

/// Whose loopback a scenario runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// One of its own; where that is refused, the host's, and the run's facts say why.
    #[default]
    Private,
    /// The host's.
    Host,
}

/// How a scenario is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// How fast.
    pub pace: Pace,
    /// On whose loopback.
    pub network: Network,
    /// Whether each call waits for [`Command::Go`].
    pub hold: bool,
    /// The program that holds the stage and the actors: this one, unless a test says otherwise.
    pub program: PathBuf,
    /// Held by a run that is on the host's loopback, whose ports only one can have at a time: runs that share it take turns
    /// there.
    pub host_turn: Arc<Mutex<()>>,
}

impl Default for Options {
    fn default() -> Self {
        let program = PathBuf::from("/proc/self/exe");
        let host_turn = Arc::default();
        Self { pace: Pace::default(), network: Network::default(), hold: false, program, host_turn }
    }
}

/// Why a run could not be started. What goes wrong later is a [`Message::Failed`].
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The stage's process could not be started.
    #[error("cannot start the lab's process {program:?}: {source}")]
    Start {
        /// Which program.
        program: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The thread that listens to it could not be started.
    #[error("cannot start the thread that listens to the lab: {0}")]
    Thread(#[source] std::io::Error),
}

/// A run of a scenario. Dropping it ends the run at once and leaves no process behind.
pub struct Lab {
    hold: Arc<Mutex<Hold>>,
}

/// What the handle and the thread that listens share.
#[derive(Default)]
struct Hold {
    /// The stage, while there is one.
    stage: Option<Stage>,
    /// Nobody wants the run any more.
    dropped: bool,
}

struct Stage {
    child: Child,
    commands: ChildStdin,
}

impl Stage {
    /// Kills and reaps the stage, and its actors with it, which are of its process group. Returns when all are gone.
    fn end(&mut self) {
        let group = i32::try_from(self.child.id()).map(Pid::from_raw);
        if let Ok(group) = group {
            // The group is there as long as the stage is not reaped; what has ended by itself needs no killing.
            let _ = killpg(group, Signal::SIGKILL);
        }
        let _ = self.child.wait();
        group.into_iter().for_each(wait_for_the_end_of);
    }
}

/// How often and how long is looked whether the actors are gone. They are killed by then; it takes them some microseconds,
/// and init as long again to reap them. One that never reaps does not hold anybody up for longer.
const LOOK: Duration = Duration::from_millis(1);
const LOOKS: usize = 200;

/// Waits until no process of `group` is left, none of which is a child of this one, so that there is no event to wait for.
fn wait_for_the_end_of(group: Pid) {
    for _ in 0..LOOKS {
        if killpg(group, None).is_err() {
            return;
        }
        std::thread::sleep(LOOK);
    }
}

impl Lab {
    /// Starts `scenario`. The messages end with [`Message::Finished`], [`Message::Skipped`] or [`Message::Failed`]. Whoever does not receive
    /// holds the run up.
    pub fn start(scenario: &Scenario, options: &Options) -> Result<(Self, Receiver<Message>), LabError> {
        let (sender, receiver) = sync_channel(CHANNEL);
        let lab = Self::start_with(scenario, options, move |message| match sender.send(message) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        })?;
        Ok((lab, receiver))
    }

    /// Starts `scenario` and hands each message to `tell`, in a thread of its own, until `tell` breaks. `tell` may wait:
    /// that holds the run up, and ends with the run.
    pub fn start_with(
        scenario: &Scenario,
        options: &Options,
        tell: impl FnMut(Message) -> ControlFlow<()> + Send + 'static,
    ) -> Result<Self, LabError> {
        let hold = Arc::new(Mutex::new(Hold::default()));
        let (started, outcome) = sync_channel(1);
        let runner = Runner { scenario: scenario.clone(), options: options.clone(), hold: Arc::clone(&hold) };
        // The stage dies with the thread that started it (PR_SET_PDEATHSIG), so that thread must live as long as the stage.
        std::thread::Builder::new()
            .name("lab".to_owned())
            .spawn(move || runner.run(tell, &started))
            .map_err(LabError::Thread)?;
        match outcome.recv() {
            Ok(Err(error)) => Err(error),
            Ok(Ok(())) | Err(_) => Ok(Self { hold }),
        }
    }

    /// Tells the run what to do. A run that is over does not mind.
    pub fn command(&self, command: Command) {
        if let Some(stage) = &mut lock(&self.hold).stage {
            // A stage that does not read any more has ended, and its last message says so.
            let _ = stage.commands.write_all(format!("{}\n", command.word()).as_bytes());
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let mut hold = lock(&self.hold);
        hold.dropped = true;
        if let Some(mut stage) = hold.stage.take() {
            stage.end();
        }
    }
}

/// What is shared, also after a panic elsewhere: ending processes must always work.
fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the stage, and a second one where the first was refused its sandbox.
struct Runner {
    scenario: Scenario,
    options: Options,
    hold: Arc<Mutex<Hold>>,
}

/// How listening to one stage ended.
enum Heeded {
    /// The last message was told, or nobody listens.
    Done,
    /// A loopback of its own was refused.
    Refused(HostReason),
    /// It ended without a last message.
    Silent,
}

impl Runner {
    fn run(self, mut tell: impl FnMut(Message) -> ControlFlow<()>, started: &SyncSender<Result<(), LabError>>) {
        let host = (self.options.network == Network::Host).then_some(HostReason::Asked);
        let mut turn = host.as_ref().map(|_| lock(&self.options.host_turn));
        let first = self.start(host);
        let Ok(mut stage) = first.map_err(|error| started.send(Err(error))) else { return };
        if started.send(Ok(())).is_err() {
            return self.end();
        }
        while let Some(output) = stage {
            let heeded = self.heed(output, &mut tell);
            self.end();
            let failure = match heeded {
                Heeded::Done => return,
                Heeded::Silent => "the lab's process ended without a word".to_owned(),
                Heeded::Refused(reason) => {
                    turn.get_or_insert_with(|| lock(&self.options.host_turn));
                    match self.start(Some(reason)) {
                        Ok(next) => {
                            stage = next;
                            continue;
                        }
                        Err(error) => error.to_string(),
                    }
                }
            };
            // Whether anybody hears the last message changes nothing.
            let _ = tell(Message::Failed { message: failure, help: None });
            return;
        }
    }

    /// Starts a stage, and returns what it tells; `None` where the run was dropped meanwhile.
    fn start(&self, host: Option<HostReason>) -> Result<Option<ChildStdout>, LabError> {
        let wrong = |source| LabError::Start { program: self.options.program.clone(), source };
        let mut hold = lock(&self.hold);
        if hold.dropped {
            return Ok(None);
        }
        let mut child = std::process::Command::new(&self.options.program)
            .arg(STAGE_ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(wrong)?;
        let (Some(mut commands), Some(output)) = (child.stdin.take(), child.stdout.take()) else { return Ok(None) };
        let request = Request {
            file: self.scenario.file.clone(),
            source: self.scenario.source.to_string(),
            walk: self.options.pace == Pace::Walk,
            hold: self.options.hold,
            host,
        };
        let line = serde_json::to_string(&request).map_err(|error| wrong(error.into()))?;
        let written = commands.write_all(line.as_bytes()).and_then(|()| commands.write_all(b"\n"));
        // A command that finds the pipe full is one of thousands that were not read yet: better lost than waited for.
        let nonblocking =
            fcntl(&commands, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map(|_| ()).map_err(std::io::Error::from);
        hold.stage = Some(Stage { child, commands });
        written.and(nonblocking).map_err(wrong)?;
        Ok(Some(output))
    }

    fn heed(&self, output: ChildStdout, tell: &mut impl FnMut(Message) -> ControlFlow<()>) -> Heeded {
        let mut listener = Listener::new(&self.scenario);
        for line in BufReader::new(output).lines() {
            let Ok(line) = line else { return Heeded::Silent };
            let heard = listener.line(&line).unwrap_or_else(|error| {
                let message = format!("cannot read what the lab tells: {error}");
                vec![Heard::Message(Message::Failed { message, help: None })]
            });
            for heard in heard {
                let message = match heard {
                    Heard::Root(_) | Heard::Ended(..) => continue,
                    Heard::Refused(why, help) => return Heeded::Refused(HostReason::Refused { why, help }),
                    Heard::Message(message) => message,
                };
                let last = matches!(message, Message::Finished | Message::Skipped(_) | Message::Failed { .. });
                if tell(message).is_break() || last {
                    return Heeded::Done;
                }
            }
        }
        Heeded::Silent
    }

    /// Reaps the stage, which has ended or is not wanted any more.
    fn end(&self) {
        if let Some(mut stage) = lock(&self.hold).stage.take() {
            stage.end();
        }
    }
}
