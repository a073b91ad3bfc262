//! `epipe why`: every text that is known finds itself, what an answer names exists, and it fits a screen.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use epipe::story::verdict::Name;
use serde_json::Value;

fn epipe(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_epipe")).args(args).output().unwrap()
}

fn why(args: &[&str]) -> String {
    let output = epipe(&[&["why"], args].concat());
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn why_json(args: &[&str]) -> Value {
    let printed = why(&[args, &["--format", "json"]].concat());
    assert_eq!(printed.lines().count(), 1);
    serde_json::from_str(&printed).unwrap()
}

/// All that is known.
fn texts() -> Vec<Value> {
    let list = why_json(&["--list"]);
    assert_eq!(list["schema"], 1);
    list["texts"].as_array().unwrap().clone()
}

fn words(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

/// `text` with something in place of what varies.
fn filled(text: &str) -> String {
    text.replace('…', "10.0.0.1:80")
}

#[test]
fn every_text_finds_itself_within_a_line_of_a_log() {
    for text in texts() {
        let mut forms = vec![text["text"].as_str().unwrap()];
        forms.extend(text["also"].as_array().map(|_| words(&text["also"])).unwrap_or_default());
        for form in forms {
            let line = format!("2026-11-26T21:33:10Z host app[17]: {}, host: \"a\"", filled(form));
            let found = why_json(&[&line])["text"].clone();
            assert_eq!(found["text"], text["text"], "{line}");
            assert_eq!(found["program"], text["program"], "{line}");
        }
    }
}

#[test]
fn every_answer_fits_a_screen() {
    for text in texts() {
        let answer = why(&[&filled(text["text"].as_str().unwrap())]);
        assert!(answer.lines().count() < 25, "{} lines\n{answer}", answer.lines().count());
        assert!(answer.lines().all(|line| line.chars().count() <= 80), "{answer}");
        for heading in ["errno", "means", "before", "explain", "lab", "fix", "source"] {
            assert!(answer.lines().any(|line| line.starts_with(heading)), "no {heading}\n{answer}");
        }
    }
}

#[test]
fn scenarios_and_verdicts_exist() {
    let list = String::from_utf8(epipe(&["lab", "--list"]).stdout).unwrap();
    let scenarios: BTreeSet<&str> = list.lines().filter_map(|line| line.split(' ').next()).collect();
    for text in texts() {
        for scenario in words(&text["scenarios"]) {
            assert!(scenarios.contains(scenario), "{scenario}");
        }
        for verdict in words(&text["verdicts"]) {
            verdict.parse::<Name>().unwrap();
        }
        assert!(!text["source"].as_str().unwrap().is_empty());
    }
}

/// An errno that is explained has a scenario that has it.
#[test]
fn a_scenario_that_is_named_shows_the_errno() {
    for text in texts() {
        let Some(error) = text["error"].as_str().filter(|error| !["EBADF", "EHOSTUNREACH"].contains(error)) else {
            continue;
        };
        let shows = |name: &&str| {
            let file = String::from_utf8(epipe(&["lab", name, "--print"]).stdout).unwrap();
            file.contains(error)
        };
        let scenarios = words(&text["scenarios"]);
        let windows = text["program"] == "Java on Windows";
        assert!(scenarios.is_empty() || windows || scenarios.iter().any(shows), "{error}: {scenarios:?}");
    }
}

#[test]
fn the_programs_that_people_use_are_there() {
    let texts = texts();
    assert!(texts.len() >= 40);
    let programs: BTreeSet<&str> = texts.iter().map(|text| text["program"].as_str().unwrap()).collect();
    let wanted = [
        "C",
        "Python",
        "Java",
        "Go",
        "Node",
        "Rust",
        "Ruby",
        "PHP",
        ".NET",
        "nginx",
        "HAProxy",
        "Envoy",
        "curl",
        "psql",
        "redis-cli",
        "redis-py",
        "MySQL",
        "ssh",
        "shell",
    ];
    for program in wanted {
        assert!(programs.contains(program), "{program}");
    }
    let listed = why(&[]);
    assert_eq!(listed, why(&["--list"]));
    assert!(programs.iter().all(|program| listed.contains(&format!("# {program}\n"))));
}

/// The program and the text that stand in `asked`.
fn known(asked: &str) -> (String, String) {
    let text = why_json(&[asked])["text"].clone();
    (text["program"].as_str().unwrap().to_owned(), text["error"].as_str().unwrap_or("no errno").to_owned())
}

#[test]
fn whole_lines_of_logs_are_understood() {
    for (line, program, error) in [
        ("broken pipe", "C", "EPIPE"),
        (
            "2022/09/08 10:29:07 [error] 58#58: *73334436 writev() failed (32: Broken pipe) while sending request to upstream, \
             client: 10.23.4.251, server: _, request: \"POST /upload HTTP/1.1\", upstream: \"http://100.81.255.198:8000/\"",
            "nginx",
            "EPIPE",
        ),
        (
            "2026/11/26 21:33:10 [error] 26937#26937: *3 recv() failed (104: Connection reset by peer) while reading \
             response header from upstream, client: 127.0.0.1, server: , request: \"GET / HTTP/1.1\"",
            "nginx",
            "ECONNRESET",
        ),
        (
            "2026/11/26 21:33:11 [error] 26937#26937: *5 upstream timed out (110: Connection timed out) while reading \
             response header from upstream, client: 127.0.0.1",
            "nginx",
            "no errno",
        ),
        (
            "Exception in thread \"main\" java.net.SocketException: Broken pipe (Write failed)\n\
             \tat java.net.SocketOutputStream.socketWrite0(Native Method)\n\
             \tat java.net.SocketOutputStream.socketWrite(SocketOutputStream.java:111)",
            "Java",
            "EPIPE",
        ),
        (
            "org.postgresql.util.PSQLException: An I/O error occurred while sending to the backend.\n\
             \tat org.postgresql.core.v3.QueryExecutorImpl.execute(QueryExecutorImpl.java:383)\n\
             Caused by: java.net.SocketException: Connection reset\n\tat java.net.SocketInputStream.read",
            "pgjdbc",
            "ECONNRESET",
        ),
        ("2026/11/26 21:32:25 write tcp 127.0.0.1:47584->127.0.0.1:7000: write: broken pipe", "Go", "EPIPE"),
        (
            "Error: read ECONNRESET\n    at TCP.onStreamRead (node:internal/stream_base_commons:217:20)",
            "Node",
            "ECONNRESET",
        ),
        (
            "requests.exceptions.ConnectionError: ('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))",
            "Python requests",
            "no errno",
        ),
        (
            "haproxy[27067]: 127.0.0.1:47422 [26/Nov/2026:21:33:16.222] f b/s 0/0/0/-1/54 502 209 - - SH-- 1/1/0/0/0 0/0 \"GET / HTTP/1.1\"",
            "HAProxy",
            "no errno",
        ),
        (
            "thread 'main' panicked: called `Result::unwrap()` on an `Err` value: Os { code: 104, kind: ConnectionReset, message: \"Connection reset by peer\" }",
            "Rust",
            "ECONNRESET",
        ),
        ("ERROR 2013 (HY000): Lost connection to MySQL server during query", "MySQL", "no errno"),
    ] {
        assert_eq!(known(line), (program.to_owned(), error.to_owned()), "{line}");
    }
}

fn why_of_stdin(bytes: &[u8]) -> Output {
    let mut epipe = Command::new(env!("CARGO_BIN_EXE_epipe"));
    epipe.args(["why", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = epipe.spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn several_words_are_one_text_and_standard_input_is_read() {
    assert_eq!(why(&["broken", "pipe"]), why(&["broken pipe"]));
    let output = why_of_stdin(b"Broken\n  pipe\xff");
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), why(&["broken pipe"]));
}

#[test]
fn a_whole_log_on_standard_input_is_refused() {
    let output = why_of_stdin(&vec![b'x'; 1024 * 1024 + 1]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("longer than 1 MiB\nhelp: "));
}

#[test]
fn what_is_not_known_is_a_no_and_names_what_is_near() {
    let output = epipe(&["why", "the upstream fell asleep"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("No text like this is known.\n") && text.contains("upstream"), "{text}");
    let output = epipe(&["why", "the upstream fell asleep", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["schema"], &answer["known"]), (&1.into(), &false.into()));
    assert_eq!(answer["nearest"].as_array().unwrap().len(), 3);
}

#[test]
fn other_formats_are_refused_and_a_file_is_written() {
    for format in ["ladder", "text", "jsonl", "dashboard", "transcript", "tcpdump"] {
        let output = epipe(&["why", "EPIPE", "--format", format]);
        assert_eq!(output.status.code(), Some(2), "{format}");
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("\nhelp: leave --format away"), "{told}");
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("answer.txt");
    assert_eq!(why(&["EPIPE", "-o", file.to_str().unwrap()]), "");
    assert_eq!(std::fs::read_to_string(file).unwrap(), why(&["EPIPE"]));
}

/// docs/json.md lists the fields that are printed, and no others.
#[test]
fn the_document_lists_the_fields() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/json.md")).unwrap();
    let part = text.split_once("\n# Why\n").unwrap().1;
    let cells = part.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    let documented: BTreeSet<&str> =
        cells.flat_map(|cell| cell.split(['`', ',', ' '])).filter(|name| !name.is_empty()).collect();
    let mut printed: BTreeSet<String> = BTreeSet::new();
    let mut take = |value: &Value| printed.extend(value.as_object().unwrap().keys().cloned());
    for answer in [why_json(&["broken pipe"]), why_json(&["--list"])] {
        take(&answer);
        if answer["text"].is_object() {
            take(&answer["text"]);
        }
        answer["texts"].as_array().into_iter().flatten().for_each(&mut take);
    }
    let unknown = epipe(&["why", "the upstream fell asleep", "--format", "json"]).stdout;
    take(&serde_json::from_slice(&unknown).unwrap());
    assert_eq!(documented, printed.iter().map(String::as_str).collect());
}

#[test]
fn the_readme_has_what_is_printed() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let asked = "recv() failed (104: Connection reset by peer) while reading response header from upstream";
    let quoted: String = why(&[asked]).lines().map(|line| format!("    {line}").trim_end().to_owned() + "\n").collect();
    assert!(readme.contains(&quoted), "{quoted}");
}
