//! The house: who may import whom, and what the rooms have promised. Read from the sources themselves, so that a line
//! which leaves the design is a failing test and not a matter of taste.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

use std::fs;
use std::path::{Path, PathBuf};

mod house {
    pub mod source;
}
use house::source::Source;

/// Each room with the rooms that it may import. One way only:
/// `tcp ← {socket, decode} ← event ← notation ← {source, story} ← {report, tui} ← app ← main`.
const HOUSE: [(&str, &[&str]); 14] = [
    ("tcp", &[]),
    ("socket", &["tcp"]),
    ("decode", &["tcp"]),
    ("event", &["tcp", "socket", "decode"]),
    ("notation", &["tcp", "socket", "decode", "event"]),
    ("source", &["tcp", "socket", "decode", "event", "notation"]),
    ("story", &["tcp", "socket", "decode", "event", "notation"]),
    ("report", &["tcp", "socket", "decode", "event", "notation", "source", "story", "survey"]),
    ("tui", &["tcp", "socket", "decode", "event", "notation", "source", "story"]),
    ("survey", &["tcp", "socket", "decode", "event", "notation", "source", "story"]),
    ("cli", &[]),
    ("memory", &[]),
    ("app", &["tcp", "socket", "decode", "event", "notation", "source", "story", "survey", "report", "tui", "cli"]),
    ("main", &["source", "app", "cli", "memory"]),
];

/// Rooms that do no I/O: what they say is a function of what they are given.
const PURE: [&str; 7] = ["tcp", "socket", "decode", "event", "notation", "story", "survey"];

/// Paths that do I/O. Addresses (`SocketAddr`, `IpAddr`) are values and stay allowed.
const IO: [&str; 13] = [
    "std::fs",
    "std::process",
    "std::thread",
    "std::env",
    "std::time::SystemTime",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::net::UdpSocket",
    "std::os",
    "nix",
    "libc",
    "pcap",
    "crossterm",
];

/// Lines that a file may have beside its tests, unless its head says why it has more.
const LONGEST: usize = 400;
/// How the head of a longer file begins the line that says so.
const EXCUSE: &str = "//! Over 400 lines because";

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    assert!(!files.is_empty(), "no source file below {}", root.display());
    files.iter().map(|file| Source::read(&root, file)).filter(|source| !source.is_test()).collect()
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn hold(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

fn may_import(room: &str) -> &'static [&'static str] {
    let found = HOUSE.iter().find(|(name, _)| *name == room);
    found.unwrap_or_else(|| panic!("the room {room} has no place in the house: give it one in tests/house.rs")).1
}

#[test]
fn imports_go_one_way_only() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| source.room() != "lib") {
        let allowed = may_import(source.room());
        for (line, room) in source.imports() {
            if room != source.room() && !allowed.contains(&room.as_str()) {
                broken.push(format!("{}:{line}: {} must not import {room}", source.name(), source.room()));
            }
        }
    }
    hold(&broken);
}

#[test]
fn pure_rooms_do_no_io() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| PURE.contains(&source.room())) {
        for (line, path) in source.paths() {
            if IO.iter().any(|io| path == *io || path.starts_with(&format!("{io}::"))) {
                broken.push(format!("{}:{line}: {} does no I/O, but names {path}", source.name(), source.room()));
            }
        }
        for name in ["println!", "eprintln!", "print!", "eprint!", "dbg!"] {
            broken
                .extend(source.lines_with(name).map(|line| format!("{}:{line}: {name} in a pure room", source.name())));
        }
    }
    hold(&broken);
}

#[test]
fn nothing_panics_on_purpose() {
    let mut broken = Vec::new();
    for source in &sources() {
        for name in [".unwrap()", ".expect(", ".unwrap_err()", "panic!", "todo!", "unimplemented!", "unreachable!"] {
            broken
                .extend(source.lines_with(name).map(|line| format!("{}:{line}: {name} outside tests", source.name())));
        }
    }
    hold(&broken);
}

#[test]
fn files_stay_short() {
    let mut broken = Vec::new();
    for source in &sources() {
        let lines = source.lines_besides_tests();
        if lines > LONGEST && !source.head().any(|line| line.starts_with(EXCUSE)) {
            broken.push(format!("{}: {lines} lines: split it, or say why at its top: {EXCUSE} …", source.name()));
        }
    }
    hold(&broken);
}

#[test]
fn a_module_is_a_file_of_its_name() {
    let by_old_name: Vec<String> = sources()
        .iter()
        .filter(|source| source.name().ends_with("/mod.rs"))
        .map(|source| source.name().into())
        .collect();
    hold(&by_old_name);
}
