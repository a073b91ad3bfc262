//! `epipe lab --check` as a person or a script runs it.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Output};

use tempfile::NamedTempFile;

fn epipe(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_epipe"));
    command.args(arguments);
    command
}

/// broken-pipe as a file, with `from` replaced by `to` once.
fn changed(from: &str, to: &str) -> NamedTempFile {
    let source = include_str!("../../src/source/lab/scenarios/broken-pipe.toml");
    assert!(source.contains(from));
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    file.write_all(source.replacen(from, to, 1).as_bytes()).unwrap();
    file
}

fn check(file: &NamedTempFile) -> Output {
    epipe(&["lab", file.path().to_str().unwrap(), "--check", "--pace", "fast"]).output().unwrap()
}

fn line_of(text: &str) -> usize {
    let source = include_str!("../../src/source/lab/scenarios/broken-pipe.toml");
    source.lines().position(|line| line.contains(text)).unwrap() + 1
}

#[test]
fn a_difference_is_told_with_its_line_and_the_answer_is_no() {
    let file = changed("= -1 EPIPE, SIGPIPE", "= -1 ECONNRESET");
    let output = check(&file);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let line = line_of("EPIPE, SIGPIPE");
    let place = format!("  {}:{line}: expected ", file.path().display());
    let difference: Vec<&str> = said.lines().filter(|line| line.starts_with(' ')).collect();
    assert_eq!(difference.len(), 2, "{said}");
    assert!(difference[0].starts_with(&place), "{said}");
    assert_eq!(difference[1], "    but it was = -1 EPIPE (Broken pipe), SIGPIPE");
}

#[cfg(feature = "capture")]
#[test]
fn a_run_that_goes_otherwise_is_told_and_that_it_does_is_said() {
    let file = changed("= -1 EPIPE, SIGPIPE", "= -1 ECONNRESET");
    let place = file.path().to_str().unwrap();
    let output = epipe(&["lab", place, "--pace", "fast", "--format", "tcpdump"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        (output.status.code(), String::from_utf8(output.stdout).unwrap().lines().count()),
        (Some(0), 9),
        "{said}"
    );
    assert!(said.starts_with(&format!("epipe: {place}:{}: expected ", line_of("EPIPE, SIGPIPE"))), "{said}");
    assert!(said.ends_with(", but it was = -1 EPIPE (Broken pipe), SIGPIPE\n") && said.lines().count() == 1, "{said}");
}

#[cfg(feature = "capture")]
#[test]
fn the_answer_is_no_also_where_nobody_reads_it() {
    let file = changed("S > C  R   2:2(0)", "S > C  R   3:3(0)");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output =
        epipe(&["lab", file.path().to_str().unwrap(), "--check", "--pace", "fast"]).stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn a_file_that_makes_no_sense_is_told_with_line_and_column() {
    let file = changed("server  listen(3, 5) = 0", "server  lissten(3, 5) = 0");
    let output = check(&file);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    let place = format!("{}:{}:9: expected the name of a call", file.path().display(), line_of("listen(3, 5)"));
    assert!(said.contains(&place), "{said}");
}

#[test]
fn every_scenario_does_what_it_expects() {
    let output = epipe(&["lab", "--check", "--pace", "fast"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let listed = String::from_utf8(epipe(&["lab", "--list"]).output().unwrap().stdout).unwrap();
    let names = |text: &str| -> BTreeSet<String> {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with([' ', '#']));
        lines.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&said), names(&listed));
    assert!(names(&listed).len() >= 45, "{listed}");
}

#[test]
fn what_is_printed_is_a_scenario() {
    let printed = epipe(&["lab", "broken-pipe", "--print"]).output().unwrap().stdout;
    assert_eq!(printed, include_bytes!("../../src/source/lab/scenarios/broken-pipe.toml"));
}

/// Descriptors that a shell left open must not shift those of a scenario.
#[test]
fn inherited_descriptors_do_not_matter() {
    let script = format!(
        "exec {} lab broken-pipe --check --pace fast 3</dev/null 4</dev/null 7</dev/null",
        env!("CARGO_BIN_EXE_epipe")
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}
