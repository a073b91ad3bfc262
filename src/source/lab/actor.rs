//! An actor's process: makes the calls that it is told to make, and reports each before and after.
//!
//! Its control socket is descriptor 0, everything from 3 on is closed at the start, so that the first socket that a scenario
//! opens is 3, as in a program of one's own; and the kernel, which closes descriptors from high to low, closes the control
//! socket last, so that its end is seen after the segments that the process's end caused.

use std::io;
use std::os::fd::AsFd;
use std::process::ExitCode;

use nix::sys::prctl::set_pdeathsig;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd;

use super::action::{Action, Disposition};
use super::perform;
use super::report::Report;
use crate::notation;
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
    close_inherited();
    perform::dispose_pipe_signal(Disposition::Counted)?;
    let mut lines = Lines::default();
    while let Some(line) = lines.next()? {
        let (call, _) = notation::parse_call(&line).map_err(io::Error::other)?;
        let action = Action::of(&call).map_err(io::Error::other)?;
        tell(&Report::Begun(clock::read()))?;
        let outcome = perform::perform(&action);
        tell(&Report::Ended(clock::read(), outcome))?;
    }
    Ok(())
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
}

impl Lines {
    fn next(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.pending.drain(..=end).collect();
                return Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()));
            }
            let mut buffer = [0; 4096];
            let count = unistd::read(io::stdin().as_fd(), &mut buffer)?;
            if count == 0 {
                return Ok(None);
            }
            self.pending.extend_from_slice(buffer.get(..count).unwrap_or_default());
        }
    }
}
