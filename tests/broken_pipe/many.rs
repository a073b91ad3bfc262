//! One run is like the next.

use std::collections::HashMap;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::common::{AS_NOBODY, installed};

/// How many runs are compared, where `EPIPE_RUNS` does not say.
const RUNS: usize = 40;

/// What a run tells, as JSON.
fn run(program: &Path) -> Value {
    let mut command = Command::new(program);
    command.args(["lab", "broken-pipe", "--pace", "fast", "--format", "json"]);
    let output = command.uid(AS_NOBODY).gid(AS_NOBODY).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The same story in every run: without times, ports, initial numbers and process ids, events in [`order`].
fn normalised(mut story: Value) -> String {
    let client = story["connections"][0]["client"]["endpoint"].as_str().unwrap().to_owned();
    let events = order(story["events"].take().as_array().unwrap());
    let ids: HashMap<u64, usize> =
        events.iter().zip(1..).map(|(event, number)| (event["id"].as_u64().unwrap(), number)).collect();
    story["events"] = events.into_iter().map(|event| renumbered(event, &ids)).collect();
    let text = serde_json::to_string_pretty(&without_chance(story)).unwrap();
    text.replace(&client, "127.0.0.1:CLIENT")
}

/// Between the beginning of one call and the next: first the segments, then the ends of calls. Which of these is first is
/// not the lab's choice: a call returns when the scheduler lets it, which may be before or after the segment that the
/// peer's kernel sends by a timer (the FIN's acknowledgement), and a connect and its accept return on two processors.
fn order(events: &[Value]) -> Vec<Value> {
    let mut ordered: Vec<Value> = Vec::new();
    let mut stretch = 0;
    for event in events {
        if event["kind"] == "begun" {
            ordered[stretch..].sort_by_key(rank);
            stretch = ordered.len();
        }
        ordered.push(event.clone());
    }
    ordered[stretch..].sort_by_key(rank);
    ordered
}

fn rank(event: &Value) -> (u8, String) {
    let actor = event["actor"].as_str().unwrap_or_default().to_owned();
    match event["kind"].as_str().unwrap() {
        "started" => (0, actor),
        "begun" => (1, actor),
        "segment" => (2, String::new()),
        "ended" => (3, actor),
        "exited" => (4, actor),
        _ => (5, String::new()),
    }
}

/// `event` and its references with their numbers in the new order.
fn renumbered(mut event: Value, ids: &HashMap<u64, usize>) -> Value {
    let renumber = |id: &mut Value| *id = ids[&id.as_u64().unwrap()].into();
    renumber(&mut event["id"]);
    if event["begun"].is_u64() {
        renumber(&mut event["begun"]);
    }
    if let Some(causes) = event.pointer_mut("/cause/events").and_then(Value::as_array_mut) {
        causes.iter_mut().for_each(renumber);
    }
    event
}

/// `value` without what differs by its nature.
fn without_chance(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields
                .into_iter()
                .filter(|(name, _)| !["time", "start", "duration", "pid", "isn"].contains(&name.as_str()));
            kept.map(|(name, value)| (name, without_chance(value))).collect()
        }
        Value::Array(values) => values.into_iter().map(without_chance).collect(),
        Value::String(text) => Value::String(without_timestamps(&text)),
        other => other,
    }
}

/// `TS val 1 ecr 2` with `*` for both numbers; an ecr of 0 stays.
fn without_timestamps(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let end = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
        let counted = words.last().is_some_and(|last| last == "val" || last == "ecr");
        let starred = counted && end > 0 && &word[..end] != "0";
        words.push(if starred { format!("*{}", &word[end..]) } else { word.to_owned() });
    }
    words.join(" ")
}

/// Nine frames, S first and R last, and every segment begins where its sender's last one ended.
fn assert_shape(story: &Value) {
    let segments: Vec<&Value> =
        story["events"].as_array().unwrap().iter().filter(|event| event["kind"] == "segment").collect();
    let numbers: Vec<u64> = segments.iter().map(|segment| segment["frame"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=9).collect::<Vec<_>>());
    let flags = |index: usize| segments[index]["flags"].as_str().unwrap();
    assert_eq!((flags(0), flags(8)), ("S", "R"));
    let mut next: HashMap<&str, u64> = HashMap::new();
    for segment in segments {
        let text = segment["text"].as_str().unwrap();
        let range = text.split_whitespace().find_map(|word| word.split_once('(')?.0.split_once(':')).unwrap();
        let [start, end] = [range.0, range.1].map(|number| number.parse::<u64>().unwrap());
        assert_eq!(end - start, segment["length"].as_u64().unwrap(), "{text}");
        let side = segment["side"].as_str().unwrap();
        assert_eq!(start, next.get(side).copied().unwrap_or(0), "{text}");
        let flags = segment["flags"].as_str().unwrap();
        next.insert(side, end + u64::from(flags.contains('S') || flags.contains('F')));
    }
    assert_eq!((next["client"], next["server"]), (11, 2));
}

#[test]
#[ignore = "needs root, to become nobody"]
fn one_run_is_like_the_next() {
    let runs = std::env::var("EPIPE_RUNS").map_or(RUNS, |runs| runs.parse().unwrap());
    let (_directory, program) = installed();
    let first = run(&program);
    assert_shape(&first);
    let first = normalised(first);
    for number in 2..=runs {
        let story = run(&program);
        assert_shape(&story);
        let raw = story.to_string();
        let story = normalised(story);
        if story != first {
            let differs = first.lines().zip(story.lines()).find(|(one, other)| one != other);
            panic!("run {number} of {runs}: {differs:?}\n{raw}");
        }
    }
}
