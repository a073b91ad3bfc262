//! The verdicts by name.

use std::fmt;
use std::str::FromStr;

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Name {
    /// Data reached an end that had closed, and that end answered with a reset: the broken pipe.
    ResetAfterClose,
    /// A live end gave up: unread data, linger 0, kill, …
    Aborted,
    /// One end repeated itself in vain: its peer has vanished.
    TimedOut,
    /// An end that knew nothing of the connection answered: rebooted, forgotten, forged.
    NobodyHome,
    /// Nothing came back to the SYN.
    Unanswered,
    /// The SYN was answered with a reset.
    Refused,
    /// One direction was ended, the other not.
    HalfClosed,
    /// Neither direction was ended.
    Open,
    /// Both FINs were sent before either had arrived.
    ClosedSimultaneously,
    /// Both directions were ended in order.
    Closed,
}

impl Name {
    /// All of them, what is most worth looking at first.
    pub const ALL: [Self; 10] = [
        Self::ResetAfterClose,
        Self::Aborted,
        Self::TimedOut,
        Self::NobodyHome,
        Self::Unanswered,
        Self::Refused,
        Self::HalfClosed,
        Self::Open,
        Self::ClosedSimultaneously,
        Self::Closed,
    ];

    /// As it is printed and typed.
    pub const fn text(self) -> &'static str {
        match self {
            Self::ResetAfterClose => "reset-after-close",
            Self::Aborted => "aborted",
            Self::TimedOut => "timed-out",
            Self::NobodyHome => "nobody-home",
            Self::Unanswered => "unanswered",
            Self::Refused => "refused",
            Self::HalfClosed => "half-closed",
            Self::Open => "open",
            Self::ClosedSimultaneously => "closed-simultaneously",
            Self::Closed => "closed",
        }
    }

    /// What it means, in a few words.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::ResetAfterClose => "data reached a closed end: Broken pipe",
            Self::Aborted => "a live end gave up: Connection reset by peer",
            Self::TimedOut => "one end repeated itself in vain",
            Self::NobodyHome => "answered by a host that knew nothing of it",
            Self::Unanswered => "nothing came back to the SYN",
            Self::Refused => "the SYN was reset: Connection refused",
            Self::HalfClosed => "one direction ended, the other not",
            Self::Open => "neither direction ended",
            Self::ClosedSimultaneously => "both ended at once, in order",
            Self::Closed => "both directions ended in order",
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|name| name.text() == text).ok_or_else(|| {
            let all: Vec<&str> = Self::ALL.iter().map(|name| name.text()).collect();
            format!("no verdict is called {text:?}; there are {}", all.join(", "))
        })
    }
}
