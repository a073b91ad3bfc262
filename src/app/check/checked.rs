//! One scenario's run, beside what the scenario expects.

use std::sync::mpsc::Receiver;

use crate::app::Failure;
use crate::event::{Event, Gap, What};
use crate::source::lab::message::{Message, Mismatch};
use crate::source::lab::need::Missing;
use crate::source::lab::scenario::Scenario;
use crate::source::lab::{Lab, Options};
use crate::story::Story;
use crate::story::alone::{Otherwise, Verdicts};
use crate::story::journal::Journal;

/// What came of a scenario.
pub struct Checked<'a> {
    /// Which.
    pub scenario: &'a Scenario,
    /// What its run came to, or what is missing for one.
    pub run: Result<Findings, Missing>,
}

/// What a run came to.
pub struct Findings {
    /// How many calls were made.
    pub calls: usize,
    /// How many segments were captured; why none were, where that was refused.
    pub segments: Result<usize, String>,
    /// How the connections ended.
    pub verdicts: Verdicts,
    /// Where it went otherwise than expected, in the order of the script's lines; then the verdicts.
    pub mismatches: Vec<Mismatch>,
    /// What else is missing, in words.
    pub gaps: Vec<String>,
}

impl<'a> Checked<'a> {
    /// Runs `scenario`.
    pub fn run(scenario: &'a Scenario, options: &Options) -> Result<Self, Failure> {
        let named = |failure: Failure| Failure { message: format!("{}: {failure}", scenario.name), ..failure };
        let (_lab, messages) = Lab::start(scenario, options).map_err(|error| named(Failure::new(error.to_string())))?;
        let run = follow(&messages).map_err(named)?;
        let run = run.map(|(journal, mismatches)| Findings::of(scenario, journal, mismatches));
        Ok(Self { scenario, run })
    }
}

impl Findings {
    fn of(scenario: &Scenario, journal: Journal, mut mismatches: Vec<Mismatch>) -> Self {
        let story = Story::tell(journal);
        let verdicts = Verdicts::of(&story);
        mismatches.extend(verdicts.otherwise(scenario.verdicts.as_deref()).map(|words| at_verdicts(scenario, words)));
        let events = story.journal().events();
        let count = |is_one: fn(&Event) -> bool| events.iter().filter(|event| is_one(event)).count();
        let no_capture = events.iter().find_map(|event| match &event.what {
            What::Gap(Gap::NoCapture(why)) => Some(why.clone()),
            _ => None,
        });
        Self {
            calls: count(|event| event.begun().is_some()),
            segments: no_capture.map_or_else(|| Ok(count(|event| event.segment().is_some())), Err),
            verdicts,
            mismatches,
            gaps: events.iter().filter_map(gap).collect(),
        }
    }
}

/// The run, and where it went otherwise than its calls and segments should; or what is missing for it.
fn follow(messages: &Receiver<Message>) -> Result<Result<(Journal, Vec<Mismatch>), Missing>, Failure> {
    let mut journal = Journal::default();
    let mut mismatches = Vec::new();
    for message in messages {
        match message {
            Message::Run(run) => journal = Journal::new(run),
            Message::Event(event) => journal.append(event).map_err(|error| Failure::new(error.to_string()))?,
            Message::Mismatch(mismatch) => mismatches.push(mismatch),
            Message::Finished => return Ok(Ok((journal, mismatches))),
            Message::Skipped(missing) => return Ok(Err(missing)),
            Message::Failed { message, help } => return Err(Failure { message, help }),
            Message::Settled(_) => {}
        }
    }
    Err(Failure::new("the lab ended without a word"))
}

fn at_verdicts(scenario: &Scenario, words: Otherwise) -> Mismatch {
    let Otherwise { expected, happened } = words;
    let place = scenario.verdicts_at;
    Mismatch { line: place.line, column: place.column, expected, happened }
}

/// What was missing, in words. That there was no capture is told with the segments.
fn gap(event: &Event) -> Option<String> {
    let What::Gap(gap) = &event.what else { return None };
    match gap {
        Gap::Dropped(frames) => Some(format!("the capture lost {frames} frames")),
        Gap::Malformed { frame, why } => Some(format!("frame {frame} cannot be read: {why}")),
        Gap::CutShort { bytes } => {
            Some(format!("the capture ended in the middle of a record, after {bytes} bytes of it"))
        }
        Gap::NoCapture(_) => None,
        Gap::Unsettled(what) => Some(format!("did not settle: {what}")),
        Gap::Untraced(what) => Some(format!("not followed: {what}")),
        Gap::ClockStep(nanoseconds) => Some(format!("the wall clock was stepped by {nanoseconds} ns")),
    }
}
