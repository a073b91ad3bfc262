//! Lays a story out in rows: one row a segment, with its cause on the sender's side and its effect on the other.
//!
//! The rules: a pure ACK that changes no state has no row and is marked at the arrow that it acknowledges; a handshake is one
//! row once it is complete; a call stands on the row of the segment that it caused or that it waited for, and has a row of
//! its own where there is none; reads and set-up calls in a run are folded.

use std::collections::HashMap;

use super::Story;
use super::rows::{Number, Row, Wire};
use super::side::{Both, Side};
use super::text;
use crate::event::{Actor, ConnectionId, Event, EventId, FrameNo, What};

mod calls;
mod segments;

pub(super) use calls::is_setting_up;
pub(super) use segments::SOONEST;

/// A pause this long or longer, in nanoseconds, has a row.
const PAUSE: i64 = 100_000_000;

pub fn rows(story: &Story, all_acks: bool) -> Vec<Row> {
    let mut ladder = Ladder::new(story, all_acks);
    for event in story.journal().events() {
        ladder.take(event);
    }
    tell_apart(&mut ladder.rows);
    ladder.rows
}

/// Where rows of several connections alternate, each arrow says whose it is.
fn tell_apart(rows: &mut [Row]) {
    let connections: Vec<ConnectionId> = rows.iter().filter_map(|row| row.connection).collect();
    if connections.is_sorted() {
        return;
    }
    for row in rows {
        if let (Wire::Arrow { label, .. }, Some(id)) = (&mut row.wire, row.connection) {
            *label = format!("#{id} {label}");
        }
    }
}

/// A handshake whose three segments are all there.
#[derive(Clone, Copy, Debug)]
struct Opening {
    connection: ConnectionId,
    frames: (FrameNo, FrameNo),
    first: EventId,
}

struct Ladder<'a> {
    story: &'a Story,
    all_acks: bool,
    rows: Vec<Row>,
    /// The row of each event that has been laid out.
    row_of: HashMap<EventId, usize>,
    openings: HashMap<ConnectionId, Opening>,
    /// The run of reads that the last row folds: by whom, and how many.
    fold: Option<Fold>,
    /// The latest row of set-up calls.
    setting_up: Option<usize>,
    last_time: Option<i64>,
    /// Whose column each is: who makes the first call in it.
    owners: Both<Option<&'a Actor>>,
    /// Whether the run has calls at all.
    calls_known: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fold {
    row: usize,
    side: Side,
    calls: usize,
    bytes: u64,
}

impl<'a> Ladder<'a> {
    fn new(story: &'a Story, all_acks: bool) -> Self {
        let openings = if all_acks { HashMap::new() } else { openings(story) };
        Self {
            story,
            all_acks,
            rows: Vec::new(),
            row_of: HashMap::new(),
            openings,
            fold: None,
            setting_up: None,
            last_time: None,
            owners: Both::default(),
            calls_known: story.journal().events().iter().any(|event| event.begun().is_some()),
        }
    }

    fn take(&mut self, event: &'a Event) {
        let holds_an_end = matches!(&event.what, What::Holds(holding) if holding.remote.is_some());
        if event.begun().is_some() || holds_an_end {
            let side = self.side(event);
            self.owners[side] = self.owners[side].or(event.actor.as_ref());
        }
        match &event.what {
            What::Segment { frame, segment } => {
                self.pause_before(event);
                self.segment(event, frame.number, segment);
                self.last_time = Some(event.time.0);
            }
            What::Begun(call) => self.begun(event, call),
            What::Ended { begun, outcome } => self.ended(event, *begun, outcome),
            What::Holds(holding) => self.holds(event, holding),
            What::Exit(status) => self.exited(event, *status),
            What::Gap(gap) => self.gap(event, gap),
            What::Stack(_) | What::Started { .. } | What::Sample(_) => {}
        }
    }

    /// A silence in a capture without calls. Where calls are known, a pause is a call that slept, and what lies between two
    /// calls is the time that the lab held still.
    fn pause_before(&mut self, event: &Event) {
        let Some(last) = self.last_time else { return };
        let silence = event.time.0.saturating_sub(last);
        if silence >= PAUSE && !self.calls_known {
            let wire = Wire::Pause(silence.unsigned_abs());
            let connection = self.connection(event.id);
            self.push(Row { connection, ..blank(event.id, Number::Blank, wire) }, &[]);
        }
    }

    fn connection(&self, id: EventId) -> Option<ConnectionId> {
        self.story.record(id).and_then(|record| record.connection)
    }

    /// The column of whoever did `event`: its end of the connection, else what its name says.
    fn side(&self, event: &Event) -> Side {
        let by_record = self.story.record(event.id).and_then(|record| record.side);
        let by_name = || event.actor.as_ref().is_some_and(|actor| actor.name().starts_with("server"));
        let by_holding = || {
            let actor = event.actor.as_ref()?;
            let holds = |side: &Side| self.story.connections().iter().any(|one| one.holders[*side].contains(actor));
            Side::BOTH.into_iter().find(holds)
        };
        by_record.or_else(by_holding).unwrap_or_else(|| if by_name() { Side::Server } else { Side::Client })
    }

    /// Lays out `row` and takes down that it stands for `events` too.
    fn push(&mut self, mut row: Row, events: &[EventId]) -> usize {
        let at = self.rows.len();
        row.events.extend_from_slice(events);
        row.events.sort_unstable();
        row.events.dedup();
        for id in &row.events {
            self.row_of.insert(*id, at);
        }
        self.rows.push(row);
        self.fold = None;
        at
    }

    /// `row` stands for `event` too.
    fn join(&mut self, row: usize, event: EventId) {
        self.row_of.insert(event, row);
        if let Some(row) = self.rows.get_mut(row)
            && let Err(at) = row.events.binary_search(&event)
        {
            row.events.insert(at, event);
        }
    }

    fn call_text(&self, begun: EventId) -> Option<String> {
        let event = self.story.journal().get(begun)?;
        self.story.call(begun).map(|(call, outcome)| self.named(event, text::line(call, outcome)))
    }

    /// `line` with the name before it of an actor that is not the one whose column it stands in: a child, an outsider.
    fn named(&self, event: &Event, line: String) -> String {
        let Some(actor) = &event.actor else { return line };
        let owner = self.owners[self.side(event)];
        if owner.is_none_or(|owner| owner == actor) { line } else { format!("{actor}: {line}") }
    }
}

/// A row for `event` with nothing in its columns.
fn blank(event: EventId, number: Number, wire: Wire) -> Row {
    Row { event, events: Vec::new(), connection: None, number, text: Both::default(), wire, failed: false }
}

/// The handshakes that are complete: SYN, SYN-ACK and the ACK that acknowledges it are a connection's first three frames.
fn openings(story: &Story) -> HashMap<ConnectionId, Opening> {
    let mut openings = HashMap::new();
    for connection in story.connections() {
        let mut segments = connection.events.iter().filter_map(|id| {
            let (frame, segment) = story.journal().get(*id)?.segment()?;
            Some((*id, frame.number, segment))
        });
        let (Some(syn), Some(syn_ack), Some(ack)) = (segments.next(), segments.next(), segments.next()) else {
            continue;
        };
        let opens = syn.2.flags.opens() && syn_ack.2.flags.syn() && syn_ack.2.flags.ack();
        let completes = ack.2.is_pure_ack() && ack.2.ack == syn_ack.2.end() && ack.2.src == syn.2.src;
        if opens && completes {
            openings.insert(connection.id, Opening { connection: connection.id, frames: (syn.1, ack.1), first: syn.0 });
        }
    }
    openings
}
