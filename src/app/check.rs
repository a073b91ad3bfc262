//! `epipe lab --check`: compares what happens with what scenarios expect.

use std::io::{self, Write};
use std::num::NonZero;
use std::ops::ControlFlow;
use std::thread;

use self::checked::Checked;
use self::counts::Counts;
use super::{Ending, Failure, output};
use crate::cli::{Common, Format};
use crate::source::lab::Options;
use crate::source::lab::scenario::Scenario;

mod checked;
mod counts;
mod json;
mod pool;
mod text;

/// Runs `scenarios`, as many at once as there are processors, and tells of each, in their order, and how many went how. Those
/// that have to share the host's loopback take turns.
pub fn run(scenarios: &[Scenario], options: &Options, common: &Common) -> Result<Ending, Failure> {
    let form = match common.format {
        None => Form::Text,
        Some(Format::Json) => Form::Json,
        Some(_) => {
            return Err(Failure::new("a check has no such format").help("leave --format away, or take --format json"));
        }
    };
    let mut ending = Ok(Ending::Done);
    output::to(common, |out| {
        ending = told(scenarios, options, Telling { out, form, counts: Counts::default(), failure: None });
        Ok(())
    })?;
    ending
}

/// How the answer is told.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Json,
}

fn told(scenarios: &[Scenario], options: &Options, mut telling: Telling<'_>) -> Result<Ending, Failure> {
    let at_once = thread::available_parallelism().map_or(1, NonZero::get);
    let work = |scenario| Checked::run(scenario, options);
    pool::in_order(scenarios, at_once, work, |result| match telling.tell(result) {
        Ok(()) => ControlFlow::Continue(()),
        Err(failure) => {
            telling.failure = Some(failure);
            ControlFlow::Break(())
        }
    })
    .map_err(|error| Failure::new(format!("cannot start a thread for a scenario: {error}")))?;
    telling.end()
}

/// What was told so far, and where.
struct Telling<'a> {
    out: &'a mut dyn Write,
    form: Form,
    counts: Counts,
    failure: Option<Failure>,
}

impl Telling<'_> {
    fn tell(&mut self, result: Result<Checked<'_>, Failure>) -> Result<(), Failure> {
        let checked = result?;
        match &checked.run {
            Ok(findings) if findings.mismatches.is_empty() => self.counts.as_expected += 1,
            Ok(_) => self.counts.otherwise += 1,
            Err(_) => self.counts.skipped += 1,
        }
        self.print(match self.form {
            Form::Text => Ok(text::lines(&checked)),
            Form::Json => json::scenario(&checked),
        })
    }

    fn end(mut self) -> Result<Ending, Failure> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        self.print(match self.form {
            Form::Text => Ok(text::counts(self.counts)),
            Form::Json => json::summary(self.counts),
        })?;
        Ok(match self.counts {
            Counts { otherwise: 1.., .. } => Ending::No,
            // What was not run has not passed.
            Counts { as_expected: 0, skipped: 1.., .. } => Ending::Failed,
            _ => Ending::Done,
        })
    }

    /// Prints `text` at once. That nobody reads any more changes nothing: the exit code is the answer too.
    fn print(&mut self, text: serde_json::Result<String>) -> Result<(), Failure> {
        let printed = text
            .map_err(io::Error::from)
            .and_then(|text| self.out.write_all(text.as_bytes()))
            .and_then(|()| self.out.flush());
        match printed {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new(format!("cannot write what was checked: {error}")))
            }
            _ => Ok(()),
        }
    }
}
