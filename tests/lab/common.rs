//! Runs of the lab, collected.

use std::path::PathBuf;

use epipe::event::Event;
use epipe::source::lab::message::Message;
use epipe::source::lab::scenario::Scenario;
use epipe::source::lab::{Lab, Options, Pace};

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
