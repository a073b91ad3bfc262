//! The rows of calls that have no segment of their own, and of ends of programs.

use super::{Fold, Ladder, blank};
use crate::event::{Event, EventId, ExitStatus, Gap, Holding};
use crate::socket::call::{Call, CallName, Outcome};
use crate::socket::errno::{Errno, Signal};
use crate::story::rows::{Number, Row, Wire};
use crate::story::side::Side;
use crate::story::standing::bytes;
use crate::story::text;
use crate::tcp::state::State;

impl<'a> Ladder<'a> {
    /// A call that still waits stands where it was entered; every other is laid out where it ended, or with its segment.
    pub(super) fn begun(&mut self, event: &'a Event, call: &'a Call) {
        let waits = self.story.end_of(event.id).is_none();
        let side = self.side(event);
        if call.name.receives() && self.peer_reads(event, side) {
            return self.both_wait(event, side, call);
        }
        if !waits || self.has_segment(event.id) || call.name == CallName::Exit {
            return;
        }
        let wire = if call.name == CallName::Nanosleep { Wire::Note("…".to_owned()) } else { Wire::Empty };
        self.call_row(event, event.id, side, self.named(event, text::line(call, None)), wire, false);
    }

    /// Whether the other end of the connection waits in a read of its own, and nothing that was sent is left to be read.
    fn peer_reads(&self, event: &Event, side: Side) -> bool {
        let Some(record) = self.story.record(event.id) else { return false };
        let idle = Side::BOTH.into_iter().all(|end| {
            let end = &record.ends[end];
            end.socket.unread == 0 && !end.socket.end_seen && end.socket.pending.is_none()
        });
        idle && record.connection.is_some_and(|id| self.story.reader(id, side.peer(), event.id).is_some())
    }

    /// Both ends wait for each other: the one moment at which a call that returns later is worth a row of its own.
    fn both_wait(&mut self, event: &Event, side: Side, call: &Call) {
        let peers = self.connection(event.id).and_then(|id| self.story.reader(id, side.peer(), event.id));
        let peers = peers.and_then(|begun| self.story.call(begun));
        let row =
            self.call_row(event, event.id, side, text::line(call, None), Wire::Note("both wait".to_owned()), false);
        self.rows[row].text[side.peer()] = peers.map_or_else(String::new, |(call, _)| text::line(call, None));
        self.row_of.remove(&event.id);
    }

    pub(super) fn ended(&mut self, event: &'a Event, begun: EventId, outcome: &'a Outcome) {
        if let Some(row) = self.row_of.get(&begun).copied() {
            if outcome.errno == Some(Errno::ETIMEDOUT) && row + 1 < self.rows.len() {
                return self.timed_out(event, begun, row, outcome);
            }
            self.join(row, event.id);
            if let Some(row) = self.rows.get_mut(row) {
                row.failed |= outcome.errno.is_some();
            }
            return;
        }
        let Some((call, _)) = self.story.call(begun) else { return };
        let side = self.side(event);
        let line = self.named(event, text::line(call, Some(outcome)));
        if Self::opens(call.name) && self.join_handshake(event, begun, side, &line) {
            return;
        }
        if call.name.receives() && outcome.ret > 0 {
            return self.read(event, begun, side, call, outcome);
        }
        if is_setting_up(call.name) && outcome.errno.is_none() {
            return self.set_up(event, begun, side, &line);
        }
        if self.has_segment(begun) && self.is_seen_late(event, begun, side) {
            return;
        }
        let wire = self.wire_without_segment(event, call, outcome);
        self.call_row(event, begun, side, line, wire, outcome.errno.is_some());
    }

    /// Whether the first segment of a call that has returned was on its way to the capture, which is at the peer: nothing but
    /// resets and tellings of what is missing came from there meanwhile, so that it waited for nothing. The call stands on that segment's row.
    fn is_seen_late(&self, end: &Event, begun: EventId, side: Side) -> bool {
        let Some(segment) = self.story.segments_of(begun).first() else { return false };
        let Some(connection) = self.connection(*segment).and_then(|id| self.story.connection(id)) else { return false };
        let meanwhile = connection.events.iter().filter(|id| end.id < **id && **id < *segment);
        let is_peers = |id: &EventId| {
            let segment = self.story.journal().get(*id).and_then(Event::segment);
            segment.is_some_and(|(_, segment)| !segment.flags.rst() && segment.sack().is_none())
                && self.story.record(*id).and_then(|record| record.side) == Some(side.peer())
        };
        end.id < *segment && !meanwhile.copied().any(|id| is_peers(&id))
    }

    /// A call that waited in vain stands as waiting where it was entered, and where it returned with what it returned.
    fn timed_out(&mut self, event: &Event, begun: EventId, row: usize, outcome: &Outcome) {
        let Some((call, _)) = self.story.call(begun) else { return };
        let side = self.side(event);
        self.rows[row].text[side] = self.named(event, text::line(call, None));
        self.call_row(event, begun, side, self.named(event, text::line(call, Some(outcome))), Wire::Empty, true);
    }

    fn join_handshake(&mut self, event: &Event, begun: EventId, side: Side, line: &str) -> bool {
        let Some(row) = self.opening_row(event.id).filter(|row| self.rows[*row].text[side].is_empty()) else {
            return false;
        };
        line.clone_into(&mut self.rows[row].text[side]);
        self.join(row, begun);
        self.join(row, event.id);
        true
    }

    /// What stands in the network's column beside a call that has no segment.
    fn wire_without_segment(&self, event: &Event, call: &Call, outcome: &Outcome) -> Wire {
        if call.name == CallName::Nanosleep {
            let slept = self.story.journal().get(event.ended().map_or(event.id, |(begun, _)| begun));
            let nanos = slept.map_or(0, |begun| event.time.since(begun.time));
            return Wire::Pause(nanos.max(0).unsigned_abs());
        }
        let could_send = call.name.sends() || matches!(call.name, CallName::Close | CallName::Shutdown);
        let blind = self.story.is_blind();
        let elsewhere = self.story.record(event.id).is_some_and(|record| record.elsewhere);
        let is_under_way = || {
            let record = self.story.record(event.id);
            let end = record.and_then(|record| Some(&record.ends[record.side?]));
            call.name == CallName::Close && end.is_some_and(|end| !end.has_program() && end.takes_all())
        };
        match could_send && !elsewhere {
            true if is_under_way() && !blind => Wire::Note("on the way".to_owned()),
            true if blind && outcome.errno.is_none() => Wire::Note("not captured".to_owned()),
            true => Wire::NothingSent,
            false => Wire::Empty,
        }
    }

    fn call_row(&mut self, event: &Event, begun: EventId, side: Side, line: String, wire: Wire, failed: bool) -> usize {
        let number = if matches!(wire, Wire::Pause(_)) { Number::Blank } else { Number::Dot };
        let mut row = Row { failed, text: Self::only(side, line), ..blank(event.id, number, wire) };
        row.connection = self.connection(event.id).or_else(|| self.rows.last().and_then(|row| row.connection));
        self.push(row, &[begun, event.id])
    }

    /// A read stands on the row of the segment that it waited for or that came just before it, if that end's cell is free;
    /// further reads are folded.
    fn read(&mut self, event: &Event, begun: EventId, side: Side, call: &Call, outcome: &Outcome) {
        let line = text::line(call, Some(outcome));
        let carrying = self.story.cause(event.id).and_then(|cause| cause.causes.last().copied());
        let row = carrying.and_then(|id| self.row_of.get(&id).copied());
        let waited = carrying.is_some_and(|segment| begun < segment);
        if let Some(row) = row
            && (waited || row + 1 == self.rows.len())
            && self.rows[row].text[side].is_empty()
        {
            self.rows[row].text[side] = line;
            self.join(row, begun);
            return self.join(row, event.id);
        }
        let count = outcome.count().unwrap_or(0);
        match self.fold {
            Some(fold) if fold.side == side && fold.row + 1 == self.rows.len() => {
                let fold = Fold { calls: fold.calls + 1, bytes: fold.bytes + count, ..fold };
                self.refold(event, begun, fold);
            }
            _ => {
                let row = self.call_row(event, begun, side, line, Wire::Empty, false);
                self.fold = Some(Fold { row, side, calls: 1, bytes: count });
            }
        }
    }

    /// Set-up calls of both ends in a run share one row, which shows each end's last and how many there were.
    fn set_up(&mut self, event: &Event, begun: EventId, side: Side, line: &str) {
        let row = match self.setting_up {
            Some(row) if row + 1 == self.rows.len() => {
                self.join(row, begun);
                self.join(row, event.id);
                if !self.is_listen(self.rows[row].event) {
                    self.rows[row].event = event.id;
                }
                row
            }
            _ => self.call_row(event, begun, side, String::new(), Wire::Empty, false),
        };
        self.setting_up = Some(row);
        let own = self.rows[row].events.iter().filter_map(|id| self.story.journal().get(*id));
        let calls = own.filter(|made| made.begun().is_some() && self.side(made) == side).count();
        let folded = if calls > 1 { format!("{line}  {calls} calls") } else { line.to_owned() };
        self.rows[row].text[side] = folded;
    }

    /// Whether `end` is the end of listen(2), which of all set-up calls has the most to explain.
    fn is_listen(&self, end: EventId) -> bool {
        let begun = self.story.journal().get(end).and_then(Event::ended).map(|(begun, _)| begun);
        begun.and_then(|id| self.story.call(id)).is_some_and(|(call, _)| call.name == CallName::Listen)
    }

    /// One read more on the row of `fold`.
    fn refold(&mut self, event: &Event, begun: EventId, fold: Fold) {
        self.join(fold.row, begun);
        self.join(fold.row, event.id);
        let row = &mut self.rows[fold.row];
        let text = &mut row.text[fold.side];
        let line = text.split("  ").next().unwrap_or("").to_owned();
        *text = format!("{line}  {} reads", fold.calls);
        row.wire = Wire::Note(format!("[+] {}", bytes(fold.bytes)));
        self.fold = Some(fold);
    }

    pub(super) fn exited(&mut self, event: &'a Event, status: ExitStatus) {
        let side = self.side(event);
        let line = match status {
            ExitStatus::Code(code) => format!("exit({code})"),
            ExitStatus::Killed(signal) => format!("killed by {signal} ✗"),
        };
        let line = self.named(event, line);
        let call = self.story.cause(event.id).and_then(|cause| cause.causes.first().copied());
        if let Some(row) = call.and_then(|begun| self.row_of.get(&begun).copied())
            && matches!(status, ExitStatus::Code(_))
        {
            return self.join(row, event.id);
        }
        let failed = matches!(status, ExitStatus::Killed(_));
        if !failed && (self.exit_after_close(event, call, side, &line) || self.exits_together(event, call, side, &line))
        {
            return;
        }
        if failed && self.killed_in_call(event, call, side, &line, killed_wire(status)) {
            return;
        }
        let wire = killed_wire(status);
        self.call_row(event, call.unwrap_or(event.id), side, line, wire, failed);
    }

    /// The end of a program right after its last close needs no row of its own.
    fn exit_after_close(&mut self, event: &Event, call: Option<EventId>, side: Side, line: &str) -> bool {
        let Some(row) = self.rows.len().checked_sub(1) else { return false };
        if !self.rows[row].text[side].starts_with("close(") {
            return false;
        }
        self.rows[row].text[side] += &format!(", {line}");
        if let Some(begun) = call {
            self.join(row, begun);
        }
        self.join(row, event.id);
        true
    }

    /// Two ends of programs right after each other share a row.
    fn exits_together(&mut self, event: &Event, call: Option<EventId>, side: Side, line: &str) -> bool {
        let Some(row) = self.rows.len().checked_sub(1) else { return false };
        let texts = &self.rows[row].text;
        if !texts[side].is_empty() || !texts[side.peer()].contains("exit(") || self.rows[row].wire != Wire::Empty {
            return false;
        }
        line.clone_into(&mut self.rows[row].text[side]);
        if let Some(begun) = call {
            self.join(row, begun);
        }
        self.join(row, event.id);
        true
    }

    /// A call that never returned, since a signal killed its program, shows that in place of waiting for ever.
    fn killed_in_call(&mut self, event: &Event, call: Option<EventId>, side: Side, line: &str, wire: Wire) -> bool {
        let Some(row) = call.and_then(|begun| self.row_of.get(&begun).copied()) else { return false };
        if row + 1 != self.rows.len() || !self.rows[row].text[side].ends_with(" …") {
            return false;
        }
        line.clone_into(&mut self.rows[row].text[side]);
        let row_ = &mut self.rows[row];
        (row_.event, row_.failed, row_.wire) = (event.id, true, wire);
        self.join(row, event.id);
        true
    }

    /// A socket that was there already; one that is not connected to anything has no part in the story yet.
    pub(super) fn holds(&mut self, event: &Event, holding: &Holding) {
        let is_listener = holding.state == State::Listen;
        if holding.remote.is_none() && !is_listener {
            return;
        }
        let side = if is_listener { Side::Server } else { self.side(event) };
        let line = self.named(event, text::holding(holding));
        let mut row = Row { text: Self::only(side, line), ..blank(event.id, Number::Dot, Wire::Empty) };
        row.connection = self.connection(event.id);
        self.push(row, &[event.id]);
    }

    pub(super) fn gap(&mut self, event: &Event, gap: &Gap) {
        let words = match gap {
            Gap::Dropped(frames) => format!("{frames} frames lost"),
            Gap::Malformed { frame, .. } => format!("{frame} not understood"),
            Gap::CutShort { .. } => "the file ends here".to_owned(),
            Gap::NoCapture(_) => "no capture".to_owned(),
            Gap::Unsettled(_) => "not settled".to_owned(),
            Gap::ClockStep(_) => "the clock was set".to_owned(),
            Gap::Untraced(_) => "not followed".to_owned(),
        };
        let mut row = blank(event.id, Number::Blank, Wire::Note(words));
        row.connection = self.rows.last().and_then(|row| row.connection);
        row.failed = true;
        self.push(row, &[event.id]);
    }
}

/// What stands beside the end of a program: SIGPIPE comes in place of a segment, any other signal may be followed by some.
const fn killed_wire(status: ExitStatus) -> Wire {
    match status {
        ExitStatus::Killed(Signal::SIGPIPE) => Wire::NothingSent,
        _ => Wire::Empty,
    }
}

/// Whether it is one of the calls that share a row.
pub(in crate::story) const fn is_setting_up(name: CallName) -> bool {
    matches!(
        name,
        CallName::Socket
            | CallName::Bind
            | CallName::Listen
            | CallName::Setsockopt
            | CallName::Fcntl
            | CallName::Sigaction
            | CallName::Sigprocmask
            | CallName::Pipe
            | CallName::Socketpair
    )
}
