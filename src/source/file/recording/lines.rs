//! The lines of a saved story, as they come.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Event, EventId, FrameNo, Run};
use crate::notation::{Line, MARK, ParseError, Reader, SavedLine};

/// What the lines of a story tell.
#[derive(Default)]
pub struct Told {
    /// What the run was, if a line says.
    pub run: Option<Run>,
    /// The events by their ids.
    pub events: BTreeMap<EventId, Event>,
    /// Ids of lines that could not be read: they belong to no packet.
    pub unread: BTreeSet<EventId>,
    /// How many events there were when the story was saved, if a line says.
    pub count: Option<u64>,
    /// What is wrong.
    pub complaints: Vec<String>,
}

/// Reads the lines of a story.
#[derive(Default)]
pub struct Lines {
    reader: Reader,
    told: Told,
}

/// Whether a comment is a line of a story.
pub fn is_ours(comment: &str) -> bool {
    Reader::is_ours(comment)
}

impl Lines {
    /// Takes the lines of a section's comments.
    pub fn section(&mut self, line: &str) {
        let place = "in the section's comments";
        match saved(line) {
            None => self.event_line(line, place),
            Some(Ok(SavedLine::Events(count))) => self.told.count = Some(count),
            Some(Ok(SavedLine::Frame { .. })) => {
                self.told.complaints.push(format!("{place}: a line that belongs to a frame"));
            }
            Some(Err(error)) => self.complain(line, place, &error),
        }
    }

    /// Takes the lines on a frame; returns the frame's own id and whether it is late, where they say.
    pub fn frame(&mut self, frame: FrameNo, lines: Vec<String>) -> Option<(EventId, bool)> {
        let mut own = None;
        let place = format!("on frame {frame}");
        for line in lines {
            match saved(&line) {
                None => self.event_line(&line, &place),
                Some(Ok(SavedLine::Frame { id, late })) => own = Some((id, late)),
                Some(Ok(SavedLine::Events(count))) => self.told.count = Some(count),
                Some(Err(error)) => self.complain(&line, &place, &error),
            }
        }
        own
    }

    /// All that was told.
    pub fn finish(mut self) -> Told {
        match self.reader.finish() {
            Ok(lines) => self.take(lines, "at the end of the file"),
            Err(error) => self.told.complaints.push(format!("the last line: {error}")),
        }
        self.told
    }

    fn event_line(&mut self, line: &str, place: &str) {
        match self.reader.line(line) {
            Ok(lines) => self.take(lines, place),
            Err(first) => {
                self.complain(line, place, &first);
                // The error may be that of the line before, whose pieces had been waited for.
                match self.reader.line(line) {
                    Ok(lines) => self.take(lines, place),
                    Err(second) if second == first => {}
                    Err(second) => self.complain(line, place, &second),
                }
            }
        }
    }

    fn take(&mut self, lines: Vec<Line>, place: &str) {
        for line in lines {
            match line {
                Line::Run(name) => self.run().name = name,
                Line::Fact(name, value) => self.run().facts.push((name, value)),
                Line::Event(event, _) if event.id.0 == 0 => {
                    self.told.complaints.push(format!("{place}: ids count from 1, and a line has 0"));
                }
                Line::Event(event, _) => match self.told.events.entry(event.id) {
                    Entry::Vacant(place) => {
                        place.insert(event);
                    }
                    Entry::Occupied(_) => {
                        self.told.complaints.push(format!("{place}: a second line for event {}", event.id));
                    }
                },
            }
        }
    }

    fn run(&mut self) -> &mut Run {
        self.told.run.get_or_insert_default()
    }

    fn complain(&mut self, line: &str, place: &str, error: &ParseError) {
        let beginning: String = line.chars().take(60).flat_map(char::escape_default).collect();
        self.told.complaints.push(format!("{place}: \"{beginning}\", {error}"));
        self.told.unread.extend(id_of(line));
    }
}

fn saved(line: &str) -> Option<Result<SavedLine, ParseError>> {
    SavedLine::is_one(line).then(|| line.parse())
}

/// The id that a line begins with, where that much can be read.
fn id_of(line: &str) -> Option<EventId> {
    let word = line.strip_prefix(MARK)?.split(' ').next()?;
    word.split('+').next()?.parse().ok().map(EventId)
}
