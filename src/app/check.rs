//! `epipe lab --check`: compares what happens with what a scenario expects.

use std::io::{self, Write};
use std::sync::mpsc::Receiver;

use super::{Ending, Failure};
use crate::event::{Event, Gap, What};
use crate::source::lab::message::{Message, Mismatch};
use crate::source::lab::scenario::Scenario;
use crate::source::lab::{Lab, Options};

/// Runs each of `scenarios` and prints a line for each, and one for each difference.
pub fn run(scenarios: &[Scenario], options: &Options) -> Result<Ending, Failure> {
    let mut all_as_expected = true;
    for scenario in scenarios {
        let result = check(scenario, options)?;
        all_as_expected &= result.mismatches.is_empty();
        print(&result.text(scenario))?;
    }
    Ok(if all_as_expected { Ending::Done } else { Ending::No })
}

/// Prints `text`. That nobody reads any more changes nothing: the exit code is the answer too.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// What a run came to.
#[derive(Default)]
struct Checked {
    calls: usize,
    segments: usize,
    no_capture: Option<String>,
    gaps: Vec<String>,
    mismatches: Vec<Mismatch>,
}

fn check(scenario: &Scenario, options: &Options) -> Result<Checked, Failure> {
    let (_lab, messages) =
        Lab::start(scenario, options).map_err(|error| Failure::new(format!("{}: {error}", scenario.name)))?;
    follow(&messages, &scenario.name)
}

fn follow(messages: &Receiver<Message>, name: &str) -> Result<Checked, Failure> {
    let mut checked = Checked::default();
    for message in messages {
        match message {
            Message::Event(event) => checked.count(&event),
            Message::Mismatch(mismatch) => checked.mismatches.push(mismatch),
            Message::Finished => return Ok(checked),
            Message::Failed { message, help } => {
                return Err(Failure { message: format!("{name}: {message}"), help });
            }
            Message::Run(_) | Message::Settled(_) => {}
        }
    }
    Err(Failure::new(format!("{name}: the lab ended without a word")))
}

impl Checked {
    fn count(&mut self, event: &Event) {
        match &event.what {
            What::Begun(_) => self.calls += 1,
            What::Segment { .. } => self.segments += 1,
            What::Gap(Gap::NoCapture(why)) => self.no_capture = Some(why.clone()),
            What::Gap(gap) => self.gaps.push(gap_text(gap)),
            _ => {}
        }
    }

    fn text(&self, scenario: &Scenario) -> String {
        let answer = if self.mismatches.is_empty() { "as expected" } else { "otherwise" };
        let segments = match &self.no_capture {
            None => format!("{} segments", self.segments),
            Some(why) => format!("segments not compared: {why}"),
        };
        let mut lines = vec![format!("{:<24} {answer}: {} calls, {segments}", scenario.name, self.calls)];
        for Mismatch { line, expected, happened } in &self.mismatches {
            lines.push(format!("  {}:{line}: expected {expected}", scenario.file));
            lines.push(format!("    but it was {happened}"));
        }
        lines.extend(self.gaps.iter().map(|gap| format!("  {gap}")));
        lines.join("\n") + "\n"
    }
}

/// What was missing, in words.
fn gap_text(gap: &Gap) -> String {
    match gap {
        Gap::Dropped(frames) => format!("the capture lost {frames} frames"),
        Gap::Malformed { frame, why } => format!("frame {frame} cannot be read: {why}"),
        Gap::CutShort { bytes } => format!("the capture ended in the middle of a record, after {bytes} bytes of it"),
        Gap::NoCapture(why) => format!("no capture: {why}"),
        Gap::Unsettled(what) => format!("did not settle: {what}"),
        Gap::ClockStep(nanoseconds) => format!("the wall clock was stepped by {nanoseconds} ns"),
    }
}
