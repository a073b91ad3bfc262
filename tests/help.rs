//! What `--help` prints fits a terminal of 80 columns, and the README names every command.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

use std::process::Command;

fn help(args: &[&str]) -> String {
    let mut epipe = Command::new(env!("CARGO_BIN_EXE_epipe"));
    String::from_utf8(epipe.args(args).env("COLUMNS", "80").output().unwrap().stdout).unwrap()
}

/// The commands that `epipe -h` lists.
fn commands() -> Vec<String> {
    let text = help(&["-h"]);
    let list = text.split_once("Commands:\n").unwrap().1.split_once("\n\n").unwrap().0;
    let named = list.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    let commands: Vec<String> = named.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    assert!(commands.contains(&"explain".to_owned()), "{commands:?}");
    commands
}

#[test]
fn no_line_of_help_is_wider_than_80_columns() {
    for command in commands().iter().filter(|command| *command != "help") {
        for flag in ["-h", "--help"] {
            let text = help(&[command, flag]);
            let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
            assert!(!text.is_empty() && wide.is_empty(), "{command} {flag}: {wide:?}");
        }
    }
}

#[test]
fn the_readme_names_every_command() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    for command in commands().iter().filter(|command| *command != "help") {
        assert!(readme.contains(&format!("| `epipe {command}")), "{command}");
    }
}
