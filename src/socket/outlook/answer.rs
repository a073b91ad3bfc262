//! What a call would come to.

use std::fmt;

use super::ready::Readiness;
use crate::socket::errno::{Errno, Signal};

/// What a call would return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// 0.
    Zero,
    /// The number of bytes asked for.
    Asked,
    /// This number of bytes.
    Bytes(u64),
    /// A descriptor.
    Descriptor,
    /// 1, and these events of poll(2).
    Ready(Readiness),
    /// 0, and this value of `SO_ERROR`.
    Error(Option<Errno>),
    /// −1 with this error.
    Fails(Errno),
    /// Nothing yet: the call waits.
    Waits,
}

/// What a call would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What it returns.
    pub returns: Returns,
    /// The signal that comes with it.
    pub signal: Option<Signal>,
    /// What it puts on the wire: `SYN`, `DATA`, `FIN`, `RST`.
    pub sends: Option<&'static str>,
    /// Why, in plain words.
    pub why: &'static str,
    /// The kernel function that decides.
    pub source: &'static str,
}

impl Answer {
    pub(super) const fn new(returns: Returns, why: &'static str, source: &'static str) -> Self {
        Self { returns, signal: None, sends: None, why, source }
    }

    pub(super) const fn fails(errno: Errno, why: &'static str, source: &'static str) -> Self {
        Self::new(Returns::Fails(errno), why, source)
    }

    /// Whether it says that the call fails with `errno`.
    pub fn fails_with(&self, errno: Errno) -> bool {
        self.returns == Returns::Fails(errno)
    }

    pub(super) const fn sending(mut self, segment: &'static str) -> Self {
        self.sends = Some(segment);
        self
    }

    /// The same of a call that may not wait: where it would, it fails with EAGAIN.
    pub(super) fn at_once(self, at_once: bool) -> Self {
        let waits = self.returns == Returns::Waits;
        if waits && at_once { Self { returns: Returns::Fails(Errno::EAGAIN), ..self } } else { self }
    }

    /// Its text, where that is one of a few words.
    pub fn word(&self) -> Option<&'static str> {
        self.returns.word().filter(|_| self.is_alone())
    }

    /// Hands its text to `take`: `5`, `0 and FIN`, `EPIPE+SIGPIPE`, `waits`.
    pub fn text<T>(&self, take: impl FnOnce(&str) -> T) -> T {
        match (self.returns, self.word()) {
            (_, Some(word)) => take(word),
            (Returns::Bytes(bytes), None) if self.is_alone() => take(itoa::Buffer::new().format(bytes)),
            _ => take(&self.in_full()),
        }
    }

    /// Whether there is nothing to say beside what it returns: that data is sent goes without saying.
    fn is_alone(&self) -> bool {
        self.signal.is_none() && matches!(self.sends, Some("DATA") | None)
    }

    fn in_full(&self) -> String {
        let returns = match self.returns {
            Returns::Bytes(bytes) => bytes.to_string(),
            Returns::Fails(errno) => errno.to_string(),
            Returns::Ready(ready) => ready.to_string(),
            Returns::Error(Some(errno)) => format!("0, value {errno}"),
            other => other.word().unwrap_or_default().to_owned(),
        };
        let signal = self.signal.map_or_else(String::new, |signal| format!("+{signal}"));
        match self.sends {
            Some("DATA") | None => returns + &signal,
            Some(segment) => format!("{returns}{signal} and {segment}"),
        }
    }
}

impl Returns {
    fn word(self) -> Option<&'static str> {
        match self {
            Self::Zero => Some("0"),
            Self::Asked => Some("ok"),
            Self::Descriptor => Some("a descriptor"),
            Self::Error(None) => Some("0, value 0"),
            Self::Bytes(_) | Self::Ready(_) | Self::Error(Some(_)) => None,
            Self::Fails(errno) => errno.name(),
            Self::Waits => Some("waits"),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text(|text| f.write_str(text))
    }
}
