//! Other people's programs: their socket calls by ptrace(2), their segments by a capture.
//!
//! Three kinds of process, as in the lab: this program, which holds a [`Trace`]; the stage, which owns the sandbox and the
//! capture and traces; and the programs. Only what makes a TCP socket stops a program by its filter; one that has such a
//! socket is watched in full until its last is closed.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, PipeReader, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::Child;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};

use self::launch::LaunchError;
use self::recorder::RecordError;
use self::stage::{Request, TRACE_ARGUMENT};
use self::tracer::TraceError;
use crate::event::{Event, ExitStatus, Run};
use crate::source::lab::listener::{Heard, Listener};
use crate::source::lab::message::Message;
use crate::source::lab::stage::HostReason;
use crate::source::live::MarkerError;
use crate::source::sandbox::SandboxError;
use crate::source::sockdiag::SockDiagError;

mod calls;
mod files;
mod filter;
mod launch;
mod memory;
mod note;
mod ours;
mod patience;
mod ptrace;
mod recorder;
mod socket;
pub mod stage;
mod tracer;

/// How much may lie in the pipe that the stage tells by, in bytes: what anybody may ask for (pipe(7)).
const PIPE: i32 = 1 << 20;

/// How much of it is read at once, in bytes.
const READ: usize = 64 << 10;

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
    /// How many bytes of each call's data are kept.
    pub kept: usize,
    /// On the host's network.
    pub host: bool,
    /// The program that holds the stage: this one, unless a test says otherwise.
    pub program: PathBuf,
}

/// What a traced run tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// What the run is; the first.
    Run(Run),
    /// One thing that happened, in the order of ids.
    Event(Event),
    /// The process that the program runs in.
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
    stage: Child,
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
        let (stage, lines) = start(&options, host)?;
        let (line, heard) = (String::new(), Vec::new().into_iter());
        Ok(Self { stage, lines, line, listener: Listener::of_programs(), heard, options })
    }

    /// A network of its own was refused: once more, on the host's.
    fn again(&mut self, why: String, help: Option<String>) -> Result<(), TraceFailure> {
        self.end();
        let (stage, lines) = start(&self.options, Some(HostReason::Refused { why, help }))?;
        (self.stage, self.lines) = (stage, lines);
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

    /// Reaps the stage, which has told its last word or is not wanted any more.
    fn end(&mut self) {
        // What has ended by itself needs no killing.
        let _ = self.stage.kill();
        let _ = self.stage.wait();
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
                Heard::Message(Message::Failed { message, help }) => Told::Failed { message, help },
                Heard::Message(_) => continue,
            });
        }
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        self.end();
    }
}

/// Starts a stage, and returns it with what it tells.
fn start(options: &Options, host: Option<HostReason>) -> Result<(Child, BufReader<PipeReader>), TraceFailure> {
    let wrong = |source| TraceFailure::Start { program: options.program.clone(), source };
    let (told, mut tell) = io::pipe().map_err(wrong)?;
    let (lines, tells) = io::pipe().map_err(wrong)?;
    for end in [told.as_raw_fd(), tells.as_raw_fd()] {
        stays_open(end).map_err(wrong)?;
    }
    let child = std::process::Command::new(&options.program)
        .arg(TRACE_ARGUMENT)
        .arg(told.as_raw_fd().to_string())
        .arg(tells.as_raw_fd().to_string())
        .spawn()
        .map_err(wrong)?;
    let request = Request {
        command: options.command.iter().map(|word| word.as_bytes().to_vec()).collect(),
        kept: options.kept,
        host,
    };
    let line = serde_json::to_string(&request).map_err(|error| wrong(error.into()))?;
    tell.write_all(line.as_bytes()).and_then(|()| tell.write_all(b"\n")).map_err(wrong)?;
    // What is told comes in bursts. Where a pipe may not be so large, the teller waits more often.
    let _ = fcntl(&lines, FcntlArg::F_SETPIPE_SZ(PIPE));
    Ok((child, BufReader::with_capacity(READ, lines)))
}

/// The descriptor is for the process that is started next.
#[allow(unsafe_code, reason = "a pipe of std's closes itself in children, and does not say how to change that")]
fn stays_open(fd: i32) -> io::Result<()> {
    // SAFETY: the descriptor is open, and only one of its flags changes.
    let fd = unsafe { std::os::fd::BorrowedFd::borrow_raw(fd) };
    fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty()))?;
    Ok(())
}
