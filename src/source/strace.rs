//! A log of strace(1) as a source, joined with the capture that was taken at the same time.
//!
//! Only calls on TCP sockets become events, named as docs/transcript.md says. What a log has beside them is passed over, what
//! cannot be understood is complained of, and neither is made up.

mod calls;
mod clock;
mod described;
mod join;
mod line;
mod matched;
mod process;
mod record;
mod returned;
mod scene;
mod text;
mod threads;
mod wire;

use std::io::{self, Read};

use self::record::Reader;
use self::scene::Scene;
use super::file::Recording;

/// Why a log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StraceError {
    /// It cannot be read on.
    #[error("cannot read {name:?}: {source}")]
    Read {
        /// The file.
        name: String,
        /// What the system says.
        source: io::Error,
    },
    /// Its times have no date, so that no capture can be found to them.
    #[error("cannot join {name:?} with a capture: line {line} has a time without a date")]
    Undated {
        /// The file.
        name: String,
        /// The first such line.
        line: usize,
    },
    /// None of its lines is strace's.
    #[error("{name:?} is no log of strace: none of its lines is a call with its time")]
    NoLog {
        /// The file.
        name: String,
    },
}

impl StraceError {
    /// What the user can do.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Read { .. } => None,
            Self::Undated { .. } | Self::NoLog { .. } => {
                Some(format!("record it by `{COMMAND} PROGRAM`: -ttt gives seconds since 1970 (not -tt or -r)"))
            }
        }
    }
}

/// The command that records a log of which everything is used.
pub const COMMAND: &str = "strace -f -ttt -T -yy -o x.log";

/// A log's calls on TCP sockets.
#[derive(Debug)]
pub struct Log {
    name: String,
    scene: Scene,
    untimed: usize,
}

/// Reads the log `input`, which errors call `name`.
pub fn read(name: &str, mut input: impl Read) -> Result<Log, StraceError> {
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes).map_err(|source| StraceError::Read { name: name.to_owned(), source })?;
    let mut reader = Reader::default();
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        // A character a byte: see `text`.
        let line: String = line.iter().map(|byte| char::from(*byte)).collect();
        reader.line(number, &line);
    }
    let records = reader.finish();
    match (records.understood, records.undated) {
        (0, Some(line)) => Err(StraceError::Undated { name: name.to_owned(), line }),
        (0, None) => Err(StraceError::NoLog { name: name.to_owned() }),
        _ => {
            let untimed = records.untimed;
            Ok(Log { name: name.to_owned(), scene: Scene::of(records), untimed })
        }
    }
}

impl Log {
    /// Puts the calls among the frames of `recording`, and its facts to those of the run. What there is to say of that.
    pub fn join(mut self, recording: &mut Recording) -> Vec<String> {
        let mut told = self.complaints();
        told.extend(join::join(&mut self.scene, &self.name, recording));
        told
    }

    /// What was not understood or is not told of, a line each kind.
    fn complaints(&mut self) -> Vec<String> {
        let mut complaints = std::mem::take(&mut self.scene.complaints).into_iter();
        let first = complaints.next();
        let more = complaints.count();
        let first = first.map(|first| if more > 0 { format!("{first} (and {more} more)") } else { first });
        let unnamed: Vec<String> =
            self.scene.unnamed.iter().map(|(name, count)| format!("{count} of {name}")).collect();
        let unnamed = (!unnamed.is_empty())
            .then(|| format!("passed over calls that epipe does not know: {}", unnamed.join(", ")));
        let untimed = (self.untimed > 0).then(|| {
            format!(
                "{} calls have no time that they took (strace -T): they end where the next line begins",
                self.untimed
            )
        });
        let older = (self.scene.on_older > 0).then(|| {
            let count = self.scene.on_older;
            format!(
                "left out {count} calls on sockets that are older than the log: which bytes are theirs nobody can say"
            )
        });
        let rings = (self.scene.rings > 0).then(|| {
            format!("io_uring was set up, {} times: what is asked for through them is in no log", self.scene.rings)
        });
        [first, unnamed, older, rings, untimed].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests;
