//! Descriptors that a program forgot: it had read the peer's end and never called `close()`.
//!
//! Said only of what calls show: the program went on to something else after that, or its peer did while it held on. Who has
//! read the end and exits is no news.

use super::Story;
use super::connection::Connection;
use super::side::Side;
use crate::event::{ConnectionId, Event, EventId, What};
use crate::socket::call::{CallName, Fd, How};
use crate::tcp::state::State;

/// A descriptor that was not closed after the peer's end had been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leak {
    /// Whose.
    pub side: Side,
    /// Its number where the connection was opened.
    pub fd: Fd,
    /// The end of the call that opened it.
    pub opened: EventId,
    /// The end of the call that returned 0: the peer's end was read.
    pub end_read: EventId,
    /// The exit that freed it at last; `None` where it was open to the end of what is known.
    pub freed: Option<EventId>,
    /// The last sample in which the kernel itself said that it is in CLOSE-WAIT; `None` where it was not asked meanwhile.
    pub seen: Option<EventId>,
}

/// The leaks of `connection`.
pub fn leaks(story: &Story, connection: &Connection) -> Vec<Leak> {
    Side::BOTH.into_iter().filter_map(|side| leak(story, connection, side)).collect()
}

fn leak(story: &Story, connection: &Connection, side: Side) -> Option<Leak> {
    let events = || connection.events.iter().filter_map(|id| story.journal().get(*id));
    let own = |event: &&Event| story.record(event.id).is_some_and(|record| record.side == Some(side));
    let (opened, fd) = events().filter(own).find_map(|event| opens(story, event))?;
    let end_read = events().filter(own).find(|event| reads_end(story, event))?;
    let gives_up = events().filter(own).find(|event| event.id > end_read.id && ends(story, event, side));
    // Nearly every connection ends here; what follows looks through the whole run.
    if gives_up.is_some_and(|event| !matches!(event.what, What::Exit(_))) {
        return None;
    }
    let actor = end_read.actor.as_ref();
    let after = usize::try_from(end_read.id.0).unwrap_or(usize::MAX);
    let later = || story.journal().events().iter().skip(after).filter(|event| event.actor.as_ref() == actor);
    let freed = later().find(|event| matches!(event.what, What::Exit(_))).map(|event| event.id);
    let end = &story.record(end_read.id)?.ends[side];
    let waits = end.socket.descriptors > 0 && end.tcp.state == State::CloseWait;
    let is_reset = events().any(|event| event.segment().is_some_and(|(_, segment)| segment.flags.rst()));
    let open = waits && !is_reset && gives_up.is_none_or(|event| Some(event.id) == freed);
    let is_here = |event: &Event| story.record(event.id).is_some_and(|record| record.connection == Some(connection.id));
    let goes_on = |event: &Event| event.begun().is_some_and(|call| call.name != CallName::Exit) && !is_here(event);
    let went_on = later().any(goes_on);
    let meanwhile = |event: &Event| freed.is_none_or(|freed| event.id < freed) && event.id > end_read.id;
    let peer_went_on = events().any(|event| meanwhile(event) && event.begun().is_some() && !own(&event));
    let until = freed.unwrap_or(EventId(u64::MAX));
    let seen = story.confirmed(connection.id, side, State::CloseWait, (end_read.id, until));
    (open && (went_on || peer_went_on)).then_some(Leak { side, fd, opened, end_read: end_read.id, freed, seen })
}

/// The descriptor that the end of an accept or a connect opens.
fn opens(story: &Story, event: &Event) -> Option<(EventId, Fd)> {
    let (begun, outcome) = event.ended()?;
    let call = story.journal().get(begun)?.begun()?;
    let count = outcome.count()?;
    match call.name {
        CallName::Accept | CallName::Accept4 => Some((event.id, Fd(i32::try_from(count).ok()?))),
        CallName::Connect => Some((event.id, call.fd()?)),
        _ => None,
    }
}

fn reads_end(story: &Story, event: &Event) -> bool {
    event.ended().is_some_and(|(begun, outcome)| {
        let call = story.journal().get(begun).and_then(Event::begun);
        outcome.count() == Some(0) && call.is_some_and(|call| call.name.receives() && call.asked_len() > Some(0))
    })
}

/// Whether the event ends this end by its program's doing: a shutdown, the last close, the exit.
fn ends(story: &Story, event: &Event, side: Side) -> bool {
    if matches!(event.what, What::Exit(_)) {
        return true;
    }
    let Some((begun, _)) = event.ended().filter(|(_, outcome)| outcome.errno.is_none()) else { return false };
    let Some(call) = story.journal().get(begun).and_then(Event::begun) else { return false };
    let none_left = story.record(event.id).is_some_and(|record| record.ends[side].socket.descriptors == 0);
    match call.name {
        CallName::Close => none_left,
        CallName::Shutdown => call.how() != Some(How::Read),
        _ => false,
    }
}

/// The leaks of a connection in sentences, one each.
pub fn sentences(story: &Story, id: ConnectionId) -> Vec<String> {
    let Some(connection) = story.connection(id) else { return Vec::new() };
    leaks(story, connection).iter().map(|leak| format!("Leak: {}", sentence(story, connection, leak))).collect()
}

/// The leak in a sentence.
pub fn sentence(story: &Story, connection: &Connection, leak: &Leak) -> String {
    let Leak { side, fd, opened, end_read, freed, seen } = *leak;
    let start = story.journal().events().first().map_or(0, |event| event.time.0);
    let at = |id: EventId| {
        let seconds = story.journal().get(id).map_or(0, |event| event.time.0 - start);
        format!("{}.{:03} s", seconds / 1_000_000_000, seconds / 1_000_000 % 1000)
    };
    let opener = match story.journal().get(opened).and_then(Event::ended).and_then(|(begun, _)| story.call(begun)) {
        Some((call, _)) => format!("{}()", call.name),
        None => "its opening".to_owned(),
    };
    let freed = freed.map_or_else(|| "nothing has since".to_owned(), |id| format!("only the exit at {} did", at(id)));
    let peer = &story.record(end_read).map(|record| record.ends[side.peer()].clone()).unwrap_or_default();
    let waits = if peer.has_program() && peer.tcp.state == State::FinWait2 {
        format!(
            " The {}, which holds its socket, waited in FIN-WAIT-2, for which there is no limit then.",
            side.peer().name()
        )
    } else {
        String::new()
    };
    let seen = seen.map_or_else(String::new, |id| format!("; at {} the kernel's own table had it so", at(id)));
    let actor = connection.actors[side].as_ref().map_or(side.name(), |actor| actor.name());
    let article = if actor == side.name() { "the " } else { "" };
    format!(
        "{article}{actor} read the end at {} and never called close({fd}), which {opener} had opened at {}: {freed}. \
         Until then it stayed in CLOSE-WAIT, which no timer ends{seen}.{waits}",
        at(end_read),
        at(opened)
    )
}
