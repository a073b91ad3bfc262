//! What poll(2), select(2) and epoll(7) report: all three ask `tcp_poll()`.

use std::fmt;

use super::answer::{Answer, Returns};
use super::{Attachment, Socket};
use crate::tcp::state::State;

/// Events of poll(2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness(u8);

impl Readiness {
    /// `POLLIN`.
    pub const IN: Self = Self(1);
    /// `POLLOUT`.
    pub const OUT: Self = Self(2);
    /// `POLLERR`, reported whether asked for or not.
    pub const ERR: Self = Self(4);
    /// `POLLHUP`, reported whether asked for or not.
    pub const HUP: Self = Self(8);
    /// `POLLRDHUP`.
    pub const RDHUP: Self = Self(16);

    /// In the order in which they are shown.
    const ALL: [(Self, &'static str); 5] =
        [(Self::IN, "IN"), (Self::OUT, "OUT"), (Self::ERR, "ERR"), (Self::HUP, "HUP"), (Self::RDHUP, "RDHUP")];

    /// Of its parts, those that `asked` names as `POLLIN|POLLRDHUP`, and the two that need no asking.
    fn asked_for(self, asked: &str) -> Self {
        let is_asked = |name: &str| asked.split('|').any(|word| word.strip_prefix("POLL") == Some(name));
        let parts = Self::ALL
            .into_iter()
            .filter(|(part, name)| self.has(*part) && (matches!(*part, Self::ERR | Self::HUP) || is_asked(name)));
        parts.fold(Self::default(), |all, (part, _)| all.and(part, true))
    }

    /// Whether nothing is reported.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether one of `parts` is among them.
    pub const fn has(self, parts: Self) -> bool {
        self.0 & parts.0 != 0
    }

    const fn and(self, part: Self, set: bool) -> Self {
        if set { Self(self.0 | part.0) } else { self }
    }

    /// Their names, without `POLL`.
    pub fn words(self) -> Vec<&'static str> {
        Self::ALL.into_iter().filter(|(part, _)| self.has(*part)).map(|(_, name)| name).collect()
    }
}

/// As on screen: `IN OUT RDHUP`.
impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().join(" "))
    }
}

const SOURCE: &str = "tcp_poll()";

impl Socket {
    /// What poll(2) would report if every event were asked for.
    pub fn ready(&self) -> Readiness {
        if self.state == State::Listen {
            // inet_csk_listen_poll() looks at nothing but the queue.
            return Readiness::default().and(Readiness::IN, self.unread > 0);
        }
        let gone = self.is_gone();
        let open = self.state != State::SynSent;
        Readiness::default()
            .and(Readiness::IN, self.receive_shut || (open && self.unread > 0))
            .and(Readiness::OUT, open)
            .and(Readiness::ERR, self.pending.is_some())
            .and(Readiness::HUP, gone || (self.receive_shut && self.send_shut))
            .and(Readiness::RDHUP, self.receive_shut)
    }

    /// poll(2) for the events `asked`, as `POLLIN|POLLRDHUP`, for `timeout` milliseconds; below 0 without end.
    pub fn poll(&self, asked: &str, timeout: i64) -> Answer {
        let ready = self.ready().asked_for(asked);
        match () {
            () if !ready.is_empty() => Answer::new(Returns::Ready(ready), self.why_ready(ready), SOURCE),
            () if timeout == 0 => Answer::new(Returns::Zero, "nothing of what was asked for is so", SOURCE),
            () => Answer::new(Returns::Waits, "nothing of what was asked for is so yet", SOURCE),
        }
    }

    /// select(2) for reading, which takes an error and the end for readable (`POLLIN_SET` of fs/select.c).
    pub fn select(&self, timeout: i64) -> Answer {
        let readable = Readiness(Readiness::IN.0 | Readiness::ERR.0 | Readiness::HUP.0);
        match () {
            () if self.ready().has(readable) => {
                Answer::new(Returns::Ready(Readiness::IN), "a read would not wait", SOURCE)
            }
            () if timeout == 0 => Answer::new(Returns::Zero, "a read would wait", SOURCE),
            () => Answer::new(Returns::Waits, "a read would wait", SOURCE),
        }
    }

    fn why_ready(&self, ready: Readiness) -> &'static str {
        match () {
            () if self.state == State::Listen => "a connection waits to be accepted",
            () if ready.has(Readiness::ERR) => "an error waits to be taken",
            () if ready.has(Readiness::HUP) && self.attachment == Attachment::None => "it was never connected",
            () if ready.has(Readiness::HUP) => "both directions have ended",
            () if ready.has(Readiness::RDHUP) => "the peer sends no more, or this end hears no more",
            () if ready.has(Readiness::IN) => "there is something to read",
            () => "there is room to send",
        }
    }
}
