//! The stage as its parent has it: started, commanded and ended.

use std::io::{self, BufReader, PipeReader, PipeWriter, Write};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};

use super::stage::{Request, TRACE_ARGUMENT};
use super::{Options, Standard, TraceFailure};
use crate::source::lab::message;
use crate::source::lab::stage::HostReason;

/// How much may lie in the pipe that the stage tells by, in bytes: what anybody may ask for (pipe(7)).
const PIPE: i32 = 1 << 20;

/// How much of it is read at once, in bytes.
const READ: usize = 64 << 10;

/// What another thread takes a run in hand by.
#[derive(Clone)]
pub struct Handle(pub(super) Stage);

impl Handle {
    /// Tells the run what to do. Only a run whose calls are held does something, and one that is over does not mind.
    pub fn command(&self, command: message::Command) {
        if let Some(running) = &mut *self.0.lock() {
            let word = format!("{}\n", command.word());
            // A stage that does not read any more has ended, and its last message says so.
            let _ = running.commands.as_mut().map(|commands| commands.write_all(word.as_bytes()));
        }
    }

    /// Lets processes go that ran already: the run is over then. They are followed as long as the pipe by which the stage is told
    /// is open.
    pub fn let_go(&self) {
        if let Some(running) = &mut *self.0.lock() {
            running.commands = None;
        }
    }

    /// Ends the run, and the program with it.
    pub fn end(&self) {
        if let Some(running) = &mut *self.0.lock() {
            // What has ended by itself needs no killing. Whoever reads what it tells reaps it.
            let _ = running.child.kill();
        }
    }
}

/// The stage's process, while there is one.
#[derive(Clone, Default)]
pub(super) struct Stage(Arc<Mutex<Option<Running>>>);

struct Running {
    child: Child,
    /// `None` once no more is to be said.
    commands: Option<PipeWriter>,
}

impl Stage {
    /// Starts the process, and returns what it tells.
    pub(super) fn start(
        &self,
        options: &Options,
        host: Option<HostReason>,
    ) -> Result<BufReader<PipeReader>, TraceFailure> {
        let wrong = |source| TraceFailure::Start { program: options.program.clone(), source };
        let (told, mut commands) = io::pipe().map_err(wrong)?;
        let (lines, tells) = io::pipe().map_err(wrong)?;
        for end in [told.as_raw_fd(), tells.as_raw_fd()] {
            stays_open(end).map_err(wrong)?;
        }
        let mut command = Command::new(&options.program);
        command.arg(TRACE_ARGUMENT).arg(told.as_raw_fd().to_string()).arg(tells.as_raw_fd().to_string());
        if let Some(standard) = &options.standard {
            let [input, output, error] = standard.copies().map_err(wrong)?;
            command.stdin(input).stdout(output).stderr(error);
        }
        let child = command.spawn().map_err(wrong)?;
        let request = Request {
            command: options.command.iter().map(|word| word.as_bytes().to_vec()).collect(),
            attach: options.attach.clone(),
            kept: options.kept,
            host,
            stacks: options.stacks.clone(),
            hold: options.hold.as_ref().map(|stops| stops.iter().map(ToString::to_string).collect()),
        };
        let line = serde_json::to_string(&request).map_err(|error| wrong(error.into()))?;
        let written = commands.write_all(line.as_bytes()).and_then(|()| commands.write_all(b"\n"));
        *self.lock() = Some(Running { child, commands: Some(commands) });
        written.map_err(wrong)?;
        // What is told comes in bursts. Where a pipe may not be so large, the teller waits more often.
        let _ = fcntl(&lines, FcntlArg::F_SETPIPE_SZ(PIPE));
        Ok(BufReader::with_capacity(READ, lines))
    }

    /// Ends and reaps the process, which has told its last word or is not wanted any more.
    pub(super) fn end(&self) {
        if let Some(mut running) = self.lock().take() {
            // What has ended by itself needs no killing.
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }

    /// What is shared, also after a panic elsewhere: ending processes must always work.
    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Standard {
    fn copies(&self) -> io::Result<[Stdio; 3]> {
        let Self { input, output, error } = self;
        Ok([input.try_clone()?.into(), output.try_clone()?.into(), error.try_clone()?.into()])
    }
}

/// The descriptor is for the process that is started next.
#[allow(unsafe_code, reason = "a pipe of std's closes itself in children, and does not say how to change that")]
fn stays_open(fd: i32) -> io::Result<()> {
    // SAFETY: the descriptor is open, and only one of its flags changes.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty()))?;
    Ok(())
}
