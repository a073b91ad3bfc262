//! The README's first screen is what the program prints.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

use std::process::Command;

/// An ephemeral port is another one in every recording; it has five digits in all of them.
fn without_port(line: &str) -> String {
    let Some((before, after)) = line.split_once("CLIENT :") else { return line.to_owned() };
    format!("{before}CLIENT :_____{}", after.get(5..).unwrap_or(""))
}

#[test]
fn the_first_screen_is_the_ladder_of_the_recording() {
    let root = env!("CARGO_MANIFEST_DIR");
    let readme = std::fs::read_to_string(format!("{root}/README.md")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_epipe"))
        .args(["replay", &format!("{root}/captures/broken-pipe.pcapng"), "--format", "ladder"])
        .output()
        .unwrap();
    let printed: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(without_port).collect();
    let block = readme.strip_prefix("```\n").unwrap().split_once("\n```").unwrap().0;
    assert!(block.lines().count() >= 16, "the first screen shows the whole ladder");
    let mut rest = printed.as_slice();
    for line in block.lines().map(without_port) {
        let at = rest.iter().position(|other| *other == line);
        let at = at.unwrap_or_else(|| panic!("the ladder has no such line here: {line:?}"));
        rest = &rest[at + 1..];
    }
}

/// An ephemeral port and a time are others in every recording.
fn without_what_differs(line: &str) -> String {
    let mut words: Vec<&str> = line.split(' ').collect();
    for word in &mut words {
        let is_client = word.starts_with("127.0.0.1:") && !word.ends_with(":2222");
        if is_client || word.parse::<f64>().is_ok_and(|_| word.contains('.')) {
            *word = "_";
        }
    }
    words.join(" ")
}

#[test]
fn what_explain_prints_of_the_recording_stands_in_it() {
    let root = env!("CARGO_MANIFEST_DIR");
    let readme = std::fs::read_to_string(format!("{root}/README.md")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_epipe"))
        .args(["explain", "captures/broken-pipe.pcapng"])
        .current_dir(root)
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("reset-after-close"), "{printed}");
    let lines: Vec<String> = readme.lines().map(without_what_differs).collect();
    for line in printed.lines().filter(|line| !line.is_empty()) {
        let quoted = without_what_differs(&format!("    {line}"));
        assert!(lines.contains(&quoted), "README has no line {quoted:?}");
    }
}

#[test]
fn the_list_of_scenarios_is_the_programs() {
    let readme = std::fs::read_to_string(format!("{}/README.md", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_epipe")).args(["lab", "--list"]).output().unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    assert!(readme.contains(&format!("```\n{listed}```\n")), "README does not hold what epipe lab --list prints");
}
