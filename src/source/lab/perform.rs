//! Makes a call for real, and tells what came of it.

use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, RawFd};

use nix::errno::Errno as NixErrno;
use nix::sys::signal::SigmaskHow;
use nix::sys::socket::{self, AddressFamily, MsgFlags, SockFlag, SockType, SockaddrIn};
use nix::unistd;

use super::action::{Action, POLL_EVENTS};
use crate::socket::call::{Arg, Outcome, Payload};
use crate::socket::errno::{Errno, Signal};
use crate::source::sockdiag::{Ends, SockDiag, SockDiagError};

mod options;
mod signals;

pub use signals::dispose_pipe_signal;

/// Makes the call. A SIGPIPE that was delivered meanwhile stands in the outcome. An exit does not return.
pub fn perform(action: &Action) -> Outcome {
    let signals_before = signals::delivered();
    let mut outcome = make(action).unwrap_or_else(failed);
    if signals::delivered() != signals_before {
        outcome.signal = Some(Signal::SIGPIPE);
    }
    outcome
}

/// The outcome of a call that failed with `errno`.
pub fn failed(errno: NixErrno) -> Outcome {
    Outcome::failure(number(errno as i32))
}

/// `errno` as libc has it; the kernel makes none above 4095.
fn number(errno: i32) -> Errno {
    Errno(u16::try_from(errno).unwrap_or(u16::MAX))
}

fn make(action: &Action) -> nix::Result<Outcome> {
    match action {
        Action::Socket | Action::Socketpair | Action::Pipe | Action::Dup { .. } | Action::Accept { .. } => open(action),
        Action::Bind { .. } | Action::Listen { .. } | Action::Connect { .. } => name(action),
        Action::Disconnect { fd } => disconnect(*fd),
        Action::Send { fd, data, flags } => socket::send(*fd, data, MsgFlags::from_bits_retain(*flags)).map(counted),
        Action::Write { fd, data } => unistd::write(borrowed(*fd), data).map(counted),
        Action::Recv { fd, len, flags } => {
            receive(*len, |buffer| socket::recv(*fd, buffer, MsgFlags::from_bits_retain(*flags)))
        }
        Action::Read { fd, len } => receive(*len, |buffer| unistd::read(borrowed(*fd), buffer)),
        Action::Shutdown { fd, how } => shutdown(*fd, *how),
        Action::Close { fd } => unistd::close(*fd).map(|()| Outcome::success(0)),
        Action::SetOption { .. }
        | Action::SetLinger { .. }
        | Action::AttachFilter { .. }
        | Action::SocketError { .. }
        | Action::SetStatus { .. }
        | Action::CloseOnExec { .. } => options::option(action),
        Action::Poll { fd, events, timeout } => poll(*fd, *events, *timeout),
        Action::Select { fd, timeout } => select(*fd, *timeout),
        Action::Nanosleep(duration) => {
            std::thread::sleep(*duration);
            Ok(Outcome::success(0))
        }
        Action::PipeSignal(disposition) => dispose_pipe_signal(*disposition).map(|()| Outcome::success(0)),
        Action::BlockPipeSignal => signals::mask_pipe_signal(SigmaskHow::SIG_BLOCK),
        Action::UnblockPipeSignal => signals::mask_pipe_signal(SigmaskHow::SIG_UNBLOCK),
        Action::PendingSignals => signals::pending_signals(),
        Action::SockDestroy { local, remote } => destroy(Ends { local: (*local).into(), remote: (*remote).into() }),
        // The actor makes these itself: they concern its way to the director too.
        Action::Fork | Action::Execve => Err(NixErrno::ENOSYS),
        Action::Exit(code) => std::process::exit(*code),
    }
}

fn counted(count: usize) -> Outcome {
    Outcome::success(i64::try_from(count).unwrap_or(i64::MAX))
}

fn descriptor(fd: RawFd) -> Outcome {
    Outcome::success(i64::from(fd))
}

#[allow(unsafe_code, reason = "nix wants to know that a descriptor is open")]
pub(super) fn borrowed(fd: RawFd) -> BorrowedFd<'static> {
    // SAFETY: the number is not -1 (an action's descriptors are 3 or more, or 1, which stays open as long as the process).
    // It may name nothing that is open; then the kernel answers EBADF, which is what a scenario wants to see. No Rust object
    // of this process owns a number from 3 on.
    unsafe { BorrowedFd::borrow_raw(fd) }
}

/// Calls that open descriptors.
fn open(action: &Action) -> nix::Result<Outcome> {
    use std::os::fd::IntoRawFd as _;
    let pair = |first: std::os::fd::OwnedFd, second: std::os::fd::OwnedFd| {
        let number = |fd: std::os::fd::OwnedFd| Arg::Int(i64::from(fd.into_raw_fd()));
        Outcome::success(0).with(number(first)).with(number(second))
    };
    match action {
        Action::Socketpair => {
            let (first, second) = socket::socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::empty())?;
            Ok(pair(first, second))
        }
        Action::Pipe => {
            let (read_end, write_end) = unistd::pipe()?;
            Ok(pair(read_end, write_end))
        }
        Action::Dup { fd } => unistd::dup(borrowed(*fd)).map(|fd| descriptor(fd.into_raw_fd())),
        Action::Accept { fd } => {
            let accepted = socket::accept(*fd)?;
            let outcome = descriptor(accepted);
            // A connection that was reset meanwhile has no peer to be named.
            Ok(match socket::getpeername::<SockaddrIn>(accepted) {
                Ok(peer) => outcome.with(address(peer)),
                Err(_) => outcome,
            })
        }
        _ => socket::socket(AddressFamily::Inet, SockType::Stream, SockFlag::empty(), None)
            .map(|fd| descriptor(fd.into_raw_fd())),
    }
}

fn address(addr: SockaddrIn) -> Arg {
    Arg::Addr(SocketAddr::V4(addr.into()))
}

/// Calls that give a socket an address.
fn name(action: &Action) -> nix::Result<Outcome> {
    match action {
        Action::Bind { fd, addr } => socket::bind(*fd, &SockaddrIn::from(*addr)).map(|()| Outcome::success(0)),
        Action::Listen { fd, backlog } => listen(*fd, *backlog),
        Action::Connect { fd, addr } => {
            socket::connect(*fd, &SockaddrIn::from(*addr))?;
            let own = socket::getsockname::<SockaddrIn>(*fd)?;
            Ok(Outcome::success(0).with(address(own)))
        }
        _ => Err(NixErrno::EINVAL),
    }
}

#[allow(unsafe_code, reason = "nix allows no backlog above SOMAXCONN, the kernel does")]
fn listen(fd: RawFd, backlog: i32) -> nix::Result<Outcome> {
    // SAFETY: listen(2) takes two numbers and touches no memory.
    NixErrno::result(unsafe { libc::listen(fd, backlog) }).map(|_| Outcome::success(0))
}

#[allow(unsafe_code, reason = "nix has no address without a family")]
fn disconnect(fd: RawFd) -> nix::Result<Outcome> {
    let nowhere = libc::sockaddr {
        sa_family: libc::sa_family_t::try_from(libc::AF_UNSPEC).unwrap_or_default(),
        sa_data: [0; 14],
    };
    let size = libc::socklen_t::try_from(size_of_val(&nowhere)).unwrap_or(16);
    // SAFETY: the address outlives the call, and `size` is its size.
    NixErrno::result(unsafe { libc::connect(fd, &raw const nowhere, size) }).map(|_| Outcome::success(0))
}

fn destroy(ends: Ends) -> nix::Result<Outcome> {
    let why = |error: std::io::Error| error.raw_os_error().map_or(NixErrno::EIO, NixErrno::from_raw);
    let mut kernel = SockDiag::open().map_err(|error| match error {
        SockDiagError::Open(error) | SockDiagError::Ask(error) => why(error),
        SockDiagError::Answer(_) => NixErrno::EIO,
    })?;
    kernel.destroy(ends).map_err(why).map(|()| Outcome::success(0))
}

fn receive(len: usize, read: impl FnOnce(&mut [u8]) -> nix::Result<usize>) -> nix::Result<Outcome> {
    let mut buffer = vec![0; len];
    let count = read(&mut buffer)?;
    buffer.truncate(count);
    let outcome = counted(count);
    Ok(if count == 0 { outcome } else { outcome.with(Arg::Bytes(Payload::whole(buffer))) })
}

#[allow(unsafe_code, reason = "the direction is a plain number here")]
fn shutdown(fd: RawFd, how: i32) -> nix::Result<Outcome> {
    // SAFETY: shutdown(2) takes two numbers and touches no memory.
    NixErrno::result(unsafe { libc::shutdown(fd, how) }).map(|_| Outcome::success(0))
}

/// The bits as words, joined by `|`.
fn event_words(events: i16) -> String {
    let names: Vec<&str> = POLL_EVENTS.iter().filter(|(_, bit)| events & bit != 0).map(|(name, _)| *name).collect();
    names.join("|")
}

#[allow(unsafe_code, reason = "nix hides the bits that it does not know")]
fn poll(fd: RawFd, events: i16, timeout: i32) -> nix::Result<Outcome> {
    let mut watched = libc::pollfd { fd, events, revents: 0 };
    // SAFETY: one pollfd is given and outlives the call.
    let count = NixErrno::result(unsafe { libc::poll(&raw mut watched, 1, timeout) })?;
    let outcome = Outcome::success(i64::from(count));
    Ok(if count == 0 { outcome } else { outcome.with(Arg::Word(event_words(watched.revents))) })
}

/// Waits until the descriptor is readable.
fn select(fd: RawFd, timeout: i32) -> nix::Result<Outcome> {
    use nix::sys::select::{FdSet, select};
    use nix::sys::time::{TimeVal, TimeValLike as _};
    if fd >= i32::try_from(libc::FD_SETSIZE).unwrap_or(i32::MAX) {
        return Err(NixErrno::EINVAL);
    }
    let mut readable = FdSet::new();
    readable.insert(borrowed(fd));
    let mut limit = TimeVal::milliseconds(i64::from(timeout));
    let limit = if timeout < 0 { None } else { Some(&mut limit) };
    let count = select(fd + 1, &mut readable, None, None, limit)?;
    let outcome = Outcome::success(i64::from(count));
    Ok(if count == 0 { outcome } else { outcome.with(Arg::Word("readable".to_owned())) })
}
