//! What the kernel itself said of its sockets, beside what was inferred of the same ends.

use super::side::Side;
use super::{Story, standing};
use crate::event::{ConnectionId, EventId, Sample, What};
use crate::tcp::state::State;

impl Story {
    /// The kernel's own view of one end when it was last asked, at or before `at`, with the event in which it said so; `None`
    /// where it was not asked since the end came to `state`, for what it said before does not contradict that.
    pub(super) fn sample(
        &self,
        connection: ConnectionId,
        at: EventId,
        side: Side,
        state: State,
    ) -> Option<(EventId, &Sample)> {
        let samples = self.samples.get(&(connection, side))?;
        let latest = *samples.get(samples.partition_point(|id| *id <= at).checked_sub(1)?)?;
        let What::Sample(sample) = &self.journal.get(latest)?.what else { return None };
        let record = self.record(latest)?;
        (record.ends[side].tcp.state == state).then_some((latest, sample))
    }

    /// Whether something happened on `connection` after the event `sample`, up to `at`: then queues are others.
    pub(super) fn went_on(&self, connection: ConnectionId, sample: EventId, at: EventId) -> bool {
        let events = self.connection(connection).map_or(&[][..], |connection| connection.events.as_slice());
        let after = events.partition_point(|id| *id <= sample);
        let later = events.iter().skip(after).take_while(|id| **id <= at);
        later.filter_map(|id| self.journal.get(*id)).any(|event| !matches!(event.what, What::Sample(_)))
    }

    /// The state that was inferred of the end of which the event `id` is a sample, where the kernel said otherwise.
    pub fn differs(&self, id: EventId) -> Option<State> {
        let What::Sample(sample) = &self.journal.get(id)?.what else { return None };
        let (connection, side) = self.record(id).and_then(|record| record.connection.zip(record.side))?;
        let end = &standing::ends(self, connection, id)[side];
        standing::kernel(sample.socket, end, true).differs.then_some(end.tcp.state)
    }

    /// The last event after `from` and up to `to` in which the kernel said that this end is in `state`.
    pub(super) fn confirmed(
        &self,
        connection: ConnectionId,
        side: Side,
        state: State,
        (from, to): (EventId, EventId),
    ) -> Option<EventId> {
        let says = |id: &EventId| match &self.journal.get(*id)?.what {
            What::Sample(sample) => Some(sample.socket?.state == state),
            _ => None,
        };
        let samples = self.samples.get(&(connection, side))?.iter().copied();
        samples.rev().find(|id| *id > from && *id <= to && says(id) == Some(true))
    }
}
