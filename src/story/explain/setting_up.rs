//! Sentences for calls that set something up: sockets, options, processes.

use crate::event::{Event, EventId};
use crate::socket::call::{Call, CallName};
use crate::story::Story;
use crate::story::rows::Row;

const ANY_OPTION: &str = "An option of the socket; nothing is sent.";

/// What one of them does.
pub(super) fn call(call: &Call) -> Vec<String> {
    let sentence = match call.name {
        CallName::Setsockopt => option(call),
        CallName::Fcntl => flag(call),
        name => other(name),
    };
    vec![sentence.to_owned()]
}

/// What a row of several does: of each program the last that is worth a word; `None` where none is.
pub(super) fn group(story: &Story, row: &Row) -> Option<Vec<String>> {
    let events = || row.events.iter().filter_map(|id| story.journal().get(*id));
    let mut chosen: Vec<EventId> = Vec::new();
    for event in events().filter(|event| event.begun().is_some_and(is_notable)) {
        let own = |id: &EventId| story.journal().get(*id).is_some_and(|other| other.actor == event.actor);
        chosen.retain(|id| !own(id));
        chosen.push(event.id);
    }
    // As the columns have them: the server's last.
    let is_server = |id: &EventId| {
        let actor = story.journal().get(*id).and_then(|event| event.actor.as_ref());
        actor.is_some_and(|actor| actor.name().starts_with("server"))
    };
    chosen.sort_by_key(is_server);
    let made = chosen.iter().filter_map(|id| story.journal().get(*id).and_then(Event::begun));
    let told: Vec<String> = made.flat_map(call).collect();
    (!told.is_empty()).then_some(told)
}

fn is_notable(call: &Call) -> bool {
    match call.name {
        CallName::Listen | CallName::Fcntl => true,
        CallName::Setsockopt => option(call) != ANY_OPTION,
        _ => false,
    }
}

fn option(call: &Call) -> &'static str {
    match call.word(2) {
        Some("SO_ATTACH_FILTER") => {
            "The filter's one instruction keeps 0 bytes of every segment: from here this socket hears nothing, as if its line \
             were cut."
        }
        Some("SO_DETACH_FILTER") => "The filter is gone: from here the socket hears again.",
        Some("TCP_REPAIR") => "In repair mode the socket does nothing by itself: a close() now tells nobody.",
        Some("TCP_SYNCNT") => "TCP_SYNCNT limits how often the SYN is sent again.",
        Some("TCP_USER_TIMEOUT") => {
            "TCP_USER_TIMEOUT limits how long bytes that were sent may stay unacknowledged, in milliseconds."
        }
        Some("SO_KEEPALIVE" | "TCP_KEEPIDLE" | "TCP_KEEPINTVL" | "TCP_KEEPCNT") => {
            "Keep-alives: after so long without a sign of the peer the kernel probes, and gives up when so many probes stay \
             unanswered."
        }
        _ => ANY_OPTION,
    }
}

fn flag(call: &Call) -> &'static str {
    match (call.word(1), call.word(2)) {
        (Some("F_SETFD"), _) => "A program that this process becomes by execve() will not have this descriptor.",
        (_, Some("O_NONBLOCK")) => "From here a call on this socket that would have to wait fails at once with EAGAIN.",
        _ => "From here calls on this socket wait again where they must.",
    }
}

fn other(name: CallName) -> &'static str {
    match name {
        CallName::Socket => "A socket is a descriptor and a record in the kernel. Nothing is sent.",
        CallName::Bind => "bind() reserves the port on this machine. Nothing is sent.",
        CallName::Listen => {
            "From here the server's kernel answers connection requests by itself, before the program asks for one with accept(). \
             Nothing is sent."
        }
        CallName::Accept | CallName::Accept4 => {
            "accept() hands over a connection that the kernels had already finished. Nothing is sent."
        }
        CallName::Connect => "connect() returned: the connection is open.",
        CallName::Pipe => "A pipe: bytes written at one end are read at the other, without TCP.",
        CallName::Socketpair => "Two Unix sockets joined to each other, without TCP.",
        CallName::Fork => {
            "The child has a copy of every descriptor: a connection ends only when both have closed theirs, or shutdown() says \
             so."
        }
        CallName::Execve => {
            "Another program runs in this process now. It has every descriptor that was not marked close-on-exec, whether it \
             knows of them or not."
        }
        CallName::Dup | CallName::Dup2 | CallName::Dup3 => {
            "A second descriptor for the same socket: close() of one of them sends nothing."
        }
        CallName::Sigaction => {
            "How SIGPIPE is taken decides whether a failed send() returns EPIPE or ends the program."
        }
        CallName::Sigprocmask => "While SIGPIPE is blocked, a failed send() returns EPIPE and the signal waits.",
        CallName::Sigpending => "What waits here was raised by the failed send() and is blocked.",
        _ => "Nothing is sent.",
    }
}
