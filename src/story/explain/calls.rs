//! Sentences for rows that show a call without a segment.

use super::errors;
use super::segments::fin_before;
use super::setting_up;
use crate::event::{Event, EventId};
use crate::socket::call::{Call, CallName, How, Outcome};
use crate::story::Story;
use crate::story::connection::Connection;
use crate::story::end::End;
use crate::story::rows::Row;
use crate::story::side::Side;
use crate::story::standing::bytes;
use crate::story::track::Record;
use crate::tcp::rule::Rule;
use crate::tcp::state::State;

/// A call that still waits.
pub fn waiting(story: &Story, row: &Row, call: &Call) -> Vec<String> {
    let record = story.record(row.event);
    let end = record.and_then(|record| record.connection.zip(record.side));
    let both = end.is_some_and(|(id, side)| story.reader(id, side.peer(), row.event).is_some());
    match call.name {
        CallName::Accept | CallName::Accept4 => vec![
            "The program waits for a connection. The kernel needs no accept() to finish one: listening is enough."
                .to_owned(),
        ],
        name if name.receives() && both => vec![
            "Each end waits for the other. TCP has nothing to send and no timer running: it can stay so for ever."
                .to_owned(),
            "An end of sending (shutdown), a right length or a time limit would prevent it.".to_owned(),
        ],
        name if name.receives() => {
            vec!["The program waits: nothing has arrived that it has not read, and no FIN either.".to_owned()]
        }
        CallName::Nanosleep => vec!["The program sleeps; its kernel goes on answering.".to_owned()],
        CallName::Connect => vec!["connect() waits for an answer to its SYN.".to_owned()],
        _ => vec!["The call has not returned yet.".to_owned()],
    }
}

pub fn sentences(story: &Story, row: &Row, call: &Call, outcome: &Outcome) -> Vec<String> {
    let record = story.record(row.event);
    if let Some(errno) = outcome.errno {
        return errors::sentences(story, row, call, errno, outcome);
    }
    match call.name {
        _ if record.is_some_and(|record| record.elsewhere) => elsewhere(call, outcome),
        name if name.sends() => sent_without_segment(story, row, call, outcome),
        name if name.receives() && outcome.ret == 0 => end_of_stream(story, row, record),
        name if name.receives() => received(story, call, row),
        CallName::Close => closed(story, row, call, record),
        CallName::Shutdown => shut(call, record),
        CallName::Poll | CallName::Select => polled(call, outcome, record),
        CallName::Nanosleep => slept(story, row),
        CallName::Sigpending if outcome.word() == Some("none") => {
            vec!["No signal waits here: none that is blocked was raised yet.".to_owned()]
        }
        CallName::Getsockopt if outcome.word().is_none() => {
            vec!["SO_ERROR is 0: no error waits here.".to_owned()]
        }
        CallName::SockDestroy => destroyed(),
        CallName::Connect if call.word(1) == Some("AF_UNSPEC") => {
            vec![
                "The socket forgets its peer and is as fresh as after socket(). Nothing was connected any more."
                    .to_owned(),
            ]
        }
        CallName::Getsockopt => vec![
            "SO_ERROR hands out the waiting error and clears it; the next call does not report it again.".to_owned(),
        ],
        _ => setting_up::call(call),
    }
}

fn destroyed() -> Vec<String> {
    vec!["The kernel gives the connection up at once, whatever its program does.".to_owned()]
}

/// What is no TCP socket: a pipe, a Unix socket, a terminal.
fn elsewhere(call: &Call, outcome: &Outcome) -> Vec<String> {
    let name = call.name;
    let sentence = match name {
        _ if name.sends() => {
            "The kernel took the bytes for something that is no TCP socket: no segment, and no peer to answer."
        }
        _ if name.receives() && outcome.ret == 0 => "The other end is closed, and nothing is left to be read.",
        _ if name.receives() => "The bytes come straight from the other end: one kernel holds both.",
        CallName::Close => "The kernel holds both ends, so the other end knows at once that this one is closed.",
        _ => return setting_up::call(call),
    };
    vec![sentence.to_owned()]
}

fn sent_without_segment(story: &Story, row: &Row, call: &Call, outcome: &Outcome) -> Vec<String> {
    if outcome.ret == 0 {
        return vec!["No bytes were handed over, so nothing is sent.".to_owned()];
    }
    let taken = format!("The kernel took {}.", bytes(outcome.count().unwrap_or(0)));
    if story.is_blind() {
        return vec![taken, "The segments were not captured.".to_owned()];
    }
    let waits = held_back(story, row, call).map(|before| {
        format!(
            "They are not on the wire yet: a segment that is not full waits until what was sent before it ({}) is \
             acknowledged (Nagle's algorithm, RFC 9293 §3.7.4; TCP_NODELAY turns it off).",
            bytes(before)
        )
    });
    vec![taken, waits.unwrap_or_else(|| "They are not on the wire yet.".to_owned())]
}

/// How many bytes before those of a send wait for their acknowledgement, where that is what holds its own back
/// (`tcp_nagle_check()`).
fn held_back(story: &Story, row: &Row, call: &Call) -> Option<u64> {
    let record = story.record(row.event)?;
    let end = &record.ends[record.side?];
    let actor = &story.journal().get(row.event)?.actor;
    let turned_off = story.journal().events().iter().take_while(|event| event.id < row.event).any(|event| {
        let same = event.actor == *actor && event.begun().is_some_and(|known| known.fd() == call.fd());
        same && event.begun().is_some_and(|known| known.has_flag("TCP_NODELAY") || known.has_flag("TCP_CORK"))
    });
    let before = u64::try_from(end.tcp.snd_una.distance_to(end.tcp.snd_nxt)).unwrap_or(0);
    Some(before).filter(|before| *before > 0 && !turned_off)
}

/// What recv(2) returned as 0: a FIN, or what looks like one.
fn end_of_stream(story: &Story, row: &Row, record: Option<&Record>) -> Vec<String> {
    let Some((record, id, side)) = record.and_then(|record| Some((record, record.connection?, record.side?))) else {
        return vec!["The other end is closed, and nothing is left to be read.".to_owned()];
    };
    let (end, peer) = (&record.ends[side], side.peer().name());
    if !end.socket.end_seen {
        return without_fin(story, end, peer);
    }
    let fin = fin_before(story, id, side.peer(), row.event).map_or_else(String::new, |frame| format!(" ({frame})"));
    let second = if end.tcp.state == State::Closed
        && end.socket.receive_shut
        && end.socket.send_shut
        && was_reset(story, row)
    {
        "A reset came as well, but after a FIN recv() reports the end: a program that only reads never learns that its last \
         bytes were lost."
            .to_owned()
    } else if end.socket.send_shut {
        format!("Without a time limit or a mark it is certain now that all of the {peer}'s bytes have come.")
    } else {
        format!("It does not say that the {peer} has gone, nor whether it can still read.")
    };
    vec![
        format!(
            "The end of the stream: every byte that the {peer} sent before its FIN{fin} has been read, and no more will come."
        ),
        second,
    ]
}

fn without_fin(story: &Story, end: &End, peer: &str) -> Vec<String> {
    if end.tcp.state == State::Closed {
        return vec![
            "No FIN came: the connection was reset, and its error was reported once already. From then on recv() returns 0."
                .to_owned(),
        ];
    }
    if story.is_blind() {
        return vec!["The end of the stream. The FIN that says so was not captured.".to_owned()];
    }
    vec![
        "No FIN came: this end has shut down its own receiving, and recv() returns 0 where it would have waited."
            .to_owned(),
        format!("The {peer} does not know of it."),
    ]
}

fn slept(story: &Story, row: &Row) -> Vec<String> {
    let first = "Nothing is sent, for nothing is owed.".to_owned();
    let ends = row.connection.map(|id| story.states(id, row.event));
    let second = match ends.map(|ends| (ends.client, ends.server)) {
        Some((State::CloseWait, State::FinWait2) | (State::FinWait2, State::CloseWait)) => {
            "Waiting longer would change nothing: once the peer's record has gone, the answer is the same reset."
        }
        _ => "TCP can be silent for ever.",
    };
    vec![first, second.to_owned()]
}

fn received(story: &Story, call: &Call, row: &Row) -> Vec<String> {
    let reads = || row.events.iter().filter(|id| is_read(story, **id));
    let asked = call.asked_len().unwrap_or(0);
    let first = if reads().count() > 1 {
        format!(
            "Each recv() takes at most {}, so one send() of the peer can need several: TCP keeps the order of bytes, not of \
             calls.",
            bytes(asked)
        )
    } else {
        format!(
            "recv() returns what is there, at most {}: one send() of the peer or several, whole or in part.",
            bytes(asked)
        )
    };
    if call.has_flag("MSG_PEEK") {
        return vec![first, "MSG_PEEK leaves the bytes where they are: for close() they count as unread.".to_owned()];
    }
    // The row's last read says how much is left.
    let end = reads().next_back().and_then(|id| story.record(*id)).and_then(|record| Some(&record.ends[record.side?]));
    let second = match end {
        Some(end) if end.tcp.state == State::Closed => "What had arrived before the reset stays readable.".to_owned(),
        Some(end) if end.socket.unread > 0 => {
            format!("With {} still unread, a close() now would send a reset.", bytes(end.socket.unread))
        }
        _ => "Now nothing is unread, and that decides what close() will send.".to_owned(),
    };
    vec![first, second]
}

/// Whether the event `id` is the end of a call that received.
fn is_read(story: &Story, id: EventId) -> bool {
    let ended = story.journal().get(id).and_then(Event::ended);
    ended.and_then(|(begun, _)| story.call(begun)).is_some_and(|(call, _)| call.name.receives())
}

/// Whether a reset was seen on the row's connection before the row.
fn was_reset(story: &Story, row: &Row) -> bool {
    let connection = story.record(row.event).and_then(|record| story.connection(record.connection?));
    connection.is_some_and(|connection| {
        let before = connection.events.iter().take_while(|id| **id < row.event);
        before.filter_map(|id| story.journal().get(*id)?.segment()).any(|(_, segment)| segment.flags.rst())
    })
}

fn closed(story: &Story, row: &Row, call: &Call, record: Option<&Record>) -> Vec<String> {
    let Some((record, side)) = record.and_then(|record| Some((record, record.side?))) else {
        return closed_without_connection(story, row, call);
    };
    if record.ends[side].socket.descriptors > 0 {
        return vec![
            "Another descriptor still holds the socket, so the connection stays open and nothing is sent.".to_owned(),
        ];
    }
    if story.is_blind() {
        return vec!["The last descriptor is closed. What the kernel sent was not captured.".to_owned()];
    }
    if is_under_way(record, side) {
        return vec!["Its FIN is on the way and not captured yet.".to_owned()];
    }
    let change = record.changes.iter().find(|change| change.side == side);
    let why = match change.map(|change| change.rule) {
        Some(Rule::ClosedUnanswered) => "The SYN was never answered, and now nobody waits for an answer any more.",
        Some(Rule::Vanishes) => {
            "In repair mode the kernel forgets the connection and tells nobody, as when its host crashes or loses its power."
        }
        _ if was_reset(story, row) || record.ends[side].tcp.fin().is_none() => {
            "The connection was gone already: only the descriptor is freed."
        }
        _ => "The FIN had gone already: only the descriptor is freed.",
    };
    let stays = record.ends[side].tcp.state == State::TimeWait;
    let second = if stays { "Nothing is sent, and TIME-WAIT stays behind." } else { "Nothing is sent." };
    vec![format!("{why} {second}")]
}

/// Whether the close of `side` sends a FIN that has not come to the capture, which is at the peer.
const fn is_under_way(record: &Record, side: Side) -> bool {
    let end = match side {
        Side::Client => &record.ends.client,
        Side::Server => &record.ends.server,
    };
    end.socket.unread == 0 && end.takes_all()
}

fn closed_without_connection(story: &Story, row: &Row, call: &Call) -> Vec<String> {
    let actor = story.journal().get(row.event).and_then(|event| event.actor.as_ref());
    let before = story.journal().events().iter().take_while(|event| event.id < row.event);
    let listens = before.filter(|event| event.actor.as_ref() == actor).filter_map(Event::begun);
    let listens = listens.filter(|made| made.fd() == call.fd()).any(|made| made.name == CallName::Listen);
    if !listens {
        return vec!["This socket has no connection: only the descriptor is freed. Nothing is sent.".to_owned()];
    }
    let holds = |connection: &Connection| {
        let end = story.latest(connection.id, row.event).and_then(|id| story.record(id)).map(|record| &record.ends);
        Side::BOTH.into_iter().any(|side| {
            actor.is_some_and(|actor| connection.holders[side].contains(actor))
                && end.is_some_and(|ends| ends[side].socket.descriptors > 0)
        })
    };
    let second = if story.connections().iter().any(holds) {
        "The accepted connection is another socket: it stays open, and nothing is sent."
    } else {
        "An accepted connection would be another socket; nothing is sent."
    };
    vec!["This closes the listening socket only.".to_owned(), second.to_owned()]
}

fn shut(call: &Call, record: Option<&Record>) -> Vec<String> {
    let waits = record.and_then(|record| Some(record.ends[record.side?].tcp.fin().is_none())).unwrap_or(false);
    match call.how() {
        Some(How::Read) => vec![
            "Receiving is ended on this side only: nothing is sent, and the peer does not learn of it.".to_owned(),
            "On Linux, data that comes later is still acknowledged and can be read.".to_owned(),
        ],
        _ if waits => vec![
            "The FIN has to wait behind the bytes that are still to be sent; for the program sending is over at once."
                .to_owned(),
        ],
        _ => vec!["The FIN had gone already; nothing is sent.".to_owned()],
    }
}

fn polled(call: &Call, outcome: &Outcome, record: Option<&Record>) -> Vec<String> {
    let at_end = record.and_then(|record| {
        record.side.map(|side| record.ends[side].socket.end_seen && record.ends[side].socket.unread == 0)
    });
    if outcome.ret == 0 {
        return vec!["Nothing is ready: what was asked for would have to wait.".to_owned()];
    }
    if outcome.word().is_some_and(|word| word.contains("POLLERR")) {
        return vec![
            "POLLERR says that an error waits in the socket: SO_ERROR or the next call hands it out.".to_owned(),
        ];
    }
    if at_end == Some(true) {
        return vec![
            "Readable means that a read would not wait, and at the end of a stream it does not: recv() returns 0."
                .to_owned(),
            "Whether the peer has gone or has only ended its sending, this does not say.".to_owned(),
        ];
    }
    vec![format!("{}() says what would not wait now.", call.name)]
}
