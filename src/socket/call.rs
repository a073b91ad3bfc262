//! One call of one process, and what came of it.
//!
//! A call is a name and its arguments in the order in which the man page has them, so that it prints as strace(1) prints it
//! and any call can be held, known to this program or not. The accessors give the arguments their meaning.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use super::errno::{Errno, Signal};

/// A file descriptor's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fd(pub i32);

impl fmt::Display for Fd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A call's data, whole or only its beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Payload {
    /// The bytes that were kept.
    pub bytes: Vec<u8>,
    /// Whether more bytes followed that were not kept.
    pub cut: bool,
}

impl Payload {
    /// All of `bytes`.
    pub fn whole(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), cut: false }
    }
}

/// One argument, or one value that a call handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg {
    /// A number: a descriptor, a length, a time-out in milliseconds.
    Int(i64),
    /// An address with its port.
    Addr(SocketAddr),
    /// Data.
    Bytes(Payload),
    /// A symbol of the man page or several joined by `|`: `SHUT_WR`, `MSG_NOSIGNAL|MSG_DONTWAIT`, `POLLIN|POLLRDHUP`.
    Word(String),
}

/// The name of a call, as its man page has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is the man page of that name, section 2")]
pub enum CallName {
    Socket,
    Socketpair,
    Pipe,
    Bind,
    Listen,
    Accept,
    Accept4,
    Connect,
    Send,
    Sendto,
    Sendmsg,
    Sendmmsg,
    Recv,
    Recvfrom,
    Recvmsg,
    Recvmmsg,
    Write,
    Writev,
    Read,
    Readv,
    Sendfile,
    Splice,
    /// splice(2) into a socket, which sends; `splice` alone is the one out of a socket.
    SpliceTo,
    Shutdown,
    Close,
    CloseRange,
    Dup,
    Dup2,
    Dup3,
    Setsockopt,
    Getsockopt,
    Fcntl,
    Poll,
    Select,
    EpollCtl,
    EpollWait,
    Nanosleep,
    Fork,
    Execve,
    Kill,
    Sigaction,
    Sigprocmask,
    Sigpending,
    /// No system call but a request of netlink's `sock_diag(7)`.
    SockDestroy,
    Exit,
}

const NAMES: [(CallName, &str); 45] = [
    (CallName::Socket, "socket"),
    (CallName::Socketpair, "socketpair"),
    (CallName::Pipe, "pipe"),
    (CallName::Bind, "bind"),
    (CallName::Listen, "listen"),
    (CallName::Accept, "accept"),
    (CallName::Accept4, "accept4"),
    (CallName::Connect, "connect"),
    (CallName::Send, "send"),
    (CallName::Sendto, "sendto"),
    (CallName::Sendmsg, "sendmsg"),
    (CallName::Sendmmsg, "sendmmsg"),
    (CallName::Recv, "recv"),
    (CallName::Recvfrom, "recvfrom"),
    (CallName::Recvmsg, "recvmsg"),
    (CallName::Recvmmsg, "recvmmsg"),
    (CallName::Write, "write"),
    (CallName::Writev, "writev"),
    (CallName::Read, "read"),
    (CallName::Readv, "readv"),
    (CallName::Sendfile, "sendfile"),
    (CallName::Splice, "splice"),
    (CallName::SpliceTo, "splice_to"),
    (CallName::Shutdown, "shutdown"),
    (CallName::Close, "close"),
    (CallName::CloseRange, "close_range"),
    (CallName::Dup, "dup"),
    (CallName::Dup2, "dup2"),
    (CallName::Dup3, "dup3"),
    (CallName::Setsockopt, "setsockopt"),
    (CallName::Getsockopt, "getsockopt"),
    (CallName::Fcntl, "fcntl"),
    (CallName::Poll, "poll"),
    (CallName::Select, "select"),
    (CallName::EpollCtl, "epoll_ctl"),
    (CallName::EpollWait, "epoll_wait"),
    (CallName::Nanosleep, "nanosleep"),
    (CallName::Fork, "fork"),
    (CallName::Execve, "execve"),
    (CallName::Kill, "kill"),
    (CallName::Sigaction, "sigaction"),
    (CallName::Sigprocmask, "sigprocmask"),
    (CallName::Sigpending, "sigpending"),
    (CallName::SockDestroy, "sock_destroy"),
    (CallName::Exit, "exit"),
];

impl CallName {
    /// The name as its man page has it.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(call, _)| *call == self).map_or("?", |(_, name)| name)
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(call, _)| *call)
    }

    /// Whether the call hands bytes to the socket of its first argument. The second is the bytes, or for those that take them
    /// from a file a word; the third how many.
    pub const fn sends(self) -> bool {
        matches!(
            self,
            Self::Send
                | Self::Sendto
                | Self::Sendmsg
                | Self::Sendmmsg
                | Self::Write
                | Self::Writev
                | Self::Sendfile
                | Self::SpliceTo
        )
    }

    /// Whether the call takes bytes from the socket of its first argument. The second is how many it asks for.
    pub const fn receives(self) -> bool {
        matches!(
            self,
            Self::Recv | Self::Recvfrom | Self::Recvmsg | Self::Recvmmsg | Self::Read | Self::Readv | Self::Splice
        )
    }

    /// Whether the call takes a connection from a listening socket.
    pub const fn accepts(self) -> bool {
        matches!(self, Self::Accept | Self::Accept4)
    }

    /// Whether the call makes another descriptor of its first argument; which one it returns.
    pub const fn copies(self) -> bool {
        matches!(self, Self::Dup | Self::Dup2 | Self::Dup3)
    }
}

impl fmt::Display for CallName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for CallName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        NAMES
            .iter()
            .find(|(_, name)| *name == text)
            .map(|(call, _)| *call)
            .ok_or_else(|| format!("no call is named {text:?}"))
    }
}

/// A call as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which call.
    pub name: CallName,
    /// Its arguments, in the man page's order.
    pub args: Vec<Arg>,
}

/// Which directions shutdown(2) ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// `SHUT_RD`: receiving.
    Read,
    /// `SHUT_WR`: sending.
    Write,
    /// `SHUT_RDWR`: both.
    Both,
}

impl Call {
    /// The call `name` with `args`.
    pub fn new(name: CallName, args: Vec<Arg>) -> Self {
        Self { name, args }
    }

    /// The descriptor that the call works on: its first argument, for calls that take one there.
    pub fn fd(&self) -> Option<Fd> {
        use CallName as N;
        let takes_one = !matches!(
            self.name,
            N::Socket
                | N::Socketpair
                | N::Pipe
                | N::Nanosleep
                | N::Fork
                | N::Execve
                | N::Kill
                | N::Sigaction
                | N::Sigprocmask
                | N::Sigpending
                | N::SockDestroy
                | N::EpollWait
                | N::EpollCtl
                | N::CloseRange
                | N::Exit
        );
        match self.args.first() {
            Some(Arg::Int(number)) if takes_one => i32::try_from(*number).ok().map(Fd),
            _ => None,
        }
    }

    /// The argument at `index` (from 0), if it is a number.
    pub fn int(&self, index: usize) -> Option<i64> {
        match self.args.get(index) {
            Some(Arg::Int(number)) => Some(*number),
            _ => None,
        }
    }

    /// The argument at `index` (from 0), if it is a word.
    pub fn word(&self, index: usize) -> Option<&str> {
        match self.args.get(index) {
            Some(Arg::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// The first address among the arguments.
    pub fn addr(&self) -> Option<SocketAddr> {
        self.args.iter().find_map(|arg| match arg {
            Arg::Addr(addr) => Some(*addr),
            _ => None,
        })
    }

    /// The data that the call carries.
    pub fn payload(&self) -> Option<&Payload> {
        payload_in(&self.args)
    }

    /// Whether one of its words has `flag` among its parts: `has_flag("MSG_NOSIGNAL")`.
    pub fn has_flag(&self, flag: &str) -> bool {
        self.args.iter().any(|arg| matches!(arg, Arg::Word(word) if word.split('|').any(|part| part == flag)))
    }

    /// How many bytes the caller asked to send or to receive.
    pub fn asked_len(&self) -> Option<u64> {
        let index = match self.name {
            name if name.sends() => 2,
            name if name.receives() => 1,
            _ => return None,
        };
        self.int(index).and_then(|len| u64::try_from(len).ok())
    }

    /// What shutdown(2) ends.
    pub fn how(&self) -> Option<How> {
        match (self.name, self.word(1)?) {
            (CallName::Shutdown, "SHUT_RD") => Some(How::Read),
            (CallName::Shutdown, "SHUT_WR") => Some(How::Write),
            (CallName::Shutdown, "SHUT_RDWR") => Some(How::Both),
            _ => None,
        }
    }
}

/// What a call returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The return value; −1 where `errno` is set.
    pub ret: i64,
    /// The error, where the call failed.
    pub errno: Option<Errno>,
    /// What the call handed out beside its return value: recv's bytes, the peer of accept, connect's own address, poll's
    /// events.
    pub values: Vec<Arg>,
    /// A signal that the process saw delivered during the call.
    pub signal: Option<Signal>,
}

impl Outcome {
    /// Success with `ret`.
    pub fn success(ret: i64) -> Self {
        Self { ret, errno: None, values: Vec::new(), signal: None }
    }

    /// Failure with `errno`.
    pub fn failure(errno: Errno) -> Self {
        Self { ret: -1, errno: Some(errno), values: Vec::new(), signal: None }
    }

    /// The same with one value more.
    #[must_use]
    pub fn with(mut self, value: Arg) -> Self {
        self.values.push(value);
        self
    }

    /// The number of bytes or the descriptor that a success returned.
    pub fn count(&self) -> Option<u64> {
        u64::try_from(self.ret).ok().filter(|_| self.errno.is_none())
    }

    /// The bytes that the call handed out.
    pub fn payload(&self) -> Option<&Payload> {
        payload_in(&self.values)
    }

    /// The address that the call handed out.
    pub fn addr(&self) -> Option<SocketAddr> {
        self.values.iter().find_map(|value| match value {
            Arg::Addr(addr) => Some(*addr),
            _ => None,
        })
    }

    /// The first word that the call handed out.
    pub fn word(&self) -> Option<&str> {
        self.values.iter().find_map(|value| match value {
            Arg::Word(word) => Some(word.as_str()),
            _ => None,
        })
    }
}

fn payload_in(args: &[Arg]) -> Option<&Payload> {
    args.iter().find_map(|arg| match arg {
        Arg::Bytes(payload) => Some(payload),
        _ => None,
    })
}
