//! Scenarios stepped through by somebody who takes time to read: the kernel's timers run on.

use std::time::Duration;

use epipe::source::lab::message::{Command, Message};
use epipe::source::lab::scenario::Scenario;
use epipe::source::lab::{Lab, compare};

use super::common::{options, playable, run};

/// Longer than the first wait of every timer that a scenario must not meet: 200 ms.
const READING: Duration = Duration::from_millis(450);

/// What differs in a run in which each call behind the connection's opening waits for a reader, and how many calls went
/// together at most.
fn stepped(scenario: &Scenario) -> (Vec<String>, usize) {
    let mut options = options();
    options.hold = true;
    let (lab, messages) = Lab::start(scenario, &options).unwrap();
    let (mut differing, mut together, mut opened) = (Vec::new(), 0, false);
    for message in messages {
        match message {
            Message::Event(event) => opened |= event.segment().is_some(),
            Message::Settled(Some(next)) => {
                together = together.max(next.together);
                if opened {
                    std::thread::sleep(READING);
                }
                lab.command(Command::Go);
            }
            Message::Mismatch(mismatch) => differing.push(format!("{}: {mismatch:?}", scenario.name)),
            Message::Failed { message, .. } => differing.push(message),
            _ => {}
        }
    }
    (differing, together)
}

/// Calls that race are not held apart, and what timers send meanwhile is no difference.
#[test]
fn a_reader_who_takes_time_sees_what_the_scenario_tells() {
    let names = [
        "both-close",
        "deaf-then-hears",
        "fin-overtakes",
        "peer-silent/keepalive",
        "shutdown-both/write-queue",
        "broken-pipe/far",
        "no-answer/given-up",
        "big-send/blocked",
    ];
    let scenarios: Vec<Scenario> =
        playable().into_iter().filter(|scenario| names.contains(&scenario.name.as_str())).collect();
    assert!(scenarios.len() >= 5);
    std::thread::scope(|scope| {
        let runs: Vec<_> = scenarios.iter().map(|scenario| scope.spawn(|| stepped(scenario))).collect();
        let ended: Vec<_> = runs.into_iter().map(|run| run.join().unwrap()).collect();
        let differing: Vec<&String> = ended.iter().flat_map(|(differing, _)| differing).collect();
        assert!(differing.is_empty(), "{differing:#?}");
        assert_eq!(ended.iter().map(|(_, together)| *together).max(), Some(6));
    });
}

/// Nothing but what a timer may have sent is passed over, and in a held run only.
#[test]
fn a_probe_between_two_calls_is_no_difference_where_they_were_held_apart() {
    let scenario = playable().into_iter().find(|scenario| scenario.name == "shutdown-both/write-queue").unwrap();
    let events = run(&scenario, &options());
    let Some(optional) = scenario.source.lines().find(|line| line.contains("[C > S  .   4096:4096(0)")) else {
        panic!("{}", scenario.source)
    };
    let answer = "        [S > C  .   1:1(0) ack 4097]\n";
    let source = scenario.source.replace(&format!("{optional}\n"), "").replace(answer, "");
    let without = Scenario::parse(&scenario.file, &source).unwrap();
    let probed = events.iter().filter_map(|event| event.segment()).count() > 11;
    assert_eq!(compare::compare(&without, &events).is_empty(), !probed);
    assert_eq!(compare::compare_held(&without, &events), []);
    let data = Scenario::parse(&scenario.file, &source.replacen("        C > S  FP. 4097:8001(3904) ack 1\n", "", 1));
    assert!(!compare::compare_held(&data.unwrap(), &events).is_empty());
}
