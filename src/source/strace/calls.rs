//! One record → the call as its man page names it, and what came of it (docs/transcript.md).

mod data;
mod options;
mod waiting;

use std::collections::HashMap;

use super::described::{Address, Described, Note, address, described, note};
use super::record::Record;
use super::text::{number, split};
use crate::socket::call::{Arg, Call, CallName, Outcome};

/// What a record is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A call on TCP sockets, and its outcome if it returned.
    Call(Call, Option<Outcome>),
    /// None of TCP's, or one whose effect alone matters.
    Aside,
    /// A call on a TCP socket that has no name here.
    Unnamed,
    /// It cannot be read; what of it.
    Odd(&'static str),
}

/// The arguments of a record, and which descriptors of its process are TCP sockets.
pub struct View<'a> {
    record: &'a Record,
    args: Vec<&'a str>,
    is_tcp: &'a dyn Fn(i32) -> bool,
    /// What epoll was told to hand out for which descriptor, by its own descriptor and that.
    registered: &'a HashMap<(i32, String), i32>,
}

/// Calls that make, replace or end processes and threads.
const OF_PROCESSES: [&str; 12] = [
    "clone",
    "clone3",
    "fork",
    "vfork",
    "execve",
    "execveat",
    "exit",
    "exit_group",
    "kill",
    "tkill",
    "tgkill",
    "io_uring_setup",
];

/// Whether anything of a call is of use: most of a log is not.
pub fn matters(name: &str, args: &str) -> bool {
    if OF_PROCESSES.contains(&name) {
        return true;
    }
    match name {
        "socket" => args.starts_with("AF_INET") && args.contains("SOCK_STREAM"),
        "poll" | "ppoll" | "select" | "pselect6" | "_newselect" | "splice" | "epoll_ctl" => may_name_tcp(args),
        "epoll_wait" | "epoll_pwait" | "epoll_pwait2" | "close_range" | "dup2" | "dup3" => true,
        _ => args.split(',').next().and_then(described).is_some_and(|first| first.note != Some(Note::Other)),
    }
}

/// Whether a socket can be among the descriptors: one is said to be, or nothing is said of any.
fn may_name_tcp(args: &str) -> bool {
    !args.contains('<') || ["TCP", "socket:["].iter().any(|kind| args.contains(kind))
}

impl<'a> View<'a> {
    /// The view of `record` in a process where `is_tcp` knows the descriptors.
    pub fn new(
        record: &'a Record,
        is_tcp: &'a dyn Fn(i32) -> bool,
        registered: &'a HashMap<(i32, String), i32>,
    ) -> Self {
        Self { record, args: split(&record.args), is_tcp, registered }
    }

    fn get(&self, index: usize) -> &'a str {
        self.args.get(index).copied().unwrap_or("")
    }

    /// The descriptor at `index`.
    pub fn fd(&self, index: usize) -> Option<Described> {
        described(self.get(index))
    }

    /// The address at `index`.
    pub fn address(&self, index: usize) -> Option<Address> {
        address(self.get(index))
    }

    /// The text of the argument at `index`.
    pub fn text(&self, index: usize) -> &'a str {
        self.get(index)
    }

    /// The number at `index`.
    pub fn int(&self, index: usize) -> Option<i64> {
        number(self.get(index))
    }

    /// Whether it has a flag in any of its arguments.
    pub fn has(&self, flag: &str) -> bool {
        let is_part = |arg: &&str| arg.split(['|', '=', '{', '}', ',', ' ']).any(|part| part == flag);
        self.args.iter().any(is_part)
    }

    /// The descriptor at `index`, if it is a TCP socket.
    fn tcp(&self, index: usize) -> Option<i32> {
        self.fd(index).filter(|one| self.holds(*one)).map(|one| one.fd)
    }

    fn holds(&self, one: Described) -> bool {
        match one.note {
            Some(Note::Other) => false,
            Some(Note::Tcp { .. } | Note::Socket) | None => (self.is_tcp)(one.fd),
        }
    }

    /// The process of the first argument, without its name (strace -Y).
    fn process(&self) -> Arg {
        let text = self.get(0);
        word_or_number(text.split('<').next().unwrap_or(text))
    }

    /// Flags, or the number that stands for none.
    fn flags(&self, index: usize) -> Arg {
        word_or_number(self.get(index))
    }

    /// The outcome without what the call handed out.
    fn outcome(&self) -> Option<Outcome> {
        let returned = &self.record.end.as_ref()?.returned;
        let outcome = match (returned.errno, returned.value) {
            (Some(errno), _) => Outcome::failure(errno),
            (None, value) => Outcome::success(value?),
        };
        Some(Outcome { signal: self.record.signal, ..outcome })
    }

    fn told(&self) -> &'a str {
        self.record.end.as_ref().map_or("", |end| end.returned.told.as_str())
    }

    fn call(&self, name: CallName, args: Vec<Arg>) -> Meaning {
        Meaning::Call(Call::new(name, args), self.outcome())
    }

    /// What the record is.
    pub fn meaning(&self) -> Meaning {
        match self.record.name.as_str() {
            "socket" => self.socket(),
            "kill" | "tkill" => self.call(CallName::Kill, vec![self.process(), self.flags(1)]),
            "tgkill" => self.call(CallName::Kill, vec![self.process(), self.flags(2)]),
            "poll" | "ppoll" => self.poll(),
            "select" | "_newselect" | "pselect6" => self.select(),
            "epoll_ctl" => self.epoll_ctl(),
            "epoll_wait" | "epoll_pwait" | "epoll_pwait2" => self.epoll_wait(),
            "splice" => self.splice(),
            "close_range" => self.close_range(),
            "dup2" | "dup3" => self.dup_to(),
            name if OF_PROCESSES.contains(&name) => Meaning::Aside,
            name => self.tcp(0).map_or(Meaning::Aside, |fd| self.on_socket(name, fd)),
        }
    }

    /// A call whose first argument is the TCP socket `fd`.
    fn on_socket(&self, name: &str, fd: i32) -> Meaning {
        let first = Arg::Int(fd.into());
        match name {
            "bind" | "connect" => self.to_address(name, first),
            "listen" => self.call(CallName::Listen, vec![first, self.flags(1)]),
            "accept" => self.accept(CallName::Accept, vec![first]),
            "accept4" => self.accept(CallName::Accept4, vec![first, self.flags(3)]),
            "shutdown" => self.call(CallName::Shutdown, vec![first, self.flags(1)]),
            "close" => self.call(CallName::Close, vec![first]),
            "dup" => self.call(CallName::Dup, vec![first]),
            "fcntl" | "fcntl64" => self.fcntl(first),
            "ioctl" => self.ioctl(first),
            "setsockopt" => self.setsockopt(first),
            "getsockopt" => self.getsockopt(first),
            "getsockname" | "getpeername" => Meaning::Aside,
            name => self.data(name, first).unwrap_or(Meaning::Unnamed),
        }
    }

    fn socket(&self) -> Meaning {
        let protocol = match self.get(2) {
            "IPPROTO_IP" => 0,
            "IPPROTO_TCP" => 6,
            "IPPROTO_MPTCP" | "0x106 /* IPPROTO_??? */" => 262,
            other => number(other).unwrap_or(0),
        };
        self.call(CallName::Socket, vec![self.flags(0), self.flags(1), Arg::Int(protocol)])
    }

    fn to_address(&self, name: &str, first: Arg) -> Meaning {
        let name = if name == "bind" { CallName::Bind } else { CallName::Connect };
        match self.address(1) {
            Some(Address::Ip(addr)) => self.call(name, vec![first, Arg::Addr(addr)]),
            Some(Address::Unspecified) => self.call(name, vec![first, Arg::Word("AF_UNSPEC".to_owned())]),
            None => Meaning::Odd("an address of IPv4 or IPv6 is expected"),
        }
    }

    /// The peer stands in the arguments, or with a null pointer there behind the new descriptor.
    fn accept(&self, name: CallName, args: Vec<Arg>) -> Meaning {
        let returned = self.record.end.as_ref().and_then(|end| end.returned.note.as_deref()).map(note);
        let beside = match returned {
            Some(Note::Tcp { remote, .. }) => remote,
            _ => None,
        };
        let peer = match self.address(1) {
            Some(Address::Ip(addr)) => Some(addr),
            _ => beside,
        };
        let outcome = self.outcome().map(|outcome| match peer {
            Some(addr) if outcome.errno.is_none() => outcome.with(Arg::Addr(addr)),
            _ => outcome,
        });
        Meaning::Call(Call::new(name, args), outcome)
    }

    fn close_range(&self) -> Meaning {
        let ends = [self.int(0), self.int(1)].map(|end| Arg::Int(end.unwrap_or(0)));
        let mut args = ends.to_vec();
        if self.int(2) != Some(0) {
            args.push(self.flags(2));
        }
        self.call(CallName::CloseRange, args)
    }

    /// Either of both may be the socket: what is copied, or what is replaced.
    fn dup_to(&self) -> Meaning {
        let (Some(from), Some(to)) = (self.fd(0), self.fd(1)) else { return Meaning::Aside };
        if !self.holds(from) && !self.holds(to) {
            return Meaning::Aside;
        }
        let mut args = vec![Arg::Int(from.fd.into()), Arg::Int(to.fd.into())];
        if self.record.name == "dup2" {
            return self.call(CallName::Dup2, args);
        }
        args.push(self.flags(2));
        self.call(CallName::Dup3, args)
    }
}

/// A number as one, everything else as a word.
fn word_or_number(text: &str) -> Arg {
    number(text).map_or_else(|| Arg::Word(text.to_owned()), Arg::Int)
}
