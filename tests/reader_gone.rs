//! Who closes stdout early: the run ends soon, quietly, and leaves no process.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long the program may go on after its reader has gone.
const BOUND: Duration = Duration::from_secs(1);

fn epipe(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_epipe"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The parent of each process, from the fourth field of its stat (proc(5)).
fn parents() -> HashMap<u32, u32> {
    let numbers =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let parent = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (_, after_name) = stat.rsplit_once(") ")?;
        Some((pid, after_name.split(' ').nth(1)?.parse().ok()?))
    };
    numbers.filter_map(parent).collect()
}

/// The descendants of `pid`.
fn descendants(pid: u32) -> Vec<u32> {
    let parents = parents();
    let descends = |mut process: u32| {
        while let Some(parent) = parents.get(&process) {
            if *parent == pid {
                return true;
            }
            process = *parent;
        }
        false
    };
    parents.keys().copied().filter(|process| descends(*process)).collect()
}

/// Waits until the stage and both actors are there.
fn three_processes_of(program: &mut Child) -> Vec<u32> {
    loop {
        let found = descendants(program.id());
        if found.len() == 3 {
            return found;
        }
        assert_eq!(program.try_wait().unwrap(), None, "the program ended before its actors were there");
        std::thread::yield_now();
    }
}

/// Waits for the program; returns how it ended, what it said on stderr, and how long that took.
fn end_of(mut program: Child) -> (ExitStatus, String, Duration) {
    let start = Instant::now();
    let mut errors = String::new();
    program.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    let status = program.wait().unwrap();
    (status, errors, start.elapsed())
}

/// Whether the process is there; one that ended and was not yet waited for is not.
fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(") ").unwrap().1.starts_with('Z'))
}

fn assert_ends_quietly(program: Child, processes: &[u32]) {
    let (status, errors, took) = end_of(program);
    assert_eq!((status.code(), errors.as_str()), (Some(0), ""));
    assert!(took < BOUND, "{took:?}");
    let left: Vec<&u32> = processes.iter().filter(|pid| is_alive(**pid)).collect();
    assert_eq!(left, [] as [&u32; 0]);
}

#[test]
fn a_reader_that_goes_while_the_scenario_walks_ends_it() {
    for format in ["transcript", "ladder", "json", "tcpdump"] {
        let mut program = epipe(&["lab", "broken-pipe", "--format", format]);
        let processes = three_processes_of(&mut program);
        drop(program.stdout.take());
        assert_ends_quietly(program, &processes);
    }
}

#[test]
fn a_reader_that_was_never_there_ends_it() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_epipe"));
    let program = command.args(["lab", "broken-pipe", "--format", "transcript"]).stdout(writer).stderr(Stdio::piped());
    let program = program.spawn().unwrap();
    drop(command);
    assert_ends_quietly(program, &[]);
}

/// All of it, some 120,000 bytes, is more than a pipe holds.
#[test]
fn a_reader_of_one_line_is_no_error() {
    let mut program = epipe(&["lab", "last-word/five", "--pace", "fast", "--format", "json"]);
    let mut line = String::new();
    let mut reader = BufReader::with_capacity(1, program.stdout.take().unwrap());
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "{\n");
    drop(reader);
    assert_ends_quietly(program, &[]);
}

#[test]
fn a_checked_run_goes_on_without_a_reader() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_epipe"));
    let output = command.args(["lab", "broken-pipe", "--check", "--pace", "fast"]).stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &[][..]));
}

#[test]
fn the_menus_stand_in_ends_too() {
    let mut program = epipe(&[]);
    let processes = three_processes_of(&mut program);
    drop(program.stdout.take());
    assert_ends_quietly(program, &processes);
}
