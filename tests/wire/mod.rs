//! Frames, journals and files that the tests of reading and writing share.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod comments;
pub mod told;

use std::io::Read;

use epipe::decode::{Decoded, decode};
use epipe::event::{Actor, Event, EventId, Frame, FrameNo, LinkType, Run, Time, What};
use epipe::report::pcapng::Saving;
use epipe::source::file::{Capture, Recording, read};
use epipe::story::journal::Journal;
use etherparse::PacketBuilder;

/// When everything here begins.
pub const START: Time = Time(1_795_307_257_490_341_007);

/// A frame with a segment of `payload` from port 50870 to 2222.
pub fn tcp_frame(number: u64, seq: u32, payload: &[u8]) -> Frame {
    let builder = PacketBuilder::ethernet2([0; 6], [0; 6])
        .ipv4([127, 0, 0, 1], [127, 0, 0, 1], 64)
        .tcp(50870, 2222, seq, 1025)
        .ack(7);
    let mut data = Vec::new();
    builder.write(&mut data, payload).unwrap();
    frame(number, LinkType::ETHERNET, data)
}

/// A frame with `data`.
pub fn frame(number: u64, link_type: LinkType, data: Vec<u8>) -> Frame {
    let original_len = u32::try_from(data.len()).unwrap();
    Frame { number: FrameNo(number), link_type, original_len, data: data.into(), comments: Vec::new() }
}

/// The event that a frame is.
pub fn segment(frame: Frame) -> What {
    match decode(frame.link_type, &frame.data, frame.original_len) {
        Decoded::Tcp(segment) => What::Segment { frame, segment },
        other => panic!("not a segment: {other:?}"),
    }
}

/// A journal of `whats`, a microsecond apart; calls and exits are the client's.
pub fn journal(whats: impl IntoIterator<Item = What>) -> Journal {
    let facts = vec![("kernel".to_owned(), "6.18 \"x\" ü".to_owned()), ("payload".to_owned(), "all".to_owned())];
    let mut journal = Journal::new(Run { name: "broken-pipe".to_owned(), facts, comments: Vec::new() });
    for (index, what) in whats.into_iter().enumerate() {
        let id = EventId(index as u64 + 1);
        let time = Time(START.0 + i64::try_from(index).unwrap() * 1_000);
        let actor = (!matches!(what, What::Segment { .. } | What::Gap(_))).then(|| Actor::new("client"));
        journal.append(Event { id, time, actor, late: false, what }).unwrap();
    }
    journal
}

/// The file that `saving` makes.
pub fn saved(saving: &Saving<'_>) -> Vec<u8> {
    let mut file = Vec::new();
    saving.write(&mut file).unwrap();
    file
}

/// What `file` holds.
pub fn reread(file: impl Read) -> Recording {
    read(Capture::new("saved.pcapng".to_owned(), file).unwrap(), &mut |_| true).unwrap()
}

/// A recording as a journal.
pub fn journal_of(recording: &Recording) -> Journal {
    let mut journal = Journal::new(recording.run.clone());
    for event in &recording.events {
        journal.append(event.clone()).unwrap();
    }
    journal
}
