//! Sentences for rows that show a segment.

use crate::event::{Event, EventId};
use crate::socket::call::{Call, CallName, How};
use crate::socket::errno::Errno;
use crate::story::Story;
use crate::story::rows::{Row, Wire};
use crate::story::side::Side;
use crate::story::standing::bytes;
use crate::story::track::Record;
use crate::tcp::segment::Segment;
use crate::tcp::state::State;

pub fn sentences(story: &Story, row: &Row, event: &Event, segment: &Segment) -> Vec<String> {
    let side = super::side(story, event);
    let flags = segment.flags;
    if matches!(row.wire, Wire::Handshake) {
        return handshake(row);
    }
    if flags.rst() {
        return reset(story, event, segment, side);
    }
    if flags.syn() {
        return syn(segment);
    }
    if segment.payload_len > 0 {
        return data(story, row, event, segment, side);
    }
    if flags.fin() {
        return fin(story, event, side);
    }
    ack(story, event, segment, side)
}

fn handshake(row: &Row) -> Vec<String> {
    let accepted = row.text.server.starts_with("accept");
    let accept = if accepted {
        "accept() only hands over what the kernels had finished."
    } else {
        "The server's program has no part in it: a listening socket with room in its queue is enough."
    };
    vec!["connect() made the two kernels agree on a connection: SYN, SYN ACK, ACK.".to_owned(), accept.to_owned()]
}

fn syn(segment: &Segment) -> Vec<String> {
    if segment.flags.ack() {
        return vec![
            "The server's kernel answers, not its program: a listening socket with room in its queue is enough."
                .to_owned(),
        ];
    }
    vec!["The client's kernel asks for a connection. The SYN takes one number, shown here as 0; the first byte will be 1.".to_owned()]
}

fn data(story: &Story, row: &Row, event: &Event, segment: &Segment, side: Side) -> Vec<String> {
    let count = u64::from(segment.payload_len);
    if story.is_repeated(event.id) {
        return repeated(story, event);
    }
    let Some(record) = story.record(event.id) else { return Vec::new() };
    let (name, other) = (side.name(), side.peer().name());
    if !record.heard || story.was_refused(event.id) {
        return unheard(story, event, record, side, count);
    }
    let read = row.text[side.peer()].starts_with("recv") || row.text[side.peer()].starts_with("read");
    let after_fin = matches!(record.ends[side].tcp.state, State::CloseWait);
    if after_fin {
        return vec![
            format!(
                "The {other} ended only its own direction, so the {name} may still speak, and the {other} can still read."
            ),
            if read {
                format!("The {other}'s program took the {}.", bytes(count))
            } else {
                "The bytes wait in the receive buffer.".to_owned()
            },
        ];
    }
    let taken = if read {
        format!(
            "The {other}'s program took them out of its receive buffer: nothing of them is unread, and that decides what its close() will send."
        )
    } else {
        format!("They lie in the {other}'s receive buffer until its program reads them.")
    };
    vec![
        if record.ends[side].has_calls {
            format!(
                "send() copied {} into the {name}'s kernel, which sent them at once; that is all its result says.",
                bytes(count)
            )
        } else {
            format!(
                "A program handed {} to the {name}'s kernel, which sent them; by which call is not known.",
                bytes(count)
            )
        },
        taken,
    ]
}

/// Data that no program could take any more.
fn unheard(story: &Story, event: &Event, record: &Record, side: Side, count: u64) -> Vec<String> {
    let (name, other) = (side.name(), side.peer().name());
    let lost = story.cause(event.id).and_then(|cause| cause.causes.iter().find_map(|id| story.fate(*id)));
    let lost = lost.map_or(0, |fate| fate.lost);
    let fate = if lost > 0 { ": they are lost" } else { "" };
    vec![
        format!(
            "Sending is allowed in {}: the {other}'s FIN{} ended only the other direction.",
            record.ends[side].tcp.state,
            fin_of(story, event, side.peer()).map_or_else(String::new, |frame| format!(" ({frame})"))
        ),
        if record.ends[side].has_calls {
            format!("The result means that the {name}'s kernel took {}, not that anyone got them{fate}.", bytes(count))
        } else {
            format!(
                "Whatever the {name}'s program was told, it means that its kernel took {}, not that anyone got them{fate}.",
                bytes(count)
            )
        },
    ]
}

fn repeated(story: &Story, event: &Event) -> Vec<String> {
    let waited =
        story.silence_before(event.id).map_or_else(String::new, |nanos| format!(" for {} ms", nanos / 1_000_000));
    let arrived = if story.was_lost(event.id) {
        "No answer came to this copy either."
    } else {
        "This copy was acknowledged, so it arrived."
    };
    vec![
        format!(
            "The same bytes again: no acknowledgement had come{waited}. Each wait is twice as long as the one before."
        ),
        arrived.to_owned(),
    ]
}

/// The frame of the first FIN that `side` sent before `event`.
fn fin_of(story: &Story, event: &Event, side: Side) -> Option<u64> {
    let connection = story.connection(story.record(event.id)?.connection?)?;
    connection.events.iter().take_while(|id| **id < event.id).find_map(|id| {
        let (frame, segment) = story.journal().get(*id)?.segment()?;
        (segment.flags.fin() && story.record(*id)?.side == Some(side)).then_some(frame.number.0)
    })
}

/// The call that caused the segment `id`.
fn call_behind(story: &Story, id: EventId) -> Option<&Call> {
    story.cause(id)?.causes.iter().find_map(|cause| story.call(*cause)).map(|(call, _)| call)
}

fn fin(story: &Story, event: &Event, side: Side) -> Vec<String> {
    let (name, other) = (side.name(), side.peer().name());
    let first = match call_behind(story, event.id).map(|call| call.name) {
        Some(CallName::Shutdown) => {
            let reading = if shuts_both(story, event) { "and will read no more" } else { "and goes on reading" };
            format!("The {name} says that it will send no more, {reading}: a close() would have sent the very same FIN.")
        }
        Some(CallName::Exit) => {
            format!("The end of the {name}'s program closed what it had left open, and only now is its FIN sent.")
        }
        Some(CallName::Close) => {
            "The last descriptor is closed and nothing was unread, so close() sends a FIN: no more bytes will come from here.".to_owned()
        }
        _ => format!("The {name} will send no more. close(), shutdown() and the end of a program all send this same FIN."),
    };
    let second = match story.record(event.id).and_then(|record| record.change(side.peer())).map(|change| change.to) {
        Some(State::CloseWait) => {
            format!(
                "The {other}'s kernel knows it now; its program learns it only from recv() = 0 or poll(), and may go on sending."
            )
        }
        Some(State::TimeWait) => {
            format!("Both directions are ended. The {other} ended first and keeps the connection in mind for 60 s.")
        }
        _ => format!("The {other} has ended its own direction already."),
    };
    vec![first, second]
}

/// Whether the FIN comes from a shutdown(2) of both directions, which the FIN itself does not say.
fn shuts_both(story: &Story, event: &Event) -> bool {
    call_behind(story, event.id).is_some_and(|call| call.how() == Some(How::Both))
}

fn ack(story: &Story, event: &Event, segment: &Segment, side: Side) -> Vec<String> {
    let peer = side.peer();
    let record = story.record(event.id);
    let number = record
        .and_then(|record| story.connection(record.connection?))
        .map_or(0, |connection| connection.relative(peer, segment.ack));
    let no_program = record.is_some_and(|record| !record.ends[peer].has_program());
    match record.and_then(|record| record.change(peer)).map(|change| change.to) {
        Some(State::FinWait2) => {
            let shut = record.is_some_and(|record| record.ends[peer].socket.receive_shut);
            let keeps = if shut && !no_program {
                format!("The {}'s program has ended receiving as well, but still holds its descriptor.", peer.name())
            } else if no_program {
                format!("The {}'s kernel keeps a small record without a program, for 60 s at most.", peer.name())
            } else {
                format!("The {} may still read.", peer.name())
            };
            vec![
                format!(
                    "The FIN counts as one number, hence ACK {number}; Linux may delay this ACK by up to 40 ms or so, hoping for data to carry it."
                ),
                keeps,
            ]
        }
        Some(State::Closed) => vec![
            format!(
                "The {}'s FIN is acknowledged and nothing is left to do, so its port is free at once.",
                peer.name()
            ),
            format!("TIME-WAIT lies with the {}, who ended first.", side.name()),
        ],
        Some(State::TimeWait) => {
            vec!["Both FINs are acknowledged; this end keeps the connection in mind for 60 s.".to_owned()]
        }
        _ => vec![format!(
            "The {}'s kernel holds every byte before {number}. It does not say that its program has read them.",
            side.name()
        )],
    }
}

fn reset(story: &Story, event: &Event, segment: &Segment, side: Side) -> Vec<String> {
    let (name, other) = (side.name(), side.peer().name());
    let record = story.record(event.id);
    let before = record.and_then(|record| record.change(side.peer())).map(|change| change.from);
    let error = match before {
        Some(State::SynSent) => Errno::ECONNREFUSED,
        Some(State::CloseWait) => Errno::EPIPE,
        Some(_) => Errno::ECONNRESET,
        None => {
            return vec![format!(
                "The {name}'s kernel answers with a reset, which changes nothing: the {other}'s connection was gone."
            )];
        }
    };
    let effect = match error {
        Errno::EPIPE => format!(
            "The {other}'s kernel drops the connection; because a FIN had come first, it notes EPIPE and not ECONNRESET."
        ),
        Errno::ECONNREFUSED => "Nothing listens there, so connect() fails with ECONNREFUSED.".to_owned(),
        _ => format!("No FIN had come, so the {other}'s kernel notes ECONNRESET for its next call."),
    };
    vec![reset_reason(story, event, segment, name), effect]
}

fn reset_reason(story: &Story, event: &Event, segment: &Segment, name: &str) -> String {
    if segment.flags.ack() && segment.window > 0 {
        return match call_behind(story, event.id).map(|call| call.name) {
            Some(CallName::Close) => {
                let evidence = story.cause(event.id).map_or("", |cause| &cause.evidence);
                format!("close() sends a reset in place of a FIN: {evidence}.")
            }
            Some(CallName::Exit) => {
                let evidence = story.cause(event.id).map_or("", |cause| &cause.evidence);
                format!("The program ended, and its kernel sends a reset in place of a FIN: {evidence}.")
            }
            _ => format!("The {name} gave the connection up: unread bytes at close(), SO_LINGER 0 or another abort."),
        };
    }
    let program = story.record(event.id).is_some_and(|record| {
        record.side.is_some_and(|side| record.ends[side].has_calls && record.ends[side].has_program())
    });
    if program {
        return format!(
            "Data came for an end whose program has ended receiving, so the {name}'s kernel answers with a reset, and notes \
             ECONNRESET for its own program too."
        );
    }
    format!(
        "Data came for which no program is left, so the {name}'s kernel answers with a reset, whose number is the ACK number of what it answers."
    )
}
