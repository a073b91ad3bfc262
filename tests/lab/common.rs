//! Runs of the lab, collected.

#![allow(dead_code, reason = "each test file uses its part")]

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use epipe::event::Event;
use epipe::source::lab::library;
use epipe::source::lab::message::Message;
use epipe::source::lab::need::Need;
use epipe::source::lab::scenario::Scenario;
use epipe::source::lab::{Lab, Options, Pace};
use tempfile::TempDir;

/// User and group of who may do nothing.
pub const AS_NOBODY: u32 = 65_534;

/// The program in a place where everybody may execute it. install(1) copies it, in a process of its own: were it written
/// here, a child that another test forks at that moment would hold it open for writing, and it could not be executed.
pub fn installed() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let all_may_enter = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(directory.path(), all_may_enter).unwrap();
    let program = directory.path().join("epipe");
    let copied =
        Command::new("install").args(["-m", "755", env!("CARGO_BIN_EXE_epipe")]).arg(&program).status().unwrap();
    assert!(copied.success());
    (directory, program)
}

/// What a program said, on both outputs.
pub fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The scenarios that can be run here: those with a link only where this user may have a TUN interface.
pub fn playable() -> Vec<Scenario> {
    let has_tun = std::fs::OpenOptions::new().read(true).write(true).open("/dev/net/tun").is_ok();
    library::all().unwrap().into_iter().filter(|scenario| has_tun || !scenario.needs.contains(&Need::Tun)).collect()
}

/// Fast, on a loopback of its own, with the program that was built for this test.
pub fn options() -> Options {
    Options { pace: Pace::Fast, program: PathBuf::from(env!("CARGO_BIN_EXE_epipe")), ..Options::default() }
}

/// Everything that a run tells.
pub fn run_all(scenario: &Scenario, options: &Options) -> Vec<Message> {
    let (_lab, messages) = Lab::start(scenario, options).unwrap();
    messages.iter().collect()
}

/// The events of a run that finished.
pub fn run(scenario: &Scenario, options: &Options) -> Vec<Event> {
    let messages = run_all(scenario, options);
    assert_eq!(messages.last(), Some(&Message::Finished));
    messages
        .into_iter()
        .filter_map(|message| if let Message::Event(event) = message { Some(event) } else { None })
        .collect()
}
