//! What many connections of a capture have in common.

use serde_json::Value;

use super::common::{Folder, client, server};
use crate::capture::Who::{Client, Server};
use crate::capture::{ACK, Capture, FIN, Link, MS, PSH, RST, S, START, SYN, Talk};

/// A number that looks drawn by lot, the same every time.
fn scattered(n: u32, below: i64) -> i64 {
    (i64::from(n.wrapping_mul(0x9e37_79b9) >> 16) * below) >> 16
}

/// A time below `below` that is this connection's own.
fn own(talk: &Talk<'_>, below: i64) -> i64 {
    scattered(talk.ends[0].port().into(), below)
}

/// Adds `count` connections to three servers, silent for scattered times before one end closes in order.
fn add_orderly(capture: &mut Capture, count: u32) {
    for n in 0..count {
        let to = server(20 + u8::try_from(n % 3).unwrap(), 8080);
        let mut talk = Talk::new(capture, client(n), to, START + scattered(n, 600 * S));
        let first = if n % 2 == 0 { Client } else { Server };
        talk.open().exchange().wait(scattered(n ^ 0x5a5a, 250 * S)).close(first);
    }
}

/// A capture to which `add` adds `count` connections to 10.0.0.7:443 among `others` in order.
fn among(others: u32, count: u32, add: impl Fn(&mut Talk<'_>)) -> Folder {
    let mut capture = Capture::new(Link::Ethernet);
    add_orderly(&mut capture, others);
    for n in 0..count {
        let at = START + scattered(n ^ 0xf00, 500 * S);
        add(&mut Talk::new(&mut capture, client(10_000 + n), server(7, 443), at));
    }
    Folder::with(&capture)
}

/// The patterns as JSON has them.
fn patterns(folder: &Folder) -> Vec<Value> {
    folder.json()["patterns"].as_array().unwrap().clone()
}

/// The only pattern, whose kind, count, whole and server are these, and which stands in the text.
fn only(folder: &Folder, kind: &str, count: u64, of: u64) -> Value {
    let all = patterns(folder);
    let [one] = &all[..] else { panic!("not one pattern: {all:#?}") };
    let told = (one["kind"].as_str().unwrap(), one["count"].as_u64().unwrap(), one["of"].as_u64().unwrap());
    assert_eq!(told, (kind, count, of), "{one:#}");
    assert_eq!(one["server"], "10.0.0.7:443");
    assert_eq!(one["examples"].as_array().unwrap().len(), 3);
    let (text, sentence) = (folder.told(&[]), one["text"].as_str().unwrap());
    let head = unwrapped(&text, 10);
    assert!(head.contains(sentence), "{sentence}\n{text}");
    assert!(head.contains(&format!("fix: {}", &one["fix"].as_str().unwrap()[..20])), "{text}");
    one.clone()
}

/// The first lines of `text` with their breaks taken out.
fn unwrapped(text: &str, lines: usize) -> String {
    text.lines().take(lines).flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

#[test]
fn resets_after_the_same_silence_stand_in_the_first_ten_lines() {
    let folder = among(2_000, 200, |talk| {
        talk.open().exchange().wait(60 * S - MS / 5).send(Server, RST | ACK, 0);
    });
    let text = folder.told(&[]);
    let sentence = "200 of 200 resets come 60.0 s after the last byte: an idle limit of 60 s at 10.0.0.7:443";
    assert!(unwrapped(&text, 10).contains(sentence), "{text}");
    let pattern = only(&folder, "idle-limit", 200, 200);
    assert_eq!((&pattern["side"], &pattern["idle"]), (&"server".into(), &"60.000200000".into()));
    assert_eq!(folder.json()["verdicts"], serde_json::json!({"aborted": 200, "closed": 2_000}));
}

#[test]
fn orderly_ends_after_the_same_silence_are_an_idle_limit_too() {
    let folder = among(100, 30, |talk| {
        talk.open().exchange().wait(15 * S).close(Server);
    });
    let pattern = only(&folder, "idle-limit", 30, 30);
    let sentence = "30 of 30 FINs come 15.0 s after the last byte: an idle limit of 15 s at 10.0.0.7:443";
    assert_eq!(pattern["text"], sentence);
}

#[test]
fn a_limit_at_the_clients_is_said_to_be_theirs() {
    let folder = among(100, 30, |talk| {
        talk.open().exchange().wait(30 * S).send(Client, RST | ACK, 0);
    });
    assert_eq!(only(&folder, "idle-limit", 30, 30)["side"], "client");
}

#[test]
fn requests_on_connections_that_the_server_has_closed_are_stale_reuse() {
    let folder = among(100, 5, |talk| {
        talk.open().exchange().send(Server, FIN | ACK, 0).send(Client, ACK, 0);
        let idle = own(talk, 90 * S);
        talk.wait(idle).send(Client, PSH | ACK, 120);
        let mut reset = talk.tcp(Server, RST, 0);
        reset.seq = talk.next[1];
        talk.put(&reset);
    });
    let all = patterns(&folder);
    let kinds: Vec<&str> = all.iter().map(|pattern| pattern["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["stale-reuse", "lost-bytes"], "{all:#?}");
    assert_eq!((&all[0]["count"], &all[0]["of"], &all[1]["lost"]), (&5.into(), &5.into(), &600.into()));
    assert_eq!(folder.json()["verdicts"]["reset-after-close"], 5);
}

#[test]
fn answers_of_hosts_that_have_forgotten_the_connection_are_a_pattern() {
    let folder = among(100, 4, |talk| {
        let idle = 2 * S + own(talk, 900 * S);
        talk.open().exchange().wait(idle).send(Client, PSH | ACK, 120);
        let mut reset = talk.tcp(Server, RST, 0);
        reset.seq = talk.next[1];
        talk.put(&reset);
    });
    let all = patterns(&folder);
    assert_eq!((&all[0]["kind"], &all[0]["count"]), (&"forgotten".into(), &4.into()), "{all:#?}");
}

#[test]
fn refused_connects_are_a_pattern_of_their_target() {
    let folder = among(100, 7, |talk| {
        talk.send(Client, SYN, 0).send(Server, RST | ACK, 0);
    });
    only(&folder, "refusals", 7, 7);
    assert_eq!(folder.json()["verdicts"]["refused"], 7);
}

#[test]
fn connects_that_nothing_answers_are_a_pattern_of_their_target() {
    let folder = among(100, 6, |talk| {
        let syn = talk.tcp(Client, SYN, 0);
        talk.put(&syn).wait(S).put(&syn).wait(2 * S).put(&syn);
    });
    only(&folder, "silent-syns", 6, 6);
    assert_eq!(folder.json()["verdicts"]["unanswered"], 6);
}

#[test]
fn ends_that_wait_in_close_wait_are_a_pattern() {
    let folder = among(100, 4, |talk| {
        talk.now = START;
        talk.open().exchange().send(Server, FIN | ACK, 0).send(Client, ACK, 0);
    });
    let pattern = only(&folder, "close-wait", 4, 4);
    assert_eq!(pattern["side"], "client");
    assert_eq!(folder.json()["verdicts"]["half-closed"], 4);
}

#[test]
fn bytes_that_a_server_never_took_are_a_pattern() {
    let folder = among(100, 5, |talk| {
        talk.open().exchange().send(Client, PSH | ACK, 300).send(Client, PSH | ACK, 200).send(Server, RST | ACK, 0);
    });
    let pattern = only(&folder, "lost-bytes", 5, 5);
    assert_eq!(pattern["lost"], 2_500);
}

#[test]
fn resets_with_the_hop_limit_of_another_host_are_a_pattern() {
    let folder = among(100, 4, |talk| {
        let idle = own(talk, 40 * S);
        talk.open().exchange().wait(idle);
        let reset = talk.tcp(Server, RST | ACK, 0);
        talk.put(&crate::capture::Tcp { hops: 251, ..reset });
    });
    let pattern = only(&folder, "bystander-resets", 4, 4);
    assert!(pattern["text"].as_str().unwrap().contains("a box between may have sent them"), "{pattern}");
}

#[test]
fn resets_that_leave_their_senders_count_are_a_pattern_and_said_of_each() {
    let folder = among(100, 4, |talk| {
        let idle = own(talk, 40 * S);
        talk.open().exchange().wait(idle);
        let reset = talk.tcp(Server, RST | ACK, 0);
        talk.put(&crate::capture::Tcp { id: reset.id.wrapping_add(30_000), ..reset });
    });
    let pattern = only(&folder, "bystander-resets", 4, 4);
    let example = pattern["examples"][0].as_u64().unwrap();
    let story = folder.told(&["--connection", &example.to_string()]);
    assert!(story.contains("IP identification is"), "{story}");
    assert!(story.contains("A capture at the server would tell"), "{story}");
}

#[test]
fn resets_that_all_come_from_one_side_are_a_pattern() {
    let folder = among(100, 12, |talk| {
        let idle = own(talk, 40 * S);
        talk.open().exchange().wait(idle).send(Server, RST | ACK, 0);
    });
    let pattern = only(&folder, "one-sided-resets", 12, 12);
    assert_eq!(pattern["side"], "server");
}

#[test]
fn a_healthy_capture_has_no_pattern() {
    let folder = among(500, 0, |_| {});
    assert_eq!(patterns(&folder), [] as [Value; 0]);
    let text = folder.told(&[]);
    for word in ["Patterns", "fix:", "Worth looking at", "Beside that"] {
        assert!(!text.contains(word), "{text}");
    }
    assert!(text.contains("500  closed "), "{text}");
}
