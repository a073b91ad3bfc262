//! Mistakes in a scenario's file: each is told with its place, before anything is run, whatever was asked for.

use std::io::Write;
use std::process::{Command, Output};

use tempfile::NamedTempFile;

const FILE: &str = r#"name = "mine"
group = ""
question = "?"
lesson = ""
fix = ""
script = '''
server  socket(AF_INET, SOCK_STREAM, 0) = 3
server  bind(3, 127.0.0.1:2222) = 0
server  listen(3, 5) = 0
server  accept(3) …
client  socket(AF_INET, SOCK_STREAM, 0) = 3
client  connect(3, 127.0.0.1:2222) = 0
        C > S  S   0:0(0)
        S > C  S.  0:0(0) ack 1
        C > S  .   1:1(0) ack 1
server  accept … = 4
client  send(3, "hello", 5, 0) = 5
        C > S  P.  1:6(5) ack 1
        S > C  .   1:1(0) ack 6
server  recv(4, 1024, 0) = 5 "hello"
client  exit(0)
        C > S  F.  6:6(0) ack 1
        S > C  .   1:1(0) ack 7
server  close(4) = 0
        S > C  F.  1:1(0) ack 7
        C > S  .   7:7(0) ack 2
'''
"#;

/// What is replaced, by what, and what is said of it, with its line and column.
const MISTAKES: &[(&str, &str, &str)] = &[
    // The keys.
    ("group", "groop", "2:1: unknown field `groop`"),
    ("name = \"mine\"", "name = \"Mine\"", "1:8: a scenario's name is made of small letters, digits, - and /"),
    ("fix = \"\"", "needs = [\"ROOT\"]", "5:10: a scenario can need CAP_NET_ADMIN, CAP_NET_RAW, TUN, not \"ROOT\""),
    ("fix = \"\"", "since = \"six\"", "5:9: a kernel's version is two or three numbers, such as 6.10, not \"six\""),
    ("fix = \"\"", "verdicts = [\"broken\"]", "5:12: no verdict is called \"broken\"; there are reset-after-close, "),
    // The link.
    ("fix = \"\"", "link.delai = 20", "5:6: unknown field `delai`"),
    ("fix = \"\"", "link.delay = -1", "5:14: invalid value: integer `-1`, expected u32"),
    ("fix = \"\"", "link.delay = 1001", "5:14: a link's delay is at most 1000 milliseconds"),
    ("fix = \"\"", "link.side = \"both\"", "5:13: a link is captured at the client or the server, not \"both\""),
    (
        "fix = \"\"",
        "link.lose = [\"C > S  S  1\", \"S > C  F.\"]",
        "5:29: a segment of the link is written as in \"S > C  F.  1\", not \"S > C  F.\"",
    ),
    ("fix = \"\"", "link.hold = [\"C > S  SF.  1\"]", "5:14: no socket sends a segment with the flags FS."),
    (
        "fix = \"\"",
        "link.lose = [\"C > S  .  1\"]\nlink.hold = [\"C > S .  1\"]",
        "6:14: something else befalls this segment already",
    ),
    // Who, and whether at all.
    ("client  send", "clyent  send", "17:1: expected an actor (server or client), a segment, or nothing"),
    ("client  send(3", "client  sned(3", "17:9: expected the name of a call that epipe knows"),
    ("client  exit(0)", "client  exit(0)\nclient  close(3) = 0", "22:1: client is gone here"),
    ("server  accept(3) …\n", "", "15:1: server does not wait in such a call here"),
    ("server  accept … = 4", "server  close(3) = 0", "16:1: server still waits in accept here"),
    // Descriptors.
    ("recv(4, 1024", "recv(5, 1024", "20:1: server has never opened descriptor 5 here"),
    ("send(3, \"hello\"", "send(4, \"hello\"", "17:1: client has never opened descriptor 4 here"),
    ("server  accept(3) …", "server  accept(4) …", "10:1: server has never opened descriptor 4 here"),
    ("client  exit(0)", "client  dup(2) = 4", "21:9: expected a descriptor from 3 on: 0, 1 and 2 are the lab's"),
    // Results that no call returns.
    (
        "0) = 3\nserver  bind",
        "0) = -1 EPIPE\nserver  bind",
        "7:41: expected another result: socket never fails with EPIPE",
    ),
    (
        "0) = 3\nserver  bind",
        "0) = 2\nserver  bind",
        "7:41: expected a descriptor from 3 on, which is what socket returns",
    ),
    ("listen(3, 5) = 0", "listen(3, 5) = 1", "9:22: expected 0 or an error, which is what listen returns"),
    ("accept … = 4", "accept … = 1", "16:18: expected a descriptor from 3 on, which is what accept returns"),
    ("0) = 5\n", "0) = 6\n", "17:32: expected at most 5, which is what send was asked for"),
    ("0) = 5\n", "0) = -2\n", "17:32: expected -1 and an error, or a number from 0 on"),
    ("0) = 5\n", "0) = -1\n", "17:32: expected the name of an error behind -1"),
    ("0) = 5\n", "0) = -1 EPIP\n", "17:37: expected the name of an error"),
    ("0) = 5\n", "0) = -1 EPIPE, SIGTERM\n", "17:32: expected SIGPIPE or nothing: no call tells of SIGTERM"),
    ("0) = 5\n", "0) = 5 \"hello\"\n", "17:32: expected nothing behind it: send hands out nothing"),
    ("recv(4, 1024, 0) = 5", "recv(4, 4, 0) = 5", "20:23: expected at most 4, which is what recv was asked for"),
    ("= 5 \"hello\"", "= 4 \"hello\"", "20:26: expected 4 bytes of data behind it, or nothing"),
    ("= 5 \"hello\"", "= 5 \"hell\"...", "20:26: expected 5 bytes of data behind it, or nothing"),
    ("0) = 5\n", "0) = many\n", "17:34: expected what the call returned, a number"),
    ("send(3, \"hello\", 5", "send(3, \"hello\", 4", "17:9: expected send(fd, data, length, flags)"),
    // Segments that no socket sends.
    ("P.  1:6(5) ack 1", "SF  1:6(5) ack 1", "18:16: expected at most one of S, F and R"),
    ("P.  1:6(5) ack 1", "R.F 1:6(5) ack 1", "18:16: expected at most one of S, F and R"),
    ("P.  1:6(5) ack 1", "P   1:6(5)", "18:16: expected a dot among the flags: only a SYN and a reset go without ACK"),
    ("P.  1:6(5) ack 1", "P.  1:6(5)", "18:16: expected a dot among the flags and `ack` with a number, or neither"),
    ("S   0:0(0)", "S   0:0(0) ack 1", "13:16: expected a dot among the flags and `ack` with a number, or neither"),
    ("P.  1:6(5) ack 1", "PQ  1:6(5) ack 1", "18:16: expected TCP flags such as `P.`"),
    ("P.  1:6(5) ack 1", "P.  1:6(4) ack 1", "18:20: expected an end that is the start and the length together"),
    ("C > S  P.", "C > C  P.", "18:13: expected the other end of the same connection"),
];

/// The file with `from` replaced by `to` once.
fn changed(from: &str, to: &str) -> NamedTempFile {
    assert!(FILE.contains(from), "{from}");
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    file.write_all(FILE.replacen(from, to, 1).as_bytes()).unwrap();
    file
}

fn epipe(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_epipe")).args(arguments).output().unwrap()
}

#[test]
fn each_mistake_is_told_with_its_place_and_nothing_is_run() {
    for (from, to, said) in MISTAKES {
        let file = changed(from, to);
        let path = file.path().to_str().unwrap();
        for arguments in [&["lab", path][..], &["lab", "--check", path], &["lab", path, "--print"]] {
            let output = epipe(arguments);
            let errors = String::from_utf8(output.stderr).unwrap();
            assert!(errors.starts_with(&format!("epipe: {path}:{said}")), "{from} -> {to}: {errors}");
            assert!(errors.contains("\nhelp: docs/scenario.md describes the format"), "{errors}");
            assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{from} -> {to}");
        }
    }
}

#[test]
fn what_only_the_kernel_refutes_is_told_with_its_place_too() {
    let file = changed("connect(3, 127.0.0.1:2222) = 0", "connect(3, 127.0.0.1:2222) = -1 EACCES");
    let path = file.path().to_str().unwrap();
    let output = epipe(&["lab", "--check", path]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains(&format!("\n  {path}:12:36: expected client  connect(")), "{said}");
    assert_eq!(output.status.code(), Some(1), "{said}");
}

#[test]
fn what_a_script_leaves_open_is_no_mistake() {
    for (from, to) in [
        ("", ""),
        ("client  exit(0)", "client  close(9) = -1 EBADF\nclient  exit(0)"),
        ("client  exit(0)", "client  poll(9, POLLIN, 0) = 1 POLLNVAL\nclient  exit(0)"),
        ("server  recv(4", "server  pipe() = 0\nserver  recv(4"),
        ("server  accept … = 4", "server  accept … = *"),
    ] {
        let file = changed(from, to);
        let path = file.path().to_str().unwrap();
        let output = epipe(&["lab", "--check", path]);
        assert_eq!(output.status.code(), Some(0), "{to}: {}", super::common::text(&output));
    }
}
