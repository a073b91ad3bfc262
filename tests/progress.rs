//! A capture that comes slowly: the terminal shows how far it is, and Ctrl-C ends it with what was found so far.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

use std::fs::{File, OpenOptions, read_to_string};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use capture::Who::Server;
use capture::{Capture, Link, S, START, Talk};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use pty::Session;
use tempfile::TempDir;

mod capture;
mod pty;

/// How soon the first word of progress has to be there.
const SOON: Duration = Duration::from_millis(200);

/// `epipe explain` on a pipe with a name, with progress on a terminal and the answer in a file.
struct Slow {
    folder: TempDir,
    session: Session,
    pipe: File,
}

impl Slow {
    /// Started with `args`; nothing was written yet.
    fn start(args: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let fifo = folder.path().join("fifo");
        mkfifo(&fifo, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        let (program, answer) = (env!("CARGO_BIN_EXE_epipe"), answer(folder.path()));
        let line = format!("exec {program} explain {} {args} > {}", fifo.display(), answer.display());
        let session = Session::run(Path::new("/bin/sh"), &["-c", &line], &[]);
        // Waits for the program to open it too.
        let pipe = OpenOptions::new().write(true).open(&fifo).unwrap();
        Self { folder, session, pipe }
    }

    /// Writes `bytes` and waits until the terminal shows that they were read, `KiB` of all that was written.
    fn write(&mut self, bytes: &[u8], kib: usize) -> Duration {
        let start = Instant::now();
        self.pipe.write_all(bytes).unwrap();
        self.session.wait_for(&format!("epipe: {kib} KiB read; Ctrl-C ends it and shows what was found"));
        start.elapsed()
    }

    /// How it ends: the exit code, what stands on the terminal then, and the answer.
    fn end(self) -> (u32, String, String) {
        let (code, screen) = self.session.end();
        (code, screen, read_to_string(answer(self.folder.path())).unwrap())
    }
}

fn answer(folder: &Path) -> PathBuf {
    folder.join("answer")
}

/// Connections that end in order, `count` of them.
fn connections(count: u16) -> Vec<u8> {
    let mut capture = Capture::new(Link::Ethernet);
    for n in 0..count {
        let ends =
            [(1, 40_000 + n), (2, 443)].map(|(host, port)| SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, host), port));
        Talk::new(&mut capture, ends[0], ends[1], START + i64::from(n) * S).open().exchange().close(Server);
    }
    capture.file()
}

#[test]
fn progress_is_there_soon_after_the_first_byte_and_goes_on() {
    let file = connections(20);
    let mut slow = Slow::start("");
    let first = slow.write(&file[..30], 0);
    assert!(first < SOON, "{first:?}");
    slow.write(&file[30..20_480], 20);
    slow.write(&file[20_480..], file.len() / 1024);
    drop(slow.pipe);
    let (code, screen) = slow.session.end();
    let answer = read_to_string(answer(slow.folder.path())).unwrap();
    assert_eq!((code, screen.trim()), (0, ""), "the line of progress is taken away");
    assert!(answer.contains("200 TCP segments, 20 connections in 19.0 s"), "{answer}");
}

#[test]
fn control_c_ends_it_at_once_with_what_was_found() {
    let file = connections(20);
    let mut slow = Slow::start("");
    slow.write(&file[..20_000], 19);
    slow.session.press("\x03");
    let pressed = Instant::now();
    let pipe = slow.pipe.try_clone().unwrap();
    let (code, screen, answer) = slow.end();
    assert!(pressed.elapsed() < SOON, "{:?}", pressed.elapsed());
    drop(pipe);
    assert_eq!(code, 130);
    // The terminal itself echoes the key.
    assert_eq!(screen.trim().trim_start_matches("^C").trim(), "");
    let whole = (20_000 - 24) / (file.len() - 24).div_ceil(20);
    assert!(answer.contains(&format!("{whole}  closed ")), "{answer}");
}

#[test]
fn a_signal_ends_it_at_once_and_what_was_found_is_whole_json() {
    let file = connections(20);
    let mut slow = Slow::start("--format json");
    slow.write(&file[..20_000], 19);
    kill(slow.session.pid(), Signal::SIGTERM).unwrap();
    let (code, _, answer) = slow.end();
    let told: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((code, told["connections"][0]["verdict"].as_str()), (130, Some("closed")));
}

#[test]
fn without_a_terminal_no_progress_is_drawn() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.pcap");
    std::fs::write(&path, connections(3)).unwrap();
    let mut epipe = std::process::Command::new(env!("CARGO_BIN_EXE_epipe"));
    let output = epipe.arg("explain").arg(&path).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &[][..]));
}
