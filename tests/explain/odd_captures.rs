//! Captures as they are taken: at several interfaces, without data frames, cut, of one direction, with offload.

use serde_json::Value;

use super::common::{Folder, ORDINARY, client, endings, ordinary, server};
use crate::capture::Who::Client;
use crate::capture::{Capture, FIN, Link, MS, RST, S, START, SYN, Talk};

/// Where the header of TCP begins behind Ethernet's and that of IP without options.
const TCP: usize = 34;

/// What is told of the connections of `capture`.
fn told(capture: &Capture) -> Value {
    Folder::with(capture).json()
}

/// The sum of a field of both ends of all connections.
fn sum(told: &Value, name: &str) -> u64 {
    let ends = told["connections"].as_array().unwrap().iter().flat_map(|one| [&one["client"], &one["server"]]);
    ends.filter_map(|end| end[name].as_u64()).sum()
}

/// `capture`, of which a second interface sees each packet again 20 µs later, as `edit` makes it.
fn seen_twice(capture: &Capture, edit: impl Fn(&mut [u8])) -> Capture {
    let mut twice = Capture::new(Link::Sll2(1));
    let mut copies = capture.clone();
    copies.edit(|(time, bytes, _)| {
        let packet = bytes.split_off(20);
        twice.add_bytes(*time, Link::Sll2(1), &packet);
        let mut again = packet.clone();
        edit(&mut again);
        twice.add_bytes(*time + MS / 50, Link::Sll2(2), &again);
    });
    twice
}

#[test]
fn segments_that_two_interfaces_saw_are_counted_once_and_that_is_said() {
    let once = ordinary(Link::Sll2(1));
    let folder = Folder::with(&seen_twice(&once, |_| {}));
    let (once, twice) = (told(&once), folder.json());
    assert_eq!(endings(&once), ORDINARY);
    assert_eq!(endings(&twice), ORDINARY);
    for count in ["packets", "bytes", "syn", "synack", "fin", "rst", "lost"] {
        assert_eq!(sum(&twice, count), sum(&once, count), "{count}");
    }
    assert_eq!(twice["tcp_packets"].as_u64(), once["tcp_packets"].as_u64().map(|count| 2 * count));
    let copies = twice["connections"].as_array().unwrap().iter().map(|one| one["copies"].as_u64().unwrap());
    assert_eq!(copies.sum::<u64>(), once["tcp_packets"].as_u64().unwrap());
    assert!(twice["connections"].as_array().unwrap().iter().all(|one| one["client"]["judged"].is_null()));
    let said = "52  segments seen again at another interface, counted once";
    assert!(folder.told(&[]).contains(said), "{}", folder.told(&[]));
    assert!(!Folder::with(&ordinary(Link::Sll2(1))).told(&[]).contains("seen again"));
}

#[test]
fn packets_that_bear_an_earlier_time_are_counted() {
    let capture = ordinary(Link::Ethernet);
    let (folder, mut file) = (Folder::with(&capture), capture.file());
    // The seconds of the first packet, behind the file's header.
    file[25] += 1;
    folder.put("x.pcap", &file);
    let told = folder.told(&[]);
    assert!(told.contains("1 packet with an earlier time than the one before it"), "{told}");
}

#[test]
fn the_story_of_a_connection_that_two_interfaces_saw_is_told_once() {
    let folder = Folder::with(&seen_twice(&ordinary(Link::Sll2(1)), |_| {}));
    for (id, (verdict, ..)) in (0..).zip(ORDINARY) {
        let story: Value =
            serde_json::from_str(&folder.told(&["--connection", &format!("{id}"), "--format", "json"])).unwrap();
        assert_eq!(story["connections"][0]["verdict"], verdict, "{id}");
    }
}

/// The address 10.1.0.x stands behind 172.16.0.1, as a router's masquerading makes it.
fn translate(packet: &mut [u8]) {
    for at in [12, 16] {
        if packet[at..at + 2] == [10, 1] {
            packet[at..at + 3].copy_from_slice(&[172, 16, 9]);
            // The checksum follows the address (RFC 1624); which of the two sums it is does not matter here.
            packet[36] ^= 0x5a;
        }
    }
}

#[test]
fn connections_seen_again_behind_an_address_translation_are_counted_once_and_that_is_said() {
    let once = ordinary(Link::Sll2(1));
    let folder = Folder::with(&seen_twice(&once, translate));
    let twice = folder.json();
    let copies: Vec<Option<u64>> =
        twice["connections"].as_array().unwrap().iter().map(|one| one["copy_of"].as_u64()).collect();
    assert_eq!(copies.iter().flatten().count(), ORDINARY.len(), "{copies:?}");
    assert_eq!(twice["verdicts"], told(&once)["verdicts"]);
    let text = folder.told(&[]);
    assert!(text.contains("6  seen again behind an address translation, counted once"), "{text}");
}

#[test]
fn connects_that_nothing_answers_are_counted_once_behind_an_address_translation() {
    let mut once = Capture::new(Link::Sll2(1));
    for n in 0..3 {
        let mut talk = Talk::new(&mut once, client(n), server(7, 443), START + i64::from(n) * S);
        let syn = talk.tcp(Client, SYN, 0);
        talk.put(&syn).wait(S).put(&syn);
    }
    assert_eq!(told(&seen_twice(&once, translate))["verdicts"], serde_json::json!({"unanswered": 3}));
}

#[test]
fn without_data_frames_nothing_is_taken_for_lost() {
    let mut capture = ordinary(Link::Ethernet);
    let all = told(&capture);
    assert_eq!(endings(&all), ORDINARY);
    capture.keep(|bytes| bytes[TCP + 13] & (SYN | FIN | RST) != 0);
    let folder = Folder::with(&capture);
    let flags_only = folder.json();
    // Without the data that drew it, a reset after a FIN says no more than that its sender ended.
    let told: Vec<_> = endings(&flags_only).into_iter().map(|(verdict, first, _)| (verdict, first)).collect();
    let expected: Vec<_> = ORDINARY.into_iter().map(|(verdict, first, _)| (verdict, first)).collect();
    assert_eq!(told, expected);
    assert_eq!(sum(&flags_only, "lost"), 0);
    assert_eq!(flags_only["patterns"], serde_json::json!([]));
    let text = folder.told(&[]);
    assert!(!text.contains("lost"), "{text}");
}

#[test]
fn what_a_snapshot_length_cut_off_makes_no_difference() {
    let whole = ordinary(Link::Ethernet);
    let mut cut = whole.clone();
    cut.edit(|(_, bytes, _)| bytes.truncate(TCP + 20));
    assert_eq!(told(&cut), told(&whole));
}

#[test]
fn packets_that_end_in_their_own_headers_are_counted_by_name() {
    let mut capture = ordinary(Link::Ethernet);
    let mut packets = 0;
    capture.edit(|(_, bytes, _)| {
        packets += 1;
        if packets % 7 == 0 {
            bytes.truncate(TCP + 10);
        }
    });
    let folder = Folder::with(&capture);
    let told = folder.json();
    assert_eq!((&told["malformed"], &told["packets"]), (&(packets / 7).into(), &packets.into()));
    let text = folder.told(&[]);
    assert!(text.contains(&format!("{} packets could not be read, the first: frame 7, ", packets / 7)), "{text}");
}

/// Of `capture` what the server sent, or what its clients did.
fn one_way(mut capture: Capture, server: bool) -> Folder {
    capture.keep(|bytes| (bytes[TCP..TCP + 2] == [0x01, 0xbb]) == server);
    Folder::with(&capture)
}

/// A terminal's width; the files' names alone may be longer.
#[test]
fn no_line_is_longer_than_a_terminal_is_wide() {
    for link in [Link::Ethernet, Link::Sll2(2)] {
        let text = Folder::with(&ordinary(link)).told(&["--top", "100"]);
        let long: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(long.is_empty() && text.contains("How they ended"), "{long:#?}");
    }
}

#[test]
fn of_one_direction_no_bytes_are_said_to_be_lost_and_that_the_other_is_missing_is_said() {
    // A lone SYN says by itself that nothing came back.
    for (server, unseen) in [(true, 6), (false, 5)] {
        let folder = one_way(ordinary(Link::Ethernet), server);
        assert_eq!(sum(&folder.json(), "lost"), 0);
        let text = folder.told(&[]);
        let said = format!("{unseen}  of these seen in one direction only: the other is presumed");
        assert!(text.contains(&said), "{text}");
        assert!(!text.contains("never acknowledged"), "{text}");
    }
    let text = Folder::with(&ordinary(Link::Ethernet)).told(&[]);
    assert!(!text.contains("one direction only"), "{text}");
}

/// A capture that begins with the reset: of the SYN that it refused nothing is known, but what it is can be told.
#[test]
fn a_reset_of_which_nothing_else_was_captured_is_judged_by_its_own_numbers() {
    let told = one_way(ordinary(Link::Ethernet), true).json();
    let last = &told["connections"][5];
    assert_eq!((&last["verdict"], &last["certainty"]), (&serde_json::json!("refused"), &serde_json::json!("likely")));
    assert_eq!((&last["server"]["endpoint"], &last["reset_from"]), (&"10.0.0.7:443".into(), &"server".into()));
}

#[test]
fn one_direction_alone_shows_its_own_end_and_its_own_resets() {
    let told = |server| {
        let told = one_way(ordinary(Link::Ethernet), server).json();
        endings(&told).into_iter().map(|(_, first, from)| [first, from].map(|side| side.map(str::to_owned))).collect()
    };
    let by = |side: &str, closes: [bool; 5], resets: [bool; 5]| -> Vec<[Option<String>; 2]> {
        closes.into_iter().zip(resets).map(|own| [own.0, own.1].map(|does| does.then(|| side.to_owned()))).collect()
    };
    let of_server: Vec<_> = told(true);
    let of_client: Vec<_> = told(false);
    assert_eq!(of_server[..5], by("server", [true, true, true, true, false], [false, false, false, true, false]));
    assert_eq!(of_client[..5], by("client", [true, true, true, false, false], [false, false, false, false, true]));
}

#[test]
fn segments_longer_than_an_ip_packet_are_counted_by_their_frames() {
    let capture = |len: u16| {
        let mut capture = Capture::new(Link::Ethernet);
        let mut talk = Talk::new(&mut capture, client(0), server(7, 443), START);
        talk.open().exchange().send(Client, 0x18, len).exchange().close(Client);
        capture
    };
    let whole = capture(40_000);
    let mut unsaid = whole.clone();
    // What a network card is still to cut in pieces bears the length 0.
    unsaid.edit(|(_, bytes, _)| {
        if bytes.len() > 20_000 {
            bytes[16..18].fill(0);
        }
    });
    let told_of = told(&unsaid);
    assert_eq!(told_of, told(&whole));
    assert_eq!(told_of["connections"][0]["client"]["bytes"], 40_240);
    // A frame longer than any IP length can say.
    let mut giant = capture(60_000);
    giant.edit(|(_, bytes, len)| {
        if bytes.len() > 20_000 {
            bytes[16..18].fill(0);
            bytes.extend(vec![b'x'; 40_000]);
            *len += 40_000;
        }
    });
    assert_eq!(told(&giant)["connections"][0]["client"]["bytes"], 100_240);
}
