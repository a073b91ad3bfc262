//! `captures/`: a recording of each scenario, and what replaying one says, whole, without its calls, and changed.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

#[path = "lab/common.rs"]
mod common;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use epipe::report::json;
use epipe::source::file::Recording;
use epipe::source::lab::{compare, library};
use epipe::story::Story;
use epipe::story::alone::Verdicts;
use serde_json::Value;
use tempfile::TempDir;
use wire::comments;
use wire::{journal_of, reread};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures")
}

fn file_name(scenario: &str) -> String {
    format!("{}.pcapng", scenario.replace('/', "-"))
}

/// Every scenario's name, and the bytes of its recording.
fn recordings() -> impl Iterator<Item = (String, Vec<u8>)> {
    let scenarios = library::all().unwrap().into_iter();
    scenarios.map(|scenario| {
        let file = std::fs::read(directory().join(file_name(&scenario.name))).unwrap();
        (scenario.name, file)
    })
}

fn story(file: &[u8]) -> Story {
    let recording = reread(file);
    assert_eq!(recording.complaints, [] as [&str; 0]);
    Story::tell(journal_of(&recording))
}

fn without_comments(file: &[u8]) -> Vec<u8> {
    comments::edited(file, &mut |_| None)
}

fn epipe(arguments: &[&str], files: &[&Path]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_epipe")).args(arguments).args(files).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?} {files:?}");
    assert_eq!(output.status.code(), Some(0), "{arguments:?} {files:?}");
    output
}

#[test]
fn there_is_a_recording_of_every_scenario_and_no_other() {
    let expected: BTreeSet<String> = library::all().unwrap().iter().map(|scenario| file_name(&scenario.name)).collect();
    let entries = std::fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap());
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let found: BTreeSet<String> = files.map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_recording_is_what_its_scenario_expects() {
    for scenario in library::all().unwrap() {
        let recording: Recording = reread(File::open(directory().join(file_name(&scenario.name))).unwrap());
        assert_eq!(recording.run.name, scenario.name);
        assert_eq!(compare::compare(&scenario, &recording.events), []);
    }
}

#[test]
fn the_replay_of_every_scenario_tells_what_the_live_run_told() {
    let directory = tempfile::tempdir().unwrap();
    let [live, saved] = ["live.json", "saved.pcapng"].map(|name| directory.path().join(name));
    for scenario in common::playable() {
        let mut command = Command::new(env!("CARGO_BIN_EXE_epipe"));
        command.args(["lab", &scenario.name, "--pace", "fast", "--format", "json", "-o"]).arg(&live);
        let output = command.arg("--write").arg(&saved).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{}", scenario.name);
        assert!(output.status.success(), "{}", scenario.name);
        let replayed = epipe(&["replay", "--format", "json"], &[&saved]).stdout;
        assert!(replayed == std::fs::read(&live).unwrap(), "{}", scenario.name);
    }
}

/// Whether calls tell of states what no segment shows: that something did not arrive, or that an end gave up in silence.
fn rests_on_calls(story: &Story) -> bool {
    let records = story.journal().events().iter().filter_map(|event| story.record(event.id));
    records.flat_map(|record| &record.changes).any(|change| change.rule.is_told_by_calls())
}

#[test]
fn without_its_comments_a_recording_has_the_same_segments_and_states() {
    for (name, file) in recordings() {
        let (whole, bare) = (story(&file), story(&without_comments(&file)));
        let segments = whole.journal().events().iter().filter(|event| event.segment().is_some());
        let mut count = 0;
        for (event, bare_event) in segments.zip(bare.journal().events()) {
            assert_eq!((event.time, &event.what), (bare_event.time, &bare_event.what), "{name}");
            let [record, bare_record] = [whole.record(event.id).unwrap(), bare.record(bare_event.id).unwrap()];
            count += 1;
            assert_eq!(record.connection, bare_record.connection, "{name}");
            if rests_on_calls(&whole) {
                continue;
            }
            assert_eq!(record.changes, bare_record.changes, "{name}: {}", event.id);
            assert_eq!(record.ends.client.tcp, bare_record.ends.client.tcp, "{name}: {}", event.id);
            assert_eq!(record.ends.server.tcp, bare_record.ends.server.tcp, "{name}: {}", event.id);
        }
        assert_eq!(bare.journal().events().len(), count, "{name}");
        let has_connection = !["pipe-and-unix", "write-after-shutdown/never-connected"].contains(&name.as_str());
        assert_eq!(count > 0, has_connection, "{name}");
    }
}

#[test]
fn the_segments_alone_show_the_verdict_that_the_scenario_declares() {
    for (scenario, (name, file)) in library::all().unwrap().iter().zip(recordings()) {
        let verdicts = Verdicts::of(&story(&file));
        assert_eq!(verdicts.otherwise(scenario.verdicts.as_deref()), None, "{name}");
    }
}

#[test]
fn explain_prints_of_a_recording_what_its_segments_alone_show() {
    let directory = tempfile::tempdir().unwrap();
    for (name, file) in recordings() {
        let bare = directory.path().join("bare.pcapng");
        std::fs::write(&bare, without_comments(&file)).unwrap();
        let told: Value = serde_json::from_slice(&epipe(&["explain", "--format", "json"], &[&bare]).stdout).unwrap();
        let printed = told["connections"].as_array().unwrap().iter().map(|one| one["verdict"].as_str().unwrap());
        let alone = Verdicts::of(&story(&file)).alone.unwrap();
        assert_eq!(printed.collect::<Vec<_>>(), alone.iter().map(|told| told.name).collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn without_its_comments_a_recording_claims_no_call() {
    for (name, file) in recordings() {
        let told = json::object(&story(&without_comments(&file)));
        for event in told["events"].as_array().unwrap() {
            assert_eq!(event["kind"], "segment", "{name}: {event}");
        }
        for connection in told["connections"].as_array().unwrap() {
            for side in ["client", "server"] {
                let end = &connection[side];
                assert!(end["actor"].is_null() && end["read"].is_null() && end["kernel"].is_null(), "{name}: {end}");
                let own = |event: &&Value| event["connection"] == connection["id"] && event["side"] == *side;
                // `start:stop(length)`, once for all copies.
                let range = |event: &Value| {
                    event["text"].as_str().unwrap().split(' ').find(|word| word.contains('(')).map(str::to_owned)
                };
                let once: BTreeMap<Option<String>, u64> = told["events"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(own)
                    .map(|event| (range(event), event["length"].as_u64().unwrap()))
                    .collect();
                assert_eq!(end["sent"], once.values().sum::<u64>(), "{name}");
            }
        }
    }
}

/// The events of `told` that come from the event `id`, itself among them.
fn depending(told: &Value, id: u64) -> BTreeSet<u64> {
    let mut known = BTreeSet::from([id]);
    for event in told["events"].as_array().unwrap() {
        let causes = event.pointer("/cause/events").and_then(Value::as_array);
        if causes.is_some_and(|causes| causes.iter().any(|cause| known.contains(&cause.as_u64().unwrap()))) {
            known.insert(event["id"].as_u64().unwrap());
        }
    }
    known
}

#[test]
fn an_edited_errno_changes_that_event_and_what_depends_on_it() {
    let mut edits = 0;
    for (name, file) in recordings() {
        let before = json::object(&story(&file));
        let failed = before["events"].as_array().unwrap().iter().filter(|event| event["errno"].is_string());
        for event in failed {
            let id = event["id"].as_u64().unwrap();
            let errno = event["errno"].as_str().unwrap();
            let line = format!("epipe/1 {id} ");
            let edit = |comment: &str| {
                let edited = comment.replace(&format!("-1 {errno} "), "-1 EPROTO ");
                Some(if comment.starts_with(&line) { edited } else { comment.to_owned() })
            };
            let after = json::object(&story(&comments::edited(&file, &mut { edit })));
            let expected = depending(&before, id);
            for (was, is) in before["events"].as_array().unwrap().iter().zip(after["events"].as_array().unwrap()) {
                let this = was["id"].as_u64().unwrap();
                assert_eq!(this == id, was["errno"] != is["errno"], "{name}: {was} {is}");
                // That the kernel had given up changes what later segments meet.
                let is_told_of = errno == "ETIMEDOUT" && this > id;
                // The call's own beginning says whether it came as foretold; an error that was taken is gone for later calls.
                let (mut was, mut is) = (was.clone(), is.clone());
                for event in [&mut was, &mut is] {
                    event.as_object_mut().unwrap().remove("foretold");
                }
                assert!(was == is || is_told_of || expected.contains(&this), "{name}, event {id} edited: {was} {is}");
            }
            edits += 1;
        }
    }
    assert!(edits >= 10, "only {edits} errors were edited");
}

/// Runs a tool of Wireshark's and returns what it printed, if it had nothing to complain of.
fn wireshark(program: &str, arguments: &[&str], files: &[&Path]) -> String {
    let output = Command::new(program).args(arguments).args(files).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.lines().all(|line| line.starts_with("Running as user \"root\"")), "{program} {files:?}: {errors}");
    assert!(output.status.success(), "{program} {files:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "needs tshark"]
fn tshark_opens_every_recording_and_shows_its_calls() {
    let fields = ["-n", "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=\u{1}", "-e", "frame.number", "-e"];
    let fields = [&fields[..], &["tcp.flags", "-e", "frame.comment", "-r"]].concat();
    for (name, file) in recordings() {
        let shown = wireshark("tshark", &fields, &[&directory().join(file_name(&name))]);
        let rows: Vec<Vec<&str>> = shown.lines().map(|line| line.splitn(3, '\t').collect()).collect();
        let story = story(&file);
        let ours: Vec<(String, String)> = story
            .journal()
            .events()
            .iter()
            .filter_map(|event| event.segment())
            .map(|(frame, segment)| (frame.number.to_string(), format!("0x{:04x}", segment.flags.bits())))
            .collect();
        let theirs: Vec<(String, String)> = rows.iter().map(|row| (row[0].to_owned(), row[1].to_owned())).collect();
        assert_eq!(theirs, ours, "{name}");
        let comments: Vec<&str> = rows.iter().flat_map(|row| row[2].split('\u{1}')).collect();
        for event in story.journal().events().iter().filter(|event| event.begun().is_some() && !rows.is_empty()) {
            let lines = epipe::notation::event_lines(event, story.record(event.id).unwrap().connection);
            assert!(comments.contains(&lines[0].as_str()), "{name}: {}", lines[0]);
        }
    }
    wireshark("tshark", &["-n", "-r"], &[&directory().join("reconstructed/article.pcapng")]);
}

/// A recording, a copy of it in which somebody wrote, and that copy replayed and saved.
fn annotated(directory: &TempDir) -> [PathBuf; 3] {
    let original = self::directory().join("broken-pipe.pcapng");
    let [copy, again] = ["annotated.pcapng", "again.pcapng"].map(|name| directory.path().join(name));
    wireshark("editcap", &["-a", "8:here it was lost"], &[&original, &copy]);
    epipe(&["replay", "--format", "tcpdump", "-o", "/dev/null", "--write", again.to_str().unwrap()], &[&copy]);
    [original, copy, again]
}

#[test]
#[ignore = "needs editcap"]
fn a_persons_own_comment_stays_where_it_was_written() {
    let directory = tempfile::tempdir().unwrap();
    let [original, copy, again] = annotated(&directory);
    let told = |path: &Path| epipe(&["replay", "--format", "json"], &[path]).stdout;
    assert!(told(&original) == told(&copy) && told(&copy) == told(&again));
    let recording = reread(File::open(&again).unwrap());
    let written: Vec<(u64, &[String])> = recording
        .events
        .iter()
        .filter_map(|event| event.segment())
        .filter(|(frame, _)| !frame.comments.is_empty())
        .map(|(frame, _)| (frame.number.0, frame.comments.as_slice()))
        .collect();
    assert_eq!(written, [(8, &["here it was lost".to_owned()][..])]);
}
