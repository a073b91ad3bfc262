//! A call of a script as something that can be done: its arguments have their meaning, and are known to make sense.

use std::net::SocketAddrV4;
use std::time::Duration;

use crate::socket::call::{Arg, Call, CallName};

/// A call that an actor can make. Descriptors are 3 or more, the lower ones are the lab's; only write reaches 1 as well.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the man page of that name, section 2")]
pub enum Action {
    Socket,
    Socketpair,
    Pipe,
    Bind { fd: i32, addr: SocketAddrV4 },
    Listen { fd: i32, backlog: i32 },
    Accept { fd: i32 },
    Connect { fd: i32, addr: SocketAddrV4 },
    Send { fd: i32, data: Vec<u8>, flags: i32 },
    Recv { fd: i32, len: usize, flags: i32 },
    Write { fd: i32, data: Vec<u8> },
    Read { fd: i32, len: usize },
    Shutdown { fd: i32, how: i32 },
    Close { fd: i32 },
    Dup { fd: i32 },
    SetOption { fd: i32, level: i32, option: i32, value: i32 },
    SetLinger { fd: i32, on: bool, seconds: i32 },
    SocketError { fd: i32 },
    Poll { fd: i32, events: i16, timeout: i32 },
    Select { fd: i32, timeout: i32 },
    Nanosleep(Duration),
    PipeSignal(Disposition),
    BlockPipeSignal,
    UnblockPipeSignal,
    PendingSignals,
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
        CallName::Connect => "connect(fd, IPv4 address:port)",
        CallName::Send => "send(fd, data, length, flags)",
        CallName::Recv => "recv(fd, length, flags), of at most 16 MiB",
        CallName::Write => "write(fd, data, length), 1 being what a program prints",
        CallName::Read => "read(fd, length), of at most 16 MiB",
        CallName::Shutdown => "shutdown(fd, SHUT_RD, SHUT_WR or SHUT_RDWR)",
        CallName::Close => "close(fd)",
        CallName::Dup => "dup(fd)",
        CallName::Setsockopt => {
            "setsockopt(fd, level, option, value) with an option that the lab knows, or setsockopt(fd, SOL_SOCKET, SO_LINGER, 0 or 1, seconds)"
        }
        CallName::Getsockopt => "getsockopt(fd, SOL_SOCKET, SO_ERROR)",
        CallName::Poll => "poll(fd, POLLIN|POLLOUT|…, milliseconds or -1)",
        CallName::Select => "select(fd, milliseconds or -1)",
        CallName::Nanosleep => "nanosleep(seconds)",
        CallName::Sigaction => "sigaction(SIGPIPE, SIG_DFL, SIG_IGN or handler)",
        CallName::Sigprocmask => "sigprocmask(SIG_BLOCK or SIG_UNBLOCK, SIGPIPE)",
        CallName::Sigpending => "sigpending()",
        CallName::Exit => "exit(code), from 0 to 255",
        CallName::Fcntl | CallName::Fork | CallName::Kill => "a call that the lab can make",
    }
}

/// The arguments of a call. Each reader gives `None` for what does not make sense.
struct Args<'a> {
    call: &'a Call,
}

impl Args<'_> {
    fn read(&self, name: CallName) -> Option<Action> {
        let action = match name {
            CallName::Socket => self.exactly(&["AF_INET", "SOCK_STREAM"], Action::Socket)?,
            CallName::Socketpair => self.exactly(&["AF_UNIX", "SOCK_STREAM"], Action::Socketpair)?,
            CallName::Pipe => self.count(0, Action::Pipe)?,
            CallName::Bind => self.count(2, Action::Bind { fd: self.fd()?, addr: self.addr()? })?,
            CallName::Listen => self.count(2, Action::Listen { fd: self.fd()?, backlog: self.int(1)? })?,
            CallName::Accept => self.count(1, Action::Accept { fd: self.fd()? })?,
            CallName::Connect => self.count(2, Action::Connect { fd: self.fd()?, addr: self.addr()? })?,
            CallName::Send => {
                self.count(4, Action::Send { fd: self.fd()?, data: self.data()?, flags: self.flags(3)? })?
            }
            CallName::Recv => {
                self.count(3, Action::Recv { fd: self.fd()?, len: self.len(1)?, flags: self.flags(2)? })?
            }
            CallName::Write => self.count(3, Action::Write { fd: self.output()?, data: self.data()? })?,
            CallName::Read => self.count(2, Action::Read { fd: self.fd()?, len: self.len(1)? })?,
            CallName::Shutdown => {
                self.count(2, Action::Shutdown { fd: self.fd()?, how: lookup(HOWS, self.call.word(1)?)? })?
            }
            CallName::Close => self.count(1, Action::Close { fd: self.fd()? })?,
            CallName::Dup => self.count(1, Action::Dup { fd: self.fd()? })?,
            CallName::Setsockopt => self.set_option()?,
            CallName::Getsockopt => self.socket_error()?,
            CallName::Poll => {
                self.count(3, Action::Poll { fd: self.fd()?, events: self.events(1)?, timeout: self.int(2)? })?
            }
            CallName::Select => self.count(2, Action::Select { fd: self.fd()?, timeout: self.int(1)? })?,
            CallName::Nanosleep => self.count(1, Action::Nanosleep(seconds(self.call.args.first())?))?,
            CallName::Sigaction => self.disposition()?,
            CallName::Sigprocmask => self.mask()?,
            CallName::Sigpending => self.count(0, Action::PendingSignals)?,
            CallName::Exit => self.count(1, Action::Exit(self.int(0).filter(|code| (0..=255).contains(code))?))?,
            CallName::Fcntl | CallName::Fork | CallName::Kill => return None,
        };
        Some(action)
    }

    fn count(&self, count: usize, action: Action) -> Option<Action> {
        (self.call.args.len() == count).then_some(action)
    }

    /// Two words and a protocol of 0.
    fn exactly(&self, words: &[&str; 2], action: Action) -> Option<Action> {
        let [first, second] = words;
        let same = self.call.word(0) == Some(first) && self.call.word(1) == Some(second) && self.call.int(2) == Some(0);
        if same { self.count(3, action) } else { None }
    }

    fn int(&self, at: usize) -> Option<i32> {
        self.call.int(at).and_then(|number| i32::try_from(number).ok())
    }

    fn fd(&self) -> Option<i32> {
        self.int(0).filter(|fd| *fd > 2)
    }

    /// A descriptor to write to: the lab has an actor's standard output lead nowhere, so that a program's print can be shown.
    fn output(&self) -> Option<i32> {
        self.int(0).filter(|fd| *fd == libc::STDOUT_FILENO).or_else(|| self.fd())
    }

    fn len(&self, at: usize) -> Option<usize> {
        self.call.int(at).and_then(|number| usize::try_from(number).ok()).filter(|len| *len <= LONGEST)
    }

    fn addr(&self) -> Option<SocketAddrV4> {
        match self.call.args.get(1) {
            Some(Arg::Addr(std::net::SocketAddr::V4(addr))) => Some(*addr),
            _ => None,
        }
    }

    /// The data, whole, with its own length behind it.
    fn data(&self) -> Option<Vec<u8>> {
        match (self.call.args.get(1), self.len(2)) {
            (Some(Arg::Bytes(data)), Some(len)) if !data.cut && data.bytes.len() == len => Some(data.bytes.clone()),
            _ => None,
        }
    }

    /// Flags joined by `|`, or 0.
    fn flags(&self, at: usize) -> Option<i32> {
        match self.call.args.get(at)? {
            Arg::Int(0) => Some(0),
            Arg::Word(words) => words.split('|').try_fold(0, |flags, word| Some(flags | lookup(MESSAGE_FLAGS, word)?)),
            _ => None,
        }
    }

    fn events(&self, at: usize) -> Option<i16> {
        let words = self.call.word(at)?;
        words.split('|').try_fold(0, |events, word| Some(events | lookup(POLL_EVENTS, word)?))
    }

    fn set_option(&self) -> Option<Action> {
        let (level, option) = (self.call.word(1)?, self.call.word(2)?);
        if (level, option) == ("SOL_SOCKET", "SO_LINGER") {
            let on = self.int(3).filter(|on| (0..=1).contains(on))? == 1;
            return self.count(5, Action::SetLinger { fd: self.fd()?, on, seconds: self.int(4)? });
        }
        let (.., level, option) = *OPTIONS.iter().find(|known| (known.0, known.1) == (level, option))?;
        self.count(4, Action::SetOption { fd: self.fd()?, level, option, value: self.int(3)? })
    }

    fn socket_error(&self) -> Option<Action> {
        let asked = (self.call.word(1)?, self.call.word(2)?) == ("SOL_SOCKET", "SO_ERROR");
        if asked { self.count(3, Action::SocketError { fd: self.fd()? }) } else { None }
    }

    fn disposition(&self) -> Option<Action> {
        let disposition = match (self.call.word(0)?, self.call.word(1)?) {
            ("SIGPIPE", "SIG_DFL") => Disposition::Default,
            ("SIGPIPE", "SIG_IGN") => Disposition::Ignored,
            ("SIGPIPE", "handler") => Disposition::Counted,
            _ => return None,
        };
        self.count(2, Action::PipeSignal(disposition))
    }

    fn mask(&self) -> Option<Action> {
        let action = match (self.call.word(0)?, self.call.word(1)?) {
            ("SIG_BLOCK", "SIGPIPE") => Action::BlockPipeSignal,
            ("SIG_UNBLOCK", "SIGPIPE") => Action::UnblockPipeSignal,
            _ => return None,
        };
        self.count(2, action)
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

fn lookup<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    table.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}

const HOWS: &[(&str, i32)] = &[("SHUT_RD", libc::SHUT_RD), ("SHUT_WR", libc::SHUT_WR), ("SHUT_RDWR", libc::SHUT_RDWR)];

const MESSAGE_FLAGS: &[(&str, i32)] = &[
    ("MSG_NOSIGNAL", libc::MSG_NOSIGNAL),
    ("MSG_DONTWAIT", libc::MSG_DONTWAIT),
    ("MSG_PEEK", libc::MSG_PEEK),
    ("MSG_WAITALL", libc::MSG_WAITALL),
    ("MSG_MORE", libc::MSG_MORE),
    ("MSG_OOB", libc::MSG_OOB),
];

/// The events of poll(2), in the order in which an outcome lists them.
pub const POLL_EVENTS: &[(&str, i16)] = &[
    ("POLLIN", libc::POLLIN),
    ("POLLPRI", libc::POLLPRI),
    ("POLLOUT", libc::POLLOUT),
    ("POLLERR", libc::POLLERR),
    ("POLLHUP", libc::POLLHUP),
    ("POLLRDHUP", libc::POLLRDHUP),
    ("POLLNVAL", libc::POLLNVAL),
];

/// The options with a number for a value: level and name, as words and as numbers.
const OPTIONS: &[(&str, &str, i32, i32)] = &[
    ("SOL_SOCKET", "SO_REUSEADDR", libc::SOL_SOCKET, libc::SO_REUSEADDR),
    ("SOL_SOCKET", "SO_KEEPALIVE", libc::SOL_SOCKET, libc::SO_KEEPALIVE),
    ("SOL_SOCKET", "SO_SNDBUF", libc::SOL_SOCKET, libc::SO_SNDBUF),
    ("SOL_SOCKET", "SO_RCVBUF", libc::SOL_SOCKET, libc::SO_RCVBUF),
    ("IPPROTO_TCP", "TCP_NODELAY", libc::IPPROTO_TCP, libc::TCP_NODELAY),
    ("IPPROTO_TCP", "TCP_LINGER2", libc::IPPROTO_TCP, libc::TCP_LINGER2),
    ("IPPROTO_TCP", "TCP_QUICKACK", libc::IPPROTO_TCP, libc::TCP_QUICKACK),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation::parse_call;

    fn action(text: &str) -> Result<Action, String> {
        Action::of(&parse_call(text).unwrap().0)
    }

    #[test]
    fn calls_get_their_meaning() {
        assert_eq!(
            action("send(3, \"hello\", 5, MSG_NOSIGNAL|MSG_DONTWAIT)"),
            Ok(Action::Send { fd: 3, data: b"hello".to_vec(), flags: libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT })
        );
        assert_eq!(
            action("setsockopt(4, SOL_SOCKET, SO_LINGER, 1, 0)"),
            Ok(Action::SetLinger { fd: 4, on: true, seconds: 0 })
        );
        assert_eq!(action("nanosleep(0.25)"), Ok(Action::Nanosleep(Duration::from_millis(250))));
        assert_eq!(
            action("poll(3, POLLIN|POLLRDHUP, -1)"),
            Ok(Action::Poll { fd: 3, events: libc::POLLIN | libc::POLLRDHUP, timeout: -1 })
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_right_form() {
        for (text, expected) in [
            ("send(3, \"hello\", 4, 0)", "send(fd, data, length, flags)"),
            ("send(1, \"hello\", 5, 0)", "a descriptor from 3 on: 0, 1 and 2 are the lab's"),
            ("write(2, \"hello\", 5)", "a descriptor from 3 on: 0, 1 and 2 are the lab's"),
            ("socket(AF_INET6, SOCK_STREAM, 0)", "socket(AF_INET, SOCK_STREAM, 0)"),
            ("bind(3, [::1]:2222)", "bind(fd, IPv4 address:port)"),
            ("exit(256)", "exit(code), from 0 to 255"),
            ("nanosleep(-1)", "nanosleep(seconds)"),
            ("fork()", "a call that the lab can make"),
            ("close(3, 4)", "close(fd)"),
        ] {
            assert_eq!(action(text), Err(expected.to_owned()), "{text}");
        }
    }
}
