//! The program itself in a terminal, on a real kernel.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pty::Session;

mod pty;

fn epipe(args: &[&str], first: &str) -> Session {
    Session::start(Path::new(env!("CARGO_BIN_EXE_epipe")), args, &[("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8")], first)
}

/// The children of `pid`, by /proc.
fn children(pid: Pid) -> Vec<Pid> {
    let listed = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let of_threads = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    let all: String = of_threads.chain([listed]).collect::<Vec<_>>().join(" ");
    all.split_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw).collect()
}

#[test]
#[cfg(feature = "capture")]
#[ignore = "needs a network namespace, or the right to capture"]
fn three_keys_show_a_newcomer_the_broken_pipe() {
    let mut session = epipe(&[], "▶ broken-pipe");
    session.press("\r");
    session.wait_for("What will the client's send() return?");
    session.wait_for("1 5    2 EPIPE    3 ECONNRESET");
    session.press("2");
    session.wait_for("you said EPIPE: no, 5 · 0 of 1");
    session.wait_for("▶  8 send(\"hello\") = 5       │──DATA 6:11────────────▶│✗ no program to read it");
    session.press("\r");
    session.wait_for("▶  · send(\"hello\") = EPIPE ✗ │      nothing sent");
    session.wait_for("because of  9 RST ◀ 8 send ◀ 6 close");
    session.wait_for("LOST 5");
    session.press("r");
    session.wait_for("your own capture: epipe replay FILE");
    session.press("q");
    assert_eq!(session.end(), (0, String::new()));
}

#[test]
#[ignore = "needs a network namespace, or the right to capture"]
fn a_signal_in_the_middle_leaves_no_process() {
    let mut session = epipe(&["lab", "broken-pipe", "--step"], "Enter: server socket");
    session.press("\r");
    session.wait_for("Enter: server setsockopt");
    let stages = children(session.pid());
    let actors: Vec<Pid> = stages.iter().flat_map(|stage| children(*stage)).collect();
    assert!(!actors.is_empty(), "no actors under {stages:?}");
    kill(session.pid(), Signal::SIGTERM).unwrap();
    assert_eq!(session.end(), (130, String::new()));
    for pid in stages.iter().chain(&actors) {
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(state.is_empty() || state.contains(") Z "), "{pid} lives on: {state}");
    }
}
