//! What a saved story says beside its events: lines that concern the file and not the run.

use std::fmt;
use std::str::FromStr;

use super::MARK;
use super::scan::{ParseError, Scan};
use crate::event::EventId;

/// A line of a saved story that is neither an event nor a fact of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SavedLine {
    /// `epipe/1 events 57`: how many events the story has, its packets included, so that a missing one is noticed.
    Events(u64),
    /// `epipe/1 frame 12 late`: what event this packet is, where that does not follow from the order of the packets.
    Frame {
        /// The event.
        id: EventId,
        /// Whether it was learnt of late.
        late: bool,
    },
}

impl SavedLine {
    /// Whether `line` claims to be one of these.
    pub fn is_one(line: &str) -> bool {
        let rest = line.strip_prefix(MARK);
        rest.is_some_and(|rest| ["events ", "frame "].iter().any(|word| rest.starts_with(word)))
    }
}

impl fmt::Display for SavedLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Events(count) => write!(f, "{MARK}events {count}"),
            Self::Frame { id, late } => write!(f, "{MARK}frame {id}{}", if *late { " late" } else { "" }),
        }
    }
}

impl FromStr for SavedLine {
    type Err = ParseError;

    fn from_str(line: &str) -> Result<Self, ParseError> {
        let mut scan = Scan::new(line);
        scan.require(MARK)?;
        let read = if scan.take("events ") {
            Self::Events(scan.parse("a count of events")?)
        } else {
            scan.require("frame ")?;
            let id = EventId(scan.parse("an event's number")?);
            Self::Frame { id, late: scan.take("late") }
        };
        scan.end()?;
        Ok(read)
    }
}
