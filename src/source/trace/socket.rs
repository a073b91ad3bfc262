//! A look at a traced process's descriptor: is it a TCP socket, and of which addresses (`pidfd_getfd(2)`, since Linux 5.6).

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::unistd::Pid;

use super::memory::parse_address;

/// What a TCP socket says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its own address; `None` while it has none.
    pub local: Option<SocketAddr>,
    /// Its peer's; `None` where it has none.
    pub remote: Option<SocketAddr>,
    /// Whether it listens.
    pub listens: bool,
}

/// What `fd` of the process that `thread` is of is; `None` where it is no TCP socket, or cannot be looked at. The copy is
/// closed at once: while it is open, the program's close(2) would not be the last.
pub fn peek(thread: Pid, fd: i32) -> Option<Seen> {
    let socket = copy(process_of(thread)?, fd).ok()?;
    seen(&socket)
}

/// What `socket` says of itself; `None` where it is none of TCP.
pub fn seen(socket: &OwnedFd) -> Option<Seen> {
    let option = |option| option_of(socket, option).ok();
    let family = option(libc::SO_DOMAIN)?;
    let is_tcp = matches!(family, libc::AF_INET | libc::AF_INET6) && option(libc::SO_PROTOCOL)? == libc::IPPROTO_TCP;
    if !is_tcp {
        return None;
    }
    let named = |name| address(socket, name).filter(|address: &SocketAddr| address.port() != 0);
    Some(Seen {
        local: named(libc::getsockname),
        remote: named(libc::getpeername),
        listens: option(libc::SO_ACCEPTCONN) == Some(1),
    })
}

/// The process that a thread is of: its thread group's number.
pub fn process_of(thread: Pid) -> Option<Pid> {
    status(thread, "Tgid:")
}

/// The process that made the one that `thread` is of, or has taken it on.
pub fn parent_of(thread: Pid) -> Option<Pid> {
    status(thread, "PPid:")
}

/// A number of `/proc/PID/status`.
fn status(thread: Pid, field: &str) -> Option<Pid> {
    let status = std::fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
    let number = status.lines().find_map(|line| line.strip_prefix(field))?;
    number.trim().parse().ok().map(Pid::from_raw)
}

/// A copy of a process's descriptor.
#[allow(unsafe_code, reason = "neither nix nor std has these calls")]
pub fn copy(process: Pid, fd: i32) -> io::Result<OwnedFd> {
    let owned = |number: libc::c_long| -> io::Result<OwnedFd> {
        let number = i32::try_from(Errno::result(number)?).unwrap_or(-1);
        // SAFETY: the kernel has just made this descriptor for us.
        Ok(unsafe { OwnedFd::from_raw_fd(number) })
    };
    // SAFETY: the call takes two numbers and touches no memory.
    let handle = owned(unsafe { libc::syscall(libc::SYS_pidfd_open, process.as_raw(), 0) })?;
    // SAFETY: the call takes three numbers and touches no memory.
    owned(unsafe { libc::syscall(libc::SYS_pidfd_getfd, handle.as_raw_fd(), fd, 0) })
}

#[allow(unsafe_code, reason = "nix reads options of sockets that it knows by type only")]
fn option_of(socket: &OwnedFd, option: i32) -> io::Result<i32> {
    let mut value = 0_i32;
    let mut len = libc::socklen_t::try_from(size_of_val(&value)).unwrap_or(4);
    // SAFETY: `value` and `len` outlive the call, and `len` is the size of `value`.
    Errno::result(unsafe {
        libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, (&raw mut value).cast(), &raw mut len)
    })?;
    Ok(value)
}

/// getsockname(2) or getpeername(2).
type Name = unsafe extern "C" fn(libc::c_int, *mut libc::sockaddr, *mut libc::socklen_t) -> libc::c_int;

#[allow(unsafe_code, reason = "one reader of addresses for what the kernel and what programs write")]
fn address(socket: &OwnedFd, name: Name) -> Option<SocketAddr> {
    let mut raw = [0_u8; size_of::<libc::sockaddr_in6>()];
    let mut len = libc::socklen_t::try_from(raw.len()).ok()?;
    // SAFETY: `raw` and `len` outlive the call, which writes at most `len` bytes.
    Errno::result(unsafe { name(socket.as_raw_fd(), raw.as_mut_ptr().cast(), &raw mut len) }).ok()?;
    parse_address(&raw)
}
