//! `epipe lab --storm`: random calls on this kernel, against the outlook.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use super::{Ending, Failure, lab};
use crate::report::storm as text;
use crate::source::lab::storm::{self, Options, StormError, Weather};

/// Plays `sequences` from `seed` on, and prints what was covered or what is wrong.
pub fn run(sequences: u64, seed: u64) -> Result<Ending, Failure> {
    let program = PathBuf::from("/proc/self/exe");
    let drawn = io::stderr().is_terminal();
    let weather = storm::storm(&Options { sequences, seed, program }, |done| {
        if drawn {
            draw(&format!("{done} of {sequences} sequences"));
        }
    });
    if drawn {
        draw("");
    }
    match weather.map_err(failure)? {
        Weather::Calm(count) => {
            lab::answer(&text::calm(&count, seed))?;
            Ok(Ending::Done)
        }
        Weather::Disagreement(found) => {
            let file = format!("storm-{}.toml", found.seed);
            std::fs::write(&file, text::scenario(&found))
                .map_err(|error| Failure::new(format!("cannot write {file:?}: {error}")))?;
            lab::answer(&text::disagreement(&found, &file))?;
            Ok(Ending::No)
        }
    }
}

/// Puts `line` in the place of the one before. A terminal that has gone needs none.
fn draw(line: &str) {
    let _ = write!(io::stderr(), "\r\x1b[K{line}");
}

fn failure(error: StormError) -> Failure {
    match error {
        StormError::Failed { message, help } => Failure { message, help },
        other => Failure::new(other.to_string()),
    }
}
