//! The link between two networks: what it does to segments, seen at either end.

use std::io::Write;
use std::process::Output;

use tempfile::NamedTempFile;

use super::check::epipe;
use super::common::text;
use super::refusal::{TUN_INTERFACE, refuse};

/// A server that answers and closes, and a client that reads to the end, over a link with these keys; `segments` are those of
/// the answer and the end.
fn answered(keys: &str, segments: &str) -> NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    let script = format!(
        "\
server  socket(AF_INET, SOCK_STREAM, 0) = 3
server  bind(3, 10.0.0.2:2222) = 0
server  listen(3, 5) = 0
server  accept(3) …
client  socket(AF_INET, SOCK_STREAM, 0) = 3
client  connect(3, 10.0.0.2:2222) = 0
        C > S  S   0:0(0)
        S > C  S.  0:0(0) ack 1
        C > S  .   1:1(0) ack 1
server  accept … = 4
server  send(4, \"hello\", 5, 0) = 5  race
server  close(4) = 0
{segments}
client  recv(3, 10, 0) = 5 \"hello\"
client  recv(3, 10, 0) = 0
"
    );
    let end = "client  close(3) = 0\n        C > S  F.  1:1(0) ack 7\n        S > C  .   7:7(0) ack 2\n";
    write!(file, "name = \"x\"\n{keys}\nscript = '''\n{script}{end}'''\n").unwrap();
    file
}

fn check(keys: &str, segments: &str) -> Output {
    let file = answered(keys, segments);
    epipe(&["lab", file.path().to_str().unwrap(), "--check"]).output().unwrap()
}

fn goes_as_expected(keys: &str, segments: &str) {
    let output = check(keys, segments);
    assert_eq!(output.status.code(), Some(0), "{keys}\n{}", text(&output));
}

#[test]
#[ignore = "needs root, for a TUN interface"]
fn what_is_lost_is_seen_where_it_was_sent_and_comes_with_its_repetition() {
    let lost = "link.delay = 5\nlink.lose = [\"S > C  F.  1\"]";
    let at_the_client = "\
        S > C  P.  1:6(5) ack 1
        C > S  .   1:1(0) ack 6
        S > C  F.  6:6(0) ack 1
        C > S  .   1:1(0) ack 7";
    goes_as_expected(lost, at_the_client);
    let at_the_server = "\
        S > C  P.  1:6(5) ack 1
        S > C  F.  6:6(0) ack 1
        C > S  .   1:1(0) ack 6
        S > C  F.  6:6(0) ack 1
        C > S  .   1:1(0) ack 7";
    goes_as_expected(&format!("{lost}\nlink.side = \"server\""), at_the_server);
}

#[test]
#[ignore = "needs root, for a TUN interface"]
fn a_lost_syn_is_waited_for() {
    let output = check("link.lose = [\"C > S  S  1\"]", "");
    let said = text(&output);
    assert!(said.contains("expected S > C  S.  0:0(0) ack 1\n    but it was C > S  S   0:0(0)"), "{said}");
}

#[test]
#[ignore = "needs root, for a TUN interface"]
fn what_is_repeated_arrives_twice() {
    let segments = "\
        S > C  P.  1:6(5) ack 1
        C > S  .   1:1(0) ack 6
        S > C  F.  6:6(0) ack 1
        S > C  F.  6:6(0) ack 1
        C > S  .   1:1(0) ack 7
        [C > S  .  1:1(0) ack 7]";
    goes_as_expected("link.repeat = [\"S > C  F.  1\"]", segments);
}

#[test]
#[ignore = "needs root, for a TUN interface"]
fn what_is_held_arrives_behind_the_next() {
    let segments = "\
        S > C  F.  6:6(0) ack 1
        [C > S  .  1:1(0) ack 1]
        S > C  P.  1:6(5) ack 1
        C > S  .   1:1(0) ack 7";
    goes_as_expected("link.delay = 50\nlink.hold = [\"S > C  P.  1\"]", segments);
}

#[test]
#[ignore = "needs root, for a TUN interface"]
fn without_a_tun_interface_there_is_no_link() {
    let file = answered("link.delay = 1", "");
    let output =
        refuse(&mut epipe(&["lab", file.path().to_str().unwrap(), "--check"]), &TUN_INTERFACE).output().unwrap();
    let said = text(&output);
    assert!(said.contains("skipped: needs TUN, but no TUN interface can be created: "), "{said}");
    assert_eq!(output.status.code(), Some(2), "{said}");
}
