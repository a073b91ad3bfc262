//! What a view shows beside the rows, as data: the ends' states in words, a row's why, what comes next, the bytes, the verdict.

use std::net::SocketAddr;

use crate::event::{ConnectionId, EventId};
use crate::tcp::state::State;

use super::findings::Finding;
use super::side::Both;

/// One end at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its address, once known.
    pub endpoint: Option<SocketAddr>,
    /// Its state by inference.
    pub state: State,
    /// One line of plain words: `server will send no more`.
    pub words: String,
    /// The kernel's own view where it was asked: `FIN-WAIT-2, no process`, `no socket`.
    pub kernel: Option<String>,
    /// Whether the kernel's own view contradicts the inference.
    pub differs: bool,
    /// What else is to be known of the kernel's own view; empty for nothing.
    pub remark: String,
}

impl Standing {
    /// The plain words, or the kernel's own view where it contradicts the state.
    pub fn line(&self) -> String {
        match &self.kernel {
            Some(kernel) if self.differs => format!("≠ kernel: {kernel}"),
            _ => self.words.clone(),
        }
    }
}

/// How sure a cause is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Certainty {
    /// Sequence numbers and the state machine leave exactly one candidate.
    Proven,
    /// Several remain; order or time decides.
    Likely,
    /// Not known.
    Unknown,
}

impl Certainty {
    /// `proven`, `likely` or `unknown`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Likely => "likely",
            Self::Unknown => "unknown",
        }
    }
}

/// Why a row is as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// What the row is: `send("hello") = EPIPE`.
    pub title: String,
    /// One or two sentences.
    pub sentences: Vec<String>,
    /// What became of it later, which a view of what is still happening keeps to itself.
    pub later: Option<String>,
    /// The chain of causes as words: `9 RST ◀ 8 send ◀ 6 close`; empty for a first cause.
    pub because: String,
    /// How sure the chain's first link is, and what was ruled out: `proven: seq 2 = ack of 8; 7 drew none`.
    pub evidence: String,
    /// The events of the chain, nearest cause first.
    pub chain: Vec<EventId>,
    /// What is found to be wrong by its calls. Some of it may have shown later, as `later` has.
    pub findings: Vec<Finding>,
}

/// What each call would return next, and where the bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// One line for each end.
    pub lines: Both<String>,
    /// The same with nothing left out, however long.
    pub whole: Both<String>,
    /// The bytes account in one line: `sent 10 · acknowledged 5 · read 5 · LOST 5 (send() said 5)`.
    pub bytes: String,
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Which connection.
    pub connection: ConnectionId,
    /// Its name: `reset-after-close`, `aborted`, `closed`.
    pub name: &'static str,
    /// How sure it is.
    pub certainty: Certainty,
    /// Three sentences: what happened, what it did to the bytes and the errors, what is usually done about it.
    pub sentences: Vec<String>,
}
