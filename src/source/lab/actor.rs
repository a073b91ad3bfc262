//! An actor's process: makes the calls that it is told to make, and reports each before and after.
//!
//! Its control socket is descriptor 0, everything from 3 on is closed at the start, so that the first socket that a scenario
//! opens is 3, as in a program of one's own; and the kernel, which closes descriptors from high to low, closes the control
//! socket last, so that its end is seen after the segments that the process's end caused.

use std::ffi::CString;
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::process::ExitCode;

use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use nix::unistd;

use super::action::{Action, Disposition};
use super::cast::ACTOR_ARGUMENT;
use super::perform;
use super::report::Report;
use crate::notation;
use crate::socket::call::Outcome;
use crate::source::clock;

/// Serves until the control socket ends. What goes wrong here cannot be told to anybody but by ending.
pub fn run() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve() -> io::Result<()> {
    set_pdeathsig(Signal::SIGKILL)?;
    // A scenario may end an actor by SIGSEGV; nobody wants its memory on the disk.
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    if std::env::args().any(|argument| argument == GOES_ON) {
        tell(&Report::Ended(clock::read(), Outcome::success(0)))?;
    } else {
        close_inherited();
    }
    perform::dispose_pipe_signal(Disposition::Counted)?;
    let mut lines = Lines::default();
    while let Some(line) = lines.next()? {
        let (call, _) = notation::parse_call(&line).map_err(io::Error::other)?;
        let action = Action::of(&call).map_err(io::Error::other)?;
        tell(&Report::Begun(clock::read()))?;
        let outcome = match action {
            Action::Fork => match fork(lines.passed.take()) {
                Ok(0) => continue,
                Ok(pid) => Outcome::success(i64::from(pid)),
                Err(errno) => perform::failed(errno),
            },
            Action::Execve => perform::failed(become_anew()),
            action => perform::perform(&action),
        };
        tell(&Report::Ended(clock::read(), outcome))?;
    }
    Ok(())
}

/// Its last argument where the process was an actor before, and keeps what that left open.
const GOES_ON: &str = "goes-on";

/// fork(2). The child's way to the director is `control`; it is a child of this process's parent, who alone can wait for it.
/// In the child 0 is returned.
#[allow(unsafe_code, reason = "a process is copied")]
fn fork(control: Option<RawFd>) -> nix::Result<i32> {
    let control = control.ok_or(Errno::EINVAL)?;
    let flags = libc::c_long::from(libc::CLONE_PARENT | libc::SIGCHLD);
    // SAFETY: without a stack of its own the child goes on with a copy of this one, as after fork(2). This process has one
    // thread, so that no lock is held by one that is missing in the child.
    let pid = Errno::result(unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) });
    if pid == Ok(0) {
        set_pdeathsig(Signal::SIGKILL)?;
        // SAFETY: both are numbers of this process's own; 0 is the way of its parent, which it gives up.
        Errno::result(unsafe { libc::dup2(control, libc::STDIN_FILENO) })?;
    }
    unistd::close(control)?;
    pid.map(|pid| i32::try_from(pid).unwrap_or_default())
}

/// execve(2) of this program, which goes on as the same actor. It returns only if it fails.
fn become_anew() -> Errno {
    let argument = |text: &str| CString::new(text).unwrap_or_default();
    let arguments = ["epipe", ACTOR_ARGUMENT, GOES_ON].map(argument);
    match unistd::execv(c"/proc/self/exe", &arguments) {
        Ok(never) => match never {},
        Err(errno) => errno,
    }
}

/// Closes what a shell or a test left open: the numbers of a scenario's descriptors must not depend on it.
/// A kernel before 5.9 does not know the call; there the numbers are as they were inherited.
#[allow(unsafe_code, reason = "nix has no close_range")]
pub fn close_inherited() {
    // SAFETY: this runs first in a fresh process of one thread, in which nothing owns a descriptor above 2 yet.
    let _ = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
}

fn tell(report: &Report) -> io::Result<()> {
    let line = format!("{report}\n");
    let mut rest = line.as_bytes();
    while !rest.is_empty() {
        let written = unistd::write(io::stdin().as_fd(), rest)?;
        rest = rest.get(written..).unwrap_or_default();
    }
    Ok(())
}

/// The lines of the control socket, read without a copy of its descriptor.
#[derive(Default)]
struct Lines {
    pending: Vec<u8>,
    /// A descriptor that came with the last line.
    passed: Option<RawFd>,
}

impl Lines {
    fn next(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.pending.drain(..=end).collect();
                return Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()));
            }
            let mut buffer = [0; 4096];
            let mut space = cmsg_space!([RawFd; 1]);
            let count = {
                let mut pieces = [IoSliceMut::new(&mut buffer)];
                let message = recvmsg::<()>(io::stdin().as_raw_fd(), &mut pieces, Some(&mut space), MsgFlags::empty())?;
                let rights = message.cmsgs()?.find_map(|one| match one {
                    ControlMessageOwned::ScmRights(passed) => passed.first().copied(),
                    _ => None,
                });
                self.passed = rights.or(self.passed);
                message.bytes
            };
            if count == 0 {
                return Ok(None);
            }
            self.pending.extend_from_slice(buffer.get(..count).unwrap_or_default());
        }
    }
}
