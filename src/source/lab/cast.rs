//! The actors' processes as the director has them.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

use super::report::Report;
use crate::event::{Actor, ExitStatus};
use crate::notation;
use crate::socket::call::Call;
use crate::socket::errno::Signal;
use crate::source::stat;

/// The hidden first argument of an actor's process.
pub const ACTOR_ARGUMENT: &str = "__actor";

/// An actor's process. Dropping it kills and reaps it.
pub struct Player {
    name: Actor,
    pid: Pid,
    /// Its end was waited for, so that its number may be another's.
    reaped: bool,
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
        // Dropping the handle leaves the process as it is.
        let child = Command::new("/proc/self/exe")
            .args([ACTOR_ARGUMENT, name.name()])
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
        Ok(Self::new(name, Pid::from_raw(pid), control))
    }

    /// The actor `name`, which another one became by fork(2); `control` leads to it. It is a child of this process, as all are.
    pub fn forked(name: &Actor, pid: i32, control: UnixStream) -> Self {
        Self::new(name, Pid::from_raw(pid), control)
    }

    fn new(name: &Actor, pid: Pid, control: UnixStream) -> Self {
        let (received, reports) = (Vec::new(), VecDeque::new());
        Self { name: name.clone(), pid, reaped: false, control, received, reports, ended: false }
    }

    /// Its name.
    pub const fn name(&self) -> &Actor {
        &self.name
    }

    /// Its process id.
    pub const fn pid(&self) -> i32 {
        self.pid.as_raw()
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

    /// Tells it to fork, and hands it one end of a pair of sockets for its child; the other end is returned.
    pub fn tell_to_fork(&mut self, call: &Call) -> io::Result<UnixStream> {
        let (control, theirs) = UnixStream::pair()?;
        control.set_nonblocking(true)?;
        let line = format!("{}\n", notation::call(call));
        let passed = [theirs.as_raw_fd()];
        let with = [ControlMessage::ScmRights(&passed)];
        let pieces = [IoSlice::new(line.as_bytes())];
        sendmsg::<()>(self.control.as_raw_fd(), &pieces, &with, MsgFlags::empty(), None)?;
        Ok(control)
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
        stat::state(self.pid) == Some('S')
    }

    /// Waits for the process, whose control socket has ended or which was killed.
    pub fn reap(&mut self) -> io::Result<ExitStatus> {
        loop {
            let status = waitpid(self.pid, None)?;
            self.reaped |= !matches!(status, WaitStatus::Stopped(..) | WaitStatus::Continued(_));
            match status {
                WaitStatus::Exited(_, code) => return Ok(ExitStatus::Code(code)),
                WaitStatus::Signaled(_, signal, _) => return Ok(ExitStatus::Killed(Signal(signal as i32))),
                _ => {}
            }
        }
    }

    /// Sends it `signal`.
    pub fn kill(&mut self, signal: Signal) -> io::Result<()> {
        let signal = nix::sys::signal::Signal::try_from(signal.0)?;
        Ok(nix::sys::signal::kill(self.pid, signal)?)
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        if !self.reaped {
            // It may have ended by itself, and there is nobody to tell.
            let _ = self.kill(Signal(libc::SIGKILL));
            let _ = self.reap();
        }
    }
}
