//! A system call's registers, read as the call of a man page: what it asks, at its entry, and what came of it, at its exit.
//!
//! Only calls on TCP sockets are of interest, and those that may make or copy one.

mod data;
mod number;
mod options;
mod outcome;
mod ready;
mod rights;

use nix::unistd::Pid;

use super::files::Files;
use super::memory::{self, Piece};
use super::ptrace::Entry;
use crate::socket::call::{Arg, Call, CallName, Payload};
use crate::source::words::{self, HOWS, RANGE_FLAGS, SOCKET_FLAGS};

pub use outcome::Happened;

/// A call in progress.
#[derive(Clone, Debug)]
pub struct Pending {
    /// As it is told.
    pub call: Call,
    /// What its exit brings.
    pub brings: Brings,
    /// Its number and its registers, by which it is known again when it is made anew.
    pub entry: (i64, [u64; 6]),
}

/// What there is to be looked at when a call has returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Brings {
    /// Its result alone.
    Result,
    /// A TCP socket.
    Socket,
    /// A connection, with its peer's address there (0 is nowhere), its length behind that.
    Connection {
        /// Where the kernel writes the peer's address.
        address: u64,
        /// Where it writes the address's length.
        len: u64,
    },
    /// An own address, chosen by the kernel.
    OwnAddress,
    /// Another descriptor for the same socket.
    Copy,
    /// The end of descriptors: from this one to that.
    Ends(i32, i32),
    /// Bytes, in these places.
    Bytes(Vec<Piece>),
    /// A number of messages in an array there, sent (`true`) or received.
    Messages(u64, bool),
    /// An error number there.
    Error(u64),
    /// The array of a poll, of so many.
    Polled(u64, u64),
    /// The sets of a select.
    Selected([u64; 3]),
    /// The events of an epoll.
    Events(u64),
    /// An epoll's interest in this descriptor, with what it hands out for that.
    Interest(i32, u64),
}

/// What is known where a call enters the kernel.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// Who calls.
    pub thread: Pid,
    /// The descriptors of its process.
    pub files: &'a Files,
    /// How many bytes of a call's data are kept.
    pub kept: usize,
}

/// Whether the call may bring descriptors: another process's, or in messages, which come with none over TCP.
pub fn may_bring_descriptors(entry: &Entry, files: &Files) -> bool {
    let [first, ..] = entry.args;
    match entry.number {
        libc::SYS_recvmsg | libc::SYS_recvmmsg => !files.has_socket(low(first)),
        number => number == libc::SYS_pidfd_getfd,
    }
}

/// Whether the call sets up a ring of `io_uring(7)`, whose traffic no system call shows.
pub fn sets_up_ring(entry: &Entry) -> bool {
    entry.number == libc::SYS_io_uring_setup
}

impl Reader<'_> {
    /// The call at its entry; `None` where it does not concern a TCP socket.
    pub fn read(&self, entry: &Entry) -> Option<Pending> {
        let pending = self.call(entry)?;
        Some(Pending { entry: (entry.number, entry.args), ..pending })
    }

    fn call(&self, entry: &Entry) -> Option<Pending> {
        let [first, second, third, ..] = entry.args;
        let fd = low(first);
        match entry.number {
            libc::SYS_socket => return socket(fd, low(second), low(third)),
            libc::SYS_execve => return Some(self.executes(first)),
            libc::SYS_execveat => return Some(self.executes(second)),
            libc::SYS_exit_group => return Some(pending(CallName::Exit, vec![int(low(first) & 0xff)], Brings::Result)),
            libc::SYS_close_range => return self.closes_range(first, second, low(third)),
            _ => {}
        }
        if let Some(pending) = self.readiness(entry) {
            return Some(pending);
        }
        if let Some(pending) = self.copies(entry) {
            return Some(pending);
        }
        if !self.files.has_socket(fd) {
            return self.splices_to(entry).or_else(|| self.hands_over(entry));
        }
        self.data(entry).or_else(|| self.option(entry)).or_else(|| self.on_socket(entry, fd))
    }

    /// A call whose first argument is a TCP socket, and which is not about data or options.
    fn on_socket(&self, entry: &Entry, fd: i32) -> Option<Pending> {
        let [_, second, third, fourth, ..] = entry.args;
        let plain = |name, more: Vec<Arg>| pending(name, [vec![int(fd)], more].concat(), Brings::Result);
        Some(match entry.number {
            libc::SYS_bind => {
                let address = memory::socket_address(self.thread, second, third)?;
                let brings = if address.port() == 0 { Brings::OwnAddress } else { Brings::Result };
                pending(CallName::Bind, vec![int(fd), Arg::Addr(address)], brings)
            }
            libc::SYS_listen => pending(CallName::Listen, vec![int(fd), int(low(second))], Brings::OwnAddress),
            number::ACCEPT | libc::SYS_accept4 => accepts(entry, fd, second, third, low(fourth)),
            libc::SYS_connect if memory::family(self.thread, second) == Some(libc::AF_UNSPEC) => {
                plain(CallName::Connect, vec![word("AF_UNSPEC")])
            }
            libc::SYS_connect => {
                let address = memory::socket_address(self.thread, second, third)?;
                pending(CallName::Connect, vec![int(fd), Arg::Addr(address)], Brings::OwnAddress)
            }
            libc::SYS_shutdown => plain(CallName::Shutdown, vec![word(words::word(HOWS, &low(second))?)]),
            libc::SYS_close => pending(CallName::Close, vec![int(fd)], Brings::Ends(fd, fd)),
            _ => return None,
        })
    }

    /// dup(2) and its family, also where it closes a TCP socket to make room for something else.
    fn copies(&self, entry: &Entry) -> Option<Pending> {
        let [first, second, third, ..] = entry.args;
        let (fd, copy) = (low(first), low(second));
        let of_socket = self.files.has_socket(fd);
        Some(match entry.number {
            libc::SYS_dup if of_socket => pending(CallName::Dup, vec![int(fd)], Brings::Copy),
            number::DUP2 if of_socket || self.files.has_socket(copy) => {
                pending(CallName::Dup2, vec![int(fd), int(copy)], Brings::Copy)
            }
            libc::SYS_dup3 if of_socket || self.files.has_socket(copy) => {
                let flags = if low(third) & libc::O_CLOEXEC != 0 { word("O_CLOEXEC") } else { int(0) };
                pending(CallName::Dup3, vec![int(fd), int(copy), flags], Brings::Copy)
            }
            _ => return None,
        })
    }

    fn closes_range(&self, first: u64, last: u64, flags: i32) -> Option<Pending> {
        let end = |number: u64| i32::try_from(number & u64::from(u32::MAX)).unwrap_or(i32::MAX);
        let (first, last) = (end(first), end(last));
        if !self.files.has_socket_in(first, last) {
            return None;
        }
        let mut args = vec![int(first), int(last)];
        args.extend(words::joined(RANGE_FLAGS, flags).map(Arg::Word));
        let keeps = flags & libc::CLOSE_RANGE_CLOEXEC.cast_signed() != 0;
        let brings = if keeps { Brings::Result } else { Brings::Ends(first, last) };
        Some(pending(CallName::CloseRange, args, brings))
    }

    /// execve(2): what it closes, and what it leaves open, is seen once it has succeeded.
    fn executes(&self, path: u64) -> Pending {
        let mut path = memory::bytes(self.thread, path, PATH);
        let end = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
        path.truncate(end);
        pending(CallName::Execve, vec![Arg::Bytes(Payload::whole(path))], Brings::Result)
    }
}

/// How much of a program's path is shown, in bytes.
const PATH: usize = 256;

fn socket(domain: i32, kind: i32, protocol: i32) -> Option<Pending> {
    let family = match domain {
        libc::AF_INET => "AF_INET",
        libc::AF_INET6 => "AF_INET6",
        _ => return None,
    };
    let is_tcp = kind & 0xf == libc::SOCK_STREAM && matches!(protocol, 0 | libc::IPPROTO_TCP);
    let flags = words::joined(SOCKET_FLAGS, kind & !0xf).map(|flags| format!("|{flags}")).unwrap_or_default();
    let args = vec![word(family), Arg::Word(format!("SOCK_STREAM{flags}")), int(protocol)];
    is_tcp.then(|| pending(CallName::Socket, args, Brings::Socket))
}

fn accepts(entry: &Entry, fd: i32, address: u64, len: u64, flags: i32) -> Pending {
    let brings = Brings::Connection { address, len };
    if entry.number != libc::SYS_accept4 {
        return pending(CallName::Accept, vec![int(fd)], brings);
    }
    // As the C library makes accept(2) where the kernel has both.
    match words::joined(SOCKET_FLAGS, flags) {
        None => pending(CallName::Accept, vec![int(fd)], brings),
        Some(flags) => pending(CallName::Accept4, vec![int(fd), Arg::Word(flags)], brings),
    }
}

fn pending(name: CallName, args: Vec<Arg>, brings: Brings) -> Pending {
    Pending { call: Call::new(name, args), brings, entry: (0, [0; 6]) }
}

/// A register's low half: an int.
fn low(register: u64) -> i32 {
    #[allow(clippy::cast_possible_truncation, reason = "the upper half of an int's register means nothing")]
    let low = register as u32;
    low.cast_signed()
}

fn int(number: i32) -> Arg {
    Arg::Int(number.into())
}

fn word(text: &str) -> Arg {
    Arg::Word(text.to_owned())
}
