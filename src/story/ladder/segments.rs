//! The rows of segments.

use super::{Ladder, blank};
use crate::event::{Event, EventId, FrameNo};
use crate::socket::call::CallName;
use crate::socket::errno::Errno;
use crate::story::rows::{Number, Row, Wire};
use crate::story::side::{Both, Side};
use crate::story::track::{Change, Record};
use crate::tcp::rule::Rule;
use crate::tcp::segment::Segment;
use crate::tcp::seq::SeqNum;
use crate::tcp::state::State;

/// The shortest wait of the timer that sends again, with some room, in nanoseconds (`TCP_RTO_MIN`).
pub(in crate::story) const SOONEST: i64 = 150_000_000;

impl<'a> Ladder<'a> {
    pub(super) fn segment(&mut self, event: &'a Event, frame: FrameNo, segment: &'a Segment) {
        let Some(record) = self.story.record(event.id) else { return };
        let Some((id, side)) = record.connection.zip(record.side) else { return };
        if let Some(opening) = self.openings.get(&id).copied()
            && frame >= opening.frames.0
            && frame <= opening.frames.1
        {
            return self.handshake(event, opening);
        }
        if record.is_copy && !self.all_acks {
            return;
        }
        let is_silent = segment.is_pure_ack() && !self.story.is_probe(event.id) && record.change(side.peer()).is_none();
        if is_silent && !self.all_acks && self.mark(event, frame, segment.ack) {
            return;
        }
        let mut row = blank(event.id, Number::Frame(frame), self.arrow(event, segment, side, record));
        row.connection = Some(id);
        row.failed = segment.flags.rst();
        let calls = self.calls_behind(event.id);
        row.text[side] = self.senders_text(event, segment, side, record, &calls);
        row.text[side.peer()] = self.receivers_text(event, segment, record, side.peer());
        let events: Vec<EventId> = calls.into_iter().chain([event.id]).collect();
        self.push(row, &events);
    }

    fn handshake(&mut self, event: &Event, opening: super::Opening) {
        if let Some(row) = self.row_of.get(&opening.first).copied() {
            return self.join(row, event.id);
        }
        let (first, last) = opening.frames;
        let mut row =
            blank(event.id, Number::Frames(first, last), Wire::Handshake(self.several().then_some(opening.connection)));
        row.connection = self.connection(event.id);
        let calls = self.calls_behind(event.id);
        row.text.client = calls.first().and_then(|begun| self.call_text(*begun)).unwrap_or_default();
        let events: Vec<EventId> = calls.into_iter().chain([event.id]).collect();
        self.push(row, &events);
    }

    /// Whether the run has more than one connection.
    fn several(&self) -> bool {
        self.story.connections().len() > 1
    }

    /// Marks a pure ACK of everything before `ack` at the arrow that it acknowledges; false where it does not, or where that
    /// arrow has no row or a mark already.
    fn mark(&mut self, event: &Event, frame: FrameNo, ack: SeqNum) -> bool {
        let cause = self.story.cause(event.id).and_then(|cause| cause.causes.first().copied());
        let reaches = |id: &EventId| {
            let segment = self.story.journal().get(*id).and_then(Event::segment);
            segment.is_none_or(|(_, segment)| segment.end().is_at_or_before(ack))
        };
        let acknowledged = cause.filter(reaches);
        let Some(row) = acknowledged.and_then(|id| self.row_of.get(&id).copied()) else { return false };
        let Some(Wire::Arrow { acknowledged_by, .. }) = self.rows.get_mut(row).map(|row| &mut row.wire) else {
            return false;
        };
        if acknowledged_by.is_some() {
            return false;
        }
        *acknowledged_by = Some(frame);
        self.join(row, event.id);
        true
    }

    /// The calls that caused a segment and stand on no row yet.
    fn calls_behind(&self, segment: EventId) -> Vec<EventId> {
        let causes = self.story.cause(segment).into_iter().flat_map(|cause| &cause.causes);
        let is_free = |id: &EventId| {
            let call = self.story.call(*id);
            call.is_some_and(|(call, _)| !call.name.receives()) && !self.row_of.contains_key(id)
        };
        causes.copied().filter(is_free).collect()
    }

    fn arrow(&self, event: &Event, segment: &Segment, side: Side, record: &Record) -> Wire {
        let heard = !self.story.was_lost(event.id);
        Wire::Arrow { from: side, label: self.label(event, segment, side, record), acknowledged_by: None, heard }
    }

    fn label(&self, event: &Event, segment: &Segment, side: Side, record: &Record) -> String {
        let flags = segment.flags;
        let Some(connection) = record.connection.and_then(|id| self.story.connection(id)) else { return String::new() };
        let ack = || connection.relative(side.peer(), segment.ack);
        if record.is_copy {
            return "seen once more".to_owned();
        }
        if flags.rst() {
            return "RST".to_owned();
        }
        if flags.syn() {
            return if flags.ack() { "SYN ACK".to_owned() } else { "SYN".to_owned() };
        }
        if segment.payload_len > 0 {
            let start = connection.relative(side, segment.seq);
            let word = if self.story.is_repeated(event.id) { "again" } else { "DATA" };
            let fin = if flags.fin() { ", FIN" } else { "" };
            let carries_ack = record.change(side.peer()).is_some_and(|change| change.rule == Rule::FinAcknowledged);
            let riding = if carries_ack { format!(", ACK {}", ack()) } else { String::new() };
            return format!("{word} {start}:{}{fin}{riding}", start.wrapping_add(segment.payload_len));
        }
        if flags.fin() {
            return "FIN".to_owned();
        }
        if self.story.is_probe(event.id) {
            return "probe".to_owned();
        }
        format!("ACK {}", ack())
    }

    fn senders_text(&self, event: &Event, segment: &Segment, side: Side, record: &Record, calls: &[EventId]) -> String {
        if let Some(text) = calls.first().and_then(|begun| self.call_text(*begun)) {
            let more = calls.len() - 1;
            return if more > 0 { format!("{text}  +{more}") } else { text };
        }
        if record.is_sent_by_another() {
            return format!("not the {}", side.name());
        }
        if segment.flags.rst() {
            return if record.change(side).is_some() { "kernel ▸ CLOSED".to_owned() } else { "kernel".to_owned() };
        }
        if self.story.is_repeated(event.id) {
            return self
                .story
                .silence_before(event.id)
                .filter(|nanos| *nanos >= SOONEST)
                .map_or_else(String::new, |nanos| format!("no ACK for {} ms", nanos / 1_000_000));
        }
        record.change(side).map_or_else(String::new, |change| arrived(change, record, side))
    }

    fn receivers_text(&self, event: &Event, segment: &Segment, record: &Record, side: Side) -> String {
        if self.story.was_filtered(event.id) {
            return "✗ dropped by a filter".to_owned();
        }
        if (!record.heard || self.story.was_refused(event.id)) && segment.payload_len > 0 {
            let end = &record.ends[side];
            let word = match end.has_calls && end.has_program() {
                false => "✗ no program to read it",
                true if end.takes_all() => "✗ did not arrive",
                true => "✗ receives no more",
            };
            return word.to_owned();
        }
        if self.story.was_lost(event.id) {
            return String::new();
        }
        let by_first_copy = || self.story.first_of(event.id).and_then(|first| first.change(side));
        let Some(change) = record.change(side).or_else(by_first_copy) else { return String::new() };
        // A listener stays one, whoever asks.
        if segment.flags.opens() && change.to == State::Listen {
            return String::new();
        }
        if segment.flags.rst() {
            let is_told = record.ends[side].has_program()
                && !record.connection.is_some_and(|id| self.story.is_closing(id, side, event.id));
            let error = record.ends[side].socket.pending.filter(|_| is_told);
            return match error {
                None => "▸ CLOSED".to_owned(),
                Some(Errno::EPIPE) => "▸ CLOSED, error EPIPE".to_owned(),
                // With the word before it, a longer name would not fit the column.
                Some(errno) => format!("▸ CLOSED, {errno}"),
            };
        }
        arrived(change, record, side)
    }
}

fn arrived(change: Change, record: &Record, side: Side) -> String {
    let no_program = !record.ends[side].has_program() && matches!(change.to, State::FinWait2 | State::TimeWait);
    format!("▸ {}{}", change.to, if no_program { ", no program" } else { "" })
}

impl Ladder<'_> {
    /// Whether the call that began at `begun` will stand on the row of a segment that it caused.
    pub(super) fn has_segment(&self, begun: EventId) -> bool {
        let reads = self.story.call(begun).is_some_and(|(call, _)| call.name.receives());
        !self.story.segments_of(begun).is_empty() && !reads
    }

    /// The row of a connection's handshake, or of its SYN while that is all there is.
    pub(super) fn opening_row(&self, event: EventId) -> Option<usize> {
        let connection = self.story.connection(self.connection(event)?)?;
        connection
            .events
            .iter()
            .find_map(|id| self.row_of.get(id).copied())
            .filter(|row| self.rows.get(*row).is_some_and(|row: &Row| matches!(row.wire, Wire::Handshake(_))))
    }

    /// Whether `name` is a call that opens a connection and so belongs to its handshake.
    pub(super) const fn opens(name: CallName) -> bool {
        matches!(name, CallName::Connect) || name.accepts()
    }

    /// An empty pair of texts with `text` at `side`.
    pub(super) fn only(side: Side, text: String) -> Both<String> {
        let mut both = Both::default();
        both[side] = text;
        both
    }
}
