//! What the outlook said before each call, beside what the call returned: in every recording, and in live runs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "lab/common.rs"]
mod common;
mod wire;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use epipe::event::{ConnectionId, Event, EventId, ExitStatus, Gap, What};
use epipe::socket::call::{Call, CallName, Outcome};
use epipe::socket::errno::Errno;
use epipe::socket::outlook::{Readiness, Returns, Socket};
use epipe::source::lab::library;
use epipe::story::Story;
use epipe::story::journal::Journal;
use epipe::story::side::Side;
use wire::{journal_of, reread};

/// How many calls were compared, and in what the outlook was wrong.
#[derive(Default)]
struct Held {
    compared: usize,
    wrong: Vec<String>,
}

/// Holds the outlook to every call of `story` that worked on a connection.
fn hold(name: &str, story: &Story, held: &mut Held) {
    for event in story.journal().events() {
        let Some(call) = event.begun().filter(|call| is_in_the_domain(call)) else { continue };
        // The record of the end knows the connection also where the call made it.
        let Some((connection, side)) = place(story, event.id) else { continue };
        let Some(before) = socket(story, connection, side, event.id) else { continue };
        let Some(happened) = happened(story, event) else { continue };
        let Some(mut expected) = expected(story, connection, side, call, event.id, &before) else { continue };
        if story.is_blind() {
            // What was sent is not known, nor whether the FIN of a process that was killed came before its end was told.
            expected = Came { sent: None, waited: happened.waited, ..expected };
        }
        held.compared += 1;
        if expected != happened {
            let text = epipe::notation::call(call);
            held.wrong.push(format!("{name}: event {} {text}: said {expected:?}, was {happened:?}", event.id));
        }
    }
}

/// The longest send, in bytes, that finds room in the smallest buffer of the scenarios. How much of a longer one is taken
/// before it has to wait, the outlook does not say.
const ROOM: u64 = 8192;

fn is_in_the_domain(call: &Call) -> bool {
    !call.name.sends() || call.asked_len().is_none_or(|asked| asked <= ROOM)
}

fn place(story: &Story, id: EventId) -> Option<(ConnectionId, Side)> {
    let record = story.record(id)?;
    record.connection.zip(record.side)
}

/// The socket of `side` just before the event `at`.
fn socket(story: &Story, connection: ConnectionId, side: Side, at: EventId) -> Option<Socket> {
    let events = &story.connection(connection)?.events;
    let latest = events.iter().rev().find(|id| **id < at)?;
    Some(story.record(*latest)?.ends[side].socket)
}

/// What a call came to, or was said to come to.
#[derive(Debug, PartialEq, Eq)]
struct Came {
    /// Another process acted before it returned, or it never returned.
    waited: bool,
    /// Count or error, and what poll or select reported.
    returned: Result<(u64, String), Errno>,
    sigpipe: bool,
    /// `FIN`, `RST`, `DATA` of this end that the story says it caused.
    sent: Option<&'static str>,
}

fn happened(story: &Story, begun: &Event) -> Option<Came> {
    let (call, outcome) = story.call(begun.id)?;
    let sent = story.segments_of(begun.id).iter().find_map(|id| sent(story, *id));
    let killed = || {
        let exit = |event: &&Event| event.actor == begun.actor && matches!(event.what, What::Exit(_));
        let exit = story.journal().events().iter().find(exit)?;
        matches!(exit.what, What::Exit(ExitStatus::Killed(signal)) if signal.to_string() == "SIGPIPE").then_some(())
    };
    let Some(outcome) = outcome else {
        // Only an end by SIGPIPE says what the call would have returned.
        killed()?;
        return Some(Came { waited: false, returned: Err(Errno::EPIPE), sigpipe: true, sent });
    };
    let waited = waited(story, begun);
    let returned = match outcome.errno {
        Some(errno) => Err(errno),
        None => Ok((outcome.count()?, word(call, outcome))),
    };
    let sigpipe = outcome.signal.is_some() || found_pending(story, begun);
    Some(Came { waited, returned, sigpipe, sent })
}

/// Whether something else had to happen before the call returned: the lab makes a call when the one before has returned or
/// waits, and a process that is killed has its FIN sent.
fn waited(story: &Story, begun: &Event) -> bool {
    let Some(end) = story.end_of(begun.id) else { return true };
    let side = place(story, begun.id).map(|(_, side)| side);
    let reads = begun.begun().is_some_and(|call| call.name.receives());
    let meanwhile = || story.journal().events().iter().filter(|event| event.id > begun.id && event.id < end);
    // Its own kernel gave the connection up.
    if reads && meanwhile().filter_map(Event::segment).any(|(_, segment)| segment.flags.rst()) {
        return true;
    }
    // What comes after an ACK that the read sent is what the opened window brought about.
    let own =
        |event: &&Event| reads && event.segment().is_some() && place(story, event.id).map(|(_, side)| side) == side;
    meanwhile().take_while(|event| !own(event)).any(|event| match &event.what {
        What::Begun(_) => event.actor != begun.actor,
        What::Segment { segment, .. } => {
            (segment.flags.fin() || segment.payload_len > 0) && place(story, event.id).map(|(_, side)| side) != side
        }
        _ => false,
    })
}

/// Whether the SIGPIPE that a failed call raised was held back by the process's mask, and found by sigpending(2) next.
fn found_pending(story: &Story, begun: &Event) -> bool {
    let own = |event: &&Event| event.id > begun.id && event.actor == begun.actor && event.begun().is_some();
    let next = story.journal().events().iter().find(own);
    next.and_then(|next| story.call(next.id)).is_some_and(|(call, outcome)| {
        call.name == CallName::Sigpending && outcome.is_some_and(|outcome| outcome.word() == Some("SIGPIPE"))
    })
}

/// What poll(2) or `SO_ERROR` handed out.
fn word(call: &Call, outcome: &Outcome) -> String {
    match call.name {
        CallName::Poll => outcome.word().unwrap_or_default().to_owned(),
        CallName::Getsockopt => epipe::notation::outcome(outcome),
        _ => String::new(),
    }
}

fn sent(story: &Story, id: EventId) -> Option<&'static str> {
    let (_, segment) = story.journal().get(id)?.segment()?;
    match () {
        () if segment.flags.rst() => Some("RST"),
        () if segment.flags.fin() => Some("FIN"),
        () if segment.payload_len > 0 => Some("DATA"),
        () => None,
    }
}

/// What the outlook says of `call`. Where it waits, what it says when the call is about to return counts.
fn expected(
    story: &Story,
    connection: ConnectionId,
    side: Side,
    call: &Call,
    begun: EventId,
    before: &Socket,
) -> Option<Came> {
    let first = said(call, before)?;
    if first.returned.is_ok() || first.errno().is_some() {
        return first.result(false);
    }
    let end = story.end_of(begun)?;
    let then = socket(story, connection, side, end)?;
    said(call, &then)?.result(true)
}

/// What the model answers to `call`; `returned` is an error of `None` where it waits.
struct Said {
    returned: Result<(u64, String), Option<Errno>>,
    sigpipe: bool,
    sent: Option<&'static str>,
}

impl Said {
    fn errno(&self) -> Option<Errno> {
        self.returned.as_ref().err().copied().flatten()
    }

    fn result(self, waited: bool) -> Option<Came> {
        let returned = match self.returned {
            Ok(returned) => Ok(returned),
            Err(errno) => Err(errno?),
        };
        Some(Came { waited, returned, sigpipe: self.sigpipe, sent: self.sent })
    }
}

fn said(call: &Call, socket: &Socket) -> Option<Said> {
    let answer = socket.answer(call, None)?;
    let returned = match answer.returns {
        Returns::Zero => Ok((0, String::new())),
        Returns::Asked => Ok((call.asked_len()?, String::new())),
        Returns::Bytes(bytes) => Ok((bytes, String::new())),
        Returns::Ready(ready) if call.name == CallName::Poll => Ok((1, poll_words(ready))),
        Returns::Ready(_) => Ok((1, String::new())),
        Returns::Error(error) => {
            Ok((0, format!("= 0 {}", error.map_or_else(|| "0".to_owned(), |errno| errno.to_string()))))
        }
        Returns::Fails(errno) => Err(Some(errno)),
        Returns::Waits => Err(None),
        Returns::Descriptor => return None,
    };
    Some(Said { returned, sigpipe: answer.signal.is_some(), sent: answer.sends })
}

fn poll_words(ready: Readiness) -> String {
    ready.words().iter().map(|word| format!("POLL{word}")).collect::<Vec<_>>().join("|")
}

/// The run without its segments, as one that could not be captured.
fn blind(whole: &Journal) -> Journal {
    let mut journal = Journal::new(whole.run().clone());
    let mut numbers = HashMap::new();
    let gap = What::Gap(Gap::NoCapture("left out".to_owned()));
    let time = whole.events()[0].time;
    journal.append(Event { id: EventId(1), time, actor: None, late: false, what: gap }).unwrap();
    for (id, event) in (2..).zip(whole.events().iter().filter(|event| event.segment().is_none())) {
        numbers.insert(event.id, EventId(id));
        let mut event = Event { id: EventId(id), ..event.clone() };
        if let What::Ended { begun, .. } = &mut event.what {
            *begun = numbers[begun];
        }
        journal.append(event).unwrap();
    }
    journal
}

/// Whether after `call` the calls alone do not tell what arrives: a filter drops it, a small buffer lets only a part through,
/// or a send waits with a part of it sent.
fn leaves_the_calls_in_the_dark(call: &Call) -> bool {
    call.has_flag("SO_ATTACH_FILTER") || call.has_flag("SO_RCVBUF") || !is_in_the_domain(call)
}

fn captures() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pcapng"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_call_of_every_recording_returned_what_the_outlook_said() {
    let mut held = Held::default();
    for path in captures() {
        let story = Story::tell(journal_of(&reread(File::open(&path).unwrap())));
        hold(&path.file_stem().unwrap().to_string_lossy(), &story, &mut held);
    }
    assert_eq!(held.wrong, [] as [String; 0]);
    assert!(held.compared > 150, "only {} calls were compared", held.compared);
}

#[test]
fn without_the_segments_the_outlook_still_holds() {
    let mut held = Held::default();
    for path in captures() {
        let whole = journal_of(&reread(File::open(&path).unwrap()));
        if whole.events().iter().filter_map(Event::begun).any(leaves_the_calls_in_the_dark) {
            continue;
        }
        let story = Story::tell(blind(&whole));
        hold(&path.file_stem().unwrap().to_string_lossy(), &story, &mut held);
    }
    assert_eq!(held.wrong, [] as [String; 0]);
    assert!(held.compared > 150, "only {} calls were compared", held.compared);
}

#[test]
fn every_call_of_a_live_run_returns_what_the_outlook_says() {
    let mut held = Held::default();
    for scenario in library::all().unwrap() {
        let mut journal = Journal::default();
        for event in common::run(&scenario, &common::options()) {
            journal.append(event).unwrap();
        }
        hold(&scenario.name, &Story::tell(journal), &mut held);
    }
    assert_eq!(held.wrong, [] as [String; 0]);
    assert!(held.compared > 150, "only {} calls were compared", held.compared);
}
