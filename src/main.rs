//! Parse, run, exit code.

use std::process::ExitCode;

use clap::Parser;
use epipe::memory::LargePages;
use epipe::source::lab::process;
use epipe::{app, cli::Cli};

#[global_allocator]
static ALLOCATOR: LargePages = LargePages;

fn main() -> ExitCode {
    if let Some(code) = process::take_part(std::env::args_os().skip(1)) {
        return code;
    }
    match app::run(&Cli::parse()) {
        Ok(ending) => ending.into(),
        Err(failure) => {
            failure.tell();
            ExitCode::from(2)
        }
    }
}
