//! Transcripts as a source: what `--format transcript` printed, or a person wrote (docs/transcript.md).
//!
//! Comments and what stands behind `;` are no input. A line that cannot be read is complained of, and the rest is used. A
//! segment's packet is not there: its frame has a number and no bytes.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::sync::Arc;

use super::file::Recording;
use crate::event::{Actor, Event, EventId, Frame, FrameNo, LinkType, Run, Stack, Time, What, without_controls};
use crate::notation::{
    ConnectionText, Deed, Moment, ParseError, SegmentText, Title, TranscriptLine, in_order, parse_options,
};
use crate::tcp::segment::Segment;
use crate::tcp::seq::SeqNum;

/// Why a file cannot be read as a transcript.
#[derive(Debug, thiserror::Error)]
pub enum TranscriptError {
    /// It cannot be read on.
    #[error("cannot read {name:?}: {source}")]
    Read {
        /// The file.
        name: String,
        /// What the system says.
        source: io::Error,
    },
    /// It is of another version.
    #[error("{name:?} is a transcript of version {version:?}; this epipe reads version {}", Title::VERSION)]
    Version {
        /// The file.
        name: String,
        /// What it says.
        version: String,
    },
    /// Its first line cannot be read.
    #[error("cannot read {name:?} as a transcript: line 1, {error}")]
    Title {
        /// The file.
        name: String,
        /// What is wrong.
        error: ParseError,
    },
}

impl TranscriptError {
    /// What the user can do.
    pub fn help(&self) -> Option<String> {
        let title = "a transcript begins as in `# epipe transcript 1   NAME   start 1795307257.490341000`";
        match self {
            Self::Read { .. } => None,
            Self::Version { .. } => Some("read it with the epipe that wrote it".to_owned()),
            Self::Title { .. } => Some(title.to_owned()),
        }
    }
}

/// Looks whether `input` is a transcript, and returns that with all of the input.
pub fn recognise(mut input: Box<dyn Read>) -> io::Result<(bool, Box<dyn Read>)> {
    let mut beginning = Vec::new();
    input.by_ref().take(Title::MARK.len() as u64).read_to_end(&mut beginning)?;
    let is_one = beginning == Title::MARK.as_bytes();
    Ok((is_one, Box::new(io::Cursor::new(beginning).chain(input))))
}

/// Reads the transcript `input`, which errors call `name`.
pub fn read(name: &str, mut input: impl Read) -> Result<Recording, TranscriptError> {
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes).map_err(|source| TranscriptError::Read { name: name.to_owned(), source })?;
    let mut lines = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let title = title(name, &String::from_utf8_lossy(lines.next().unwrap_or_default()))?;
    let mut reading = Reading::new(&title);
    for (number, line) in (2..).zip(lines) {
        reading.line(number, line);
    }
    Ok(reading.finish())
}

fn title(name: &str, line: &str) -> Result<Title, TranscriptError> {
    match Title::version(line) {
        Some(version) if version != Title::VERSION => {
            Err(TranscriptError::Version { name: name.to_owned(), version: version.to_owned() })
        }
        _ => line.parse().map_err(|error| TranscriptError::Title { name: name.to_owned(), error }),
    }
}

/// A transcript while it is read.
struct Reading {
    recording: Recording,
    start: Time,
    connections: BTreeMap<u32, ConnectionText>,
    /// The lines that are input.
    lines: Vec<TranscriptLine>,
    /// Of each its number in the file, and its segment, if it is one.
    places: Vec<(usize, Option<Segment>)>,
    frames: u64,
}

impl Reading {
    fn new(title: &Title) -> Self {
        let run = Run { name: without_controls(&title.name), ..Run::default() };
        Self {
            recording: Recording { run, ..Recording::default() },
            start: title.start,
            connections: BTreeMap::new(),
            lines: Vec::new(),
            places: Vec::new(),
            frames: 0,
        }
    }

    fn complain(&mut self, line: usize, error: &ParseError) {
        self.recording.complaints.push(format!("line {line}, {error}: the line is left out"));
    }

    fn line(&mut self, number: usize, bytes: &[u8]) {
        let line = match std::str::from_utf8(bytes) {
            Ok(line) => line,
            Err(error) => {
                let error = ParseError { column: error.valid_up_to(), expected: "text in UTF-8".to_owned() };
                return self.complain(number, &error);
            }
        };
        let read = match line.trim_end().chars().next() {
            None | Some(';') => Ok(()),
            Some('#') => self.comment(line),
            Some(_) => self.event_line(number, line),
        };
        if let Err(error) = read {
            self.complain(number, &error);
        }
    }

    /// A connection, or before the first event a fact; any other comment says nothing.
    fn comment(&mut self, line: &str) -> Result<(), ParseError> {
        if line.starts_with(ConnectionText::MARK) {
            let connection: ConnectionText = line.parse()?;
            self.connections.insert(connection.number, connection);
        } else if let Some((name, value)) = line.strip_prefix("# ").and_then(|text| text.split_once(": "))
            && self.lines.is_empty()
            && !name.contains(' ')
        {
            let value = without_controls(value);
            let run = &mut self.recording.run;
            match (name, run.comments.last_mut()) {
                (Title::COMMENT, _) => run.comments.push(value),
                (Title::COMMENT_GOES_ON, Some(comment)) => *comment += &format!("\n{value}"),
                _ => run.facts.push((without_controls(name), value)),
            }
        }
        Ok(())
    }

    fn event_line(&mut self, number: usize, line: &str) -> Result<(), ParseError> {
        let read: TranscriptLine = line.parse()?;
        let fits = |moment: &Moment| self.start.0.checked_add(moment.since.0).is_some();
        let end = if let Deed::Call { end, .. } = &read.deed { Some(end) } else { None };
        if !std::iter::once(&read.at).chain(end).all(fits) {
            return Err(ParseError { column: 1, expected: "a time that a clock can show".to_owned() });
        }
        let segment = match &read.deed {
            Deed::Segment(text) => Some(self.segment(text).map_err(|wrong| wrong.placed(line))?),
            _ => None,
        };
        self.places.push((number, segment));
        self.lines.push(read);
        Ok(())
    }

    /// The segment that `text` tells of, in absolute numbers.
    fn segment(&self, text: &SegmentText) -> Result<Segment, Wrong> {
        let known = self.connections.get(&text.connection);
        let known = known
            .ok_or_else(|| Wrong::Whole(format!("a line `# connection {}: …` before this segment", text.connection)))?;
        let (own, peer) = if text.from_client { (known.client, known.server) } else { (known.server, known.client) };
        let ack = match (text.flags.ack(), text.ack) {
            (true, Some(ack)) => peer.1.unwrap_or_default() + ack,
            (false, None) => SeqNum::default(),
            _ => return Err(Wrong::Whole("a segment with `ack` where the flags have `.`, and only there".to_owned())),
        };
        let window = text.window.ok_or_else(|| Wrong::Whole("a segment with `win` and its window".to_owned()))?;
        let (options, options_cut) = match &text.options {
            Some(options) => parse_options(options).map_err(Wrong::Options)?,
            None => (Vec::new(), false),
        };
        Ok(Segment {
            src: own.0,
            dst: peer.0,
            seq: own.1.unwrap_or_default() + text.start,
            ack,
            flags: text.flags,
            window,
            urgent: text.urgent.unwrap_or(0),
            options,
            options_cut,
            payload_len: text.len,
            payload: Vec::new(),
        })
    }

    fn finish(mut self) -> Recording {
        let (order, ids_decide) = in_order(&self.lines);
        if !ids_decide {
            let why =
                "some events have numbers (`#1`) and others none, or the same: they are put in order by their times";
            self.recording.complaints.push(why.to_owned());
        }
        let mut begun: HashMap<usize, EventId> = HashMap::new();
        // By the numbers that the transcript gives them; where it gives none they count from 1.
        let mut calls: HashMap<EventId, EventId> = HashMap::new();
        let lines = std::mem::take(&mut self.lines);
        for (index, is_end) in order {
            let Some(line) = lines.get(index) else { continue };
            let id = EventId(self.recording.events.len() as u64 + 1);
            let told = if is_end { ended(line, begun.get(&index).copied()) } else { self.began(index, line) };
            let told = told.and_then(|(at, actor, what)| Some((at, actor, renumbered(what, &calls)?)));
            let Some((at, actor, what)) = told else {
                let number = self.places.get(index).map_or(0, |(number, _)| *number);
                let why = if is_end {
                    "the call ends before it begins: its end is left out"
                } else {
                    "no call that this could be the stack of began before: it is left out"
                };
                self.recording.complaints.push(format!("line {number}, {why}"));
                continue;
            };
            if !is_end {
                begun.insert(index, id);
                calls.insert(at.id.unwrap_or(id), id);
            }
            let time = Time(self.start.0.saturating_add(at.since.0));
            self.recording.events.push(Event { id, time, actor, late: at.late, what });
        }
        self.recording
    }

    fn began(&mut self, index: usize, line: &TranscriptLine) -> Option<Told> {
        let (actor, what) = match &line.deed {
            Deed::Segment(_) => {
                let segment = self.places.get_mut(index)?.1.take()?;
                self.frames += 1;
                (None, What::Segment { frame: frame(self.frames), segment })
            }
            Deed::Call { actor, call, .. } => (actor.clone(), What::Begun(call.clone())),
            Deed::Event { actor, what } => (actor.clone(), what.clone()),
        };
        Some((line.at, actor, what))
    }
}

/// An event before it has an id.
type Told = (Moment, Option<Actor>, What);

/// The end of the line's call, which began with the event `begun`.
fn ended(line: &TranscriptLine, begun: Option<EventId>) -> Option<Told> {
    let Deed::Call { actor, end, outcome, .. } = &line.deed else { return None };
    Some((*end, actor.clone(), What::Ended { begun: begun?, outcome: outcome.clone() }))
}

/// `what`, and where it is a stack, that of the call as it is numbered now; `None` where that call did not begin before.
fn renumbered(what: What, calls: &HashMap<EventId, EventId>) -> Option<What> {
    match what {
        What::Stack(stack) => Some(What::Stack(Stack { begun: *calls.get(&stack.begun)?, ..stack })),
        what => Some(what),
    }
}

/// The frame of a segment whose packet is not there.
fn frame(number: u64) -> Frame {
    Frame {
        number: FrameNo(number),
        link_type: LinkType::RAW,
        original_len: 0,
        data: Arc::from([]),
        comments: Vec::new(),
    }
}

/// What is wrong with a segment's line.
enum Wrong {
    /// What its options should be.
    Options(ParseError),
    /// What should be there.
    Whole(String),
}

impl Wrong {
    /// The error in its place of `line`. Options are the only part whose inside is read after the line.
    fn placed(self, line: &str) -> ParseError {
        match self {
            Self::Options(error) => {
                ParseError { column: line.find('<').map_or(0, |at| at + 1) + error.column, ..error }
            }
            Self::Whole(expected) => ParseError { column: line.find(['C', 'S']).unwrap_or(0), expected },
        }
    }
}
