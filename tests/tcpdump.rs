//! `--format tcpdump` against tcpdump itself.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

mod wire;

use std::path::{Path, PathBuf};
use std::process::Command;

use epipe::event::{Event, EventId, Frame, FrameNo, LinkType, Run, Time};
use epipe::report::pcapng::Saving;
use epipe::report::tcpdump::{self, Zone};
use epipe::story::journal::Journal;
use etherparse::PacketBuilder;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use wire::{journal_of, reread, saved};

/// What tcpdump prints of the TCP segments in `path`, without what it prints of payloads on lines of their own.
fn by_tcpdump(path: &Path, filter: &[&str]) -> Vec<String> {
    let output = Command::new("tcpdump").env("TZ", "UTC").arg("-nr").arg(path).args(filter).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter(|line| !line.starts_with(['\t', ' ']) && !line.is_empty()).map(str::to_owned).collect()
}

fn by_epipe(path: &Path) -> Vec<String> {
    let recording = reread(std::fs::File::open(path).unwrap());
    let mut printed = Vec::new();
    tcpdump::write(&journal_of(&recording), Zone::Utc, &mut printed).unwrap();
    String::from_utf8(printed).unwrap().lines().map(str::to_owned).collect()
}

/// The first line that differs. Behind `length N` tcpdump tells of payloads that it dissects.
fn difference(theirs: &[String], ours: &[String]) -> Option<String> {
    let differs = |(theirs, ours): &(&String, &String)| {
        theirs.strip_prefix(ours.as_str()).is_none_or(|behind| !(behind.is_empty() || behind.starts_with([':', ' '])))
    };
    if let Some((theirs, ours)) = theirs.iter().zip(ours).find(differs) {
        return Some(format!("tcpdump: {theirs}\nepipe:   {ours}"));
    }
    (theirs.len() != ours.len()).then(|| format!("tcpdump has {} lines, epipe {}", theirs.len(), ours.len()))
}

/// An option list: some of the right form, some of any form, of at most 40 bytes.
fn options() -> impl Strategy<Value = Vec<u8>> {
    let right = prop_oneof![
        Just(vec![1]),
        Just(vec![4, 2]),
        any::<[u8; 2]>().prop_map(|size| [vec![2, 4], size.to_vec()].concat()),
        any::<u8>().prop_map(|shift| vec![3, 3, shift]),
        any::<[u8; 8]>().prop_map(|times| [vec![8, 10], times.to_vec()].concat()),
        (0..4_u8, any::<[u8; 32]>()).prop_map(|(count, edges)| [
            vec![5, 2 + 8 * count],
            edges[..usize::from(count) * 8].to_vec()
        ]
        .concat()),
        (prop::sample::select(vec![14, 29, 30, 34, 69, 172, 254]), prop::collection::vec(any::<u8>(), 0..20))
            .prop_map(|(kind, data)| [vec![kind, u8::try_from(data.len()).unwrap() + 2], data].concat()),
        any::<[u8; 16]>().prop_map(|digest| [vec![19, 18], digest.to_vec()].concat()),
        Just(vec![0]),
    ];
    prop::collection::vec(right, 0..5).prop_map(|parts| {
        let mut list = Vec::new();
        for part in parts {
            if list.len() + part.len() <= 40 {
                list.extend(part);
            }
        }
        list.resize(list.len().next_multiple_of(4), 1);
        list
    })
}

#[derive(Clone, Debug)]
struct Packet {
    v6: bool,
    reverse: bool,
    host: u8,
    flags: u8,
    numbers: (u32, u32),
    window: u16,
    urgent: u16,
    options: Vec<u8>,
    payload: usize,
}

fn packet() -> impl Strategy<Value = Packet> {
    let ends = (any::<bool>(), any::<bool>(), 1..4_u8);
    let flags = prop_oneof![prop::sample::select(vec![0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x14]), any::<u8>()];
    (ends, flags, any::<(u32, u32)>(), any::<(u16, u16)>(), options(), 0..30_usize).prop_map(
        |((v6, reverse, host), flags, numbers, (window, urgent), options, payload)| Packet {
            v6,
            reverse,
            host,
            flags,
            numbers,
            window,
            urgent,
            options,
            payload,
        },
    )
}

fn frame(number: u64, packet: &Packet) -> Frame {
    let (from, to) = if packet.reverse { (2222, 50870) } else { (50870, 2222) };
    let mut tcp = etherparse::TcpHeader::new(from, to, packet.numbers.0, packet.window);
    tcp.acknowledgment_number = packet.numbers.1;
    tcp.urgent_pointer = packet.urgent;
    tcp.set_options_raw(&packet.options).unwrap();
    let builder = PacketBuilder::ethernet2([0; 6], [0; 6]);
    let (a, b) = (1, packet.host);
    let (src, dst) = if packet.reverse { (b, a) } else { (a, b) };
    let v6 = |last: u8| std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(last)).octets();
    let builder =
        if packet.v6 { builder.ipv6(v6(src), v6(dst), 64) } else { builder.ipv4([10, 0, 0, src], [10, 0, 0, dst], 64) };
    let mut data = Vec::new();
    builder.tcp_header(tcp).write(&mut data, &vec![b'x'; packet.payload]).unwrap();
    data[if packet.v6 { 67 } else { 47 }] = packet.flags;
    wire::frame(number, LinkType::ETHERNET, data)
}

#[test]
#[ignore = "needs tcpdump"]
fn segments_of_every_form_are_printed_alike() {
    let mut runner = TestRunner::deterministic();
    let strategy = packet();
    let mut journal = Journal::new(Run::default());
    for number in 1..=5000_u64 {
        let packet = strategy.new_tree(&mut runner).unwrap().current();
        let time = Time(wire::START.0 + i64::try_from(number).unwrap() * 7_654_321);
        let what = wire::segment(frame(number, &packet));
        journal.append(Event { id: EventId(number), time, actor: None, late: false, what }).unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("many.pcapng");
    std::fs::write(&path, saved(&Saving::new(&journal))).unwrap();
    let theirs = by_tcpdump(&path, &[]);
    assert_eq!(theirs.len(), 5000);
    assert_eq!(difference(&theirs, &by_epipe(&path)), None);
}

#[test]
#[ignore = "needs tcpdump"]
fn headers_cut_by_the_snapshot_length_are_printed_alike() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cut.pcapng");
    let list = [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9, 1, 3, 3, 7];
    let packet = Packet {
        v6: false,
        reverse: false,
        host: 2,
        flags: 2,
        numbers: (1, 0),
        window: 9,
        urgent: 0,
        options: list.to_vec(),
        payload: 0,
    };
    let whole = frame(1, &packet);
    let cut = (54..=whole.data.len()).map(|len| {
        let number = FrameNo(len as u64 - 53);
        wire::segment(Frame { number, data: whole.data[..len].into(), ..whole.clone() })
    });
    std::fs::write(&path, saved(&Saving::new(&wire::journal(cut)))).unwrap();
    assert_eq!(difference(&by_tcpdump(&path, &["tcp"]), &by_epipe(&path)), None);
}

#[test]
#[ignore = "needs tcpdump"]
fn the_recordings_are_printed_alike() {
    let captures = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures"));
    assert!(captures.iter().any(|path| path.ends_with("reconstructed/article.pcapng")));
    for path in captures.iter().filter(|path| path.extension().is_some_and(|extension| extension == "pcapng")) {
        assert_eq!(difference(&by_tcpdump(path, &["tcp"]), &by_epipe(path)), None, "{}", path.display());
    }
}

/// All files below `directory`.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The folder that the environment names, or a line that says what is not tested.
fn folder(variable: &str, what: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable).map(PathBuf::from);
    if folder.is_none() {
        eprintln!("not run: {what} ({variable} unset)");
    }
    folder
}

#[test]
#[ignore = "needs tcpdump"]
fn captures_of_many_endings_are_printed_alike() {
    let Some(folder) = folder("EPIPE_SITUATIONS", "situations") else { return };
    let captures = files(&folder);
    let captures: Vec<_> =
        captures.iter().filter(|path| path.extension().is_some_and(|extension| extension == "pcap")).collect();
    assert!(!captures.is_empty());
    for path in captures {
        assert_eq!(difference(&by_tcpdump(path, &["tcp"]), &by_epipe(path)), None, "{}", path.display());
    }
}

/// Files of the corpus for which the two differ, and why.
#[cfg(feature = "capture")]
const DIFFERENT: [(&str, &str); 8] = [
    ("brimcap__bad-caplen.pcap", "tcpdump prints nothing of a frame longer than its own length"),
    ("suricata-verify__bug-6875-01-fuzz.pcap", "the file is damaged where epipe begins to distrust it"),
    ("nDPI__fuzz-2006-06-26-2594.pcap", "frames that cannot be decoded are told of elsewhere"),
    ("tcpdump__tcp-auth-heapoverflow.pcap", "an option that goes on behind the packet"),
    ("zeek__truncated-header.pcap", "a timestamp option with a length of 8, printed with bytes behind it"),
    ("PcapPlusPlus__frag_http_req.pcap", "fragments"),
    ("zeek__fragmented-syn.pcap", "fragments"),
    ("tcpdump__timestamp_invalid_nano.pcap", "microseconds of more than six digits"),
];

#[test]
#[ignore = "needs tcpdump"]
#[cfg(feature = "capture")]
fn the_corpus_is_printed_alike() {
    let Some(folder) = folder("EPIPE_CORPUS", "corpus") else { return };
    let mut compared = 0;
    for path in files(&folder).iter().filter(|path| path.parent() != Some(&folder)) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_epipe"))
            .env("TZ", "UTC")
            .args(["replay", "--format", "tcpdump", "--filter", "tcp"])
            .arg(path)
            .output()
            .unwrap();
        assert!(matches!(output.status.code(), Some(0 | 2)), "{name}: {output:?}");
        let ours: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
        let found = difference(&by_tcpdump(path, &["tcp"]), &ours);
        let expected = DIFFERENT.iter().find(|(file, _)| *file == name);
        assert_eq!(found.is_some(), expected.is_some(), "{name}: {found:?} {expected:?}");
        compared += 1;
    }
    assert!(compared > 50, "the corpus has only {compared} files");
}
