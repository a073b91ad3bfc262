//! What the lab tells whoever watches it, and what it is told.

use std::str::FromStr;

use super::need::Missing;
use crate::event::{Actor, Event, Run};
use crate::socket::call::{Call, Outcome};

/// What a running scenario tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// What the run is; the first message.
    Run(Run),
    /// One thing that happened, in the order of ids.
    Event(Event),
    /// Everything that the calls so far caused has been told. The next call, if there is one, waits to be let go where the
    /// run is held, and is made at once otherwise. Exits that follow from the script's end are not announced.
    Settled(Option<NextCall>),
    /// The kernel did otherwise than the scenario expects. Told at the end, in the order of the scenario's lines.
    Mismatch(Mismatch),
    /// The scenario has ended and its processes are gone; the last message but for a failure.
    Finished,
    /// Something that the scenario needs is missing, and nothing was run; the last message.
    Skipped(Missing),
    /// The run could not go on; the last message.
    Failed {
        /// The operation and the object, in lower case.
        message: String,
        /// What the user can do.
        help: Option<String>,
    },
}

/// A call that waits to be let go.
#[derive(Clone, Debug, PartialEq)]
pub struct NextCall {
    /// Who will make it.
    pub actor: Actor,
    /// Which.
    pub call: Call,
    /// What the scenario expects of it; `None` where it is expected to wait for something that comes later.
    pub expected: Option<Outcome>,
    /// Whether the lesson hangs on it: a quiz asks here.
    pub telling: bool,
    /// How many calls go with it at once, itself counted: those that race are not held apart.
    pub together: usize,
    /// How many others stand before a call meanwhile, and may be asked for instead: only of a held program.
    pub beside: usize,
    /// The line of the scenario's file that it stands in.
    pub line: usize,
}

impl NextCall {
    /// A call of a held program, of which nobody has said what is to come of it.
    pub const fn held(actor: Actor, call: Call) -> Self {
        Self { actor, call, expected: None, telling: false, together: 1, beside: 0, line: 0 }
    }
}

/// Where the kernel did otherwise than the scenario expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The line of the scenario's file, from 1.
    pub line: usize,
    /// The column of it in which the expectation stands, from 1.
    pub column: usize,
    /// What is expected there, in the notation of the line.
    pub expected: String,
    /// What happened, in the same notation.
    pub happened: String,
}

/// What a running scenario is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Make the next call.
    Go,
    /// Make the next call after a pause in which a person can follow.
    Walk,
    /// Make all calls that are left, without asking again.
    Run,
    /// Let another stand next. Only a held program has others.
    Other,
    /// End now.
    Stop,
}

const WORDS: [(Command, &str); 5] = [
    (Command::Go, "go"),
    (Command::Walk, "walk"),
    (Command::Run, "run"),
    (Command::Other, "other"),
    (Command::Stop, "stop"),
];

impl Command {
    /// The word for it between processes.
    pub fn word(self) -> &'static str {
        WORDS.iter().find(|(command, _)| *command == self).map_or("?", |(_, word)| word)
    }
}

impl FromStr for Command {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = WORDS.iter().find(|(_, word)| *word == text);
        known.map(|(command, _)| *command).ok_or_else(|| format!("no command is called {text:?}"))
    }
}
