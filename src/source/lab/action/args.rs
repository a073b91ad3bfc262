//! The arguments of a call, read as what its form asks for.

use std::net::SocketAddrV4;

use super::{Action, Disposition, LONGEST, seconds};
use crate::socket::call::{Arg, Call, CallName};
use crate::source::words::{HOWS, MESSAGE_FLAGS, OPTIONS, POLL_EVENTS, lookup};

/// The arguments of a call. Each reader gives `None` for what does not make sense.
pub(super) struct Args<'a> {
    pub(super) call: &'a Call,
}

impl Args<'_> {
    pub(super) fn read(&self, name: CallName) -> Option<Action> {
        let action = match name {
            CallName::Socket => self.exactly(&["AF_INET", "SOCK_STREAM"], Action::Socket)?,
            CallName::Socketpair => self.exactly(&["AF_UNIX", "SOCK_STREAM"], Action::Socketpair)?,
            CallName::Pipe => self.count(0, Action::Pipe)?,
            CallName::Bind => self.count(2, Action::Bind { fd: self.fd()?, addr: self.addr(1)? })?,
            CallName::Listen => self.count(2, Action::Listen { fd: self.fd()?, backlog: self.int(1)? })?,
            CallName::Accept => self.count(1, Action::Accept { fd: self.fd()? })?,
            CallName::Connect if self.call.word(1) == Some("AF_UNSPEC") => {
                self.count(2, Action::Disconnect { fd: self.fd()? })?
            }
            CallName::Connect => self.count(2, Action::Connect { fd: self.fd()?, addr: self.addr(1)? })?,
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
            CallName::Fcntl => self.fcntl()?,
            CallName::Poll => {
                self.count(3, Action::Poll { fd: self.fd()?, events: self.events(1)?, timeout: self.int(2)? })?
            }
            CallName::Select => self.count(2, Action::Select { fd: self.fd()?, timeout: self.int(1)? })?,
            CallName::Nanosleep => self.count(1, Action::Nanosleep(seconds(self.call.args.first())?))?,
            CallName::Sigaction => self.disposition()?,
            CallName::Sigprocmask => self.mask()?,
            CallName::Sigpending => self.count(0, Action::PendingSignals)?,
            CallName::SockDestroy => {
                self.count(2, Action::SockDestroy { local: self.addr(0)?, remote: self.addr(1)? })?
            }
            CallName::Exit => self.count(1, Action::Exit(self.int(0).filter(|code| (0..=255).contains(code))?))?,
            CallName::Fork => self.count(0, Action::Fork)?,
            CallName::Execve => {
                let Some(Arg::Bytes(program)) = self.call.args.first() else { return None };
                let is_itself = program.bytes == b"/proc/self/exe" && !program.cut;
                self.count(usize::from(is_itself), Action::Execve)?
            }
            _ => return None,
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

    fn addr(&self, at: usize) -> Option<SocketAddrV4> {
        match self.call.args.get(at) {
            Some(Arg::Addr(std::net::SocketAddr::V4(addr))) => Some(*addr),
            _ => None,
        }
    }

    /// The data with its length behind it: whole, or its beginning, which is repeated up to that length.
    fn data(&self) -> Option<Vec<u8>> {
        let (Some(Arg::Bytes(data)), len) = (self.call.args.get(1), self.len(2)?) else { return None };
        let fits = if data.cut { data.bytes.len() < len && !data.bytes.is_empty() } else { data.bytes.len() == len };
        fits.then(|| data.bytes.iter().copied().cycle().take(len).collect())
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
        if (level, option) == ("SOL_SOCKET", "SO_ATTACH_FILTER") {
            let Some(Arg::Bytes(filter)) = self.call.args.get(3) else { return None };
            let drops_all = filter.bytes == b"ret #0" && !filter.cut;
            return if drops_all { self.count(4, Action::AttachFilter { fd: self.fd()? }) } else { None };
        }
        let (.., level, option) = *OPTIONS.iter().find(|known| (known.0, known.1) == (level, option))?;
        self.count(4, Action::SetOption { fd: self.fd()?, level, option, value: self.int(3)? })
    }

    fn fcntl(&self) -> Option<Action> {
        let fd = self.fd()?;
        let action = match (self.call.word(1)?, self.call.word(2), self.call.int(2)) {
            ("F_SETFL", Some("O_NONBLOCK"), _) => Action::SetStatus { fd, flags: libc::O_NONBLOCK },
            ("F_SETFL", _, Some(0)) => Action::SetStatus { fd, flags: 0 },
            ("F_SETFD", Some("FD_CLOEXEC"), _) => Action::CloseOnExec { fd },
            _ => return None,
        };
        self.count(3, action)
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
