//! Other people's programs: their socket calls by ptrace(2), their segments by a capture.
//!
//! Three kinds of process, as in the lab: this program, which holds a [`Trace`]; the stage, which owns the sandbox and the
//! capture and traces; and the programs. Only what makes a TCP socket stops a program by its filter; one that has such a
//! socket is watched in full until its last is closed. One that ran before has no filter, and each of its calls stops it.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, PipeReader};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use nix::errno::Errno;

use self::attach::AttachError;
use self::launch::LaunchError;
use self::recorder::RecordError;
use self::running::Stage;
use self::stop::Stop;
use self::tracer::TraceError;
use crate::event::{Event, ExitStatus, Run};
use crate::source::lab::listener::{Heard, Listener};
use crate::source::lab::message::{Message, NextCall};
use crate::source::lab::stage::HostReason;
use crate::source::live::MarkerError;
use crate::source::sandbox::SandboxError;
use crate::source::sockdiag::SockDiagError;

mod attach;
mod attaching;
mod bell;
mod calls;
mod conductor;
mod files;
mod filter;
mod gate;
mod held;
mod hold;
mod launch;
mod looks;
mod memory;
mod note;
mod ours;
mod patience;
mod ptrace;
mod recorder;
mod running;
mod socket;
mod stack;
pub mod stage;
pub mod stop;
mod tracer;

pub use self::running::Handle;
pub use self::stack::Wanted;

/// Why a program could not be traced to its end.
#[derive(Debug, thiserror::Error)]
pub enum TraceFailure {
    /// The stage's process could not be started.
    #[error("cannot start the tracing process {program:?}: {source}")]
    Start {
        /// Which program.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// prctl(2) to die with the parent.
    #[error("cannot ask to die with the parent: {0}")]
    DieWithParent(#[source] Errno),
    /// The first line was not a request.
    #[error("cannot read what is to be traced: {0}")]
    Request(String),
    /// A network of its own was refused.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The program could not be started.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// ptrace(2) was refused.
    #[error("cannot trace the program: {0}")]
    Seize(#[source] io::Error),
    /// What it takes to hold it.
    #[error("cannot hold the program before its calls: {0}")]
    Hold(#[source] io::Error),
    /// A running process cannot be traced.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// The child that wakes the tracer.
    #[error("cannot start a process that wakes the tracer: {0}")]
    Bell(#[source] io::Error),
    /// Markers cannot be sent.
    #[error(transparent)]
    Marker(MarkerError),
    /// The kernel's table cannot be read.
    #[error(transparent)]
    SockDiag(SockDiagError),
    /// What is told.
    #[error("cannot tell what the tracer sees: {0}")]
    Tell(#[source] io::Error),
    /// A thread could not be started.
    #[error("cannot start the recorder's thread: {0}")]
    Thread(#[source] io::Error),
    /// The tracer.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The recorder.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The recorder's thread panicked, which the panic hook has told.
    #[error("the recorder has failed")]
    Recorder,
    /// The parent does not read any more.
    #[error("nobody listens to the tracer any more")]
    Unheard,
}

impl TraceFailure {
    /// What the user can do.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Sandbox(error) => error.help(),
            Self::Attach(error) => error.help(),
            Self::Seize(_) => Some(
                "a container or a security module may forbid ptrace(2); see kernel.yama.ptrace_scope and epipe doctor"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

/// What to run, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// In its place: processes that run already, by their numbers. They are on whatever network they are on.
    pub attach: Vec<i32>,
    /// How many bytes of each call's data are kept.
    pub kept: usize,
    /// On the host's network, or on whatever network the processes are that ran before.
    pub host: bool,
    /// Before which calls it is held, each of which waits for [`Command::Go`](crate::source::lab::message::Command::Go); all where
    /// none is named. `None` for before none.
    pub hold: Option<Vec<Stop>>,
    /// Of which calls the stacks are taken, if of any.
    pub stacks: Option<Wanted>,
    /// Its standard input, and what its standard output and error are; `None` where they are this process's own.
    pub standard: Option<Arc<Standard>>,
    /// The program that holds the stage: this one, unless a test says otherwise.
    pub program: PathBuf,
}

/// Descriptors in place of this process's own.
#[derive(Debug)]
pub struct Standard {
    /// Standard input.
    pub input: OwnedFd,
    /// Standard output.
    pub output: OwnedFd,
    /// Standard error.
    pub error: OwnedFd,
}

/// What a traced run tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// What the run is; the first.
    Run(Run),
    /// One thing that happened, in the order of ids.
    Event(Event),
    /// Where it is held: all that the calls so far caused has been told, and this one stands next and waits to be let go.
    /// `None` where the program makes no call for the time being.
    Stands(Option<NextCall>),
    /// The process that the program runs in; of processes that ran already the first, once they are followed.
    Root(i32),
    /// The program has ended so, and the run with it; the last. It was held up so often until its calls were taken down.
    Ended(ExitStatus, u64),
    /// It could not go on; the last.
    Failed {
        /// The operation and the object, in lower case.
        message: String,
        /// What the user can do.
        help: Option<String>,
    },
}

/// A traced run.
pub struct Trace {
    stage: Stage,
    lines: BufReader<PipeReader>,
    /// The line that was read last.
    line: String,
    listener: Listener<'static>,
    /// What was heard and not yet handed on.
    heard: std::vec::IntoIter<Heard>,
    options: Options,
}

impl Trace {
    /// Starts the program of `options`, in this process's terminal and with its standard input, output and error. To be
    /// called by a thread that lives as long as the run.
    pub fn start(options: Options) -> Result<Self, TraceFailure> {
        let host = options.host.then_some(HostReason::Asked);
        let stage = Stage::default();
        let lines = stage.start(&options, host)?;
        let (line, heard) = (String::new(), Vec::new().into_iter());
        Ok(Self { stage, lines, line, listener: Listener::of_programs(), heard, options })
    }

    /// What another thread takes the run in hand by.
    pub fn handle(&self) -> Handle {
        Handle(self.stage.clone())
    }

    /// A network of its own was refused: once more, on the host's.
    fn again(&mut self, why: String, help: Option<String>) -> Result<(), TraceFailure> {
        self.stage.end();
        self.lines = self.stage.start(&self.options, Some(HostReason::Refused { why, help }))?;
        Ok(())
    }

    /// Reads on; what it heard then waits. `None` where there is no more.
    fn hear(&mut self) -> Option<()> {
        self.line.clear();
        if self.lines.read_line(&mut self.line).ok()? == 0 {
            return None;
        }
        let heard = self.listener.line(self.line.trim_end_matches('\n')).unwrap_or_else(|error| {
            let message = format!("cannot read what the tracer tells: {error}");
            vec![Heard::Message(Message::Failed { message, help: None })]
        });
        self.heard = heard.into_iter();
        Some(())
    }
}

/// What it tells, up to the last.
impl Iterator for Trace {
    type Item = Told;

    fn next(&mut self) -> Option<Told> {
        loop {
            let Some(heard) = self.heard.next() else {
                self.hear()?;
                continue;
            };
            return Some(match heard {
                Heard::Refused(why, help) => match self.again(why, help) {
                    Ok(()) => continue,
                    Err(error) => Told::Failed { message: error.to_string(), help: error.help() },
                },
                Heard::Root(pid) => Told::Root(pid),
                Heard::Ended(status, held_up) => Told::Ended(status, held_up),
                Heard::Message(Message::Run(run)) => Told::Run(run),
                Heard::Message(Message::Event(event)) => Told::Event(event),
                Heard::Message(Message::Settled(next)) => Told::Stands(next),
                Heard::Message(Message::Failed { message, help }) => Told::Failed { message, help },
                Heard::Message(_) => continue,
            });
        }
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        self.stage.end();
    }
}
