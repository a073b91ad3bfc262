//! Captures that others made, whole, cut and with bytes changed: whatever the damage, what lies before it is used, nothing
//! panics or hangs, and memory stays bounded. `EPIPE_CORPUS` names the folder with the captures.
//!
//! All of it happens in this process, hundreds of thousands of times: `scripts/test-corpus` has it optimised, with overflows
//! checked.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

mod damage {
    pub mod heap;
}

use std::fmt::Write;
use std::io::{Cursor, sink};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use damage::heap;
use epipe::event::Time;
use epipe::report::explain::overview::Overview;
use epipe::report::explain::{json, text};
use epipe::source::file::{Capture, Seen};
use epipe::survey::{Detail, Found, Intake, Packet, Sighting, Summary, Survey};

/// What reading may take beside the file's own size, in bytes.
const BOUND: usize = 64 << 20;
/// The most that any reading took beside it.
static MOST: AtomicUsize = AtomicUsize::new(0);
/// Up to this length in bytes a file is cut behind each of its bytes.
const SMALL: usize = 64 << 10;
/// So often a longer file is cut, and bytes of any file are changed.
const CUTS: u64 = 2_000;
const CHANGES: u64 = 300;
/// One reading takes milliseconds; after so long it hangs.
const HANGS: Duration = Duration::from_secs(20);

/// What one reading came to.
struct Reading {
    packets: u64,
    /// Where in the file each packet ends.
    ends: Vec<u64>,
}

/// Reads `bytes` as `epipe explain` does; with `reports`, writes all that it writes.
fn read(bytes: &[u8], reports: bool) -> Reading {
    let mut reading = Reading { packets: 0, ends: Vec::new() };
    let Ok(mut capture) = Capture::new("damaged".to_owned(), Cursor::new(bytes)) else { return reading };
    let (mut intake, mut survey, mut sighting) =
        (Intake::new(0, false), Survey::new(Detail::Everything), Sighting::default());
    let mut now = Time(0);
    while let Some(seen) = capture.advance() {
        match seen {
            Ok(Seen::Packet(view)) => {
                now = view.time.unwrap_or(now);
                let packet = Packet {
                    frame: view.number,
                    time: now,
                    link_type: view.link_type,
                    interface: view.interface,
                    original_len: view.original_len,
                    data: view.data(),
                    passes: true,
                };
                if intake.packet(&packet, &mut sighting) {
                    survey.take(&sighting);
                }
                reading.ends.push(capture.offset());
            }
            Ok(Seen::Row((_, name))) => intake.row(name),
            Ok(Seen::Gap(gap)) => intake.gap(gap),
            Ok(Seen::SectionComment(_)) | Err(_) => {}
        }
    }
    let found = Survey::finish(intake.finish(capture.steps_back()), vec![survey]);
    reading.packets = found.counted.packets;
    if reports {
        write(&found);
    }
    reading
}

/// Writes the text and the JSON of `found` to nowhere.
fn write(found: &Found) {
    let (files, selected) = (["damaged".to_owned()], |_: &Summary<'_>| true);
    let overview = Overview::of(found, &selected, true, 100, 1).unwrap();
    let shown = json::Shown { files: &files, overview: &overview, selected: &selected, threads: 1 };
    json::write(found, &shown, &mut sink()).unwrap();
    let shown = text::Shown { files: &files, overview: &overview };
    text::write(found, &shown, &mut sink()).unwrap();
}

/// Reads `bytes` and holds the reading to its bounds. `what` names it.
fn hold(bytes: &[u8], reports: bool, what: &str) -> Reading {
    let before = heap::reset_peak();
    let reading = catch_unwind(AssertUnwindSafe(|| read(bytes, reports)));
    let used = heap::peak().saturating_sub(before);
    let reading = reading.unwrap_or_else(|_| panic!("{what}: panicked"));
    MOST.fetch_max(used.saturating_sub(bytes.len()), Ordering::Relaxed);
    assert!(used <= BOUND + bytes.len(), "{what}: {used} bytes of memory for {} bytes", bytes.len());
    reading
}

/// Numbers that look drawn by lot (splitmix64), the same every time.
struct Lots(u64);

impl Lots {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ mixed >> 31) % bound.max(1) as u64).unwrap()
    }
}

fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from(std::env::var_os("EPIPE_CORPUS").unwrap())];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    assert!(files.len() > 90, "{} files in the corpus", files.len());
    files
}

/// Does `each` to every file of the corpus: its name and its bytes, and what to count the readings with. Fails where no
/// reading ends for long.
fn with_every_file(each: fn(&str, &[u8], &AtomicU64)) {
    let start = Instant::now();
    let (count, (sender, receiver)) = (Arc::new(AtomicU64::new(0)), channel());
    let readings = count.clone();
    // A thread of its own counts its own memory, and can be given up.
    let worker = thread::spawn(move || {
        for path in files() {
            let name = path.display().to_string();
            sender.send(name.clone()).unwrap();
            each(&name, &std::fs::read(path).unwrap(), &readings);
        }
    });
    let (mut file, mut done) = (String::new(), 0);
    loop {
        match receiver.recv_timeout(HANGS) {
            Ok(name) => file = name,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                let now = count.load(Ordering::Relaxed);
                assert!(now > done, "{file}: a reading hangs");
                done = now;
            }
        }
    }
    assert!(worker.join().is_ok(), "see above");
    let (readings, seconds, most) =
        (count.load(Ordering::Relaxed), start.elapsed().as_secs_f64(), MOST.load(Ordering::Relaxed));
    println!(
        "{readings} readings in {seconds:.1} s; none so far took more than {} KiB beside its file",
        most.div_ceil(1024)
    );
}

#[test]
#[ignore = "needs EPIPE_CORPUS"]
fn corpus_files_are_read_within_bounds() {
    with_every_file(|name, bytes, readings| {
        hold(bytes, true, name);
        readings.fetch_add(1, Ordering::Relaxed);
    });
}

/// Every packet that ends before the cut is counted; at most the one that is cut beside (a block can lack its end and yet
/// have its whole packet), and never fewer than before an earlier cut.
#[test]
#[ignore = "needs EPIPE_CORPUS"]
fn corpus_files_that_are_cut_lose_no_packet_before_the_cut() {
    with_every_file(|name, bytes, readings| {
        let ends = read(bytes, false).ends;
        let mut lots = Lots(1);
        let mut cuts: Vec<usize> = if bytes.len() <= SMALL {
            (0..bytes.len()).collect()
        } else {
            (0..CUTS).map(|_| lots.below(bytes.len())).collect()
        };
        cuts.sort_unstable();
        let (mut what, mut before) = (String::new(), 0);
        for cut in cuts {
            what.clear();
            write!(what, "{name}, cut behind byte {cut}").unwrap();
            let packets = hold(&bytes[..cut], cut % 97 == 0, &what).packets;
            let whole = ends.partition_point(|end| *end <= cut as u64);
            assert!((whole as u64..=whole as u64 + 1).contains(&packets), "{what}: {packets} packets, {whole} before");
            assert!(packets >= before, "{what}: {packets} packets, and {before} with an earlier cut");
            before = packets;
            readings.fetch_add(1, Ordering::Relaxed);
        }
    });
}

/// One byte is another, or some in a row are: every packet that ends before is counted.
#[test]
#[ignore = "needs EPIPE_CORPUS"]
fn corpus_files_with_changed_bytes_lose_no_packet_before_the_change() {
    with_every_file(|name, bytes, readings| {
        let ends = read(bytes, false).ends;
        let mut lots = Lots(2);
        for _ in 0..CHANGES {
            // Half of the changes hit the beginning, where headers are.
            let bound = if lots.below(2) == 0 { bytes.len().min(256) } else { bytes.len() };
            let (at, len) = (lots.below(bound), 1 + lots.below(4) * lots.below(2));
            let mut changed = bytes.to_vec();
            for byte in changed.iter_mut().skip(at).take(len) {
                let replacements = [*byte ^ 1 << lots.below(8), 0, 0xff, u8::try_from(lots.below(256)).unwrap()];
                *byte = replacements[lots.below(4)];
            }
            let what = format!("{name}, {len} bytes changed from byte {at} on");
            let packets = hold(&changed, true, &what).packets;
            let before = ends.partition_point(|end| *end <= at as u64);
            assert!(packets >= before as u64, "{what}: {packets} packets of {before}");
            readings.fetch_add(1, Ordering::Relaxed);
        }
    });
}
