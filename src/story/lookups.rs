//! What a story looks up by event: made once, when all causes are known.

use foldhash::{HashMap, HashSet};

use super::cause::Cause;
use super::journal::Journal;
use super::side::Side;
use super::track::Track;
use crate::event::{ConnectionId, Event, EventId, What};
use crate::tcp::segment::Segment;

/// The samples of each end, rising.
pub fn samples(journal: &Journal, track: &Track) -> HashMap<(ConnectionId, Side), Vec<EventId>> {
    let mut samples: HashMap<_, Vec<EventId>> = HashMap::default();
    for (event, record) in journal.events().iter().zip(track.records()) {
        if let (What::Sample(_), Some(end)) = (&event.what, record.connection.zip(record.side)) {
            samples.entry(end).or_default().push(event.id);
        }
    }
    samples
}

/// The segments that bare resets answer: the first cause of each.
pub fn refused(journal: &Journal, causes: &HashMap<EventId, Cause>) -> HashSet<EventId> {
    let resets = journal
        .events()
        .iter()
        .filter(|event| event.segment().is_some_and(|(_, segment)| segment.flags.rst() && !segment.flags.ack()));
    resets.filter_map(|reset| causes.get(&reset.id)?.causes.first().copied()).collect()
}

/// The causes of segments, turned round.
pub fn segments_by_cause(journal: &Journal, causes: &HashMap<EventId, Cause>) -> HashMap<EventId, Vec<EventId>> {
    let mut segments: HashMap<EventId, Vec<EventId>> = HashMap::default();
    for event in journal.events().iter().filter(|event| event.segment().is_some()) {
        for cause in causes.get(&event.id).into_iter().flat_map(|cause| &cause.causes) {
            segments.entry(*cause).or_default().push(event.id);
        }
    }
    segments
}

/// The segments that repeat an earlier one, by their causes.
pub fn repeats(journal: &Journal, causes: &HashMap<EventId, Cause>) -> HashMap<EventId, EventId> {
    let earlier = |event: &Event| {
        let (_, segment) = event.segment()?;
        let same = |cause: &EventId| {
            let other = journal.get(*cause).and_then(Event::segment);
            // A SYN-ACK to itself answers the SYN of the same end.
            let answers = |other: &Segment| segment.flags.syn() && segment.flags.ack() && other.flags.opens();
            other.is_some_and(|(_, other)| {
                other.src == segment.src && other.range().overlaps(segment.range()) && !answers(other)
            })
        };
        let earlier = causes.get(&event.id)?.causes.iter().copied().find(same)?;
        Some((event.id, earlier))
    };
    journal.events().iter().filter_map(earlier).collect()
}
