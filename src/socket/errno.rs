//! Error numbers and signals by their Linux names.
//!
//! Numbers are Linux's on x86-64 and aarch64 (asm-generic/errno.h, asm-generic/errno-base.h, signal(7)); texts are glibc's
//! strerror(3). The table holds what a socket call can return; another number keeps its number.

use std::fmt;
use std::str::FromStr;

/// An error number as Linux returns it: at most 4095 (`MAX_ERRNO`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Errno(pub u16);

impl Errno {
    /// Broken pipe.
    pub const EPIPE: Self = Self(32);
    /// Connection reset by peer.
    pub const ECONNRESET: Self = Self(104);
    /// Connection refused.
    pub const ECONNREFUSED: Self = Self(111);
    /// Transport endpoint is not connected.
    pub const ENOTCONN: Self = Self(107);
    /// Connection timed out.
    pub const ETIMEDOUT: Self = Self(110);
    /// Address already in use.
    pub const EADDRINUSE: Self = Self(98);
    /// Interrupted system call.
    pub const EINTR: Self = Self(4);
    /// Resource temporarily unavailable: the call would wait.
    pub const EAGAIN: Self = Self(11);
    /// Invalid argument.
    pub const EINVAL: Self = Self(22);
    /// Bad file descriptor.
    pub const EBADF: Self = Self(9);
    /// Software caused connection abort.
    pub const ECONNABORTED: Self = Self(103);
    /// Transport endpoint is already connected.
    pub const EISCONN: Self = Self(106);
    /// Operation already in progress.
    pub const EALREADY: Self = Self(114);
    /// Operation now in progress.
    pub const EINPROGRESS: Self = Self(115);
}

/// In the order of their numbers.
const ERRNOS: [(u16, &str, &str); 34] = [
    (1, "EPERM", "Operation not permitted"),
    (2, "ENOENT", "No such file or directory"),
    (4, "EINTR", "Interrupted system call"),
    (5, "EIO", "Input/output error"),
    (9, "EBADF", "Bad file descriptor"),
    (11, "EAGAIN", "Resource temporarily unavailable"),
    (12, "ENOMEM", "Cannot allocate memory"),
    (13, "EACCES", "Permission denied"),
    (14, "EFAULT", "Bad address"),
    (22, "EINVAL", "Invalid argument"),
    (23, "ENFILE", "Too many open files in system"),
    (24, "EMFILE", "Too many open files"),
    (32, "EPIPE", "Broken pipe"),
    (71, "EPROTO", "Protocol error"),
    (88, "ENOTSOCK", "Socket operation on non-socket"),
    (89, "EDESTADDRREQ", "Destination address required"),
    (90, "EMSGSIZE", "Message too long"),
    (92, "ENOPROTOOPT", "Protocol not available"),
    (95, "EOPNOTSUPP", "Operation not supported"),
    (97, "EAFNOSUPPORT", "Address family not supported by protocol"),
    (98, "EADDRINUSE", "Address already in use"),
    (99, "EADDRNOTAVAIL", "Cannot assign requested address"),
    (100, "ENETDOWN", "Network is down"),
    (101, "ENETUNREACH", "Network is unreachable"),
    (103, "ECONNABORTED", "Software caused connection abort"),
    (104, "ECONNRESET", "Connection reset by peer"),
    (105, "ENOBUFS", "No buffer space available"),
    (106, "EISCONN", "Transport endpoint is already connected"),
    (107, "ENOTCONN", "Transport endpoint is not connected"),
    (110, "ETIMEDOUT", "Connection timed out"),
    (111, "ECONNREFUSED", "Connection refused"),
    (113, "EHOSTUNREACH", "No route to host"),
    (114, "EALREADY", "Operation already in progress"),
    (115, "EINPROGRESS", "Operation now in progress"),
];

impl Errno {
    /// The text of strerror(3), where the number is known.
    pub fn text(self) -> Option<&'static str> {
        self.known().map(|(_, text)| text)
    }

    /// The name, where the number is known.
    pub fn name(self) -> Option<&'static str> {
        self.known().map(|(name, _)| name)
    }

    /// The name and the text.
    fn known(self) -> Option<(&'static str, &'static str)> {
        let place = ERRNOS.binary_search_by_key(&self.0, |(number, ..)| *number).ok()?;
        ERRNOS.get(place).map(|(_, name, text)| (*name, *text))
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "E{}", self.0),
        }
    }
}

impl FromStr for Errno {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let by_name = ERRNOS.iter().find(|(_, name, _)| *name == text).map(|(number, ..)| Self(*number));
        let by_number = || text.strip_prefix('E').and_then(|digits| digits.parse().ok()).map(Self);
        by_name.or_else(by_number).ok_or_else(|| format!("no error is called {text:?}"))
    }
}

/// A signal by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signal(pub i32);

impl Signal {
    /// Broken pipe: a write on something that nobody can read.
    pub const SIGPIPE: Self = Self(13);

    /// Whether a process that does nothing about it ends by it (signal(7)): all others are passed over, or stop it.
    pub const fn is_deadly(self) -> bool {
        // SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH.
        !matches!(self.0, 17..=23 | 28)
    }
}

const SIGNALS: [(i32, &str); 18] = [
    (1, "SIGHUP"),
    (2, "SIGINT"),
    (3, "SIGQUIT"),
    (4, "SIGILL"),
    (6, "SIGABRT"),
    (7, "SIGBUS"),
    (8, "SIGFPE"),
    (9, "SIGKILL"),
    (10, "SIGUSR1"),
    (11, "SIGSEGV"),
    (12, "SIGUSR2"),
    (13, "SIGPIPE"),
    (14, "SIGALRM"),
    (15, "SIGTERM"),
    (17, "SIGCHLD"),
    (18, "SIGCONT"),
    (19, "SIGSTOP"),
    (23, "SIGURG"),
];

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match SIGNALS.iter().find(|(number, _)| *number == self.0) {
            Some((_, name)) => f.pad(name),
            None => write!(f, "SIG{}", self.0),
        }
    }
}

impl FromStr for Signal {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let by_name = SIGNALS.iter().find(|(_, name)| *name == text).map(|(number, _)| Self(*number));
        let by_number = || text.strip_prefix("SIG").and_then(|digits| digits.parse().ok()).map(Self);
        by_name.or_else(by_number).ok_or_else(|| format!("no signal is called {text:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_bare_numbers_read_back() {
        for number in 1..140 {
            let errno = Errno(number);
            assert_eq!(errno.to_string().parse(), Ok(errno));
        }
        for number in 1..65 {
            let signal = Signal(number);
            assert_eq!(signal.to_string().parse(), Ok(signal));
        }
        let harmless: Vec<i32> = (1..32).filter(|number| !Signal(*number).is_deadly()).collect();
        assert_eq!(harmless, [17, 18, 19, 20, 21, 22, 23, 28]);
        assert_eq!(Errno::EPIPE.text(), Some("Broken pipe"));
    }
}
