//! docs/scenario.md lists the keys and calls that there are, and its example does what it says.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use epipe::socket::call::{Arg, Call, CallName};
use epipe::source::lab::action::Action;
use epipe::source::lab::scenario::Scenario;

fn document() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scenario.md")).unwrap()
}

/// What stands between the lines of three backquotes, the first of which names `language`.
fn block(language: &str) -> String {
    let document = document();
    let (_, behind) = document.split_once(&format!("\n```{language}\n")).unwrap();
    behind.split_once("\n```\n").unwrap().0.to_owned() + "\n"
}

#[test]
fn the_calls_are_those_that_the_lab_can_make() {
    let form = |name| Action::of(&Call::new(name, vec![Arg::Word("?".to_owned()); 9])).unwrap_err();
    let known: BTreeSet<String> =
        CallName::all().map(form).filter(|form| form != "a call that the lab can make").collect();
    let documented: BTreeSet<String> = block("text").lines().map(str::to_owned).collect();
    let missing: Vec<&String> = known.difference(&documented).collect();
    let stale: Vec<&String> = documented.difference(&known).collect();
    assert!(missing.is_empty(), "docs/scenario.md lacks under \"The calls\": {missing:#?}");
    assert!(stale.is_empty(), "docs/scenario.md has under \"The calls\", but the lab has not: {stale:#?}");
}

#[test]
fn the_keys_are_those_that_are_read() {
    let refused = Scenario::parse("x.toml", "no-such-key = 1\n").unwrap_err().to_string();
    let known = refused.split_once("expected one of ").unwrap().1;
    let known: BTreeSet<&str> = known.split(['`', ',', ' ']).filter(|word| !word.is_empty()).collect();
    let document = document();
    let table = document.split_once("\n## The keys\n").unwrap().1.split_once("\n### ").unwrap().0;
    let documented: BTreeSet<&str> =
        table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(documented, known);
}

#[test]
fn the_example_does_what_it_expects() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("mine.toml");
    std::fs::write(&file, block("toml")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_epipe")).args(["lab", "--check"]).arg(&file).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.ends_with("\n1 as expected, 0 otherwise, 0 skipped\n"), "{said}");
}

/// Each in the place of the example's script, behind the calls that it needs.
#[test]
fn every_line_of_the_table_can_be_read() {
    let document = document();
    let table = document.split_once("\n## The lines of a script\n").unwrap().1.split_once("\n## ").unwrap().0;
    let lines: Vec<&str> = table.lines().filter_map(|line| line.strip_prefix("| `")?.split("` |").next()).collect();
    assert!(lines.len() >= 12, "{lines:?}");
    for line in lines {
        let waits = if line.starts_with("client  recv … =") { "client  recv(3, 1024, 0) …\n" } else { "" };
        let opened = "client  socket(AF_INET, SOCK_STREAM, 0) = 3\n";
        let source = format!("name = \"x\"\nscript = '''\n{opened}{waits}{line}\n'''\n");
        Scenario::parse("x.toml", &source).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}

#[test]
fn help_and_readme_name_the_document() {
    let help = Command::new(env!("CARGO_BIN_EXE_epipe")).args(["lab", "--help"]).output().unwrap();
    assert!(String::from_utf8(help.stdout).unwrap().contains("docs/scenario.md"));
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    assert!(readme.contains("(docs/scenario.md)"));
}
