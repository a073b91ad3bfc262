//! What is found in the recordings: in those that show a mistake that one, and in those that end well nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod wire;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use epipe::event::EventId;
use epipe::socket::call::CallName;
use epipe::story::Story;
use epipe::story::findings::Finding;
use wire::{journal_of, reread};

/// The stories of the recordings, by name.
fn recordings() -> BTreeMap<String, Story> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let captures = paths.filter(|path| path.extension().is_some_and(|extension| extension == "pcapng"));
    let told = captures.map(|path| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, Story::tell(journal_of(&reread(File::open(path).unwrap()))))
    });
    told.collect()
}

fn names(found: &[Finding]) -> Vec<String> {
    found.iter().map(|finding| format!("{} {}", finding.side.name(), finding.kind.name())).collect()
}

#[test]
fn each_recording_has_the_findings_of_its_lesson_and_no_other() {
    let found: BTreeMap<String, Vec<String>> = recordings()
        .into_iter()
        .map(|(name, story)| (name, names(story.findings())))
        .filter(|(_, found)| !found.is_empty())
        .collect();
    let client_lost = &["client bytes-lost"][..];
    let server_lost = &["server bytes-lost"][..];
    let unread = &["server closed-unread", "client bytes-lost"][..];
    let expected: BTreeMap<String, Vec<String>> = [
        ("big-send", client_lost),
        ("big-send-blocked", unread),
        ("broken-pipe", client_lost),
        ("broken-pipe-blocked", client_lost),
        ("broken-pipe-far", client_lost),
        ("broken-pipe-far-server", client_lost),
        ("broken-pipe-fin-acked-by-data", client_lost),
        ("broken-pipe-killed", &["client bytes-lost", "client killed-by-sigpipe"]),
        ("broken-pipe-so-error", client_lost),
        ("bystander-reset", &["client bytes-lost", "server bytes-lost"]),
        ("close-wait-leak", &["server never-closed"]),
        ("copy-left-open-inherited", &["server kept-open-by-copy"]),
        ("fin-wait-2-leak", &["server never-closed"]),
        ("killed-unread", client_lost),
        ("killed-unread-read", client_lost),
        ("last-word-close", server_lost),
        ("last-word-wrong-length", unread),
        ("peer-rebooted", client_lost),
        ("peer-silent-keepalive", server_lost),
        ("peer-silent-user-timeout", client_lost),
        ("ping-pang", client_lost),
        ("ping-pang-hasty", unread),
        // A Linux client can still read what had arrived before the reset.
        ("reply-lost", unread),
        ("reply-lost-kept", unread),
        ("reset-peeked", unread),
        ("reset-unread", unread),
        ("reset-unread-blocked", unread),
        ("shutdown-both", &["client bytes-lost", "server sent-after-shutdown"]),
        ("shutdown-both-write-queue", &["client sent-after-shutdown"]),
        ("stale-pool", &["client bytes-lost", "client used-after-its-end"]),
        ("tls-ticket", &["client closed-unread", "server bytes-lost"]),
        ("write-after-shutdown", &["client sent-after-shutdown"]),
    ]
    .into_iter()
    .map(|(name, found)| (name.to_owned(), found.iter().map(|one| (*one).to_owned()).collect()))
    .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_finding_rests_on_calls_of_its_connection() {
    for (name, story) in recordings() {
        let of = |event: Option<EventId>| event.and_then(|id| story.record(id)?.connection);
        for finding in story.findings() {
            assert!(!finding.calls.is_empty() && finding.calls.is_sorted(), "{name}: {finding:?}");
            for call in &finding.calls {
                let (made, _) = story.call(*call).unwrap();
                // An accept is the connection's once it has ended, and an exit ends several.
                let connections = [of(Some(*call)), of(story.end_of(*call))];
                let is_its = made.name == CallName::Exit || connections.contains(&Some(finding.connection));
                assert!(is_its, "{name}: {finding:?}");
            }
        }
    }
}

#[test]
fn a_leak_and_a_lost_byte_are_told_in_a_sentence() {
    let recordings = recordings();
    let told = |name: &str| recordings[name].findings()[0].text.clone();
    assert_eq!(told("broken-pipe"), "5 bytes that the client's send() had reported as taken never reached a program.");
    assert!(told("close-wait-leak").starts_with("the server read the end at 0."), "{}", told("close-wait-leak"));
    assert_eq!(
        recordings["broken-pipe-killed"].findings()[1].text,
        "the client's send() drew SIGPIPE, which ended it."
    );
}
