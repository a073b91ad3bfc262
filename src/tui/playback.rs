//! Keeps a story's screen true to its events: what was told so far, and what of it stands under the cursor.

use crate::event::{Event, EventId, Run};
use crate::socket::call::Outcome;
use crate::story::journal::Journal;

use super::menu::Entry;
use super::model::{Asking, Origin, Progress, StoryScreen};

impl StoryScreen {
    /// The screen of a scenario that is about to be played.
    pub fn live(entry: Entry, asking: Asking) -> Self {
        let mut screen = Self { asking, following: true, ..Self::default() };
        screen.scene.title = format!("{}  {}", entry.name, entry.title);
        screen.entry = Some(entry);
        screen
    }

    /// The screen of a run that has happened, at its last row.
    pub fn replay(title: String, journal: Journal) -> Self {
        let mut screen = Self { origin: Origin::Replay, progress: Progress::Finished, ..Self::default() };
        screen.scene.title = title;
        let _ = journal;
        screen
    }

    /// What the run is.
    pub fn begin(&mut self, _run: Run) {}

    /// Takes in one thing that happened.
    pub fn apply(&mut self, _event: Event) -> Result<(), String> {
        Ok(())
    }

    /// What the call begun by `begun` returned, if it has.
    pub fn outcome_of(&self, _begun: EventId) -> Option<Outcome> {
        None
    }

    /// Makes the rows anew.
    pub fn refresh(&mut self) {}

    /// Puts the cursor on `row`, or on the last there is.
    pub fn look_at(&mut self, row: usize) {
        let last = self.scene.lines.len().saturating_sub(1);
        self.cursor = row.min(last);
        self.following = self.cursor == last;
    }

    /// Puts the cursor on the newest row and keeps it there.
    pub fn follow(&mut self) {
        self.look_at(usize::MAX);
        self.following = true;
    }
}
