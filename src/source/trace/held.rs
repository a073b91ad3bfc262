//! How a TCP socket stands that a traced process holds, as its kernel says.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, getsockopt, socket, sockopt};
use nix::unistd::Pid;

use super::socket::{copy, process_of, seen};
use crate::event::{Holding, Time};
use crate::socket::call::Fd;
use crate::source::{clock, sockdiag};
use crate::tcp::state::State;

/// How often a socket is looked at until two looks agree: bytes may come meanwhile.
const LOOKS: usize = 8;

/// How the socket `fd` of the process that `thread` is of stands, and when it stood so; `None` where it is none of TCP, or
/// cannot be looked at.
pub fn held(thread: Pid, fd: i32) -> Option<(Time, Holding)> {
    let socket = copy(process_of(thread)?, fd).ok()?;
    let mut before = stands(&socket, fd)?;
    for _ in 0..LOOKS {
        let time = clock::now();
        let after = stands(&socket, fd)?;
        if before == after {
            return Some((time, after));
        }
        before = after;
    }
    Some((clock::now(), before))
}

fn stands(socket: &OwnedFd, fd: i32) -> Option<Holding> {
    let seen = seen(socket)?;
    let info = info(socket).ok()?;
    let state = sockdiag::state(info.tcpi_state)?;
    let (unread, unacknowledged) = match state {
        // tcp_get_info(): of a listener it is what waits to be accepted.
        State::Listen => (info.tcpi_unacked, 0),
        _ => (count(socket, libc::FIONREAD), count(socket, libc::TIOCOUTQ)),
    };
    let flags = fcntl(socket, FcntlArg::F_GETFL).map_or_else(|_| OFlag::empty(), OFlag::from_bits_retain);
    let linger = getsockopt(&socket.as_fd(), sockopt::Linger).ok();
    Some(Holding {
        fd: Fd(fd),
        local: seen.local,
        remote: seen.remote,
        state,
        unread,
        unacknowledged,
        nonblocking: flags.contains(OFlag::O_NONBLOCK),
        linger_zero: linger.is_some_and(|linger| linger.l_onoff != 0 && linger.l_linger == 0),
    })
}

/// What ioctl(2) counts of it; 0 where it counts nothing in this state.
#[allow(unsafe_code, reason = "nix makes an own function of each request")]
fn count(socket: &OwnedFd, request: libc::Ioctl) -> u32 {
    let mut count: libc::c_int = 0;
    // SAFETY: both requests that are passed here write one int, which outlives the call.
    let asked = unsafe { libc::ioctl(socket.as_raw_fd(), request, &raw mut count) };
    Errno::result(asked).ok().and_then(|_| u32::try_from(count).ok()).unwrap_or(0)
}

#[allow(unsafe_code, reason = "nix does not know TCP_INFO")]
fn info(socket: &OwnedFd) -> io::Result<libc::tcp_info> {
    // SAFETY: it is a struct of numbers, for which zeros are values.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut len = libc::socklen_t::try_from(size_of_val(&info)).unwrap_or(0);
    // SAFETY: `info` and `len` outlive the call, which writes at most `len` bytes.
    Errno::result(unsafe {
        libc::getsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, (&raw mut info).cast(), &raw mut len)
    })?;
    Ok(info)
}

/// Whether the socket `fd` of that process is of another network than this process is in (`SO_NETNS_COOKIE`, since Linux
/// 5.14); where the kernel does not say: no.
pub fn is_of_another_network(thread: Pid, fd: i32) -> bool {
    let its = || cookie(&copy(process_of(thread)?, fd).ok()?);
    let own = || cookie(&socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).ok()?);
    its().zip(own()).is_some_and(|(its, own)| its != own)
}

#[allow(unsafe_code, reason = "nix does not know SO_NETNS_COOKIE")]
fn cookie(socket: &OwnedFd) -> Option<u64> {
    let mut cookie = 0_u64;
    let mut len = libc::socklen_t::try_from(size_of_val(&cookie)).unwrap_or(8);
    // SAFETY: `cookie` and `len` outlive the call, and `len` is the size of `cookie`.
    let asked = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_NETNS_COOKIE,
            (&raw mut cookie).cast(),
            &raw mut len,
        )
    };
    Errno::result(asked).ok().map(|_| cookie)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn ones_own_sockets_stand_as_they_are() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_nonblocking(true).unwrap();
        let own = nix::unistd::getpid();
        let (_, waiting) = held(own, listener.as_raw_fd()).unwrap();
        assert_eq!((waiting.state, waiting.unread, waiting.remote), (State::Listen, 1, None));
        let (server, _) = listener.accept().unwrap();
        client.write_all(b"hello").unwrap();
        let (_, client_side) = held(own, client.as_raw_fd()).unwrap();
        assert_eq!((client_side.remote, client_side.nonblocking), (Some(listener.local_addr().unwrap()), true));
        let (_, server_side) = held(own, server.as_raw_fd()).unwrap();
        assert_eq!((server_side.state, server_side.unread), (State::Established, 5));
        drop(client);
        let (_, left) = held(own, server.as_raw_fd()).unwrap();
        assert_eq!((left.state, left.unread), (State::CloseWait, 5));
        assert!(!is_of_another_network(own, server.as_raw_fd()));
        assert_eq!(held(own, 0), None);
    }
}
