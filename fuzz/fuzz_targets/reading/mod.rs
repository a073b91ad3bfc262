//! What must hold of a file however it is read.

use std::io::{Cursor, sink};

use epipe::report::{json, transcript};
use epipe::source::file::{Capture, read};
use epipe::story::Story;
use epipe::story::journal::Journal;

/// So many events are told as a story; more take longer and show nothing else.
const TOLD: usize = 16;

/// Holds `file` to it.
pub fn hold(file: &[u8]) {
    let capture = || Capture::new("fuzzed".to_owned(), Cursor::new(file));
    let Ok(kept) = capture() else { return };
    let Ok(mut lent) = capture() else { panic!("the same file is one capture and is none") };
    let mut held = 0;
    for item in kept {
        let seen = lent.advance().expect("what is kept is lent too").map(|seen| seen.to_item());
        match (item, seen) {
            (Ok(item), Ok(seen)) => {
                assert_eq!(item, seen);
                if let epipe::source::file::Item::Packet(record) = &item {
                    held += record.frame.data.len();
                }
            }
            (Err(one), Err(other)) => assert_eq!(one.to_string(), other.to_string()),
            (one, other) => panic!("kept {one:?}, lent {other:?}"),
        }
    }
    assert!(lent.advance().is_none());
    assert!(held <= file.len(), "{held} bytes of packets in a file of {}", file.len());
    let Ok(mut recording) = read(capture().expect("it was one before"), &mut |_| true) else { return };
    recording.events.truncate(TOLD);
    let mut journal = Journal::new(recording.run);
    for event in recording.events {
        journal.append(event).expect("ids count from 1 without a gap");
    }
    let story = Story::tell(journal);
    transcript::write(&story, &mut sink()).expect("nothing fails to be written to nowhere");
    json::write(&story, &mut sink()).expect("nothing fails to be written to nowhere");
}
