//! Every recording and every small transcript of the repository, and what none of them has.

use std::path::Path;

use epipe::event::{Event, FrameNo, Gap, What};
use epipe::source::transcript;
use epipe::story::journal::Journal;

use super::{journal, journal_of, reread};

/// Their journals.
pub fn journals() -> Vec<Journal> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["captures", "captures/reconstructed", "tests/stories"]
        .map(|folder| std::fs::read_dir(root.join(folder)).unwrap());
    let paths = files.into_iter().flatten().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let told = paths.map(|path| {
        let file = std::fs::File::open(&path).unwrap();
        let is_transcript = path.extension().is_some_and(|end| end == "txt");
        journal_of(&if is_transcript { transcript::read("x", file).unwrap() } else { reread(file) })
    });
    let why = || "why".to_owned();
    let gaps = [
        Gap::Dropped(1),
        Gap::Malformed { frame: FrameNo(1), why: why() },
        Gap::CutShort { bytes: 1 },
        Gap::NoCapture(why()),
        Gap::Unsettled(why()),
        Gap::ClockStep(1),
        Gap::Untraced("a ring of io_uring".to_owned()),
    ];
    let mut late = Journal::default();
    for event in journal(gaps.map(What::Gap)).events() {
        late.append(Event { late: true, ..event.clone() }).unwrap();
    }
    told.chain([late]).collect()
}
