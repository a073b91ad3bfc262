//! Starts a program that waits, filtered, until it is traced.
//!
//! fork(2) by hand: what std starts is waited for until its execve(2), and this one waits for its tracer before that.

use std::ffi::{CString, OsString};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::{ForkResult, Pid, execvp, fork};

use super::filter;

/// Why a program could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// Its words have a NUL in them, or there are none.
    #[error("no program can be called {0:?}")]
    Name(OsString),
    /// The process.
    #[error("cannot start a process: {0}")]
    Process(#[source] io::Error),
    /// The filter in it.
    #[error("cannot put the filter on the program that is to be traced: {0}")]
    Filter(#[source] io::Error),
    /// The program.
    #[error("cannot run {program:?}: {source}")]
    Execute {
        /// Which.
        program: OsString,
        /// Why not.
        source: io::Error,
    },
}

/// A process that waits to become a program.
pub struct Launched {
    /// Its number.
    pub pid: Pid,
    program: OsString,
    go: PipeWriter,
    failed: PipeReader,
}

/// What the process says before it ends where it could not become the program: what failed, and an error number.
const FILTER: u8 = b'f';
const EXECUTE: u8 = b'x';

/// Starts the process of `command`. This process must have one thread.
#[allow(unsafe_code, reason = "std cannot start what waits before its execve(2)")]
pub fn launch(command: &[OsString]) -> Result<Launched, LaunchError> {
    let program = command.first().cloned().unwrap_or_default();
    let words: Result<Vec<CString>, _> = command.iter().map(|word| CString::new(word.as_bytes())).collect();
    let words = words.map_err(|_| LaunchError::Name(program.clone()))?;
    let (may_go, go) = io::pipe().map_err(LaunchError::Process)?;
    let (failed, tell) = io::pipe().map_err(LaunchError::Process)?;
    // SAFETY: this process has one thread, so that its copy may do all that it may.
    match unsafe { fork() }.map_err(|errno| LaunchError::Process(errno.into()))? {
        ForkResult::Parent { child } => Ok(Launched { pid: child, program, go, failed }),
        ForkResult::Child => {
            drop((go, failed));
            become_program(&words, may_go, tell)
        }
    }
}

/// What is left of the copy: it waits, and becomes the program, or ends.
fn become_program(words: &[CString], mut may_go: PipeReader, mut tell: PipeWriter) -> ! {
    // That the pipe ends means that nobody is there to trace.
    if may_go.read_exact(&mut [0]).is_ok() {
        restore_signals();
        let (what, errno) = match filter::install() {
            Err(error) => (FILTER, error.raw_os_error().unwrap_or(0)),
            Ok(()) => (EXECUTE, words.first().map_or(0, |program| execute(program, words) as i32)),
        };
        let [a, b, c, d] = errno.to_ne_bytes();
        // Whoever would read it may be gone.
        let _ = tell.write_all(&[what, a, b, c, d]);
    }
    exit_now()
}

fn execute(program: &CString, words: &[CString]) -> Errno {
    match execvp(program, words) {
        Err(errno) => errno,
        Ok(never) => match never {},
    }
}

/// What this program does about signals is not the program's.
#[allow(unsafe_code, reason = "signal(2)")]
fn restore_signals() {
    // SAFETY: no handler is set, only the kernel's own doing.
    let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) };
}

#[allow(unsafe_code, reason = "_exit(2): what std would do at the end is the other process's")]
fn exit_now() -> ! {
    // SAFETY: it ends this process, and returns to nobody.
    unsafe { libc::_exit(127) }
}

impl Launched {
    /// Lets it become the program. It must be traced by then.
    pub fn go(&mut self) -> Result<(), LaunchError> {
        self.go.write_all(b"g").map_err(LaunchError::Process)
    }

    /// Why it could not become the program; `None` where it could. Waits until it has become it, or has ended.
    pub fn failure(mut self) -> Option<LaunchError> {
        let mut told = [0; 5];
        self.failed.read_exact(&mut told).ok()?;
        let [what, a, b, c, d] = told;
        let source = io::Error::from_raw_os_error(i32::from_ne_bytes([a, b, c, d]));
        let program = self.program;
        Some(if what == FILTER { LaunchError::Filter(source) } else { LaunchError::Execute { program, source } })
    }
}
