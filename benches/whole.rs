//! `epipe explain` as a whole process, against libpcap alone (and tshark and tcptrace) on the same capture, in one run.
//!
//! `EPIPE_BIG=capture.pcap cargo bench --bench whole`; `benches/make-capture` makes one. Without it a small capture is made up,
//! which says little. `EPIPE_SLOW=1` runs tshark and tcptrace too, once each, which takes minutes. benches/README.md has figures.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run is to fail")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// How often each pair is run.
const PAIRS: usize = 7;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let capture = std::env::var_os("EPIPE_BIG").map_or_else(|| made_up(folder.path()), PathBuf::from);
    let floor = floor(folder.path());
    println!("{}: {} MB", capture.display(), fs::metadata(&capture).unwrap().len() / 1_000_000);
    // In memory where that can be had: a disk that is behind with writing is not what is timed.
    let memory = tempfile::tempdir_in("/dev/shm").ok();
    let answer = memory.as_ref().unwrap_or(&folder).path().join("answer");
    let runs = [
        ("text, 1 thread", "text", "1"),
        ("text, 2 threads", "text", "2"),
        ("jsonl, 1 thread", "jsonl", "1"),
        ("jsonl, 2 threads", "jsonl", "2"),
    ];
    for (name, format, threads) in runs {
        let explain = || {
            // Into a new file each time: to empty an old one is not what is timed.
            let _ = fs::remove_file(&answer);
            let mut command = Command::new(env!("CARGO_BIN_EXE_epipe"));
            command.arg("explain").arg(&capture).args(["--format", format, "--threads", threads, "-o"]).arg(&answer);
            command
        };
        let libpcap = || {
            let mut command = Command::new(&floor);
            command.arg(&capture);
            command
        };
        compare(name, explain, libpcap);
        if name == "jsonl, 2 threads" {
            // The largest of all children so far, which tshark and tcptrace are not among yet.
            let peak = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss();
            println!("peak resident memory of any of these: {} MiB", peak / 1024);
        }
    }
    if std::env::var_os("EPIPE_SLOW").is_some() {
        slow(&capture, &answer);
    }
}

/// Prints the median times and the median ratio of `one` and `other`, run in turn.
fn compare(name: &str, one: impl Fn() -> Command, other: impl Fn() -> Command) {
    // Once for the page cache.
    time(one());
    time(other());
    let pairs: Vec<(Duration, Duration)> = (0..PAIRS).map(|_| (time(one()), time(other()))).collect();
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let ours = median(pairs.iter().map(|(one, _)| one.as_secs_f64()).collect());
    let theirs = median(pairs.iter().map(|(_, other)| other.as_secs_f64()).collect());
    let ratio = median(pairs.iter().map(|(one, other)| one.as_secs_f64() / other.as_secs_f64()).collect());
    println!("{name:<18} {ours:.3} s, libpcap alone {theirs:.3} s, ratio {ratio:.2}");
}

fn time(mut command: Command) -> Duration {
    let start = Instant::now();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
    start.elapsed()
}

/// What others need for less: to list the conversations.
fn slow(capture: &Path, answer: &Path) {
    let mut explain = Command::new(env!("CARGO_BIN_EXE_epipe"));
    explain.arg("explain").arg(capture).args(["--format", "jsonl", "-o"]).arg(answer);
    let ours = time(explain).as_secs_f64();
    let mut tshark = Command::new("tshark");
    tshark.args(["-q", "-z", "conv,tcp", "-r"]).arg(capture);
    let mut tcptrace = Command::new("tcptrace");
    tcptrace.arg("-n").arg(capture);
    for (name, command) in [("tshark -q -z conv,tcp", tshark), ("tcptrace -n", tcptrace)] {
        let theirs = time(command).as_secs_f64();
        println!("{name:<24} {theirs:.1} s, explain --format jsonl {ours:.2} s, {:.0} times as fast", theirs / ours);
    }
}

/// libpcap's own loop, compiled.
fn floor(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/libpcap-floor.c");
    let program = folder.join("libpcap-floor");
    let status = Command::new("cc").arg("-O2").arg(source).args(["-lpcap", "-o"]).arg(&program).status().unwrap();
    assert!(status.success(), "cc: {status}");
    program
}

/// A capture of connections that end in order, eight packets each.
fn made_up(folder: &Path) -> PathBuf {
    println!("EPIPE_BIG is not set: a small capture is made up, which says little");
    let path = folder.join("made-up.pcap");
    let mut bytes = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1].map(u32::to_le_bytes).concat();
    for connection in 0..50_000_u32 {
        connection_of(connection, &mut bytes);
    }
    fs::write(&path, bytes).unwrap();
    path
}

fn connection_of(connection: u32, bytes: &mut Vec<u8>) {
    const STEPS: [(bool, u8, u32, u32, u16); 8] = [
        (true, 0x02, 0, 0, 0),
        (false, 0x12, 0, 1, 0),
        (true, 0x10, 1, 1, 0),
        (true, 0x18, 1, 1, 100),
        (false, 0x18, 1, 101, 400),
        (false, 0x11, 401, 101, 0),
        (true, 0x11, 101, 402, 0),
        (false, 0x10, 402, 102, 0),
    ];
    let client = [10, 1, 0, 0, connection.to_be_bytes()[2], connection.to_be_bytes()[3]];
    for (step, (from_client, flags, seq, ack, len)) in (0..).zip(STEPS) {
        let (own, peer) = (&client[..4], [10, 0, 0, 7]);
        let port = [client[4] | 0x80, client[5]];
        let ends = if from_client { [own, &peer] } else { [&peer, own] };
        let ports = if from_client { [port, [1, 187]] } else { [[1, 187], port] };
        let mut frame = vec![0; 12];
        frame.extend([8, 0, 0x45, 0]);
        frame.extend((40 + len).to_be_bytes());
        frame.extend([0, 1, 0x40, 0, 64, 6, 0, 0]);
        frame.extend(ends.concat());
        frame.extend(ports.concat());
        frame.extend((seq + 1000).to_be_bytes());
        frame.extend(if flags & 0x10 == 0 { 0_u32 } else { ack + 1000 }.to_be_bytes());
        frame.extend([0x50, flags, 1, 0, 0, 0, 0, 0]);
        frame.resize(frame.len() + usize::from(len), b'x');
        let captured = u32::try_from(frame.len()).unwrap();
        let head = [connection / 1000, connection % 1000 * 1000 + step * 10, captured, captured];
        bytes.extend(head.map(u32::to_le_bytes).concat());
        bytes.extend(frame);
    }
}
