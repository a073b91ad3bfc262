//! Makes a call for real, and tells what came of it.

use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno as NixErrno;
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal as NixSignal, sigaction, sigprocmask,
};
use nix::sys::socket::{self, AddressFamily, MsgFlags, SockFlag, SockType, SockaddrIn, sockopt};
use nix::unistd;

use super::action::{Action, Disposition, POLL_EVENTS};
use crate::socket::call::{Arg, Outcome, Payload};
use crate::socket::errno::{Errno, Signal};

/// How many SIGPIPEs were delivered. A signal handler can reach nothing but a static.
static PIPE_SIGNALS: AtomicU32 = AtomicU32::new(0);

extern "C" fn count_pipe_signal(_: libc::c_int) {
    PIPE_SIGNALS.fetch_add(1, Ordering::Relaxed);
}

/// Sets what SIGPIPE does to this process.
#[allow(unsafe_code, reason = "a signal handler can do harm")]
pub fn dispose_pipe_signal(disposition: Disposition) -> nix::Result<()> {
    let handler = match disposition {
        Disposition::Default => SigHandler::SigDfl,
        Disposition::Ignored => SigHandler::SigIgn,
        Disposition::Counted => SigHandler::Handler(count_pipe_signal),
    };
    let action = SigAction::new(handler, SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler does nothing but an atomic addition, which is async-signal-safe.
    unsafe { sigaction(NixSignal::SIGPIPE, &action) }.map(|_| ())
}

/// Makes the call. A SIGPIPE that was delivered meanwhile stands in the outcome. An exit does not return.
pub fn perform(action: &Action) -> Outcome {
    let signals_before = PIPE_SIGNALS.load(Ordering::Relaxed);
    let mut outcome = make(action).unwrap_or_else(|errno| Outcome::failure(number(errno as i32)));
    if PIPE_SIGNALS.load(Ordering::Relaxed) != signals_before {
        outcome.signal = Some(Signal::SIGPIPE);
    }
    outcome
}

/// `errno` as libc has it; the kernel makes none above 4095.
fn number(errno: i32) -> Errno {
    Errno(u16::try_from(errno).unwrap_or(u16::MAX))
}

fn make(action: &Action) -> nix::Result<Outcome> {
    match action {
        Action::Socket | Action::Socketpair | Action::Pipe | Action::Dup { .. } | Action::Accept { .. } => open(action),
        Action::Bind { .. } | Action::Listen { .. } | Action::Connect { .. } => name(action),
        Action::Send { fd, data, flags } => socket::send(*fd, data, MsgFlags::from_bits_retain(*flags)).map(counted),
        Action::Write { fd, data } => unistd::write(borrowed(*fd), data).map(counted),
        Action::Recv { fd, len, flags } => {
            receive(*len, |buffer| socket::recv(*fd, buffer, MsgFlags::from_bits_retain(*flags)))
        }
        Action::Read { fd, len } => receive(*len, |buffer| unistd::read(borrowed(*fd), buffer)),
        Action::Shutdown { fd, how } => shutdown(*fd, *how),
        Action::Close { fd } => unistd::close(*fd).map(|()| Outcome::success(0)),
        Action::SetOption { .. } | Action::SetLinger { .. } | Action::SocketError { .. } => option(action),
        Action::Poll { fd, events, timeout } => poll(*fd, *events, *timeout),
        Action::Select { fd, timeout } => select(*fd, *timeout),
        Action::Nanosleep(duration) => {
            std::thread::sleep(*duration);
            Ok(Outcome::success(0))
        }
        Action::PipeSignal(disposition) => dispose_pipe_signal(*disposition).map(|()| Outcome::success(0)),
        Action::BlockPipeSignal => mask_pipe_signal(SigmaskHow::SIG_BLOCK),
        Action::UnblockPipeSignal => mask_pipe_signal(SigmaskHow::SIG_UNBLOCK),
        Action::PendingSignals => pending_signals(),
        Action::Exit(code) => std::process::exit(*code),
    }
}

fn counted(count: usize) -> Outcome {
    Outcome::success(i64::try_from(count).unwrap_or(i64::MAX))
}

fn descriptor(fd: RawFd) -> Outcome {
    Outcome::success(i64::from(fd))
}

/// What the lab's descriptors are opened with: nothing of ours is inherited by a child process.
#[allow(unsafe_code, reason = "nix wants to know that a descriptor is open")]
fn borrowed(fd: RawFd) -> BorrowedFd<'static> {
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
            let (first, second) =
                socket::socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)?;
            Ok(pair(first, second))
        }
        Action::Pipe => {
            let (read_end, write_end) = unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
            Ok(pair(read_end, write_end))
        }
        Action::Dup { fd } => unistd::dup(borrowed(*fd)).map(|fd| descriptor(fd.into_raw_fd())),
        Action::Accept { fd } => {
            let accepted = socket::accept4(*fd, SockFlag::SOCK_CLOEXEC)?;
            let outcome = descriptor(accepted);
            // A connection that was reset meanwhile has no peer to be named.
            Ok(match socket::getpeername::<SockaddrIn>(accepted) {
                Ok(peer) => outcome.with(address(peer)),
                Err(_) => outcome,
            })
        }
        _ => socket::socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)
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

/// Calls on socket options.
fn option(action: &Action) -> nix::Result<Outcome> {
    match action {
        Action::SetLinger { fd, on, seconds } => {
            let linger = libc::linger { l_onoff: i32::from(*on), l_linger: *seconds };
            socket::setsockopt(&borrowed(*fd), sockopt::Linger, &linger).map(|()| Outcome::success(0))
        }
        Action::SocketError { fd } => {
            let error = socket::getsockopt(&borrowed(*fd), sockopt::SocketError)?;
            let value = if error == 0 { Arg::Int(0) } else { Arg::Word(number(error).to_string()) };
            Ok(Outcome::success(0).with(value))
        }
        Action::SetOption { fd, level, option, value } => set_option(*fd, *level, *option, *value),
        _ => Err(NixErrno::EINVAL),
    }
}

#[allow(unsafe_code, reason = "level and option are plain numbers here")]
fn set_option(fd: RawFd, level: i32, option: i32, value: i32) -> nix::Result<Outcome> {
    let size = libc::socklen_t::try_from(size_of_val(&value)).unwrap_or(4);
    // SAFETY: the value is one int that outlives the call, and `size` is its size.
    let result = unsafe { libc::setsockopt(fd, level, option, (&raw const value).cast(), size) };
    NixErrno::result(result).map(|_| Outcome::success(0))
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

fn mask_pipe_signal(how: SigmaskHow) -> nix::Result<Outcome> {
    let mut signals = SigSet::empty();
    signals.add(NixSignal::SIGPIPE);
    sigprocmask(how, Some(&signals), None).map(|()| Outcome::success(0))
}

#[allow(unsafe_code, reason = "nix has no sigpending")]
fn pending_signals() -> nix::Result<Outcome> {
    // SAFETY: a sigset_t is plain data, for which all zeroes are valid.
    let mut signals: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: sigpending(2) writes one sigset_t, which outlives the call.
    NixErrno::result(unsafe { libc::sigpending(&raw mut signals) })?;
    // SAFETY: the set was just written.
    let pending = unsafe { libc::sigismember(&raw const signals, libc::SIGPIPE) } == 1;
    let word = if pending { "SIGPIPE" } else { "none" };
    Ok(Outcome::success(0).with(Arg::Word(word.to_owned())))
}
