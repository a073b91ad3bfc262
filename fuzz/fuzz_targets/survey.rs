//! A capture of any bytes, as a pcap file without its header, of which the first byte says whether it was taken with `-i any`.
//! Three surveys find what one finds, and where nothing was captured twice they judge a connection as its story does.
#![no_main]

use std::io::Cursor;

use epipe::decode::{Decoded, decode};
use epipe::event::{Event, EventId, Frame, Run, Time, What};
use epipe::report::explain::{json, text};
use epipe::source::file::{Capture, Item};
use epipe::story::Story;
use epipe::story::journal::Journal;
use epipe::report::explain::overview::Overview;
use epipe::survey::{Detail, Found, Intake, Packet, Sighting, Summary, Survey};
use libfuzzer_sys::fuzz_target;

/// A frame with its time.
type Captured = (Frame, Time);

/// So many connections are told as stories.
const TOLD: usize = 4;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let link_type: u32 = if kind % 2 == 0 { 1 } else { 276 };
    let header: Vec<u8> = [0xa1b2_3c4d, 0x0004_0002, 0, 0, 262_144, link_type]
        .iter()
        .flat_map(|number: &u32| number.to_le_bytes())
        .collect();
    let capture = Capture::new("fuzzed".to_owned(), Cursor::new([&header, rest].concat())).expect("it begins as one");
    let packets: Vec<Captured> = capture
        .filter_map(|item| match item {
            Ok(Item::Packet(record)) => Some((record.frame, record.time?)),
            _ => None,
        })
        .collect();
    let one = survey(&packets, 1);
    assert_eq!(reports(&one), reports(&survey(&packets, 3)));
    if link_type == 1 {
        for connection in one.connections().take(TOLD) {
            agree(&packets, &connection);
        }
    }
});

fn survey(packets: &[Captured], of: usize) -> Found {
    let mut intake = Intake::new(0x5eed, false);
    let mut surveys: Vec<Survey> = (0..of).map(|_| Survey::new(Detail::Everything)).collect();
    let mut sighting = Sighting::default();
    for (frame, time) in packets {
        let packet = Packet {
            frame: frame.number,
            time: *time,
            link_type: frame.link_type,
            interface: 0,
            original_len: frame.original_len,
            data: &frame.data,
            passes: true,
        };
        if intake.packet(&packet, &mut sighting) {
            surveys[sighting.share(of)].take(&sighting);
        }
    }
    Survey::finish(intake.finish(0), surveys)
}

fn reports(found: &Found) -> [String; 2] {
    let (files, selected) = (["fuzzed".to_owned()], |_: &Summary<'_>| true);
    let overview = Overview::of(found, &selected, true, 10, 1).expect("no thread panics");
    let (mut object, mut prose) = (Vec::new(), Vec::new());
    let shown = json::Shown { files: &files, overview: &overview, selected: &selected, threads: 1 };
    json::write(found, &shown, &mut object).expect("nothing fails to be written to memory");
    let shown = text::Shown { files: &files, overview: &overview };
    text::write(found, &shown, &mut prose).expect("nothing fails to be written to memory");
    [object, prose].map(|bytes| String::from_utf8(bytes).expect("reports are text"))
}

/// The story of `connection` alone has its verdict.
fn agree(packets: &[Captured], connection: &Summary<'_>) {
    let mut journal = Journal::new(Run { name: "fuzzed".to_owned(), facts: Vec::new(), comments: Vec::new() });
    for (place, (frame, time)) in (1..).zip(packets) {
        let is_last = frame.number == connection.frames().1;
        match decode(frame.link_type, &frame.data, frame.original_len) {
            Decoded::Tcp(segment) if connection.has(place, segment.src, segment.dst) => {
                let id = EventId(journal.events().len() as u64 + 1);
                let what = What::Segment { frame: frame.clone(), segment };
                let event = Event { id, time: *time, actor: None, late: false, what };
                journal.append(event).expect("ids count from 1 without a gap");
            }
            // Put together from fragments, it is no frame's alone.
            Decoded::Other("IP fragment") => return,
            _ => {}
        }
        if is_last {
            break;
        }
    }
    let story = Story::tell(journal);
    let [alone] = story.connections() else { panic!("{} connections in the story of one", story.connections().len()) };
    let verdict = story.verdict(alone.id).expect("a connection has a verdict");
    let facts = connection.facts();
    assert_eq!(verdict.name, facts.name().text());
    assert_eq!(verdict.certainty, facts.certainty());
    assert_eq!(verdict.sentences, facts.sentences());
}
