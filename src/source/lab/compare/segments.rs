//! Segments beside the lines that expect them.

use std::collections::HashMap;
use std::net::SocketAddr;

use super::super::message::Mismatch;
use super::super::script::Step;
use super::mismatch;
use crate::event::Event;
use crate::notation::SegmentText;
use crate::tcp::segment::{Flags, Segment};
use crate::tcp::seq::SeqNum;

/// A connection while it is followed.
struct Followed {
    number: u32,
    client: SocketAddr,
    server: SocketAddr,
    /// The initial sequence number of each sender, once it has sent.
    isns: HashMap<SocketAddr, SeqNum>,
}

/// A segment with relative numbers, and its place among the events.
pub type Told = (usize, SegmentText);

/// Every segment among `events` with relative numbers, and its place in them. Connections count from 1 in the order of
/// their first segments. The client is who sent the first segment. An end whose SYN was not seen counts from the first
/// number that it sends: so a refusal, whose number is 0, stands as 0.
pub fn relative(events: &[Event]) -> Vec<Told> {
    let mut connections: Vec<Followed> = Vec::new();
    let mut relative = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let Some((_, segment)) = event.segment() else { continue };
        let at = connection_of(&mut connections, segment);
        let Some(connection) = connections.get_mut(at) else { continue };
        let isn = *connection.isns.entry(segment.src).or_insert(segment.seq);
        let peer_isn = connection.isns.get(&segment.dst).copied().unwrap_or_default();
        let from_client = connection.client == segment.src;
        relative.push((index, SegmentText::new(segment, connection.number, from_client, isn, peer_isn)));
    }
    relative
}

/// The place of the connection to which `segment` belongs, a new one where it opens one.
fn connection_of(connections: &mut Vec<Followed>, segment: &Segment) -> usize {
    let between = |followed: &Followed| {
        let ends = (followed.client, followed.server);
        ends == (segment.src, segment.dst) || ends == (segment.dst, segment.src)
    };
    let opens = segment.flags.opens();
    let known = connections.iter().rposition(between).filter(|at| {
        let isn = connections.get(*at).and_then(|followed| followed.isns.get(&segment.src));
        !opens || isn.is_none_or(|isn| *isn == segment.seq)
    });
    known.unwrap_or_else(|| {
        let number = u32::try_from(connections.len() + 1).unwrap_or(u32::MAX);
        let isns = HashMap::from([(segment.src, segment.seq)]);
        connections.push(Followed { number, client: segment.src, server: segment.dst, isns });
        connections.len() - 1
    })
}

/// The first difference between the segments that `steps` expect and those `seen`, if there is one. What is seen counts
/// for the next expected segment that it equals, where all that are passed over may be absent.
///
/// Where calls were held back, `earlier` are the segments before these: what a timer sent meanwhile is passed over.
pub fn compare(steps: &[&Step], seen: &[Told], earlier: Option<&[Told]>) -> Option<Mismatch> {
    let expected: Vec<(&Step, &SegmentText, bool)> =
        steps.iter().filter_map(|step| step.segment().map(|(text, optional)| (*step, text, optional))).collect();
    let mut next = 0;
    for (index, (_, segment)) in seen.iter().enumerate() {
        let rest = expected.get(next..).unwrap_or_default();
        let candidates =
            rest.iter().position(|(.., optional)| !optional).map_or(rest, |last| rest.get(..=last).unwrap_or(rest));
        match candidates.iter().position(|(_, text, _)| equals(text, segment)) {
            Some(at) => next += at + 1,
            None if earlier.is_some_and(|earlier| {
                is_a_timers(segment, earlier.iter().chain(seen.get(..index).unwrap_or_default()))
            }) => {}
            None => return Some(wrong(candidates, segment, steps)),
        }
    }
    let missing = expected.get(next..)?.iter().find(|(.., optional)| !optional)?;
    Some(mismatch(missing.0, "no such segment"))
}

/// Whether a timer of the kernel may have sent `segment`, or have made the peer answer it: a probe or another bare
/// acknowledgement, or a segment that was sent before.
fn is_a_timers<'a>(segment: &SegmentText, mut before: impl Iterator<Item = &'a Told>) -> bool {
    let is_bare = segment.len == 0 && segment.flags == Flags::ACK;
    let same = |(_, other): &Told| {
        let part = |text: &SegmentText| (text.connection, text.from_client, text.flags, text.start, text.len);
        part(other) == part(segment)
    };
    is_bare || before.any(same)
}

/// Whether a segment is as written; window, urgent pointer and options count only where they are written.
fn equals(text: &SegmentText, seen: &SegmentText) -> bool {
    likeness(text, seen) == LIKE
        && text.window.is_none_or(|window| seen.window == Some(window))
        && text.urgent.is_none_or(|urgent| seen.urgent == Some(urgent))
        && text.options.as_ref().is_none_or(|options| seen.options.as_ref() == Some(options))
}

const LIKE: usize = 6;

/// In how many of the things that are always written the two are alike.
fn likeness(text: &SegmentText, seen: &SegmentText) -> usize {
    [
        text.connection == seen.connection,
        text.from_client == seen.from_client,
        text.flags == seen.flags,
        text.start == seen.start,
        text.len == seen.len,
        text.ack == seen.ack,
    ]
    .iter()
    .filter(|alike| **alike)
    .count()
}

/// A segment that equals none of the candidates: told of the one that is most like it, or of the line above where none
/// is left.
fn wrong(candidates: &[(&Step, &SegmentText, bool)], seen: &SegmentText, steps: &[&Step]) -> Mismatch {
    let happened = seen.to_string();
    match candidates.iter().max_by_key(|(_, text, _)| likeness(text, seen)) {
        Some((step, ..)) => mismatch(step, happened),
        None => Mismatch {
            line: steps.last().map_or(0, |step| step.line),
            column: steps.last().map_or(0, |step| step.column),
            expected: "no further segment".to_owned(),
            happened,
        },
    }
}
