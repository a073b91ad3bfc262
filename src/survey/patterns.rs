//! What the endings of many connections have in common: what an engineer opens a capture for.
//!
//! Each pattern is drawn from one pass over the connections, gathered by server; a connection that is a copy of another counts
//! once. How many are needed before it is said stands at each rule.

mod gather;
mod idle;
mod rules;

use std::net::SocketAddr;

use crate::story::side::Side;
pub use gather::Gathered;

/// How many connections are named as examples.
pub const EXAMPLES: usize = 3;

/// Of what kind a pattern is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Connections end so long after their last byte, again and again.
    IdleLimit,
    /// A connection is used again after its server has ended it.
    StaleReuse,
    /// Hosts answer that they know nothing of a connection that was idle.
    Forgotten,
    /// Resets that a box between the ends may have sent.
    BystanderResets,
    /// Bytes that were sent and never reached a program.
    LostBytes,
    /// All resets come from one side.
    OneSidedResets,
    /// Connection requests that were answered with a reset.
    Refusals,
    /// Connection requests that nothing came back to.
    SilentSyns,
    /// One end has not closed, long after its peer did.
    CloseWait,
}

impl Kind {
    /// As it is printed in JSON.
    pub const fn text(self) -> &'static str {
        match self {
            Self::IdleLimit => "idle-limit",
            Self::StaleReuse => "stale-reuse",
            Self::Forgotten => "forgotten",
            Self::BystanderResets => "bystander-resets",
            Self::LostBytes => "lost-bytes",
            Self::OneSidedResets => "one-sided-resets",
            Self::Refusals => "refusals",
            Self::SilentSyns => "silent-syns",
            Self::CloseWait => "close-wait",
        }
    }

    /// What is usually done about it.
    pub const fn fix(self) -> &'static str {
        match self {
            Self::IdleLimit => {
                "let whoever opens connections close them earlier than that limit, or send keep-alives more often; or raise the \
                 limit there"
            }
            Self::StaleReuse => {
                "let the pool look for the end (recv() = 0, POLLRDHUP) before it uses a connection, keep idle ones shorter than \
                 the server does, and repeat on a new connection only what may be done twice"
            }
            Self::Forgotten => {
                "keep-alives shorter than the shortest idle limit on the way (NAT, firewall, load balancer), or a retry on a new \
                 connection"
            }
            Self::BystanderResets => {
                "capture at both ends: a reset that its supposed sender never sent is a box's between (conntrack, firewall, load \
                 balancer)"
            }
            Self::LostBytes => {
                "end sending with shutdown(SHUT_WR), read until recv() = 0 with a time limit, then close(); let the protocol \
                 acknowledge what must not be lost"
            }
            Self::OneSidedResets => {
                "look there for close() with unread data, SO_LINGER with 0, or a process that is killed or crashes"
            }
            Self::Refusals => {
                "see whether the server runs and what address it is bound to; a firewall can refuse in its name"
            }
            Self::SilentSyns => {
                "see whether the host is up, a firewall drops, or the accept queue is full (ss -lt: Recv-Q)"
            }
            Self::CloseWait => "find the path on which recv() returned 0, or an error was handled, without a close()",
        }
    }
}

/// One pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Of what kind it is.
    pub kind: Kind,
    /// In how many connections it was found.
    pub count: u64,
    /// Of how many that could have it.
    pub of: u64,
    /// At which server.
    pub server: SocketAddr,
    /// At which side, where it is one side's.
    pub side: Option<Side>,
    /// The silence before the ends, in nanoseconds, where that is the pattern.
    pub idle: Option<i64>,
    /// Bytes that were lost.
    pub lost: u64,
    /// Some of the connections.
    pub examples: Vec<u64>,
    /// The pattern in a sentence.
    pub sentence: String,
}

impl Gathered {
    /// The patterns in what was gathered, the weightiest first.
    pub fn patterns(&self) -> Vec<Pattern> {
        let mut patterns: Vec<Pattern> =
            self.servers().into_iter().flat_map(|(server, seen)| rules::patterns(server, seen)).collect();
        // What says most first; among equals the order is that of the addresses, so that it is the same every time.
        patterns.sort_by_key(|pattern| (std::cmp::Reverse(pattern.count), pattern.kind, pattern.server));
        patterns
    }
}

#[cfg(test)]
mod tests;
