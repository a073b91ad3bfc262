//! Captures that others made, held to what tshark says of each of their streams. `EPIPE_CORPUS` names the folder with the
//! captures and with `oracle.jsonl`, an object for each of them.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// How the oracle calls the counters that we print.
const COUNTERS: [(&str, &str); 6] =
    [("packets", "pkts"), ("bytes", "bytes"), ("syn", "syn"), ("synack", "synack"), ("fin", "fin"), ("rst", "rst")];

/// Of how many streams our reading is tshark's. Streams that we do not find count as different.
#[derive(Debug, Default)]
struct Score {
    streams: u32,
    counts: u32,
    completeness: u32,
    analysis: u32,
}

impl Score {
    /// In percent; of no streams at all, not a number, which no bound accepts.
    fn share(&self, equal: u32) -> f64 {
        100.0 * f64::from(equal) / f64::from(self.streams)
    }
}

fn corpus() -> PathBuf {
    PathBuf::from(std::env::var_os("EPIPE_CORPUS").unwrap())
}

fn oracle() -> Vec<Value> {
    let text = fs::read_to_string(corpus().join("oracle.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The connections that `epipe explain` finds in the file at `path`, by their first frame; none where it is no capture, which
/// the program says.
fn connections(path: &Path) -> BTreeMap<u64, Value> {
    let mut epipe = Command::new(env!("CARGO_BIN_EXE_epipe"));
    let output = epipe.args(["explain", "--format", "json"]).arg(path).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    if output.stdout.is_empty() {
        assert_eq!(output.status.code(), Some(2), "{}: {said}", path.display());
        assert!(said.contains("is not a capture"), "{}: {said}", path.display());
        return BTreeMap::new();
    }
    assert_eq!(output.status.code(), Some(0), "{}: {said}", path.display());
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let all = told["connections"].as_array().unwrap();
    all.iter().map(|connection| (connection["first_frame"].as_u64().unwrap(), connection.clone())).collect()
}

/// Our two ends in the order of the oracle's `a` and `b`.
fn ends<'a>(ours: &'a Value, theirs: &Value) -> [(&'a Value, &'static str); 2] {
    let plain = |end: &Value| end.as_str().unwrap().replace(['[', ']'], "").to_lowercase();
    let (client, server) = (&ours["client"], &ours["server"]);
    if plain(&client["endpoint"]) == plain(&theirs["a"]) {
        [(client, "a"), (server, "b")]
    } else {
        [(server, "a"), (client, "b")]
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

/// Our counters under the oracle's names.
fn counts(ours: &Value, theirs: &Value) -> (Value, Value) {
    let mut both = (json!({}), json!({}));
    for (end, letter) in ends(ours, theirs) {
        for (name, their_name) in COUNTERS {
            both.0[name][letter] = json!(number(&end[name]));
            both.1[name][letter] = json!(number(&theirs[their_name][letter]));
        }
    }
    both
}

/// The flags with how often each end has them, ours and the oracle's.
fn analysis(ours: &Value, theirs: &Value) -> (Value, Value) {
    let mut both = (json!({}), json!({}));
    for (end, letter) in ends(ours, theirs) {
        for (name, count) in end["analysis"].as_object().into_iter().flatten() {
            both.0[name][letter] = count.clone();
        }
        for (name, counts) in theirs["analysis"].as_object().into_iter().flatten() {
            if number(&counts[letter]) > 0 {
                both.1[name][letter] = counts[letter].clone();
            }
        }
    }
    both
}

/// Whether both are equal; prints them where not.
fn equal(place: &str, what: &str, (ours, theirs): (Value, Value)) -> u32 {
    if ours != theirs {
        println!("{place}: {what}: {ours}, tshark {theirs}");
    }
    u32::from(ours == theirs)
}

fn compare(file: &Value, score: &mut Score) {
    let name = file["file"].as_str().unwrap();
    let found = connections(&corpus().join(name));
    let streams = file["streams"].as_array().unwrap();
    let firsts: Vec<u64> = streams.iter().map(|stream| number(&stream["first_frame"])).collect();
    for extra in found.keys().filter(|first| !firsts.contains(first)) {
        println!("{name}, frame {extra}: a connection where tshark begins no stream");
    }
    for (theirs, first) in streams.iter().zip(firsts) {
        score.streams += 1;
        let place = format!("{name}, frame {first}");
        let Some(ours) = found.get(&first) else {
            println!("{place}: no connection");
            continue;
        };
        let completeness = (ours["wireshark_completeness"].clone(), theirs["completeness_2pass"].clone());
        score.counts += equal(&place, "counts", counts(ours, theirs));
        score.completeness += equal(&place, "completeness", completeness);
        score.analysis += equal(&place, "analysis", analysis(ours, theirs));
    }
}

#[test]
#[ignore = "needs EPIPE_CORPUS"]
fn corpus_streams_are_counted_as_tshark_counts_them() {
    let mut score = Score::default();
    for file in oracle() {
        compare(&file, &mut score);
    }
    let shares = [score.counts, score.completeness, score.analysis].map(|equal| score.share(equal));
    let [counts, completeness, analysis] = shares;
    println!(
        "{} streams: counts {counts:.2} %, completeness {completeness:.2} %, analysis {analysis:.2} %",
        score.streams
    );
    for (what, share, least) in
        [("counts", counts, 99.5), ("completeness", completeness, 99.7), ("analysis", analysis, 99.7)]
    {
        assert!(share >= least, "{what}: {share:.2} % of the streams are equal, and {least} % have been");
    }
}
