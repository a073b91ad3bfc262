//! What programs did wrong, by their calls: each finding with the calls that it rests on, and what programs do instead.
//!
//! Found is only what calls and segments prove. A program that ends in order has none.

mod bytes;
mod ends;
mod errors;

use std::collections::{BTreeSet, HashMap};

use super::Story;
use super::connection::Connection;
use super::leak;
use super::side::Side;
use crate::event::{ConnectionId, Event, EventId};
use crate::socket::call::{Call, Outcome};

/// What kind of mistake it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A close with unread bytes sent a reset.
    ClosedUnread,
    /// An answer that was sent before such a close was lost with it.
    ReplyLost,
    /// Bytes whose send had succeeded reached no program.
    BytesLost,
    /// A send took a part, and the rest was never sent.
    ShortSendIgnored,
    /// A send after the program's own shutdown.
    SentAfterShutdown,
    /// SIGPIPE ended the program.
    KilledBySigpipe,
    /// The end was read again and again.
    EndReadInALoop,
    /// A descriptor in CLOSE-WAIT that was never closed.
    NeverClosed,
    /// A copy of the descriptor in another process kept the connection open.
    KeptOpenByCopy,
    /// A connection was used again whose end had come meanwhile.
    UsedAfterItsEnd,
}

impl Kind {
    /// Its name for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClosedUnread => "closed-unread",
            Self::ReplyLost => "reply-lost",
            Self::BytesLost => "bytes-lost",
            Self::ShortSendIgnored => "short-send-ignored",
            Self::SentAfterShutdown => "sent-after-shutdown",
            Self::KilledBySigpipe => "killed-by-sigpipe",
            Self::EndReadInALoop => "end-read-in-a-loop",
            Self::NeverClosed => "never-closed",
            Self::KeptOpenByCopy => "kept-open-by-copy",
            Self::UsedAfterItsEnd => "used-after-its-end",
        }
    }

    /// In a few words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::ClosedUnread => "closed with bytes unread",
            Self::ReplyLost => "an answer was lost to the own reset",
            Self::BytesLost => "bytes were lost after a send that succeeded",
            Self::ShortSendIgnored => "a short send was taken for a whole one",
            Self::SentAfterShutdown => "sent after the own shutdown",
            Self::KilledBySigpipe => "killed by SIGPIPE",
            Self::EndReadInALoop => "the end of the stream was read again and again",
            Self::NeverClosed => "a descriptor was never closed",
            Self::KeptOpenByCopy => "a copy of the descriptor kept the connection open",
            Self::UsedAfterItsEnd => "used after its end had come",
        }
    }

    /// What programs do about it.
    pub const fn fix(self) -> &'static str {
        match self {
            Self::ClosedUnread => {
                "read to the end before close(), or end sending with shutdown(SHUT_WR) and read until recv() = 0"
            }
            Self::ReplyLost => {
                "after the answer shutdown(SHUT_WR), then read until recv() = 0 with a time limit, then close()"
            }
            Self::BytesLost => {
                "have the peer confirm what it has; repeat on a new connection only what may be done twice"
            }
            Self::ShortSendIgnored => "go on with the rest until all is taken, as sendall() and write_all() do",
            Self::SentAfterShutdown => "shutdown(SHUT_WR) is the last word: send all before it",
            Self::KilledBySigpipe => "ignore SIGPIPE, or pass MSG_NOSIGNAL, and handle EPIPE",
            Self::EndReadInALoop => "recv() = 0 is the end, not an error and not a pause: close() then",
            Self::NeverClosed => "close() once the end was read, on every path",
            Self::KeptOpenByCopy => {
                "open with SOCK_CLOEXEC, close the copy in the child, or end by shutdown(), which acts on all copies"
            }
            Self::UsedAfterItsEnd => {
                "look for the end before a connection is used again (recv() with MSG_PEEK, POLLRDHUP), and keep it for a shorter time than the peer does"
            }
        }
    }
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Of which kind.
    pub kind: Kind,
    /// On which connection.
    pub connection: ConnectionId,
    /// At which end.
    pub side: Side,
    /// The beginnings of the calls that it rests on, rising.
    pub calls: Vec<EventId>,
    /// What happened, in a sentence.
    pub text: String,
}

impl Finding {
    /// The call that tells: the last of those that it rests on.
    pub fn telling(&self) -> Option<EventId> {
        self.calls.last().copied()
    }
}

/// The findings of a story, and by which calls.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// All of them, in the order of connections and kinds.
    pub all: Vec<Finding>,
    /// The places of those that rest on a call, by its beginning.
    by_call: HashMap<EventId, Vec<usize>>,
}

impl Found {
    /// What is found in `story`.
    pub fn of(story: &Story) -> Self {
        let all = findings(story);
        let mut by_call: HashMap<EventId, Vec<usize>> = HashMap::new();
        for (place, finding) in all.iter().enumerate() {
            for call in &finding.calls {
                by_call.entry(*call).or_default().push(place);
            }
        }
        Self { all, by_call }
    }

    /// Those that rest on one of `events`.
    pub fn resting_on(&self, events: &[EventId]) -> Vec<Finding> {
        let places: BTreeSet<usize> = events.iter().filter_map(|id| self.by_call.get(id)).flatten().copied().collect();
        places.into_iter().filter_map(|place| self.all.get(place)).cloned().collect()
    }
}

fn findings(story: &Story) -> Vec<Finding> {
    let of = |connection: &Connection| {
        let mut found: Vec<Finding> =
            Side::BOTH.into_iter().flat_map(|side| findings_at(story, connection, side)).collect();
        found.sort_by_key(|finding| (finding.kind, finding.side));
        found
    };
    story.connections().iter().flat_map(of).collect()
}

fn findings_at(story: &Story, connection: &Connection, side: Side) -> Vec<Finding> {
    let own = |id: &&EventId| story.record(**id).is_some_and(|record| record.side == Some(side));
    let events: Vec<&Event> = connection.events.iter().filter(own).filter_map(|id| story.journal().get(*id)).collect();
    let done: Vec<Done<'_>> = events.iter().filter_map(|event| Done::of(story, event)).collect();
    End { story, connection, side, events: &events, done: &done }.findings()
}

/// One end of one connection, whose calls are looked at.
#[derive(Clone, Copy)]
struct End<'a> {
    story: &'a Story,
    connection: &'a Connection,
    side: Side,
    /// Its events, rising.
    events: &'a [&'a Event],
    /// Its calls that have returned, in the order of their ends.
    done: &'a [Done<'a>],
}

/// A call of an end that has returned.
#[derive(Clone, Copy)]
struct Done<'a> {
    begun: EventId,
    ended: &'a Event,
    call: &'a Call,
    outcome: &'a Outcome,
}

impl<'a> Done<'a> {
    /// The call that ended with `event`, if that is the end of one.
    fn of(story: &'a Story, event: &'a Event) -> Option<Self> {
        let (begun, outcome) = event.ended()?;
        let call = story.journal().get(begun)?.begun()?;
        Some(Done { begun, ended: event, call, outcome })
    }
}

impl<'a> End<'a> {
    fn findings(self) -> Vec<Finding> {
        if !self.connection.ends[self.side].has_calls {
            return Vec::new();
        }
        let unread = self.closed_unread();
        let lost = if unread.is_empty() { self.bytes_lost() } else { self.reply_lost(&unread) };
        let others = [
            self.short_send(),
            self.after_shutdown(),
            self.killed(),
            self.end_in_a_loop(),
            self.never_closed(),
            self.kept_open(),
            self.used_after_end(),
        ];
        unread.into_iter().chain(lost).chain(others.into_iter().flatten()).collect()
    }

    fn finding(&self, kind: Kind, calls: Vec<EventId>, text: String) -> Finding {
        Finding { kind, connection: self.connection.id, side: self.side, calls, text }
    }

    /// Who makes the calls here: `the client`, `python3/4711`.
    fn who(&self) -> String {
        let actor = self.connection.actors[self.side].as_ref();
        self.named(actor.map_or(self.side.name(), |actor| actor.name()))
    }

    /// The name of a program, with an article where it is but its side's.
    fn named(&self, name: &str) -> String {
        if name == self.side.name() { format!("the {name}") } else { name.to_owned() }
    }

    fn events(self) -> impl Iterator<Item = &'a Event> {
        self.events.iter().copied()
    }

    fn done(self) -> impl Iterator<Item = Done<'a>> {
        self.done.iter().copied()
    }

    fn never_closed(&self) -> Option<Finding> {
        let leak = leak::leaks(self.story, self.connection).into_iter().find(|leak| leak.side == self.side)?;
        let begun = |end: EventId| self.story.journal().get(end).and_then(Event::ended).map(|(begun, _)| begun);
        let calls = [leak.opened, leak.end_read].into_iter().filter_map(begun).collect();
        Some(self.finding(Kind::NeverClosed, calls, leak::sentence(self.story, self.connection, &leak)))
    }
}
