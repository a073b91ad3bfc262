//! The events of one run, append-only.

use crate::event::{Event, EventId, Run};

/// The events of one run in the order of their ids, which count from 1 without a gap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    run: Run,
    events: Vec<Event>,
}

/// An event whose id is not the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {got} does not follow event {last} in the journal")]
pub struct OutOfOrder {
    /// The id that came.
    pub got: EventId,
    /// The last id written down; 0 before the first.
    pub last: EventId,
}

impl Journal {
    /// An empty journal of `run`.
    pub fn new(run: Run) -> Self {
        Self { run, events: Vec::new() }
    }

    /// Writes `event` down. Fails if its id is not the next one.
    pub fn append(&mut self, event: Event) -> Result<(), OutOfOrder> {
        let last = EventId(self.events.len() as u64);
        if event.id.0 != last.0 + 1 {
            return Err(OutOfOrder { got: event.id, last });
        }
        self.events.push(event);
        Ok(())
    }

    /// What the run was.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// All events.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The event with `id`.
    pub fn get(&self, id: EventId) -> Option<&Event> {
        let index = usize::try_from(id.0).ok()?.checked_sub(1)?;
        self.events.get(index)
    }
}
