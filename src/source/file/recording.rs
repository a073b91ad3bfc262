//! A file's records → events with rising ids, the calls of a saved story among them.
//!
//! A saved story is a capture whose comments hold, line by line, the events that are not packets (see `notation`). Each line
//! has its event's id; the ids that no line has belong to the segments in the order of their frames. Where lines are missing,
//! so that the ids no longer fit, time decides the order, and that is said.

mod assemble;
mod lines;

use std::collections::BTreeMap;
use std::io::Read;

use self::lines::Lines;
use super::{Capture, FileError, Item, Record};
use crate::decode::{Decoded, Fragments, decode};
use crate::event::{Event, EventId, Gap, Run, Time, What, without_controls};

/// A file as events, and all that it held beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// What the run was: as the saved story says, else the file's name.
    pub run: Run,
    /// The events. Their ids count from 1 without a gap.
    pub events: Vec<Event>,
    /// Packets that are no segments: other protocols, and what could not be decoded.
    pub others: Vec<Record>,
    /// How many packets and rows were passed over because they are not TCP, by name.
    pub passed_over: BTreeMap<&'static str, u64>,
    /// What is wrong with a saved story's lines, one sentence a line, in lower case.
    pub complaints: Vec<String>,
}

/// One thing that the file itself tells, before it has an id.
struct Entry {
    time: Time,
    what: What,
    /// The id that the file gives it; only for segments, and only where it does not follow from their order.
    id: Option<EventId>,
    late: bool,
    /// Whether the filter let it pass.
    kept: bool,
}

impl Entry {
    fn is_segment(&self) -> bool {
        matches!(self.what, What::Segment { .. })
    }
}

/// Reads all of `capture`. Packets that `keep` refuses are left out; what a story tells on them is kept.
pub fn read<R: Read>(mut capture: Capture<R>, keep: &mut dyn FnMut(&Record) -> bool) -> Result<Recording, FileError> {
    let mut reading = Reading::default();
    for item in &mut capture {
        match item? {
            Item::Packet(record) => reading.packet(record, keep),
            Item::Row(_, name) => *reading.recording.passed_over.entry(name).or_default() += 1,
            Item::SectionComment(comment) => reading.section_comment(comment),
            Item::Gap(gap) => reading.entry(What::Gap(gap), None),
        }
    }
    Ok(reading.finish(capture.name()))
}

#[derive(Default)]
struct Reading {
    recording: Recording,
    lines: Lines,
    fragments: Fragments,
    entries: Vec<Entry>,
    now: Time,
    /// Comments that somebody wrote on a section.
    section_comments: Vec<String>,
}

impl Reading {
    fn packet(&mut self, mut record: Record, keep: &mut dyn FnMut(&Record) -> bool) {
        // A packet without a time stands where it stands in the file.
        self.now = record.time.unwrap_or(self.now);
        record.time = Some(self.now);
        let (ours, theirs) =
            std::mem::take(&mut record.frame.comments).into_iter().partition(|line| lines::is_ours(line));
        record.frame.comments = theirs;
        let own = self.lines.frame(record.frame.number, ours);
        let kept = keep(&record);
        let frame = &record.frame;
        let decoded = match decode(frame.link_type, &frame.data, frame.original_len) {
            other @ Decoded::Other(_) => self.fragments.add(frame.link_type, &frame.data).unwrap_or(other),
            decoded => decoded,
        };
        match decoded {
            Decoded::Tcp(segment) => {
                let what = What::Segment { frame: record.frame, segment };
                self.entry(what, own);
                if let Some(entry) = self.entries.last_mut() {
                    entry.kept = kept;
                }
            }
            _ if !kept => {}
            Decoded::Other(name) => {
                *self.recording.passed_over.entry(name).or_default() += 1;
                self.recording.others.push(record);
            }
            Decoded::Malformed(why) => {
                self.entry(What::Gap(Gap::Malformed { frame: frame.number, why }), None);
                self.recording.others.push(record);
            }
        }
    }

    fn entry(&mut self, what: What, own: Option<(EventId, bool)>) {
        let (id, late) = own.map_or((None, false), |(id, late)| (Some(id), late));
        self.entries.push(Entry { time: self.now, what, id, late, kept: true });
    }

    fn section_comment(&mut self, comment: String) {
        if lines::is_ours(&comment) {
            self.lines.section(&comment);
        } else {
            self.section_comments.push(comment);
        }
    }

    fn finish(self, name: &str) -> Recording {
        let Self { mut recording, lines, fragments, entries, section_comments, .. } = self;
        if fragments.given_up > 0 {
            recording.passed_over.insert("IP packet given up with fragments missing", fragments.given_up);
        }
        let mut told = lines.finish();
        recording.run = told.run.take().unwrap_or_else(|| run_of_file(name));
        recording.run.comments = section_comments;
        recording.events = assemble::assemble(entries, &mut told);
        recording.complaints = told.complaints;
        recording
    }
}

fn run_of_file(name: &str) -> Run {
    let file = name.rsplit('/').next().unwrap_or(name);
    let capture = ("capture".to_owned(), without_controls(name));
    Run { name: without_controls(file), facts: vec![capture], comments: Vec::new() }
}
