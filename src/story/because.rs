//! The chain of causes in words: `9 RST ◀ 8 send ◀ 6 close`.

use super::Story;
use super::telling::Certainty;
use crate::event::{EventId, What};

/// How far back a chain goes: further back than this a reader has lost the thread.
const LONGEST: usize = 4;

/// A chain of causes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Because {
    /// Its events, nearest cause first.
    pub chain: Vec<EventId>,
    /// The chain in words.
    pub words: String,
    /// How sure its first link is, and what that rests on.
    pub evidence: String,
}

/// Why `event` happened, for a row that shows `own` itself.
pub fn because(story: &Story, event: EventId, own: &[EventId]) -> Because {
    let Some(cause) = story.cause(event) else { return Because::default() };
    let chain = chain(story, event);
    let mut shown: Vec<EventId> = chain.iter().copied().filter(|id| !own.contains(id)).collect();
    // A call that a segment behind it is named by would be named twice.
    let named: Vec<EventId> = shown.iter().filter_map(|id| call_of(story, *id)).collect();
    shown.retain(|id| !named.contains(id));
    let words = if shown.is_empty() && !chain.is_empty() { "the call itself".to_owned() } else { join(story, &shown) };
    let evidence = link(story, event, &shown);
    let sure = match cause.certainty {
        Certainty::Unknown => String::new(),
        certainty => format!("{}: ", certainty.name()),
    };
    Because { chain, words, evidence: sure + &evidence }
}

/// What the chain rests on: the evidence of the reset in it, where there is one, since that is the link in doubt.
fn link(story: &Story, event: EventId, shown: &[EventId]) -> String {
    let is_reset =
        |id: &&EventId| story.journal().get(**id).and_then(|seen| seen.segment()).is_some_and(|(_, s)| s.flags.rst());
    let reset = shown.iter().find(is_reset).and_then(|id| story.cause(*id)).filter(|cause| !cause.causes.is_empty());
    reset.or(story.cause(event)).map_or_else(String::new, |cause| cause.evidence.clone())
}

fn join(story: &Story, chain: &[EventId]) -> String {
    chain.iter().map(|id| name(story, *id)).collect::<Vec<_>>().join(" ◀ ")
}

/// The causes of `event`, and behind them the causes of a reset among them: what a reset answers, and why nobody was there.
fn chain(story: &Story, event: EventId) -> Vec<EventId> {
    let mut chain: Vec<EventId> = Vec::new();
    let mut from = Some(event);
    while let Some(cause) = from.take().and_then(|id| story.cause(id)) {
        let new: Vec<EventId> = cause.causes.iter().copied().filter(|id| !chain.contains(id)).collect();
        from = new.iter().copied().find(|id| is_reset(story, *id));
        chain.extend(new);
        if chain.len() >= LONGEST {
            break;
        }
    }
    chain.truncate(LONGEST);
    chain
}

fn is_reset(story: &Story, id: EventId) -> bool {
    story.journal().get(id).and_then(|event| event.segment()).is_some_and(|(_, segment)| segment.flags.rst())
}

/// The call that a segment is named by in a chain: the first of those that caused it.
fn call_of(story: &Story, id: EventId) -> Option<EventId> {
    let (_, segment) = story.journal().get(id)?.segment()?;
    let mut causes = story.cause(id)?.causes.iter().copied();
    causes.find(|cause| story.call(*cause).is_some()).filter(|_| !segment.flags.rst() && !story.is_probe(id))
}

/// An event's name in a chain: a frame's number with the call whose bytes or end it carries, else its flag; a call's name.
pub fn name(story: &Story, id: EventId) -> String {
    let Some(event) = story.journal().get(id) else { return format!("event {id}") };
    match &event.what {
        What::Segment { frame, segment } => {
            let flags = segment.flags;
            let word = match call_of(story, id).and_then(|call| story.call(call)) {
                _ if story.is_probe(id) => "probe",
                Some((call, _)) => call.name.name(),
                _ if flags.rst() => "RST",
                _ if flags.syn() && flags.ack() => "SYN ACK",
                _ if flags.syn() => "SYN",
                _ if flags.fin() => "FIN",
                _ if segment.payload_len > 0 => "DATA",
                _ => "ACK",
            };
            format!("{} {word}", frame.number)
        }
        What::Begun(call) => call.name.name().to_owned(),
        What::Ended { begun, .. } => story.call(*begun).map_or("call", |(call, _)| call.name.name()).to_owned(),
        What::Exit(_) => "end of the program".to_owned(),
        What::Stack(_) | What::Started { .. } | What::Holds(_) | What::Sample(_) | What::Gap(_) => {
            format!("event {id}")
        }
    }
}
