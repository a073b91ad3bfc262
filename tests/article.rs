//! The reconstruction prints the article's nine lines, here and by tcpdump itself.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

#[path = "../examples/reconstruct-article/article.rs"]
mod article;
mod wire;

use std::path::{Path, PathBuf};
use std::process::Command;

use epipe::report::tcpdump::{self, Zone};
use wire::{journal_of, reread};

/// The lines as the article prints them.
const NINE_LINES: &str = "\
03:51:51.137047 IP 127.0.0.1.50870 > 127.0.0.1.2222: Flags [S], seq 2737957170, win 32792, options [mss 16396,sackOK,TS val 39403123 ecr 0,nop,wscale 5], length 0
03:51:51.137055 IP 127.0.0.1.2222 > 127.0.0.1.50870: Flags [S.], seq 2751472309, ack 2737957171, win 32768, options [mss 16396,sackOK,TS val 39403123 ecr 39403123,nop,wscale 5], length 0
03:51:51.137061 IP 127.0.0.1.50870 > 127.0.0.1.2222: Flags [.], ack 1, win 1025, options [nop,nop,TS val 39403123 ecr 39403123], length 0
03:51:51.137083 IP 127.0.0.1.50870 > 127.0.0.1.2222: Flags [P.], seq 1:6, ack 1, win 1025, options [nop,nop,TS val 39403123 ecr 39403123], length 5
03:51:51.137089 IP 127.0.0.1.2222 > 127.0.0.1.50870: Flags [.], ack 6, win 1024, options [nop,nop,TS val 39403123 ecr 39403123], length 0
03:51:51.137158 IP 127.0.0.1.2222 > 127.0.0.1.50870: Flags [F.], seq 1, ack 6, win 1024, options [nop,nop,TS val 39403123 ecr 39403123], length 0
03:51:51.139348 IP 127.0.0.1.50870 > 127.0.0.1.2222: Flags [.], ack 2, win 1025, options [nop,nop,TS val 39403137 ecr 39403123], length 0
03:51:52.140421 IP 127.0.0.1.50870 > 127.0.0.1.2222: Flags [P.], seq 6:11, ack 2, win 1025, options [nop,nop,TS val 39404140 ecr 39403123], length 5
03:51:52.140444 IP 127.0.0.1.2222 > 127.0.0.1.50870: Flags [R], seq 2751472311, win 0, length 0
";

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/reconstructed/article.pcapng")
}

fn built() -> Vec<u8> {
    let mut file = Vec::new();
    article::write(&mut file).unwrap();
    file
}

#[test]
fn the_committed_file_is_what_the_generator_builds() {
    let committed = reread(std::fs::File::open(committed()).unwrap());
    assert_eq!(committed, reread(built().as_slice()));
    assert!(committed.run.comments[0].starts_with("A reconstruction, not a recording"));
}

#[test]
fn it_prints_the_nine_lines() {
    let mut printed = Vec::new();
    tcpdump::write(&journal_of(&reread(built().as_slice())), Zone::Utc, &mut printed).unwrap();
    assert_eq!(String::from_utf8(printed).unwrap(), NINE_LINES);
}

#[test]
fn the_command_prints_the_nine_lines() {
    let output = Command::new(env!("CARGO_BIN_EXE_epipe"))
        .env("TZ", "UTC")
        .args(["replay", "--format", "tcpdump"])
        .arg(committed())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), NINE_LINES);
}

#[test]
#[ignore = "needs tcpdump"]
fn tcpdump_prints_the_nine_lines() {
    let output = Command::new("tcpdump").env("TZ", "UTC").arg("-nr").arg(committed()).arg("tcp").output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), NINE_LINES);
}

#[test]
#[ignore = "needs tshark"]
fn tshark_finds_every_checksum_right() {
    let output = Command::new("tshark")
        .args(["-n", "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-T", "fields"])
        .args(["-e", "ip.checksum.status", "-e", "tcp.checksum.status", "-r"])
        .arg(committed())
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "1\t1\n".repeat(9));
}

/// What `epipe replay` prints of `path`.
fn replayed(path: &Path, format: &str) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_epipe")).args(["replay", "--format", format]).arg(path).output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn its_story_says_what_the_next_send_would_get() {
    let ladder = replayed(&committed(), "ladder");
    let next = ladder.split_once("─ next ─").unwrap().1;
    assert!(next.contains("\n client  send EPIPE+SIGPIPE · recv 0 · "), "{next}");
    assert!(next.contains("\n bytes   sent 10 · acknowledged 5 · LOST 5\n"), "{next}");
    let json: serde_json::Value = serde_json::from_str(&replayed(&committed(), "json")).unwrap();
    assert_eq!(json["connections"][0]["client"]["next"]["send"], "EPIPE+SIGPIPE");
}

#[test]
fn it_says_that_it_is_a_reconstruction_and_what_was_made_up() {
    let ladder = replayed(&committed(), "ladder");
    assert!(ladder.starts_with(" article  a reconstruction, not a recording\n"), "{ladder}");
    let written = ladder.split_once("─ written on the file ─").unwrap().1;
    assert!(written.contains("\n Made up: the date (2010-01-01, UTC)"), "{written}");
    let transcript = replayed(&committed(), "transcript");
    assert!(transcript.contains("\n# ...: Made up: the date (2010-01-01, UTC)"), "{transcript}");
    let json: serde_json::Value = serde_json::from_str(&replayed(&committed(), "json")).unwrap();
    assert!(json["comments"][0].as_str().unwrap().contains("\nMade up: the date"), "{json}");
    assert_eq!(json["facts"]["origin"], "reconstruction");
}

#[test]
fn it_speaks_of_no_call_that_it_does_not_know() {
    let ladder = replayed(&committed(), "ladder");
    for claim in ["send(\"", "send() copied", "send() had reported", "read 5", "= EPIPE"] {
        assert!(!ladder.contains(claim), "{claim}\n{ladder}");
    }
}

#[test]
fn a_recording_says_that_it_is_one() {
    let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/broken-pipe.pcapng");
    let ladder = replayed(&recording, "ladder");
    assert!(ladder.starts_with(" broken-pipe  a recording\n"), "{ladder}");
    assert!(!ladder.contains("written on the file"), "{ladder}");
}
