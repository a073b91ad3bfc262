//! `epipe lab NAME --quiz` without the dashboard.

use std::io::Write;
use std::process::{Command, Stdio};

use super::common::text;

/// What is said on stderr to whoever types `answers`.
fn quiz(answers: &str) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_epipe"))
        .args(["lab", "broken-pipe", "--quiz", "--pace", "fast", "--format", "transcript"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(answers.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn each_telling_call_is_asked_about_and_then_shown_with_its_why() {
    let said = quiz("1\n3\n");
    assert_eq!(said.matches("What will the client's send() return?").count(), 2, "{said}");
    assert!(said.contains("  1  5\n  2  EPIPE\n  3  ECONNRESET\n"), "{said}");
    assert!(
        said.contains("you said 5: right · 1 of 1\nwhy: the peer's FIN ended only the other direction ("),
        "{said}"
    );
    assert!(
        said.contains("you said ECONNRESET: no, EPIPE · 1 of 2\nwhy: an error waits here since the reset"),
        "{said}"
    );
    assert!(said.ends_with("1 of 2 right\n"), "{said}");
}

#[test]
fn what_is_no_answer_is_asked_again_and_enter_only_shows() {
    let said = quiz("5\n\nx\n2\n");
    assert_eq!(said.matches("1, 2 or 3, or Enter to be shown:").count(), 4, "{said}");
    assert!(said.contains("send() returned 5\n"), "{said}");
    assert!(said.ends_with("1 of 1 right\n"), "{said}");
}

#[test]
fn without_anybody_to_answer_the_calls_go_one_after_the_other() {
    assert_eq!(quiz(""), "");
}
