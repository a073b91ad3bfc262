//! What only calls tell of a connection's end.

use crate::event::{Event, EventId, FrameNo};
use crate::socket::call::CallName;
use crate::socket::errno::Errno;
use crate::story::Story;
use crate::story::connection::Connection;
use crate::story::ending::{Kind as ResetKind, Reset};
use crate::story::side::Side;
use crate::story::track::Record;
use crate::tcp::rule::Rule;
use crate::tcp::state::State;

/// What calls tell; nothing where none are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct ByCalls {
    /// Why an end gave up.
    pub reason: Option<Reason>,
    /// The end whose kernel gave up waiting for an answer, and told nobody.
    pub gave_up: Option<Side>,
    /// Whether somebody between the ends sent the reset.
    pub by_another: bool,
    /// Whether the end that the reset came to had no descriptor left, so that no call of its is told.
    pub is_untold: bool,
    /// What was sent to a closed end, where it was more than the reset answers.
    pub in_vain: Option<InVain>,
    /// Whether a filter dropped the SYNs.
    pub is_filtered: bool,
    /// Whether the kernel gave up because its keep-alives had no answer, and a call returned ETIMEDOUT.
    pub probed: bool,
}

/// Why an end gave up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// In words.
    pub words: String,
    /// Of which kind it is.
    pub kind: Kind,
}

/// Kinds of reasons, by what is usually done about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Its program closed it with bytes unread, with `SO_LINGER` 0, or ended so.
    Own,
    /// Its listening socket was closed before it was accepted.
    Unaccepted,
    /// Its program connected it to nowhere.
    Disconnected,
    /// Another process asked the kernel for it.
    Destroyed,
}

/// What was sent to an end that had closed, before the reset was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InVain {
    /// By how many calls.
    pub calls: usize,
    /// How many bytes.
    pub bytes: u64,
    /// In which frames.
    pub frames: (FrameNo, FrameNo),
}

impl ByCalls {
    /// What calls tell of `connection`.
    pub(super) fn of(story: &Story, connection: &Connection) -> Self {
        let reset = connection.ending.reset;
        let event = reset.and_then(|reset| event_of(story, connection, reset));
        let record = event.and_then(|event| story.record(event));
        let told = reset.zip(event).zip(record);
        Self {
            reason: reset.zip(event).and_then(|(reset, event)| reason(story, connection, reset, event)),
            gave_up: gave_up(story, connection),
            by_another: record.is_some_and(Record::is_sent_by_another),
            is_untold: told.is_some_and(|((reset, event), record)| is_untold(story, connection, reset, event, record)),
            in_vain: reset.and_then(|reset| in_vain(story, connection, reset)),
            is_filtered: !connection.ending.answered && connection.events.iter().any(|id| story.was_filtered(*id)),
            probed: told.is_some_and(|((reset, _), record)| is_probed(story, connection, reset.by, record)),
        }
    }
}

/// Whether the end that `reset` came to had no program any more, or one that was in close(2).
fn is_untold(story: &Story, connection: &Connection, reset: Reset, event: EventId, record: &Record) -> bool {
    let side = reset.by.peer();
    let end = &record.ends[side];
    end.has_calls && (!end.has_program() || story.is_closing(connection.id, side, event))
}

/// Whether the kernel of `side`, which sent a reset in the event of `record`, had asked in vain whether its peer is there.
fn is_probed(story: &Story, connection: &Connection, side: Side, record: &Record) -> bool {
    record.ends[side].socket.pending == Some(Errno::ETIMEDOUT) && reports(story, connection, side, Errno::ETIMEDOUT)
}

/// Whether a call of `side` returned `errno`.
fn reports(story: &Story, connection: &Connection, side: Side, errno: Errno) -> bool {
    connection.events.iter().any(|id| {
        let outcome = story.journal().get(*id).and_then(Event::ended).map(|(_, outcome)| outcome);
        outcome.is_some_and(|outcome| outcome.errno == Some(errno))
            && story.record(*id).is_some_and(|record| record.side == Some(side))
    })
}

/// The end of an open connection whose kernel gave up without a word, by what a call of its returned.
fn gave_up(story: &Story, connection: &Connection) -> Option<Side> {
    let changes = connection.events.iter().filter_map(|id| story.record(*id)).flat_map(|record| &record.changes);
    changes
        .filter(|change| change.rule == Rule::TimesOut && change.from != State::SynSent)
        .map(|change| change.side)
        .next()
}

/// Why, by its calls, an end gave up.
fn reason(story: &Story, connection: &Connection, reset: Reset, event: EventId) -> Option<Reason> {
    let cause = story.cause(event).filter(|cause| reset.kind == ResetKind::Aborts && !cause.causes.is_empty())?;
    let call = cause.causes.iter().find_map(|id| Some(story.call(*id)?.0.name));
    if call.is_none() && !connection.ends[reset.by].has_calls {
        return None;
    }
    let kind = match call {
        Some(CallName::SockDestroy) => Kind::Destroyed,
        Some(CallName::Connect) => Kind::Disconnected,
        _ if connection.holders[reset.by].is_empty() => Kind::Unaccepted,
        _ => Kind::Own,
    };
    Some(Reason { words: cause.evidence.clone(), kind })
}

/// What the peer of the end that answered with `reset` had sent to it since it had closed, where that is more than one call's.
/// A capture at the end that answers shows the reset before the last of it.
fn in_vain(story: &Story, connection: &Connection, reset: Reset) -> Option<InVain> {
    let first = reset.answers.filter(|_| reset.after_fin)?.frame.frame();
    let sent = connection.events.iter().filter_map(|id| {
        let (frame, segment) = story.journal().get(*id)?.segment()?;
        let own = story.record(*id)?.side == Some(reset.by.peer()) && !story.is_repeated(*id);
        (own && frame.number >= first && segment.payload_len > 0).then_some((*id, frame.number, segment.payload_len))
    });
    let sent: Vec<_> = sent.collect();
    let mut calls: Vec<EventId> =
        sent.iter().filter_map(|(id, ..)| story.cause(*id)).flat_map(|cause| &cause.causes).copied().collect();
    calls.retain(|id| story.call(*id).is_some_and(|(call, _)| call.name.sends()));
    calls.sort_unstable();
    calls.dedup();
    let frames = (sent.first()?.1, sent.last()?.1);
    let bytes = sent.iter().map(|(.., len)| u64::from(*len)).sum();
    (calls.len() > 1).then_some(InVain { calls: calls.len(), bytes, frames })
}

/// The event of `reset`.
fn event_of(story: &Story, connection: &Connection, reset: Reset) -> Option<EventId> {
    let is_it = |id: &EventId| {
        let segment = story.journal().get(*id).and_then(Event::segment);
        segment.is_some_and(|(frame, _)| frame.number == reset.frame.frame())
    };
    connection.events.iter().copied().find(is_it)
}
