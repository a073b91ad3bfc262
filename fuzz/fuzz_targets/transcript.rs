//! A transcript of any text behind its title. What is read is told, and the transcript that is written of it can be read.
#![no_main]

use epipe::report::transcript::write;
use epipe::source::transcript::read;
use epipe::story::Story;
use epipe::story::journal::Journal;
use libfuzzer_sys::fuzz_target;

/// So many events are told as a story; more take longer and show nothing else.
const TOLD: usize = 64;

const TITLE: &[u8] = b"# epipe transcript 1   fuzzed   start 1795307257.490341000\n";

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut recording) = read("fuzzed", &[TITLE, bytes].concat()[..]) else { return };
    recording.events.truncate(TOLD);
    let mut journal = Journal::new(recording.run);
    for event in recording.events {
        journal.append(event).expect("ids count from 1 without a gap");
    }
    let mut written = Vec::new();
    write(&Story::tell(journal), &mut written).expect("nothing fails to be written to memory");
    assert!(written.iter().all(|byte| *byte == b'\n' || !byte.is_ascii_control()), "control characters are written");
    read("written", &written[..]).expect("what is written can be read");
});
