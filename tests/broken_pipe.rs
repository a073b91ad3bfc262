//! The main job, as a person types it: a broken pipe on a real kernel, told with its causes.

#![cfg(feature = "capture")]
#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

#[path = "lab/common.rs"]
mod common;
#[path = "broken_pipe/many.rs"]
mod many;

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use common::{AS_NOBODY, installed};
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

/// `epipe` with `arguments`, as nobody.
fn printed_for_nobody(arguments: &[&str]) -> String {
    let (_directory, program) = installed();
    let output = Command::new(program).args(arguments).uid(AS_NOBODY).gid(AS_NOBODY).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

/// The lines of `transcript` that are segments, as sender and flags.
fn segments(transcript: &str) -> Vec<(&str, &str)> {
    let words = transcript.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    words
        .filter_map(|words| match words.as_slice() {
            [_, from @ ("C" | "S"), ">", "C" | "S", flags, ..] => Some((*from, *flags)),
            _ => None,
        })
        .collect()
}

/// The one line of `transcript` that has all of `parts`.
fn line_with<'a>(transcript: &'a str, parts: &[&str]) -> &'a str {
    let found: Vec<&str> = transcript.lines().filter(|line| parts.iter().all(|part| line.contains(part))).collect();
    assert_eq!(found.len(), 1, "{parts:?} in\n{transcript}");
    found[0]
}

#[test]
#[ignore = "needs root, to become nobody"]
fn nobody_sees_nine_segments_and_then_the_error() {
    let transcript = printed_for_nobody(&["lab", "broken-pipe", "--format", "transcript", "--pace", "fast"]);
    let expected = [
        ("C", "S"),
        ("S", "S."),
        ("C", "."),
        ("C", "P."),
        ("S", "."),
        ("S", "F."),
        ("C", "."),
        ("C", "P."),
        ("S", "R"),
    ];
    assert_eq!(segments(&transcript), expected, "{transcript}");

    let sends: Vec<&str> =
        transcript.lines().filter(|line| line.contains("  client  send(3, \"hello\", 5, 0) = ")).collect();
    assert_eq!(sends.len(), 3, "{transcript}");
    let foretold = "= 5   ;  foretold ok";
    assert!(sends[0].ends_with(foretold) && sends[1].ends_with(foretold), "{transcript}");
    let failed = "= -1 EPIPE (Broken pipe), SIGPIPE   ;  foretold EPIPE+SIGPIPE;  9 RST, proven: ";
    assert!(sends[2].contains(failed), "{transcript}");

    let second = line_with(&transcript, &["P.  6:11(5) ack 2"]);
    assert!(second.ends_with("; 8  send, proven: bytes 6 to 10 are this call's"), "{second}");
    let reset = line_with(&transcript, &["S > C  R "]);
    assert!(reset.contains("; 9  8 send, 6 close, proven: seq 2 = ack of 8; 7 drew none"), "{reset}");
    line_with(&transcript, &["# account client: sent 10, acknowledged 5, read 5, lost 5"]);
}

/// The events of a run, as `--format json` has them.
struct Told(Value);

impl Told {
    fn events(&self) -> &[Value] {
        self.0["events"].as_array().unwrap()
    }

    fn frame(&self, number: u64) -> &Value {
        self.events().iter().find(|event| event["frame"] == number).unwrap()
    }

    fn causes(event: &Value) -> (Vec<u64>, &str) {
        let ids = event["cause"]["events"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap()).collect();
        (ids, event["cause"]["certainty"].as_str().unwrap())
    }

    /// The beginnings and the ends of the client's sends.
    fn sends(&self, kind: &str) -> Vec<&Value> {
        let is_one = |event: &&Value| event["kind"] == kind && event["call"] == "send" && event["actor"] == "client";
        self.events().iter().filter(is_one).collect()
    }
}

#[test]
#[ignore = "needs root, to become nobody"]
fn every_cause_is_an_event_and_proven() {
    let json = printed_for_nobody(&["lab", "broken-pipe", "--format", "json", "--pace", "fast"]);
    let told = Told(serde_json::from_str(&json).unwrap());
    let id = |event: &Value| event["id"].as_u64().unwrap();
    let (begun, ended) = (told.sends("begun"), told.sends("ended"));
    assert_eq!((begun.len(), ended.len()), (3, 3));

    assert_eq!(Told::causes(told.frame(8)), (vec![id(begun[1])], "proven"));
    let (causes, certainty) = Told::causes(told.frame(9));
    assert_eq!((causes, certainty), (vec![id(told.frame(8)), id(told.frame(6))], "proven"));
    assert_eq!(Told::causes(ended[2]), (vec![id(told.frame(9))], "proven"));

    assert_eq!(begun[1]["fate"], serde_json::json!({"taken": 5, "acknowledged": 0, "read": 0, "lost": 5}));
    let client = &told.0["connections"][0]["client"];
    let account = ["sent", "acknowledged", "read", "lost"].map(|what| client[what].as_u64().unwrap());
    assert_eq!(account, [10, 5, 5, 5]);
}

/// What `epipe` alone writes to a file.
fn ladder_in_a_file(command: &mut Command) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    let status = command.stdin(Stdio::null()).stdout(File::create(file.path()).unwrap()).status().unwrap();
    assert_eq!(status.code(), Some(0));
    std::fs::read_to_string(file.path()).unwrap()
}

fn assert_is_the_ladder(ladder: &str) {
    assert!(ladder.starts_with(" broken-pipe  Why does the first send succeed and the second fail?\n"), "{ladder}");
    let has = |what: &str| assert_eq!(ladder.lines().filter(|line| line.contains(what)).count(), 1, "{what}\n{ladder}");
    has("  8 send(\"hello\") = 5       │──DATA 6:11────────────▶│✗ no program to read it");
    has("  9 ▸ CLOSED, error EPIPE   │◀──────────────────RST──│kernel ▸ CLOSED");
    has("  · send(\"hello\") = EPIPE ✗ │      nothing sent      │");
    has("because of 9 RST ◀ 8 send ◀ 6 close (proven: seq 2 = ack of 8; 7 drew none)");
    has(" bytes   sent 10 · acknowledged 5 · read 5 · LOST 5");
    for line in ladder.lines() {
        assert!(line.width() <= 80, "{} columns: {line}", line.width());
        assert!(!line.contains(char::is_control), "{line:?}");
    }
}

#[test]
fn without_a_terminal_the_ladder_is_printed() {
    assert_is_the_ladder(&ladder_in_a_file(&mut Command::new(env!("CARGO_BIN_EXE_epipe"))));
}

#[test]
#[ignore = "needs root, to become nobody"]
fn without_a_terminal_nobody_gets_the_ladder_too() {
    let (_directory, program) = installed();
    assert_is_the_ladder(&ladder_in_a_file(Command::new(program).uid(AS_NOBODY).gid(AS_NOBODY)));
}
