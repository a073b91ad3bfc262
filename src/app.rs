//! One file a command: the only rooms that know sources, stories and views together.

use std::process::ExitCode;

use crate::cli::{Cli, Command};

mod ask;
mod check;
mod dashboard;
mod doctor;
mod explain;
mod filter;
mod lab;
mod menu;
mod output;
mod play;
mod replay;
mod run;
mod save;
mod schema;
mod storm;
mod why;

/// Why a command could not be done.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The operation and the object, in lower case.
    pub message: String,
    /// What the user can do about it.
    pub help: Option<String>,
}

impl Failure {
    /// A failure with `message` and no advice.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// Tells it on stderr.
    pub fn tell(&self) {
        eprintln!("epipe: {self}");
        if let Some(help) = &self.help {
            eprintln!("help: {help}");
        }
    }

    /// The same with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// How a command ended that could be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Exit code 0.
    Done,
    /// The answer is no: exit code 1.
    No,
    /// Some of it could not be done, which was told: exit code 2.
    Failed,
    /// Interrupted: exit code 130.
    Interrupted,
    /// As another program did: its exit code.
    Code(u8),
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Done => Self::SUCCESS,
            Ending::No => Self::from(1),
            Ending::Failed => Self::from(2),
            Ending::Interrupted => Self::from(130),
            Ending::Code(code) => Self::from(code),
        }
    }
}

/// Does what was typed.
pub fn run(cli: &Cli) -> Result<Ending, Failure> {
    match &cli.command {
        None => menu::run(&cli.common),
        Some(Command::Lab(lab)) => lab::run(lab, &cli.common),
        Some(Command::Run(run)) => run::run(run, &cli.common),
        Some(Command::Replay(replay)) => replay::run(replay, &cli.common),
        Some(Command::Explain(explain)) => explain::run(explain, &cli.common),
        Some(Command::Why(why)) => why::run(why, &cli.common),
        Some(Command::Schema(schema)) => schema::run(schema, &cli.common),
        Some(Command::Doctor(doctor)) => doctor::run(doctor, &cli.common),
    }
}
