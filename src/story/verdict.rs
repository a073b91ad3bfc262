//! How a connection ended: a name, how sure it is, and three sentences.
//!
//! It rests on [`Facts`] alone, which a survey without a story has too.

mod by_calls;
mod happened;
mod name;
mod sentences;
mod unseen;

pub use by_calls::{ByCalls, InVain, Kind as ReasonKind, Reason};
pub use name::Name;

use std::net::SocketAddr;

use super::Story;
use super::connection::Connection;
use super::ending::{Ending, GIVES_UP, Kind};
use super::leak;
use super::side::{Both, Side};
use super::telling::{Certainty, Verdict};
use crate::event::{ConnectionId, Event, FrameNo};
use crate::tcp::state::State;

/// What a verdict on captured segments rests on.
#[derive(Clone, Debug)]
pub struct Facts {
    /// What the segments amount to.
    pub ending: Ending,
    /// The ends' states after the last segment.
    pub states: Both<State>,
    /// The bytes that each end sent in vain.
    pub lost: Both<u64>,
    /// Whether every byte that was sent was acknowledged.
    pub all_acknowledged: bool,
    /// Whether a segment of each end was captured.
    pub seen: Both<bool>,
    /// The server's address.
    pub server: SocketAddr,
    /// Whether it is one socket, connected with itself.
    pub with_itself: bool,
    /// Whether the calls of each end are known.
    pub has_calls: Both<bool>,
    /// The payload that each end sent, in bytes; what was sent again counts again.
    pub sent: Both<u64>,
    /// What calls tell.
    pub by_calls: ByCalls,
}

impl Facts {
    /// The verdict's name.
    pub fn name(&self) -> Name {
        let ending = &self.ending;
        let fins = (ending.fins.client, ending.fins.server);
        if self.with_itself {
            return match (ending.reset, fins.0) {
                (Some(_), _) => Name::Aborted,
                (None, Some(_)) => Name::Closed,
                (None, None) => Name::Open,
            };
        }
        if self.by_calls.gave_up.is_some() && ending.reset.is_none() {
            return Name::TimedOut;
        }
        if let Some(reset) = ending.reset {
            return match reset.kind {
                Kind::Refuses => Name::Refused,
                Kind::Aborts if reset.after_silence() => Name::TimedOut,
                Kind::Aborts => Name::Aborted,
                Kind::Answers if reset.after_fin => Name::ResetAfterClose,
                Kind::Answers => Name::NobodyHome,
            };
        }
        let done = self.is_done();
        match fins {
            _ if !ending.answered || self.states.client == State::SynSent => Name::Unanswered,
            (Some(_), Some(_)) if done && ending.crossed => Name::ClosedSimultaneously,
            (Some(_), Some(_)) if done => Name::Closed,
            _ if self.vanished().is_some() => Name::TimedOut,
            // Without data frames, or where the capture ends too soon, the last ACKs are missing.
            (Some(_), Some(_)) if ending.crossed => Name::ClosedSimultaneously,
            (None, None) => Name::Open,
            _ => Name::HalfClosed,
        }
    }

    /// How sure the name is.
    pub fn certainty(&self) -> Certainty {
        match (self.name(), self.ending.reset) {
            (Name::ResetAfterClose | Name::Aborted | Name::Refused, Some(reset)) => reset.certainty,
            (Name::TimedOut, None) if self.by_calls.gave_up.is_some() => Certainty::Proven,
            (Name::TimedOut, Some(_)) if self.by_calls.probed => Certainty::Proven,
            (Name::NobodyHome, Some(reset)) if self.by_calls.by_another || self.by_calls.gave_up == Some(reset.by) => {
                Certainty::Proven
            }
            (Name::NobodyHome | Name::TimedOut, _) => Certainty::Likely,
            (Name::Unanswered, _) => Certainty::Proven,
            // What is missing can have been anything.
            _ if self.ending.has_gaps || self.unseen().is_some() => Certainty::Likely,
            (Name::ClosedSimultaneously, _) if !self.is_done() => Certainty::Likely,
            _ => Certainty::Proven,
        }
    }

    /// The end of which no segment was captured, where the other's show that it is there.
    fn unseen(&self) -> Option<Side> {
        let is_told_of = self.name() != Name::Unanswered && !self.with_itself;
        Side::BOTH.into_iter().find(|side| is_told_of && !self.seen[*side])
    }

    /// Whether an end has no more to wait for, but old segments.
    fn is_done(&self) -> bool {
        let states = [self.states.client, self.states.server];
        states.iter().any(|state| matches!(state, State::Closed | State::TimeWait))
    }

    /// The end whose peer gave no sign of life to all its repetitions.
    fn vanished(&self) -> Option<Side> {
        Side::BOTH.into_iter().find(|side| self.ending.repeats[*side] >= GIVES_UP)
    }

    /// The end that repeated itself.
    fn repeating_side(&self) -> Side {
        self.by_calls.gave_up.or(self.ending.reset.map(|reset| reset.by)).or(self.vanished()).unwrap_or(Side::Client)
    }

    /// What happened, in one sentence.
    pub fn happened(&self) -> String {
        happened::happened(self)
    }

    /// What happened, what it did to the bytes and the errors, what is usually done about it, and what would settle it.
    pub fn sentences(&self) -> Vec<String> {
        sentences::sentences(self)
    }

    /// Who sent the first FIN: `both` if the FINs crossed.
    pub fn first_closer(&self) -> Option<&'static str> {
        self.ending.first_fin.map(|side| if self.ending.crossed { "both" } else { side.name() })
    }
}

/// The verdict on a connection of `story`.
pub fn verdict(story: &Story, id: ConnectionId) -> Option<Verdict> {
    let connection = story.connection(id)?;
    if connection.frames.is_none() {
        let (name, mut sentences) = unseen::told(story, connection);
        sentences.extend(leak::sentences(story, id));
        return Some(Verdict { connection: id, name: name.text(), certainty: Certainty::Likely, sentences });
    }
    let facts = facts(story, connection);
    let sentences = facts.sentences().into_iter().chain(leak::sentences(story, id)).collect();
    Some(Verdict { connection: id, name: facts.name().text(), certainty: facts.certainty(), sentences })
}

/// Who sent the first FIN, and who sent the reset that ended it with its frame.
pub fn closers(story: &Story, connection: &Connection) -> (Option<&'static str>, Option<(Side, FrameNo)>) {
    let facts = facts(story, connection);
    (facts.first_closer(), facts.ending.reset.map(|reset| (reset.by, reset.frame.frame())))
}

/// What the verdict on `connection` rests on.
fn facts(story: &Story, connection: &Connection) -> Facts {
    let account = connection.events.last().map(|last| story.account(connection.id, *last)).unwrap_or_default();
    let ends = &connection.ends;
    Facts {
        ending: connection.ending,
        states: Both { client: ends.client.tcp.state, server: ends.server.tcp.state },
        lost: Both { client: account.client.lost, server: account.server.lost },
        all_acknowledged: [account.client, account.server].iter().all(|way| way.acknowledged == way.sent),
        seen: Both { client: ends.client.tcp.was_seen(), server: ends.server.tcp.was_seen() },
        server: connection.addresses.server,
        with_itself: connection.is_with_itself(),
        has_calls: Both { client: ends.client.has_calls, server: ends.server.has_calls },
        sent: sent(story, connection),
        by_calls: ByCalls::of(story, connection),
    }
}

/// The payload that each end sent, in bytes.
fn sent(story: &Story, connection: &Connection) -> Both<u64> {
    let mut sent = Both::default();
    for id in &connection.events {
        let record = story.record(*id).filter(|record| !record.is_copy);
        let side = record.and_then(|record| record.side);
        if let Some((side, (_, segment))) = side.zip(story.journal().get(*id).and_then(Event::segment)) {
            sent[side] += u64::from(segment.payload_len);
        }
    }
    sent
}

#[cfg(test)]
mod tests;
