//! A call of a script as something that can be done: its arguments have their meaning, and are known to make sense.

use std::net::SocketAddrV4;
use std::time::Duration;

use crate::socket::call::{Arg, Call, CallName};

mod args;

pub use crate::source::words::POLL_EVENTS;
use args::Args;

/// A call that an actor can make. Descriptors are 3 or more, the lower ones are the lab's; only write reaches 1 as well.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the man page of that name, section 2")]
pub enum Action {
    Socket,
    Socketpair,
    Pipe,
    Bind {
        fd: i32,
        addr: SocketAddrV4,
    },
    Listen {
        fd: i32,
        backlog: i32,
    },
    Accept {
        fd: i32,
    },
    Connect {
        fd: i32,
        addr: SocketAddrV4,
    },
    /// connect(2) with `AF_UNSPEC`, which undoes an earlier one.
    Disconnect {
        fd: i32,
    },
    Send {
        fd: i32,
        data: Vec<u8>,
        flags: i32,
    },
    Recv {
        fd: i32,
        len: usize,
        flags: i32,
    },
    Write {
        fd: i32,
        data: Vec<u8>,
    },
    Read {
        fd: i32,
        len: usize,
    },
    Shutdown {
        fd: i32,
        how: i32,
    },
    Close {
        fd: i32,
    },
    Dup {
        fd: i32,
    },
    SetOption {
        fd: i32,
        level: i32,
        option: i32,
        value: i32,
    },
    SetLinger {
        fd: i32,
        on: bool,
        seconds: i32,
    },
    /// The filter of the one instruction `ret #0`, which drops every segment that comes.
    AttachFilter {
        fd: i32,
    },
    SocketError {
        fd: i32,
    },
    SetStatus {
        fd: i32,
        flags: i32,
    },
    CloseOnExec {
        fd: i32,
    },
    Poll {
        fd: i32,
        events: i16,
        timeout: i32,
    },
    Select {
        fd: i32,
        timeout: i32,
    },
    Nanosleep(Duration),
    PipeSignal(Disposition),
    BlockPipeSignal,
    UnblockPipeSignal,
    PendingSignals,
    Fork,
    /// The program itself anew, which goes on as the actor: what is not marked close-on-exec stays open.
    Execve,
    /// The netlink request of this name (`sock_diag(7)`), as `ss -K` makes it: the socket with these ends is given up.
    SockDestroy {
        local: SocketAddrV4,
        remote: SocketAddrV4,
    },
    Exit(i32),
}

/// What SIGPIPE does to the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Kills it.
    Default,
    /// Nothing.
    Ignored,
    /// It is counted, so that a call's outcome can tell of it. An actor starts so.
    Counted,
}

/// How long a call may wait for the clock alone, without anything coming from outside.
pub fn patience(call: &Call) -> Option<Duration> {
    let milliseconds = |at| call.int(at).and_then(|number| u64::try_from(number).ok()).map(Duration::from_millis);
    match call.name {
        CallName::Nanosleep => seconds(call.args.first()),
        CallName::Poll => milliseconds(2),
        CallName::Select => milliseconds(1),
        // It may sleep while the program's file is read.
        CallName::Execve => Some(Duration::ZERO),
        _ => None,
    }
}

/// The longest buffer that recv and read may ask for, in bytes.
const LONGEST: usize = 16 * 1024 * 1024;

impl Action {
    /// What `call` asks for. The error says what is expected instead.
    pub fn of(call: &Call) -> Result<Self, String> {
        let form = form(call.name);
        let args = Args { call };
        args.read(call.name).ok_or_else(|| {
            let low = call.fd().is_some_and(|fd| (0..=2).contains(&fd.0));
            if low { "a descriptor from 3 on: 0, 1 and 2 are the lab's".to_owned() } else { form.to_owned() }
        })
    }
}

/// How a call is written.
const fn form(name: CallName) -> &'static str {
    match name {
        CallName::Socket => "socket(AF_INET, SOCK_STREAM, 0)",
        CallName::Socketpair => "socketpair(AF_UNIX, SOCK_STREAM, 0)",
        CallName::Pipe => "pipe()",
        CallName::Bind => "bind(fd, IPv4 address:port)",
        CallName::Listen => "listen(fd, backlog)",
        CallName::Accept => "accept(fd)",
        CallName::Connect => "connect(fd, IPv4 address:port or AF_UNSPEC)",
        CallName::Send => "send(fd, data, length, flags)",
        CallName::Recv => "recv(fd, length, flags), of at most 16 MiB",
        CallName::Write => "write(fd, data, length), 1 being what a program prints",
        CallName::Read => "read(fd, length), of at most 16 MiB",
        CallName::Shutdown => "shutdown(fd, SHUT_RD, SHUT_WR or SHUT_RDWR)",
        CallName::Close => "close(fd)",
        CallName::Dup => "dup(fd)",
        CallName::Setsockopt => {
            "setsockopt(fd, level, option, value) with an option that the lab knows, setsockopt(fd, SOL_SOCKET, SO_LINGER, 0 or 1, seconds), or setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, \"ret #0\")"
        }
        CallName::Getsockopt => "getsockopt(fd, SOL_SOCKET, SO_ERROR)",
        CallName::Fcntl => "fcntl(fd, F_SETFL, O_NONBLOCK or 0) or fcntl(fd, F_SETFD, FD_CLOEXEC)",
        CallName::Poll => "poll(fd, POLLIN|POLLOUT|…, milliseconds or -1)",
        CallName::Select => "select(fd, milliseconds or -1)",
        CallName::Nanosleep => "nanosleep(seconds)",
        CallName::Sigaction => "sigaction(SIGPIPE, SIG_DFL, SIG_IGN or handler)",
        CallName::Sigprocmask => "sigprocmask(SIG_BLOCK or SIG_UNBLOCK, SIGPIPE)",
        CallName::Sigpending => "sigpending()",
        CallName::SockDestroy => "sock_destroy(IPv4 address:port, peer's IPv4 address:port)",
        CallName::Exit => "exit(code), from 0 to 255",
        CallName::Fork => "fork()",
        CallName::Execve => "execve(\"/proc/self/exe\"), which is this program anew",
        _ => "a call that the lab can make",
    }
}

/// Seconds as a whole number or with a fraction.
fn seconds(arg: Option<&Arg>) -> Option<Duration> {
    match arg? {
        Arg::Int(whole) => u64::try_from(*whole).ok().map(Duration::from_secs),
        Arg::Word(text) => text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
