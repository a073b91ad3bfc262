//! What a survey says of a connection is what the story of that connection alone says, whatever else the capture holds and
//! however many surveys share it.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

mod capture;
mod survey {
    pub mod random;
}

use std::collections::BTreeSet;
use std::io::Cursor;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use capture::Who::{Client, Server};
use capture::{ACK, Link, RST, START, SYN, Talk};
use epipe::decode::{Decoded, decode};
use epipe::event::{Event, EventId, Frame, FrameNo, Run, Time, What};
use epipe::report::explain::overview::Overview;
use epipe::report::explain::{json, shape, text};
use epipe::report::json::object;
use epipe::source::file::{Capture, Item};
use epipe::story::Story;
use epipe::story::journal::Journal;
use epipe::story::verdict::Name;
use epipe::survey::{Detail, Found, Intake, Packet, Sighting, Summary, Survey};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use survey::random::{interleaved, noise};

/// A packet to be surveyed.
#[derive(Clone, Debug)]
struct Captured {
    frame: Frame,
    time: Time,
    interface: u32,
}

/// The packets of a pcap file.
fn packets(file: Vec<u8>) -> Vec<Captured> {
    let items = Capture::new("random.pcap".to_owned(), Cursor::new(file)).unwrap();
    let packet = |item| match item {
        Ok(Item::Packet(record)) => Captured { frame: record.frame, time: record.time.unwrap(), interface: 0 },
        other => panic!("not a packet: {other:?}"),
    };
    items.map(packet).collect()
}

/// What `of` surveys that share `packets` find, those aside that `skips`.
fn survey(packets: &[Captured], of: usize, skips: &dyn Fn(&Captured) -> bool) -> Found {
    let mut intake = Intake::new(0x5eed, false);
    let mut surveys: Vec<Survey> = (0..of).map(|_| Survey::new(Detail::Everything)).collect();
    let mut sighting = Sighting::default();
    for packet in packets {
        let packet = Packet {
            frame: packet.frame.number,
            time: packet.time,
            link_type: packet.frame.link_type,
            interface: packet.interface,
            original_len: packet.frame.original_len,
            data: &packet.frame.data,
            passes: !skips(packet),
        };
        if intake.packet(&packet, &mut sighting) {
            surveys[sighting.share(of)].take(&sighting);
        }
    }
    Survey::finish(intake.finish(0), surveys)
}

/// What `found` is as text for people and as both kinds of JSON.
fn reports(found: &Found, threads: usize) -> [String; 3] {
    let (files, selected) = (["random.pcap".to_owned()], |_: &Summary<'_>| true);
    let overview = Overview::of(found, &selected, false, 10, threads).unwrap();
    let shown = json::Shown { files: &files, overview: &overview, selected: &selected, threads };
    let (mut object, mut lines, mut prose) = (Vec::new(), Vec::new(), Vec::new());
    json::write(found, &shown, &mut object).unwrap();
    json::write_lines(found, &shown, &mut lines).unwrap();
    let shown = text::Shown { files: &files, overview: &overview };
    text::write(found, &shown, &mut prose).unwrap();
    [object, lines, prose].map(|bytes| String::from_utf8(bytes).unwrap())
}

/// The two ends of the segment in a packet, the lower first.
fn ends(packet: &Captured) -> Option<(SocketAddr, SocketAddr)> {
    match decode(packet.frame.link_type, &packet.frame.data, packet.frame.original_len) {
        Decoded::Tcp(segment) => Some((segment.src.min(segment.dst), segment.src.max(segment.dst))),
        _ => None,
    }
}

/// The story of a connection alone, told as `epipe explain --connection` tells it.
fn story(packets: &[Captured], connection: &Summary<'_>) -> Story {
    let mut journal = Journal::new(Run { name: "random".to_owned(), facts: Vec::new(), comments: Vec::new() });
    for (place, packet) in (1..).zip(packets) {
        let Captured { frame, time, .. } = packet.clone();
        let Decoded::Tcp(segment) = decode(frame.link_type, &frame.data, frame.original_len) else { continue };
        let is_last = frame.number == connection.frames().1;
        if connection.has(place, segment.src, segment.dst) {
            let id = EventId(journal.events().len() as u64 + 1);
            let what = What::Segment { frame, segment };
            journal.append(Event { id, time, actor: None, late: false, what }).unwrap();
        }
        if is_last {
            break;
        }
    }
    Story::tell(journal)
}

/// What both say of a connection as a whole.
const SHARED: [&str; 13] = [
    "first_frame",
    "last_frame",
    "start",
    "duration",
    "verdict",
    "certainty",
    "why",
    "first_closer",
    "reset_from",
    "reset_frame",
    "wireshark_completeness",
    "zeek_conn_state",
    "zeek_history",
];

/// What both say of an end; counters that are 0 may be left out.
const SHARED_OF_ENDS: [&str; 8] = ["packets", "bytes", "syn", "synack", "fin", "rst", "lost", "state"];

/// What of `told` is said alike by a survey and by a story. Whether ports are used again, a connection alone cannot know.
fn shared(told: &Value) -> Value {
    let or_zero = |value: &Value| if value.is_null() { Value::from(0) } else { value.clone() };
    let mut kept: serde_json::Map<_, _> = SHARED.iter().map(|name| ((*name).to_owned(), told[*name].clone())).collect();
    for side in ["client", "server"] {
        let end = &told[side];
        let mut own: serde_json::Map<_, _> =
            SHARED_OF_ENDS.iter().map(|name| ((*name).to_owned(), or_zero(&end[*name]))).collect();
        let mut analysis = end["analysis"].as_object().cloned().unwrap_or_default();
        analysis.remove("reused_ports");
        own.insert("analysis".to_owned(), analysis.into());
        own.insert("endpoint".to_owned(), end["endpoint"].clone());
        kept.insert(side.to_owned(), own.into());
    }
    kept.into()
}

fn told(connection: &Summary<'_>) -> Value {
    serde_json::to_value(shape::Connection::of(connection)).unwrap()
}

/// What a survey says of a connection, as a story would say it: a survey's JSON has only the first sentences of the verdict.
fn as_a_story(connection: &Summary<'_>) -> Value {
    let mut told = told(connection);
    let whole = connection.facts().sentences().join(" ");
    assert!(whole.starts_with(told["why"].as_str().unwrap()), "{told:#}");
    told["why"] = whole.into();
    told
}

/// What is said of a connection, whatever number it has.
fn without_number(connection: &Summary<'_>) -> Value {
    let mut told = told(connection);
    told.as_object_mut().unwrap().remove("id").unwrap();
    told
}

proptest! {
    /// How it ended and in whose name, every state, count and byte, and the reasons word by word.
    #[test]
    fn survey_and_story_of_a_connection_agree(capture in interleaved()) {
        let packets = packets(capture.file());
        let found = survey(&packets, 1, &|_| false);
        prop_assert_eq!(found.counted.tcp_packets, packets.len() as u64);
        for connection in found.connections() {
            let story = story(&packets, &connection);
            let [alone] = story.connections() else {
                panic!("{} connections in the story of one: {:#}", story.connections().len(), told(&connection))
            };
            prop_assert_eq!(alone.ending, connection.facts().ending);
            prop_assert_eq!(shared(&object(&story)["connections"][0]), shared(&as_a_story(&connection)));
        }
    }

    #[test]
    fn a_connection_is_judged_alike_alone_and_among_others(capture in interleaved()) {
        let packets = packets(capture.file());
        let together = survey(&packets, 1, &|_| false);
        let addresses: BTreeSet<_> = packets.iter().filter_map(ends).collect();
        let mut alone = Vec::new();
        for own in addresses {
            let found = survey(&packets, 1, &|packet| ends(packet) != Some(own));
            alone.extend(found.connections().map(|connection| (connection.frames(), without_number(&connection))));
        }
        alone.sort_by_key(|(frames, _)| *frames);
        let together: Vec<_> =
            together.connections().map(|connection| (connection.frames(), without_number(&connection))).collect();
        prop_assert_eq!(together, alone);
    }

    /// Copies at several interfaces, translated addresses and packets that are not TCP included.
    #[test]
    fn surveys_that_share_a_capture_find_what_one_finds(
        capture in interleaved(),
        interfaces in proptest::collection::vec(0..3_u32, 1..20),
        noise in proptest::collection::vec(noise(), 0..4),
    ) {
        let mut packets = packets(capture.file());
        for (packet, interface) in packets.iter_mut().zip(interfaces.iter().cycle()) {
            packet.interface = *interface;
        }
        let copies: Vec<Captured> = packets.iter().step_by(3).cloned().collect();
        packets.extend(copies);
        packets.extend(noise.into_iter().map(|(frame, time)| Captured { frame, time: Time(time), interface: 0 }));
        packets.sort_by_key(|packet| packet.time);
        for (number, packet) in (1..).zip(&mut packets) {
            packet.frame.number = FrameNo(number);
        }
        let one = reports(&survey(&packets, 1, &|_| false), 1);
        for of in [2, 4] {
            prop_assert_eq!(&reports(&survey(&packets, of, &|_| false), of), &one, "{} shares", of);
        }
    }

    #[test]
    fn no_frame_makes_a_survey_panic(
        frames in proptest::collection::vec(noise(), 0..40),
        real in interleaved(),
        cuts in proptest::collection::vec(0..80_usize, 1..20),
    ) {
        let mut packets = packets(real.file());
        for (packet, cut) in packets.iter_mut().zip(cuts) {
            let len = packet.frame.data.len().min(cut);
            packet.frame.data = packet.frame.data[..len].into();
        }
        packets.extend(frames.into_iter().map(|(frame, time)| Captured { frame, time: Time(time), interface: 1 }));
        for (number, packet) in (1..).zip(&mut packets) {
            packet.frame.number = FrameNo(number);
        }
        let found = survey(&packets, 1, &|_| false);
        prop_assert_eq!(found.counted.packets, packets.len() as u64);
        let counted = &found.counted;
        let passed_over: u64 = counted.passed_over.values().sum();
        prop_assert!(counted.tcp_packets + counted.malformed + passed_over >= counted.packets);
        for told in reports(&found, 1) {
            prop_assert!(!told.contains(|c: char| c.is_control() && c != '\n'), "{}", told);
        }
    }
}

/// Both judge `capture` alike; what the survey found.
fn agreed(capture: &capture::Capture) -> Vec<Value> {
    let packets = packets(capture.file());
    let found = survey(&packets, 1, &|_| false);
    let all = found.connections().map(|connection| {
        assert_eq!(shared(&object(&story(&packets, &connection))["connections"][0]), shared(&as_a_story(&connection)));
        told(&connection)
    });
    all.collect()
}

fn end_of(host: u8) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, host), 5_000)
}

#[test]
fn what_a_socket_sends_itself_is_its_clients() {
    let mut capture = capture::Capture::new(Link::Ethernet);
    Talk::new(&mut capture, end_of(4), end_of(4), START).send(Client, SYN | ACK, 0);
    let [only] = &agreed(&capture)[..] else { panic!() };
    assert_eq!((&only["client"]["synack"], &only["server"]["packets"]), (&1.into(), &Value::Null));
}

/// An end's number can be known from its peer's acknowledgement alone.
#[test]
fn a_syn_with_a_number_behind_what_was_acknowledged_opens_another_connection() {
    let mut capture = capture::Capture::new(Link::Ethernet);
    let mut talk = Talk::new(&mut capture, end_of(9), end_of(1), START);
    talk.send(Client, SYN, 0).send(Client, ACK, 0).send(Server, SYN, 0);
    let starts: Vec<Value> = agreed(&capture).into_iter().map(|told| told["first_frame"].clone()).collect();
    assert_eq!(starts, [1, 3]);
}

/// What explains nothing but that a reset is one is no reason.
#[test]
fn without_calls_nobody_knows_why_an_end_gave_up() {
    let mut capture = capture::Capture::new(Link::Ethernet);
    let mut talk = Talk::new(&mut capture, end_of(1), end_of(9), START);
    // Joined midstream at the number 0, it looks like the answer to a SYN.
    talk.next[1] = 0;
    talk.send(Client, ACK, 0).send(Server, RST | ACK, 0).send(Client, ACK, 0);
    let [only] = &agreed(&capture)[..] else { panic!() };
    assert!(!only["why"].as_str().unwrap().contains("the reason"), "{only:#}");
}

#[test]
fn captures_drawn_by_lot_hold_every_verdict() {
    let mut lots = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..300 {
        let packets = packets(interleaved().new_tree(&mut lots).unwrap().current().file());
        seen.extend(survey(&packets, 1, &|_| false).connections().map(|connection| connection.verdict()));
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), Name::ALL);
}
