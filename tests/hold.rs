//! `epipe run --hold` in a terminal: programs in Python, stepped one call at a time.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(unsafe_code, reason = "neither std nor nix waits for a process that is no child")]

use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::process::Command;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};

#[path = "run/place.rs"]
mod place;
mod pty;

use place::Place;
use pty::Session;

const PAIR: &str = "(python3 broken_pipe_server.py; echo gone) | python3 broken_pipe_client.py";

/// `epipe run` with `options` of a shell's command line in a terminal, up to the first call that stands.
fn hold(place: &Place, as_nobody: bool, options: &[&str], line: &str) -> Session {
    let here = format!("cd {} && exec \"$@\"", place.0.path().display());
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let user = if as_nobody { &nobody[..] } else { &[] };
    let run = [&["-c", &here, "sh"], user, &["./epipe", "run"], options, &["--", "sh", "-c", line]].concat();
    let variables = [("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8")];
    Session::start(Path::new("sh"), &run, &variables, "Enter    ")
}

/// Lets `call` go, also where the other program has come to its own before it; `before` was the last.
fn let_go(session: &mut Session, before: &str, call: &str) {
    // Half of a line may be there.
    let is_whole = |line: &str| line.contains("first of 2 · ") && line.trim_end().ends_with([')', '…']);
    let is_another = |session: &Session| session.contents().lines().any(is_whole) && !session.shows(before);
    session.wait_until(call, |session| session.shows(call) || is_another(session));
    if !session.shows(call) {
        session.press("n");
        session.wait_for(call);
    }
    session.press("\r");
}

#[test]
#[ignore = "needs root, to be nobody too"]
fn programs_are_stepped_to_the_broken_pipe() {
    for as_nobody in [false, true] {
        let place = Place::new();
        let mut session = hold(&place, as_nobody, &["--hold"], PAIR);
        let mut before = "";
        for call in [
            ": socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0)",
            ": setsockopt(3, SOL_SOCKET, SO_REUSEADDR, 1)",
            ": bind(3, 127.0.0.1:2222)",
            ": listen(3, 128)",
            ": accept4(3, SOCK_CLOEXEC)",
            ": socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 6)",
            ": connect(3, 127.0.0.1:2222)",
            ": send(3, \"hello\", 5, 0)",
            ": recv(4, 1024, 0)",
            ": close(4)",
            ": close(3)",
            ": send(3, \"hello\", 5, 0)",
        ] {
            let_go(&mut session, before, call);
            before = call;
        }
        session.wait_for("foretold EPIPE+SIGPIPE: an error waits here since the reset");
        session.press("\r");
        session.wait_for("foretold EPIPE+SIGPIPE: so it came");
        session.wait_for("send(\"hello\") = EPIPE ✗ │      nothing sent");
        session.press("r");
        session.wait_for("prints: second [Errno 32] Broken pipe");
        session.wait_for("the program has ended");
        session.press("q");
        let (code, screen) = session.end();
        assert_eq!((code, screen.as_str()), (0, "first 5\nsecond [Errno 32] Broken pipe"));
    }
}

#[test]
#[ignore = "needs root, for a capture"]
fn a_break_stops_only_where_that_error_is_foretold() {
    let place = Place::new();
    let mut session = hold(&place, false, &["--break", "EPIPE"], PAIR);
    session.wait_for("foretold EPIPE+SIGPIPE");
    session.wait_for("prints: first 5");
    session.press("\r");
    session.wait_for("the program has ended");
    session.press("o");
    session.wait_for("second [Errno 32] Broken pipe");
    session.press("q");
    assert_eq!(session.end(), (0, "first 5\nsecond [Errno 32] Broken pipe".to_owned()));
}

#[test]
#[ignore = "needs root, for a capture"]
fn another_of_those_that_stand_can_go_first() {
    let place = Place::new();
    // Both come to their call before one goes.
    let program = "import os, socket; os.fork(); socket.socket(); socket.socket()";
    let mut session = hold(&place, false, &["--break", "socket"], &format!("exec python3 -c '{program}'"));
    session.wait_for("first of 2 · ");
    let first = session.word_after("first of 2 · ");
    session.press("n");
    session.wait_for("first of 2 · ");
    session
        .wait_until("another", |session| session.word_after("first of 2 · ").is_some_and(|word| Some(word) != first));
    session.press("r");
    session.wait_for("the program has ended");
    session.press("q");
    assert_eq!(session.end(), (0, String::new()));
}

#[test]
fn the_program_has_the_descriptors_that_it_would_have_alone() {
    let place = Place::new();
    let program = "import os, socket, sys; print(socket.socket().fileno(), [os.isatty(fd) for fd in (0, 1, 2)])";
    let mut session = hold(&place, false, &["--hold"], &format!("exec python3 -c '{program}'"));
    session.press("r");
    session.wait_for("prints: 3 [False, True, True]");
    session.wait_for("the program has ended");
    session.press("q");
    assert_eq!(session.end(), (0, "3 [False, True, True]".to_owned()));
}

/// Waits for the end of a process that was killed. It is nobody's child here.
fn wait_for_the_end_of(pid: i32) {
    // SAFETY: the call takes two numbers and touches no memory.
    let handle = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    // One that is gone has no handle.
    if let Some(handle) = i32::try_from(handle).ok().filter(|handle| *handle >= 0) {
        // SAFETY: the kernel has just made this descriptor for us.
        let handle = unsafe { OwnedFd::from_raw_fd(handle) };
        let mut source = [PollFd::new(handle.as_fd(), PollFlags::POLLIN)];
        assert_eq!(poll(&mut source, PollTimeout::from(60_000_u16)), Ok(1), "{pid} lives on");
    }
}

/// Ends the session by `end` while a call stands, and holds it to having left no process.
fn leaves_nothing(end: impl FnOnce(&mut Session)) -> (u32, String) {
    let place = Place::new();
    let program = "import os, socket; print(os.getpid(), flush=True); socket.socket(); print(2)";
    let mut session = hold(&place, false, &["--hold"], &format!("exec python3 -c '{program}'"));
    session.wait_for("prints: ");
    let pid = session.word_after("prints:").unwrap();
    end(&mut session);
    let ended = session.end();
    wait_for_the_end_of(pid.parse().unwrap());
    assert_eq!(ended.1, pid);
    ended
}

#[test]
fn leaving_in_the_middle_ends_the_program() {
    assert_eq!(leaves_nothing(|session| session.press("q")).0, 130);
    assert_eq!(leaves_nothing(|session| kill(session.pid(), Signal::SIGTERM).unwrap()).0, 130);
}

#[test]
fn what_can_be_neither_a_call_nor_an_error_is_refused() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_epipe")).args(["run", "--break", "sned", "--", "true"]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        told.contains("cannot read --break: no socket call is called \"sned\"") && told.contains("help: "),
        "{told}"
    );
}
