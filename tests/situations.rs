//! The verdict on each capture of a folder of endings, whose `verdicts.tsv` says what the packets alone allow to be said.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The commands that judge: one by a story, one by a survey.
const COMMANDS: [&str; 2] = ["replay", "explain"];

/// The first connection of `capture` that has a SYN, as `command` tells it.
fn first_connection(command: &str, capture: &Path) -> Value {
    let mut epipe = Command::new(env!("CARGO_BIN_EXE_epipe"));
    let output = epipe.args([command, "--format", "json"]).arg(capture).output().unwrap();
    assert!(output.status.success(), "{command} {}: {output:?}", capture.display());
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let opened = |connection: &&Value| connection["client"]["syn"].is_u64();
    told["connections"].as_array().unwrap().iter().find(opened).unwrap().clone()
}

/// Whether `told` is one of those that `allowed` lists: `*` for any, `-` for none.
fn allows(allowed: &str, told: &Value) -> bool {
    let told = told.as_str().unwrap_or("-");
    allowed.split('|').any(|one| one == "*" || one == told)
}

#[test]
fn corpus_of_endings_is_judged_as_listed() {
    let Some(folder) = std::env::var_os("EPIPE_SITUATIONS").map(PathBuf::from) else {
        eprintln!("not run: situations (EPIPE_SITUATIONS unset)");
        return;
    };
    let list = std::fs::read_to_string(folder.join("verdicts.tsv")).unwrap();
    let rows: Vec<Vec<&str>> =
        list.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect()).collect();
    println!("{} endings, judged by {COMMANDS:?}", rows.len());
    assert!(!rows.is_empty());
    let mut wrong = String::new();
    for row in rows {
        assert_eq!(row.len(), 4, "{row:?}");
        for command in COMMANDS {
            let connection = first_connection(command, &folder.join(format!("{}.pcap", row[0])));
            let told = ["verdict", "first_closer", "reset_from"].map(|field| &connection[field]);
            if !row[1..].iter().zip(told).all(|(allowed, told)| allows(allowed, told)) {
                wrong += &format!("{command}: {row:?}: told {told:?}\n");
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
