//! The actors' processes as the director has them.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};

use nix::unistd::Pid;

use super::report::Report;
use crate::event::{Actor, ExitStatus};
use crate::notation;
use crate::socket::call::Call;
use crate::socket::errno::Signal;

/// The hidden first argument of an actor's process.
pub const ACTOR_ARGUMENT: &str = "__actor";

/// An actor's process. Dropping it kills and reaps it.
pub struct Player {
    name: Actor,
    child: Child,
    control: UnixStream,
    received: Vec<u8>,
    reports: VecDeque<Report>,
    ended: bool,
}

impl Player {
    /// Starts the actor `name`. It dies with this thread.
    pub fn start(name: &Actor) -> io::Result<Self> {
        let (control, theirs) = UnixStream::pair()?;
        control.set_nonblocking(true)?;
        let child = Command::new("/proc/self/exe")
            .args([ACTOR_ARGUMENT, name.name()])
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { name: name.clone(), child, control, received: Vec::new(), reports: VecDeque::new(), ended: false })
    }

    /// Its name.
    pub const fn name(&self) -> &Actor {
        &self.name
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The control socket, to wait for.
    pub fn control(&self) -> BorrowedFd<'_> {
        self.control.as_fd()
    }

    /// Tells it to make `call`.
    pub fn tell(&mut self, call: &Call) -> io::Result<()> {
        let line = format!("{}\n", notation::call(call));
        let mut rest = line.as_bytes();
        while !rest.is_empty() {
            match self.control.write(rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait_for_room()?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn wait_for_room(&self) -> io::Result<()> {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        poll(&mut [PollFd::new(self.control.as_fd(), PollFlags::POLLOUT)], PollTimeout::NONE)?;
        Ok(())
    }

    /// The next report, if one is in. Never waits.
    pub fn report(&mut self) -> io::Result<Option<Report>> {
        self.receive()?;
        Ok(self.reports.pop_front())
    }

    /// Whether the control socket has ended: every descriptor of the process is closed.
    pub const fn has_ended(&self) -> bool {
        self.ended
    }

    fn receive(&mut self) -> io::Result<()> {
        let mut buffer = [0; 8192];
        while !self.ended {
            match self.control.read(&mut buffer) {
                Ok(0) => self.ended = true,
                Ok(count) => self.received.extend_from_slice(buffer.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // What was not read by a process that ended.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => self.ended = true,
                Err(error) => return Err(error),
            }
        }
        while let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.received.drain(..=end).collect();
            let report = String::from_utf8_lossy(&line).trim_end().parse().map_err(io::Error::other)?;
            self.reports.push_back(report);
        }
        Ok(())
    }

    /// Whether the process sleeps in the kernel (proc(5): state S).
    pub fn sleeps(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        // The name in parentheses may hold anything, so count from the last one.
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('S'))
    }

    /// Waits for the process, whose control socket has ended or which was killed.
    pub fn reap(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait()?;
        let killed = || ExitStatus::Killed(Signal(status.signal().unwrap_or(0)));
        Ok(status.code().map_or_else(killed, ExitStatus::Code))
    }

    /// Sends it `signal`.
    pub fn kill(&mut self, signal: Signal) -> io::Result<()> {
        let pid = Pid::from_raw(i32::try_from(self.pid()).map_err(io::Error::other)?);
        let signal = nix::sys::signal::Signal::try_from(signal.0)?;
        Ok(nix::sys::signal::kill(pid, signal)?)
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        // It may have ended by itself, and there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
