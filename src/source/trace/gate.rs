//! The gate before socket calls: one end holds threads there, the other lets them through, from another thread.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

/// What is to be done at the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Let this thread through.
    Through(Pid),
    /// Let all through, now and later.
    Open,
}

/// Keeps SIGCHLD from this thread, and from those that it starts later, so that the gate can be told by it of stops. To be
/// called before there is another thread: one that takes the signal hides it.
pub fn keep_stops() -> io::Result<()> {
    Ok(SigSet::from(Signal::SIGCHLD).thread_block()?)
}

/// Both ends of a gate.
pub fn gate() -> io::Result<(Gate, Gatekeeper)> {
    let (orders, gives) = io::pipe()?;
    fcntl(&orders, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    let stops = SignalFd::with_flags(&SigSet::from(Signal::SIGCHLD), flags)?;
    Ok((Gate { orders, stops }, Gatekeeper(gives)))
}

/// The end at which threads are held.
pub struct Gate {
    orders: PipeReader,
    /// SIGCHLD: a traced thread has stopped or ended.
    stops: SignalFd,
}

impl Gate {
    /// Waits for a stop or an order.
    pub fn wait(&self) -> io::Result<()> {
        let mut sources =
            [PollFd::new(self.orders.as_fd(), PollFlags::POLLIN), PollFd::new(self.stops.as_fd(), PollFlags::POLLIN)];
        match poll(&mut sources, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        // One signal stands for any number of stops.
        while self.stops.read_signal()?.is_some() {}
        Ok(())
    }

    /// The next order, if one is in. A gatekeeper that is gone leaves the gate open.
    pub fn order(&mut self) -> Option<Order> {
        let mut thread = [0; 4];
        match self.orders.read(&mut thread) {
            Err(_) => None,
            Ok(0) => Some(Order::Open),
            Ok(_) => Some(match i32::from_ne_bytes(thread) {
                OPEN => Order::Open,
                thread => Order::Through(Pid::from_raw(thread)),
            }),
        }
    }
}

/// No thread has this number.
const OPEN: i32 = 0;

/// The end that gives orders.
pub struct Gatekeeper(PipeWriter);

impl Gatekeeper {
    /// Gives `order`. A tracer that is gone has nobody to let through.
    pub fn give(&mut self, order: Order) {
        let number = match order {
            Order::Through(thread) => thread.as_raw(),
            Order::Open => OPEN,
        };
        // At once or not at all: a pipe takes so few bytes whole (pipe(7)).
        let _ = self.0.write_all(&number.to_ne_bytes());
    }
}
