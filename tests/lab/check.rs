//! `epipe lab --check` as a person or a script runs it.

use std::io::Write;
use std::process::{Command, Output};

use epipe::source::lab::library;
use tempfile::NamedTempFile;

use super::common::playable;

pub fn epipe(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_epipe"));
    command.args(arguments);
    command
}

/// broken-pipe as a file, with `from` replaced by `to` once.
pub fn changed(from: &str, to: &str) -> NamedTempFile {
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

/// The line of a text like that of `line_of`, and the column at which `part` of it stands.
pub fn place_of(text: &str, part: &str) -> String {
    let source = include_str!("../../src/source/lab/scenarios/broken-pipe.toml");
    let number = line_of(text);
    format!("{number}:{}", source.lines().nth(number - 1).unwrap().find(part).unwrap() + 1)
}

#[test]
fn a_difference_is_told_with_its_place_and_the_answer_is_no() {
    let file = changed("= -1 EPIPE, SIGPIPE", "= -1 ECONNRESET");
    let output = check(&file);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let place = format!("  {}:{}: expected ", file.path().display(), place_of("EPIPE, SIGPIPE", "= -1"));
    let difference: Vec<&str> = said.lines().filter(|line| line.starts_with(' ')).collect();
    assert_eq!(difference.len(), 2, "{said}");
    assert!(difference[0].starts_with(&place), "{said}");
    assert_eq!(difference[1], "    but it was = -1 EPIPE (Broken pipe), SIGPIPE");
    assert_eq!(said.lines().last(), Some("0 as expected, 1 otherwise, 0 skipped"));
}

#[cfg(feature = "capture")]
#[test]
fn what_was_checked_is_said() {
    let output = epipe(&["lab", "broken-pipe", "--check"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let line = "as expected: 16 calls, 9 segments; reset-after-close, by the segments alone too\n";
    assert_eq!(said, format!("broken-pipe              {line}1 as expected, 0 otherwise, 0 skipped\n"));
}

#[cfg(feature = "capture")]
#[test]
fn a_verdict_that_the_segments_alone_do_not_show_is_told_at_its_key() {
    let file = changed("verdicts = [\"reset-after-close\"]", "verdicts = [\"aborted\"]");
    let output = check(&file);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let place = format!("{}:{}", file.path().display(), place_of("verdicts = ", "["));
    let difference: Vec<&str> = said.lines().filter(|line| line.starts_with(' ')).collect();
    let expected = format!("  {place}: expected verdicts = [\"aborted\"]");
    assert_eq!(difference, [&expected, "    but it was verdicts = [\"reset-after-close\"] from the segments alone"]);

    let undeclared = changed("verdicts = [\"reset-after-close\"]\n", "");
    assert_eq!(check(&undeclared).status.code(), Some(0));
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
    let at = place_of("EPIPE, SIGPIPE", "= -1");
    assert!(said.starts_with(&format!("epipe: {place}:{at}: expected ")), "{said}");
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
fn every_scenario_does_what_it_expects_and_is_told_in_its_place() {
    let output = epipe(&["lab", "--check", "--pace", "fast"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    // Where nothing went otherwise, something was run, though some may have been skipped.
    assert_eq!(output.status.code(), Some(0), "{said}");
    let told = said.lines().filter(|line| line.contains(" as expected: "));
    let names: Vec<&str> = told.map(|line| line.split(' ').next().unwrap()).collect();
    let scenarios = playable();
    assert_eq!(names, scenarios.iter().map(|scenario| scenario.name.as_str()).collect::<Vec<_>>());
    let skipped = library::all().unwrap().len() - scenarios.len();
    let last = format!("{} as expected, 0 otherwise, {skipped} skipped", names.len());
    assert_eq!(said.lines().last(), Some(last.as_str()));
}

#[test]
fn the_answer_goes_where_it_is_wanted() {
    let directory = tempfile::tempdir().unwrap();
    let answer = directory.path().join("answer");
    let output = epipe(&["lab", "broken-pipe", "--check", "-o", answer.to_str().unwrap()]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    assert_eq!(std::fs::read_to_string(&answer).unwrap().lines().count(), 2);
}

#[test]
fn what_a_check_cannot_do_is_refused() {
    for format in ["text", "jsonl", "ladder", "dashboard", "transcript", "tcpdump"] {
        let output = epipe(&["lab", "broken-pipe", "--check", "--format", format]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said, "epipe: a check has no such format\nhelp: leave --format away, or take --format json\n");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    }
    for other in ["--step", "--quiz", "--print", "--list", "--write=x.pcapng"] {
        assert_eq!(
            epipe(&["lab", "broken-pipe", "--check", other]).output().unwrap().status.code(),
            Some(2),
            "{other}"
        );
    }
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
