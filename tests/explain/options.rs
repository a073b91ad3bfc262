//! What is asked for on the command line, and how the program ends.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use serde_json::Value;

use super::common::{Folder, ORDINARY, Said, client, endings, ordinary, server};
use crate::capture::Who::{Client, Server};
use crate::capture::{ACK, Capture, Link, PSH, RST, S, START, Talk};

fn folder() -> Folder {
    Folder::with(&ordinary(Link::Ethernet))
}

/// The numbers of the connections that `args` select.
fn selected(folder: &Folder, args: &[&str]) -> Vec<u64> {
    let told: Value = serde_json::from_str(&folder.told(&[args, &["--format", "json"]].concat())).unwrap();
    told["connections"].as_array().unwrap().iter().map(|one| one["id"].as_u64().unwrap()).collect()
}

#[test]
fn connections_are_selected_by_verdict() {
    let folder = folder();
    assert_eq!(selected(&folder, &["--only", "aborted"]), [4]);
    assert_eq!(selected(&folder, &["--only", "refused,closed"]), [0, 1, 5]);
    assert_eq!(selected(&folder, &["--only", "refused", "--only", "closed"]), [0, 1, 5]);
    assert_eq!(selected(&folder, &["--only", "timed-out"]), [] as [u64; 0]);
    let text = folder.told(&["--only", "closed"]);
    assert!(text.contains("\nConnections\n") && text.contains("#1  ") && !text.contains("#4  "), "{text}");
}

#[test]
fn connections_are_selected_by_time() {
    let folder = folder();
    let near = |at: &str, within: &[&str]| selected(&folder, &[&["--at", at], within].concat());
    // Each begins a second after the one before; the fourth takes 0.3 s.
    assert_eq!(near("1795307259.1", &["--within", "200ms"]), [2]);
    assert_eq!(near("1795307259.1", &[]), [2, 3]);
    assert_eq!(near("1795307260.5", &["--within", "0.3"]), [3]);
    assert_eq!(near("2026-11-22T00:27:39Z", &["--within", "1s"]), [1, 2]);
    assert_eq!(near("2026/11/22 00:27:39", &["--within", "1s"]), [1, 2], "in the machine's zone, here UTC");
    assert_eq!(near("1795307000", &["--within", "1m"]), [] as [u64; 0]);
}

#[test]
fn connections_are_selected_by_end() {
    let folder = folder();
    assert_eq!(selected(&folder, &["--peer", "10.1.0.3:32770"]), [2]);
    assert_eq!(selected(&folder, &["--peer", "10.1.0.3"]), [2]);
    assert_eq!(selected(&folder, &["--peer", ":443"]), [0, 1, 2, 3, 4, 5]);
    assert_eq!(selected(&folder, &["--peer", "10.0.0.7:32770"]), [] as [u64; 0]);
    assert_eq!(selected(&folder, &["--peer", ":443", "--only", "aborted", "--at", "1795307261"]), [4]);
}

#[test]
fn as_many_connections_are_told_of_as_were_asked_for() {
    let folder = folder();
    let told = |args: &[&str]| folder.told(args).lines().filter(|line| line.starts_with('#')).count();
    assert_eq!(told(&[]), 3);
    assert_eq!(told(&["--top", "2"]), 2);
    assert_eq!(told(&["--top", "0"]), 0);
    assert_eq!(told(&["--peer", ":443", "--top", "100"]), 6);
    let text = folder.told(&["--top", "2"]);
    assert!(text.contains("Worth looking at, worst first (2 of 3; --top N for more)"), "{text}");
}

#[test]
fn an_ending_that_must_not_be_is_said_by_the_exit_code() {
    let folder = folder();
    let code = |args: &[&str]| {
        let said = folder.run(&[&["x.pcap"], args].concat());
        assert_eq!(said.err, "", "{args:?}");
        said.code
    };
    assert_eq!(code(&["--fail-on", "timed-out"]), 0);
    assert_eq!(code(&["--fail-on", "timed-out,aborted"]), 1);
    assert_eq!(code(&["--fail-on", "aborted", "--only", "closed"]), 0);
    assert_eq!(code(&["--fail-on", "aborted", "--peer", "10.1.0.5"]), 1);
    assert_eq!(code(&["--fail-on", "aborted", "--format", "json"]), 1);
}

#[test]
fn a_file_that_is_missing_weighs_less_than_an_ending_that_must_not_be() {
    let code = |fail_on: &str| folder().run(&["x.pcap", "missing.pcap", "--fail-on", fail_on]).code;
    assert_eq!((code("aborted"), code("timed-out")), (1, 2));
}

/// How the program ends with a reader that was never there.
fn without_reader(folder: &Folder, args: &[&str]) -> Said {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = folder.command(&[&["x.pcap"], args].concat());
    Said::of(&command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap())
}

#[test]
fn a_closed_pipe_is_no_error_and_hides_no_answer() {
    let folder = folder();
    for format in [&[][..], &["--format", "json"], &["--format", "jsonl"], &["--connection", "3"]] {
        let said = without_reader(&folder, format);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{format:?}");
        let said = without_reader(&folder, &[format, &["--fail-on", "aborted"]].concat());
        assert_eq!((said.code, said.err.as_str()), (1, ""), "{format:?}");
    }
}

#[test]
fn a_reader_of_one_line_is_no_error() {
    let folder = Folder::with(&busy());
    let mut command = folder.command(&["x.pcap", "--format", "jsonl", "--fail-on", "aborted"]);
    let mut program = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::with_capacity(1, program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("{\"kind\":\"header\","), "{line}");
    let mut errors = String::new();
    program.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!((program.wait().unwrap().code(), errors.as_str()), (Some(1), ""));
}

#[test]
fn the_story_of_a_connection_is_told_in_every_format() {
    let folder = folder();
    let told = |format: &str| folder.told(&["--connection", "3", "--format", format]);
    assert_eq!(folder.told(&["--connection", "3"]), told("ladder"));
    assert_eq!(told("text"), told("ladder"));
    assert!(told("ladder").contains("reset-after-close"), "{}", told("ladder"));
    assert!(told("transcript").starts_with("# epipe transcript 1"), "{}", told("transcript"));
    assert_eq!(told("tcpdump").lines().count(), 11, "{}", told("tcpdump"));
    let story: Value = serde_json::from_str(&told("json")).unwrap();
    assert_eq!(
        (&story["connections"][0]["verdict"], &story["connections"][1]),
        (&"reset-after-close".into(), &Value::Null)
    );
    let refused = folder.run(&["x.pcap", "--connection", "3", "--format", "jsonl"]);
    assert_eq!((refused.code, refused.out.as_str()), (2, ""));
    assert!(refused.err.contains("help: --format json"), "{}", refused.err);
}

#[test]
fn only_packets_that_pass_the_filter_count() {
    let folder = folder();
    let told = folder.told(&["--filter", "host 10.1.0.5", "--format", "json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["packets"], endings(&told)), (&8.into(), vec![ORDINARY[4]]));
    assert_eq!(told["connections"][0]["first_frame"], folder.json()["connections"][4]["first_frame"]);
    let story = folder.told(&["--filter", "host 10.1.0.5", "--connection", "0", "--format", "tcpdump"]);
    assert_eq!(story.lines().count(), 8, "{story}");
}

/// More connections than are held open once they are over, some of which go on long after, and several at each server.
fn busy() -> Capture {
    let mut capture = Capture::new(Link::Ethernet);
    for n in 0..3_000_u32 {
        let to = server(u8::try_from(n % 5 + 1).unwrap(), 443);
        let mut talk = Talk::new(&mut capture, client(n), to, START + i64::from(n) * S / 50);
        talk.open().exchange();
        match n % 7 {
            0 => talk.send(Server, RST | ACK, 0),
            1 => talk.close(Server),
            2 => &mut talk,
            _ => talk.close(Client),
        };
        if n < 40 {
            // A stray, when all else is over.
            talk.wait(100 * S).send(Client, PSH | ACK, 10);
        }
    }
    capture
}

#[test]
fn every_number_of_threads_gives_the_same_bytes() {
    let folder = Folder::with(&busy());
    for format in [&[][..], &["--format", "json"], &["--format", "jsonl"], &["--top", "1000"]] {
        let told = |threads: &str| folder.told(&[format, &["--threads", threads]].concat());
        let one = told("1");
        assert!(one.len() > 2_000, "{one}");
        for threads in ["2", "4", "64"] {
            // Not assert_eq!, which would print megabytes.
            assert!(told(threads) == one, "{format:?} with {threads} threads");
        }
        assert!(folder.told(format) == one, "{format:?} without a number of threads");
    }
}

#[test]
fn segments_long_after_a_connections_end_are_counted_and_change_nothing() {
    let folder = Folder::with(&busy());
    let told = folder.json();
    assert_eq!(told["strays"], 34, "{}", told["strays"]);
    assert_eq!(told["connections"][1]["verdict"], "closed");
    let text = folder.told(&[]);
    assert!(text.contains("34 segments came long after their connection's end and were only counted"), "{text}");
}

#[test]
fn lines_of_json_are_a_header_the_connections_and_a_summary() {
    let folder = folder();
    let lines: Vec<Value> =
        folder.told(&["--format", "jsonl"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, [&["header"][..], &["connection"; 6], &["summary"]].concat());
    let mut whole = folder.json();
    for (line, connection) in lines[1..7].iter().zip(whole["connections"].as_array_mut().unwrap()) {
        connection["kind"] = "connection".into();
        assert_eq!(line, connection);
    }
    assert_eq!(lines[7]["verdicts"], whole["verdicts"]);
}

#[test]
fn what_is_written_to_a_file_is_what_stdout_gets() {
    let folder = folder();
    let said = folder.run(&["x.pcap", "-o", "out.json", "--format", "json"]);
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, "", ""));
    assert_eq!(folder.get("out.json"), folder.told(&["--format", "json"]));
    assert_eq!(folder.told(&["-o", "-", "--format", "json"]), folder.told(&["--format", "json"]));
}

#[test]
fn wrong_values_are_refused_with_help() {
    let folder = folder();
    let cases: [(&[&str], &str, &str); 11] = [
        (&["--only", "lost"], "no verdict is called \"lost\"", "closed-simultaneously"),
        (&["--fail-on", "rst"], "no verdict is called \"rst\"", "reset-after-close"),
        (&["--at", "noon"], "cannot take \"noon\" for a time", "help: --at takes"),
        (
            &["--at", "1795307257", "--within", "soon"],
            "cannot take \"soon\" for a length of time",
            "help: --within takes",
        ),
        (&["--within", "1s"], "--at", "Usage:"),
        (&["--peer", "example.org:443"], "cannot take \"example.org:443\"", "help: --peer takes"),
        (&["--connection", "6"], "no connection has the number 6: there are 6", "help: numbers count from 0"),
        (&["--connection", "one"], "invalid value 'one'", "--help"),
        (&["--format", "ladder"], "many connections cannot be shown as one story", "help: name one with --connection"),
        (&["--threads", "0"], "invalid value '0'", "--help"),
        (&["--filter", "port nowhere"], "cannot compile the filter \"port nowhere\"", "help: the language is that of"),
    ];
    for (args, why, help) in cases {
        let said = folder.run(&[&["x.pcap"], args].concat());
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{args:?}: {}", said.err);
        assert!(said.err.contains(why) && said.err.contains(help), "{args:?}: {}", said.err);
    }
}

#[test]
fn what_is_no_capture_is_refused_with_help() {
    let folder = folder();
    folder.put("empty", b"");
    folder.put("prose", b"It was the best of times, it was the worst of times.");
    for (name, why) in [("empty", "it is empty"), ("prose", "it begins with \"It was the best \"")] {
        let said = folder.run(&[name]);
        assert_eq!((said.code, said.out.as_str()), (2, ""));
        assert!(said.err.contains(why) && said.err.contains("\nhelp: "), "{}", said.err);
    }
}

#[test]
fn standard_input_is_read_once() {
    let folder = folder();
    let from_stdin = |args: &[&str]| {
        let file = std::fs::File::open(folder.path("x.pcap")).unwrap();
        Said::of(&folder.command(&[&["-"], args].concat()).stdin(file).output().unwrap())
    };
    let told: Value = serde_json::from_str(&from_stdin(&["--format", "json"]).out).unwrap();
    assert_eq!(told["connections"], folder.json()["connections"]);
    let story = from_stdin(&["--connection", "0"]);
    assert_eq!((story.code, story.out.as_str()), (2, ""));
    assert!(story.err.contains("help: save the capture in a file"), "{}", story.err);
}

/// A file's name can be anybody's.
#[test]
fn control_characters_of_a_files_name_reach_no_terminal() {
    let folder = folder();
    let name = "x\u{1b}[31m.pcap";
    folder.put(name, &ordinary(Link::Ethernet).file());
    folder.put("other\u{1b}[31m", b"no capture");
    let said = folder.run(&[name, "other\u{1b}[31m", "x.pcap"]);
    assert_eq!(said.code, 2);
    assert!(!said.out.contains('\u{1b}') && !said.err.contains('\u{1b}'), "{said:?}");
    let story = folder.run(&[name, "--connection", "0"]);
    assert!(story.code == 0 && !story.out.contains('\u{1b}'), "{story:?}");
}
