//! Keeps a story's screen true to its story: the rows that there are, and what is known of the one under the cursor.

use crate::event::{Event, EventId, Gap, Run, What};
use crate::socket::call::Outcome;
use crate::story::Story;
use crate::story::journal::Journal;
use crate::story::rows::Row;
use crate::story::side::Both;
use crate::tcp::state::State;

use super::held::{Breaks, Held};
use super::menu::Entry;
use super::model::{Asking, Origin, Pace, Progress, StoryScreen};
use super::scene::{Line, Moment, facts};

/// How many rows on either side of the cursor have their states looked up: more than any terminal shows.
const NEAR: usize = 200;

impl StoryScreen {
    /// The screen of a scenario that is about to be played.
    pub fn live(entry: Entry, asking: Asking) -> Self {
        let mut screen = Self { asking, following: true, ..Self::default() };
        screen.scene.name.clone_from(&entry.name);
        screen.scene.about.clone_from(if entry.title.is_empty() { &entry.question } else { &entry.title });
        screen.entry = Some(entry);
        screen
    }

    /// The screen of a program called `name` that is about to be run and is held where `breaks` say.
    pub fn held(name: String, breaks: Breaks) -> Self {
        let held = Some(Held::new(breaks));
        let mut screen = Self { held, pace: Pace::Step, asking: Asking::Never, following: true, ..Self::default() };
        screen.scene.name = name;
        screen
    }

    /// The screen of a run that has happened, at its last row. `entry` is its scenario's, where it is of one.
    pub fn replay(name: String, story: Story, entry: Option<Entry>) -> Self {
        let mut screen = Self { origin: Origin::Replay, progress: Progress::Finished, ..Self::default() };
        screen.scene.name = name;
        let title = entry.as_ref().map_or("", |entry| entry.title.as_str());
        let about = [title, story.journal().run().kind()];
        screen.scene.about = about.into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" · ");
        screen.entry = entry;
        screen.following = true;
        screen.story = Some(story);
        screen.refresh();
        screen
    }

    /// What the run is.
    pub fn begin(&mut self, run: Run) {
        self.story = Some(Story::new(run));
        self.refresh();
    }

    /// Takes in what happened since the last time. Fails if it does not follow what is known.
    pub fn catch_up(&mut self) -> Result<(), String> {
        let events = std::mem::take(&mut self.untold);
        if events.is_empty() {
            return Ok(());
        }
        let Some(story) = &mut self.story else { return Err("an event came before the run that it is of".to_owned()) };
        story.extend(events).map_err(|error| error.to_string())?;
        self.refresh();
        Ok(())
    }

    /// What the call begun by `begun` returned, if it has.
    pub fn outcome_of(&self, begun: EventId) -> Option<Outcome> {
        self.story.as_ref()?.call(begun)?.1.cloned()
    }

    /// Makes the rows anew. The cursor stays on the event that it was on.
    pub fn refresh(&mut self) {
        let Some(story) = &self.story else { return };
        let here = self.scene.lines.get(self.cursor).map(|line| line.row.event);
        self.scene.lines = story.rows(self.all_acks).into_iter().map(|row| line(story, row)).collect();
        self.scene.verdicts = story.connections().iter().filter_map(|known| story.verdict(known.id)).collect();
        self.scene.lost = lost(story.journal());
        self.scene.total = story.journal().events().iter().filter(|event| event.segment().is_some()).count() as u64;
        self.scene.blind = story.is_blind();
        self.scene.facts = facts(story.journal().run());
        let stays = here.and_then(|here| self.scene.lines.iter().position(|line| line.row.events.contains(&here)));
        match stays.filter(|_| !self.following) {
            Some(row) => self.put_cursor(row),
            None => self.put_cursor(usize::MAX),
        }
    }

    /// Puts the cursor on `row`, or on the last there is, where it then follows what comes.
    pub fn look_at(&mut self, row: usize) {
        self.put_cursor(row);
        self.following = self.cursor + 1 >= self.scene.lines.len();
    }

    /// Puts the cursor on the newest row and keeps it there.
    pub fn follow(&mut self) {
        self.look_at(usize::MAX);
    }

    /// The row of the nearest cause of the row under the cursor.
    pub fn cause_row(&self) -> Option<usize> {
        self.scene.causes().into_iter().rev().find(|row| *row < self.cursor)
    }

    /// The first row below the cursor that something on the cursor's row caused.
    pub fn effect_row(&self) -> Option<usize> {
        let story = self.story.as_ref()?;
        let here = &self.scene.lines.get(self.cursor)?.row.events;
        let is_effect = |id: &EventId| {
            let causes = story.cause(*id).into_iter().flat_map(|cause| &cause.causes);
            causes.into_iter().any(|cause| here.binary_search(cause).is_ok())
        };
        let below = self.scene.lines.iter().enumerate().skip(self.cursor + 1);
        below.into_iter().find(|(_, line)| line.row.events.iter().any(is_effect)).map(|(row, _)| row)
    }

    fn put_cursor(&mut self, row: usize) {
        self.cursor = row.min(self.scene.lines.len().saturating_sub(1));
        let Some(story) = &self.story else { return };
        let lines = &self.scene.lines;
        let near = self.cursor.saturating_sub(NEAR)..lines.len().min(self.cursor + NEAR);
        let states: Vec<_> = near.clone().map(|index| states(story, lines, index)).collect();
        self.scene.moment = moment(story, lines, self.cursor);
        for (line, states) in self.scene.lines[near].iter_mut().zip(states) {
            line.states = states;
        }
    }
}

fn line(story: &Story, row: Row) -> Line {
    let journal = story.journal();
    let start = journal.events().first().map(|event| event.time);
    let time = journal.get(row.event).map(|event| event.time);
    let since_start = time.zip(start).map(|(time, start)| time.since(start));
    let is_call = |id: &EventId| journal.get(*id).is_some_and(|event| event.begun().is_some());
    let has_call = row.events.iter().any(is_call);
    Line { row, since_start, states: None, has_call }
}

fn lost(journal: &Journal) -> u64 {
    let dropped = journal.events().iter().map(|event| match event.what {
        What::Gap(Gap::Dropped(count)) => count,
        _ => 0,
    });
    dropped.sum()
}

/// The moment that a row shows: just before the first later event of the next row. What came later, such as the return of a send whose answer
/// was quicker, belongs to a later moment.
fn at(lines: &[Line], index: usize) -> Option<EventId> {
    let row = &lines.get(index)?.row;
    let next = lines.get(index + 1).and_then(|next| next.row.events.iter().find(|id| **id > row.event));
    let before_next = match (next, lines.get(index + 1)) {
        (Some(next), _) => EventId(next.0 - 1),
        // The next row stands for earlier events only.
        (None, Some(_)) => row.event,
        (None, None) => EventId(u64::MAX),
    };
    Some(before_next.max(row.event))
}

fn states(story: &Story, lines: &[Line], index: usize) -> Option<Both<State>> {
    Some(story.states(lines.get(index)?.row.connection?, at(lines, index)?))
}

fn moment(story: &Story, lines: &[Line], cursor: usize) -> Moment {
    let Some((line, at)) = lines.get(cursor).zip(at(lines, cursor)) else { return Moment::default() };
    // A row of no connection, such as a pause or a socket() call, shows the one before it.
    let connection = lines[..=cursor].iter().rev().find_map(|line| line.row.connection);
    let segment = |id: &EventId| story.journal().get(*id).and_then(Event::segment).map(|(frame, _)| frame.clone());
    Moment {
        standing: connection.map(|connection| story.standing(connection, at)),
        why: Some(story.why(&line.row)),
        next: connection.map(|connection| story.next(connection, at)),
        frame: segment(&line.row.event).or_else(|| line.row.events.iter().find_map(segment)),
    }
}
