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
