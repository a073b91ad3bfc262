//! `epipe lab --storm`: random calls on this kernel, against the outlook.

use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

use super::common::{AS_NOBODY, installed, text};

fn storm(program: &std::path::Path, arguments: &[&str], nobody: bool) -> Output {
    let mut command = Command::new(program);
    command.args(["lab", "--storm"]).args(arguments).current_dir("/");
    if nobody {
        command.uid(AS_NOBODY).gid(AS_NOBODY);
    }
    command.output().unwrap()
}

/// The numbers that a line of the answer begins with, behind its name.
fn count(answer: &str, name: &str) -> u64 {
    let line = answer.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {answer}"));
    let number = line[name.len()..].trim_start();
    number.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

#[test]
fn no_call_of_some_hundred_random_sequences_surprises_the_outlook() {
    let (_directory, program) = installed();
    let output = storm(&program, &["600"], false);
    let answer = text(&output);
    assert_eq!(output.status.code(), Some(0), "{answer}");
    assert!(answer.starts_with("600 sequences from seed 1 on Linux "), "{answer}");
    assert!(answer.contains(": every call came as the outlook said\n"), "{answer}");
    for (name, least) in [("calls", 6000), ("errors", 1000), ("states", 6000), ("resets", 100), ("SIGPIPE", 100)] {
        assert!(count(&answer, name) > least, "{name} in {answer}");
    }
    for word in
        ["CLOSE-WAIT", "FIN-WAIT-2", "TIME-WAIT", "EPIPE", "ECONNRESET", "ECONNREFUSED", "ENOTCONN", "EINPROGRESS"]
    {
        assert!(answer.contains(word), "{word} in {answer}");
    }
    assert!(!answer.contains("not compared"), "{answer}");
}

#[test]
fn an_ordinary_user_can_have_a_storm_and_a_seed_gives_the_same_one_again() {
    let (_directory, program) = installed();
    let answers = [(); 2].map(|()| storm(&program, &["60", "--seed", "40000"], true));
    let [first, second] = answers.map(|output| {
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        text(&output)
    });
    // How often a timer let a call wait is not the seed's.
    let said =
        |answer: &str| answer.lines().filter(|line| !line.starts_with("waits")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(said(&first), said(&second));
    let other = text(&storm(&program, &["60", "--seed", "50000"], true));
    assert_ne!(said(&first)[1..], said(&other)[1..]);
}

#[test]
fn a_storm_goes_with_no_scenario() {
    let (_directory, program) = installed();
    for arguments in [&["5", "broken-pipe"][..], &["5", "--check"], &["5", "--step"], &["many"], &["0"]] {
        let output = storm(&program, arguments, false);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    let alone = Command::new(&program).args(["lab", "--seed", "5"]).output().unwrap();
    assert_eq!(alone.status.code(), Some(2));
}
