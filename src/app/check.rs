//! `epipe lab --check`: compares what happens with what scenarios expect.

use std::io::{self, Write};
use std::num::NonZero;
use std::ops::ControlFlow;
use std::thread;

use self::checked::Checked;
use self::counts::Counts;
use super::{Ending, Failure};
use crate::source::lab::Options;
use crate::source::lab::scenario::Scenario;

mod checked;
mod counts;
mod pool;
mod text;

/// Runs `scenarios`, as many at once as there are processors, and tells of each, in their order, and how many went how. Those
/// that have to share the host's loopback take turns.
pub fn run(scenarios: &[Scenario], options: &Options) -> Result<Ending, Failure> {
    let at_once = thread::available_parallelism().map_or(1, NonZero::get);
    let mut telling = Telling::default();
    pool::in_order(
        scenarios,
        at_once,
        |scenario| Checked::run(scenario, options),
        |result| match telling.tell(result) {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                telling.failure = Some(failure);
                ControlFlow::Break(())
            }
        },
    )
    .map_err(|error| Failure::new(format!("cannot start a thread for a scenario: {error}")))?;
    telling.end()
}

/// What was told so far.
#[derive(Default)]
struct Telling {
    counts: Counts,
    failure: Option<Failure>,
}

impl Telling {
    fn tell(&mut self, result: Result<Checked<'_>, Failure>) -> Result<(), Failure> {
        let checked = result?;
        match &checked.run {
            Ok(findings) if findings.mismatches.is_empty() => self.counts.as_expected += 1,
            Ok(_) => self.counts.otherwise += 1,
            Err(_) => self.counts.skipped += 1,
        }
        print(&text::lines(&checked))
    }

    fn end(self) -> Result<Ending, Failure> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        print(&text::counts(self.counts))?;
        Ok(match self.counts {
            Counts { otherwise: 1.., .. } => Ending::No,
            // What was not run has not passed.
            Counts { as_expected: 0, skipped: 1.., .. } => Ending::Failed,
            _ => Ending::Done,
        })
    }
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
