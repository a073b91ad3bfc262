//! Sentences for rows that show a call without a segment.

use crate::socket::call::{Call, CallName, How, Outcome};
use crate::socket::errno::Errno;
use crate::story::Story;
use crate::story::rows::Row;
use crate::story::side::Side;
use crate::story::standing::bytes;
use crate::story::telling::Certainty;
use crate::story::track::Record;
use crate::tcp::state::State;

/// A call that still waits.
pub fn waiting(story: &Story, row: &Row, call: &Call) -> Vec<String> {
    let record = story.record(row.event);
    let both = record.and_then(|record| record.connection).is_some_and(|id| {
        let reading = |side: Side| {
            story.rows(false).iter().any(|other| {
                other.connection == Some(id) && other.text[side].ends_with('…') && other.text[side].starts_with("recv")
            })
        };
        reading(Side::Client) && reading(Side::Server)
    });
    match call.name {
        CallName::Accept => vec![
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
        return failed(story, row, call, errno, outcome);
    }
    match call.name {
        _ if record.is_some_and(|record| record.elsewhere) => elsewhere(call.name, outcome),
        name if name.sends() => sent_without_segment(story, outcome),
        name if name.receives() => received(call, outcome, record, row),
        CallName::Close => closed(story, row, record),
        CallName::Shutdown => shut(call),
        CallName::Poll | CallName::Select => polled(call, outcome, record),
        CallName::Nanosleep => vec![
            "Nothing is sent, for nothing is owed.".to_owned(),
            "Waiting longer would change nothing: once the peer's record has gone, the answer is the same reset."
                .to_owned(),
        ],
        CallName::Getsockopt => vec![
            "SO_ERROR hands out the waiting error and clears it; the next call does not report it again.".to_owned(),
        ],
        name => setting_up(name),
    }
}

fn setting_up(name: CallName) -> Vec<String> {
    let sentence = match name {
        CallName::Socket => "A socket is a descriptor and a record in the kernel. Nothing is sent.",
        CallName::Bind => "bind() reserves the port on this machine. Nothing is sent.",
        CallName::Listen => {
            "From here the server's kernel answers connection requests by itself, before the program asks for one with accept(). \
             Nothing is sent."
        }
        CallName::Accept => "accept() hands over a connection that the kernels had already finished. Nothing is sent.",
        CallName::Connect => "connect() returned: the connection is open.",
        CallName::Setsockopt => "An option of the socket; nothing is sent.",
        CallName::Pipe => "A pipe: bytes written at one end are read at the other, without TCP.",
        CallName::Socketpair => "Two Unix sockets joined to each other, without TCP.",
        CallName::Dup => "A second descriptor for the same socket: close() of one of them sends nothing.",
        CallName::Sigaction => {
            "How SIGPIPE is taken decides whether a failed send() returns EPIPE or ends the program."
        }
        CallName::Sigprocmask => "While SIGPIPE is blocked, a failed send() returns EPIPE and the signal waits.",
        CallName::Sigpending => "What waits here was raised by the failed send() and is blocked.",
        _ => "Nothing is sent.",
    };
    vec![sentence.to_owned()]
}

fn failed(story: &Story, row: &Row, call: &Call, errno: Errno, outcome: &Outcome) -> Vec<String> {
    let cause = story.cause(row.event);
    let reset = cause
        .and_then(|cause| cause.causes.first())
        .and_then(|id| story.journal().get(*id)?.segment())
        .map(|(frame, _)| frame.number);
    let signal = if outcome.signal.is_some() { ", and SIGPIPE was raised" } else { "" };
    let Some(reset) = reset else { return failed_by_itself(story, row, call, errno, signal) };
    match (call.name, errno) {
        (name, Errno::EPIPE) if name.sends() => {
            let consumed = reset_came_first(story, row);
            let why = if consumed {
                "Its ECONNRESET was reported once already; from then on a send() gives EPIPE."
            } else {
                "Because a FIN had come before it, the error is EPIPE and not ECONNRESET."
            };
            vec![format!("Nothing was sent{signal}: the RST ({reset}) had already closed this socket."), why.to_owned()]
        }
        (_, Errno::ECONNRESET) if sent_the_reset(story, row) => vec![
            format!(
                "No reset came here: this end's own kernel sent one ({reset}), in answer to data that it could not take."
            ),
            "It notes ECONNRESET for its own program too.".to_owned(),
        ],
        (_, Errno::ECONNRESET) => vec![
            format!("The RST ({reset}) left this error for the next call, whichever it is; reporting it clears it."),
            "No FIN had come before, hence ECONNRESET: from now on send() gives EPIPE and recv() 0.".to_owned(),
        ],
        (CallName::Shutdown, Errno::ENOTCONN) => vec![
            format!("The RST ({reset}) took the connection away, so there is nothing left to shut down."),
            "A server that does not expect this error ends here, for all its clients.".to_owned(),
        ],
        (CallName::Connect, Errno::ECONNREFUSED) => {
            vec![format!("The SYN was answered with a reset ({reset}): nothing listens there.")]
        }
        _ => vec![format!("The RST ({reset}) had closed this socket.")],
    }
}

/// Whether the reset behind the row's error was sent by the row's own end.
fn sent_the_reset(story: &Story, row: &Row) -> bool {
    let side = |id| story.record(id).and_then(|record| record.side);
    let reset = story.cause(row.event).and_then(|cause| cause.causes.first().copied());
    reset.is_some_and(|reset| side(reset) == side(row.event))
}

/// Whether the reset that closed this end came without a FIN before it.
fn reset_came_first(story: &Story, row: &Row) -> bool {
    story
        .record(row.event)
        .and_then(|record| record.side.map(|side| !record.ends[side].socket.end_seen))
        .unwrap_or(false)
}

/// Whether, without segments, a reset is presumed to have left the row's error.
fn presumed_reset(story: &Story, row: &Row) -> bool {
    story.is_blind() && story.cause(row.event).is_some_and(|cause| cause.certainty == Certainty::Likely)
}

/// Whether this run had a connection on the port that `call` names.
fn had_a_connection_on(story: &Story, call: &Call) -> bool {
    let port = call.addr().map(|addr| addr.port());
    story.connections().iter().any(|known| Some(known.addresses.server.port()) == port)
}

fn failed_by_itself(story: &Story, row: &Row, call: &Call, errno: Errno, signal: &str) -> Vec<String> {
    let record = story.record(row.event);
    let no_connection = record.is_none_or(|record| record.connection.is_none());
    match (call.name, errno) {
        (name, Errno::EPIPE) if name.sends() && no_connection => vec![
            format!("The reading end is closed, and without TCP the kernel knows it at once: the first write fails{signal}."),
            "Over TCP the first one succeeds, since only the peer's answer brings the news.".to_owned(),
        ],
        (name, Errno::EPIPE) if name.sends() && presumed_reset(story, row) => vec![
            format!("Nothing was sent{signal}: the peer's reset had closed this socket. The segments were not captured."),
        ],
        (name, Errno::EPIPE) if name.sends() => vec![
            format!("This end has said that it sends no more, so the kernel refuses at once{signal}. Nothing is sent."),
        ],
        (CallName::Bind, Errno::EADDRINUSE) if !had_a_connection_on(story, call) => {
            vec!["Another socket of this machine holds the port: somebody listens on it, or a connection of an earlier run is \
                  still remembered."
                .to_owned()]
        }
        (CallName::Bind, Errno::EADDRINUSE) => vec![
            "A connection of the same port is still remembered here, and the kernel gives the port away only if both the old \
             and the new socket set SO_REUSEADDR."
                .to_owned(),
        ],
        (_, Errno::EAGAIN) => vec!["The call would have to wait, and was asked not to.".to_owned()],
        (_, errno) => vec![format!("{}.", errno.text().unwrap_or("The call failed"))],
    }
}

/// What is no TCP socket: a pipe, a Unix socket, a terminal.
fn elsewhere(name: CallName, outcome: &Outcome) -> Vec<String> {
    let sentence = match name {
        _ if name.sends() => {
            "The kernel took the bytes for something that is no TCP socket: no segment, and no peer to answer."
        }
        _ if name.receives() && outcome.ret == 0 => "The other end is closed, and nothing is left to be read.",
        _ if name.receives() => "The bytes come straight from the other end: one kernel holds both.",
        CallName::Close => "The kernel holds both ends, so the other end knows at once that this one is closed.",
        name => return setting_up(name),
    };
    vec![sentence.to_owned()]
}

fn sent_without_segment(story: &Story, outcome: &Outcome) -> Vec<String> {
    if outcome.ret == 0 {
        return vec!["No bytes were handed over, so nothing is sent.".to_owned()];
    }
    let taken = format!("The kernel took {}.", bytes(outcome.count().unwrap_or(0)));
    let second = if story.is_blind() { "The segments were not captured." } else { "They are not on the wire yet." };
    vec![taken, second.to_owned()]
}

fn received(call: &Call, outcome: &Outcome, record: Option<&Record>, row: &Row) -> Vec<String> {
    if outcome.ret == 0 {
        return vec![
            "The end of the stream: every byte that the peer sent before its FIN has been read, and no more will come."
                .to_owned(),
            "It does not say whether the peer can still read.".to_owned(),
        ];
    }
    let folded = row.events.len() > 2;
    let asked = call.asked_len().unwrap_or(0);
    let first = if folded {
        format!(
            "Each recv() takes at most {asked} bytes, so one send() of the peer needs several: TCP keeps the order of bytes, not of calls."
        )
    } else {
        format!("recv() returns what is there, at most {asked} bytes.")
    };
    let dead = record.and_then(|record| Some(record.ends[record.side?].tcp.state == State::Closed)).unwrap_or(false);
    let second = if dead {
        "What had arrived before the reset stays readable."
    } else {
        "What is unread at close() would turn its FIN into a reset."
    };
    vec![first, second.to_owned()]
}

fn closed(story: &Story, row: &Row, record: Option<&Record>) -> Vec<String> {
    let Some((record, side)) = record.and_then(|record| Some((record, record.side?))) else {
        return vec![
            "This closes the listening socket or another one without a connection; accepted connections are other sockets and stay open.".to_owned(),
        ];
    };
    if record.ends[side].socket.descriptors > 0 {
        return vec![
            "Another descriptor still holds the socket, so the connection stays open and nothing is sent.".to_owned(),
        ];
    }
    let reset =
        story.connection(record.connection.unwrap_or(crate::event::ConnectionId(0))).is_some_and(|connection| {
            connection.events.iter().take_while(|id| **id < row.event).any(|id| {
                story.journal().get(*id).and_then(crate::event::Event::segment).is_some_and(|(_, s)| s.flags.rst())
            })
        });
    if story.is_blind() {
        return vec!["The last descriptor is closed. What the kernel sent was not captured.".to_owned()];
    }
    let why = if reset {
        "The connection was gone already: only the descriptor is freed."
    } else {
        "The FIN had gone already: only the descriptor is freed."
    };
    vec![format!("{why} Nothing is sent.")]
}

fn shut(call: &Call) -> Vec<String> {
    match call.how() {
        Some(How::Read) => vec![
            "Receiving is ended on this side only: nothing is sent, and the peer does not learn of it.".to_owned(),
            "On Linux, data that comes later is still acknowledged and can be read.".to_owned(),
        ],
        _ => vec!["The FIN had gone already; nothing is sent.".to_owned()],
    }
}

fn polled(call: &Call, outcome: &Outcome, record: Option<&Record>) -> Vec<String> {
    let at_end = record.and_then(|record| {
        record.side.map(|side| record.ends[side].socket.end_seen && record.ends[side].socket.unread == 0)
    });
    if outcome.ret == 0 {
        return vec!["Nothing is ready: a read would have to wait.".to_owned()];
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
