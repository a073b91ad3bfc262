//! Parse, run, exit code.

use std::process::ExitCode;

use clap::Parser;
use epipe::{app, cli::Cli};

fn main() -> ExitCode {
    match app::run(&Cli::parse()) {
        Ok(ending) => ending.into(),
        Err(failure) => {
            eprintln!("epipe: {failure}");
            if let Some(help) = failure.help {
                eprintln!("help: {help}");
            }
            ExitCode::from(2)
        }
    }
}
