//! A transcript reads back to what was printed, and damage to it costs a line and no more.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

mod wire;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use epipe::event::{At, Event, EventId, ExitStatus, FrameNo, Gap, Holding, Language, Place, Sample, Stack, Time, What};
use epipe::report::transcript;
use epipe::socket::call::{Arg, Call, CallName, Fd, Outcome, Payload};
use epipe::socket::errno::{Errno, Signal};
use epipe::source::file::Recording;
use epipe::source::transcript::read;
use epipe::story::Story;
use epipe::story::journal::Journal;
use epipe::tcp::state::State;
use proptest::prelude::*;
use wire::{frame, journal, journal_of, reread, segment, tcp_frame};

fn captures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let files = [root.clone(), root.join("reconstructed")].map(|folder| std::fs::read_dir(folder).unwrap());
    let files = files.into_iter().flatten().map(|entry| entry.unwrap().path());
    let captures: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "pcapng")).collect();
    assert!(captures.len() > 20, "{captures:?}");
    captures
}

fn written(journal: Journal) -> String {
    let mut text = Vec::new();
    transcript::write(&Story::tell(journal), &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn read_back(text: &str) -> Recording {
    let recording = read("x.txt", text.as_bytes()).unwrap();
    assert_eq!(recording.complaints, [] as [&str; 0]);
    recording
}

/// What a transcript keeps of an event: all but the packet of a segment, and numbers that do not count.
fn without_packet(event: &Event) -> Event {
    let mut event = event.clone();
    if let What::Segment { frame, segment } = &mut event.what {
        *frame = wire::frame(0, epipe::event::LinkType::RAW, Vec::new());
        segment.payload = Vec::new();
    }
    event
}

fn assert_survives(journal: &Journal) {
    let text = written(journal.clone());
    let recording = read_back(&text);
    let events = |events: &[Event]| events.iter().map(without_packet).collect::<Vec<_>>();
    assert_eq!(events(&recording.events), events(journal.events()), "{text}");
    assert_eq!(recording.run, *journal.run());
    assert_eq!(written(journal_of(&recording)), text);
}

#[test]
fn every_recording_survives() {
    for path in captures() {
        assert_survives(&journal_of(&reread(std::fs::File::open(path).unwrap())));
    }
}

fn begun(name: CallName, args: Vec<Arg>) -> What {
    What::Begun(Call::new(name, args))
}

fn close() -> What {
    begun(CallName::Close, vec![Arg::Int(3)])
}

fn event(id: u64, nanos: i64, what: What) -> Event {
    let actor = (!matches!(what, What::Segment { .. } | What::Gap(_))).then(|| epipe::event::Actor::new("client"));
    Event { id: EventId(id), time: Time(wire::START.0 + nanos), actor, late: false, what }
}

fn journal_with(events: impl IntoIterator<Item = Event>) -> Journal {
    let run = epipe::event::Run {
        name: "two words   start 5.000000000".to_owned(),
        facts: vec![("kernel".to_owned(), "Linux: 6.18".to_owned())],
        comments: ["one line", "several: lines\n\nof # a comment", ""].map(str::to_owned).to_vec(),
    };
    let mut journal = Journal::new(run);
    for event in events {
        journal.append(event).unwrap();
    }
    journal
}

fn stack(begun: u64) -> What {
    let at = At::Line { file: "a \"b\" ü.py".to_owned(), line: 31 };
    let place = Place { language: Language::Python, function: Some("reply".to_owned()), at };
    let nowhere = Place { language: Language::Native, function: None, at: At::Address(u64::MAX) };
    What::Stack(Stack { begun: EventId(begun), places: vec![place, nowhere], missing: Some("no more".to_owned()) })
}

fn ended(begun: u64, outcome: Outcome) -> What {
    What::Ended { begun: EventId(begun), outcome }
}

fn holding() -> Holding {
    Holding {
        fd: Fd(4),
        local: Some(([1; 4], 80).into()),
        remote: Some("[fe80::1%3]:80".parse().unwrap()),
        state: State::CloseWait,
        unread: 3,
        unacknowledged: 4,
        nonblocking: false,
        linger_zero: false,
    }
}

#[test]
fn every_kind_of_event_survives() {
    let addr = |text: &str| text.parse().unwrap();
    let socket = epipe::event::SocketSample { state: State::FinWait2, unread: 1, unacknowledged: 2, orphan: true };
    let why = || "a \"quoted\"; reason ü".to_owned();
    assert_survives(&journal([
        What::Started { pid: 4711 },
        begun(CallName::Send, vec![Arg::Int(3), Arg::Bytes(Payload { bytes: b"a;b\"\n\x00".to_vec(), cut: true })]),
        segment(tcp_frame(1, 1, b"hello")),
        ended(2, Outcome { signal: Some(Signal::SIGPIPE), ..Outcome::failure(Errno::EPIPE) }),
        begun(CallName::Accept, vec![Arg::Int(3)]),
        ended(5, Outcome::success(4).with(Arg::Addr(addr("[fe80::1%3]:80")))),
        What::Sample(Sample { local: addr("[::1]:1"), remote: addr("[::1]:2"), socket: None }),
        What::Sample(Sample { local: addr("1.2.3.4:1"), remote: addr("1.2.3.4:2"), socket: Some(socket) }),
        What::Holds(Holding { local: None, remote: None, state: State::Closed, ..holding() }),
        What::Holds(Holding { nonblocking: true, linger_zero: true, ..holding() }),
        What::Gap(Gap::Dropped(7)),
        What::Gap(Gap::Malformed { frame: FrameNo(9), why: why() }),
        What::Gap(Gap::CutShort { bytes: 3 }),
        What::Gap(Gap::NoCapture(why())),
        What::Gap(Gap::Unsettled(why())),
        What::Gap(Gap::ClockStep(-5)),
        What::Gap(Gap::Untraced("a ring".to_owned())),
        close(),
        stack(18),
        ended(18, Outcome::success(0)),
        What::Exit(ExitStatus::Killed(Signal::SIGPIPE)),
        What::Exit(ExitStatus::Code(3)),
    ]));
    // At the same time as the call's end and before it, as tracing has it: then every event carries its number.
    let at = |id, time, what| event(id, time, what);
    assert_survives(&journal_with([at(1, 0, close()), at(2, 5, stack(1)), at(3, 5, ended(1, Outcome::success(0)))]));
    assert_survives(&journal([]));
}

#[test]
fn actors_with_the_names_of_other_things_survive() {
    for name in ["C", "S", "C2", "kernel", "dropped", "started", "stack", "a;b", "x\"y", "-x", "#x", "+1"] {
        let actor = Some(epipe::event::Actor::new(name));
        let whats = [What::Started { pid: 5 }, close(), ended(2, Outcome::success(0)), What::Exit(ExitStatus::Code(0))];
        let sample = What::Sample(Sample { local: ([1; 4], 1).into(), remote: ([1; 4], 2).into(), socket: None });
        let events = whats.into_iter().chain([sample]).enumerate().map(|(index, what)| Event {
            actor: actor.clone(),
            ..event(index as u64 + 1, i64::try_from(index).unwrap(), what)
        });
        assert_survives(&journal_with(events));
    }
}

#[test]
fn a_call_that_ends_among_others_survives() {
    let peer = |what, id, nanos| Event { actor: Some(epipe::event::Actor::new("server")), ..event(id, nanos, what) };
    let text = written(journal_with([
        peer(begun(CallName::Recv, vec![Arg::Int(4), Arg::Int(9), Arg::Int(0)]), 1, 0),
        event(2, 5, close()),
        event(3, 6, segment(tcp_frame(1, 1, b""))),
        event(4, 7, ended(2, Outcome::success(0))),
        peer(ended(1, Outcome::success(0)), 5, 8),
    ]));
    assert!(!text.contains('#') || text.lines().all(|line| !line.contains("#1")), "times give the order: {text}");
    assert_survives(&journal_of(&read_back(&text)));
}

#[test]
fn ids_stand_where_times_do_not_give_the_order() {
    let same_time = journal_with([
        event(1, 0, close()),
        event(2, 5, segment(tcp_frame(1, 1, b""))),
        event(3, 5, ended(1, Outcome::success(0))),
        event(4, 5, What::Gap(Gap::Dropped(1))),
    ]);
    assert!(written(same_time.clone()).contains("\n+0.000000000#1..0.000000005#3  client  close(3) = 0\n"));
    assert_survives(&same_time);
    let late = Event { late: true, ..event(3, 2, What::Gap(Gap::Dropped(1))) };
    let with_late = journal_with([event(1, 0, close()), event(2, 5, What::Started { pid: 1 }), late]);
    assert!(written(with_late.clone()).contains("\n+0.000000002#3,late  dropped 1\n"));
    assert_survives(&with_late);
    let clock_stepped_back = journal_with([event(1, 9, close()), event(2, 3, ended(1, Outcome::success(0)))]);
    assert_survives(&clock_stepped_back);
}

#[test]
fn ipv6_several_connections_and_odd_headers_survive() {
    let packet = |from: u16, seq: u32, options: &[u8], urgent: bool| {
        let ends = etherparse::PacketBuilder::ipv6([1; 16], [2; 16], 64);
        let tcp = ends.tcp(from, 2222, seq, 4).options_raw(options).unwrap();
        let tcp = if urgent { tcp.urg(7) } else { tcp };
        let mut data = Vec::new();
        tcp.write(&mut data, b"hi").unwrap();
        data
    };
    let options: [&[u8]; 6] = [
        &[2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 255, 255, 255, 255, 1, 3, 3, 7],
        &[1, 1, 5, 18, 0, 0, 0, 9, 0, 0, 0, 12, 255, 0, 0, 0, 255, 0, 0, 5],
        &[253, 6, 0, 255, 128, 1, 5, 2],
        &[2, 3, 1, 254, 2, 0, 0, 0],
        &[8, 40, 1, 2],
        &[],
    ];
    let whats = options.iter().zip(1..).map(|(options, number)| {
        let data = packet(u16::try_from(number % 3).unwrap() + 50_000, 7, options, number == 2);
        segment(frame(number, epipe::event::LinkType::RAW, data))
    });
    let journal = journal(whats);
    let text = written(journal.clone());
    assert!(text.contains("C3 > S3"), "{text}");
    for part in [" urg 7 <nop,nop,sack 2 {9:12}", "<unknown-253 0x00ff8001,sack 0 >", "<cut>", "unknown-2 0x01"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_survives(&journal);
}

const SMALL: &str = "\
# epipe transcript 1   small   start 5.000000000
# connection 1: client 10.0.0.1:50000 isn 1000, server 10.0.0.2:80 isn 2000
+0.000000000          C > S  S   0:0(0) win 64240 <mss 1460>
+0.010000000          S > C  S.  0:0(0) ack 1 win 65160 <mss 1460>
+0.020000000..0.030000000  client  send(3, \"x\", 1, 0) = 1
+0.020001000          C > S  P.  1:2(1) ack 1 win 502   ; anything; 3
";

#[test]
fn a_damaged_line_is_told_with_its_place_and_the_rest_is_used() {
    let cases = [
        ("win 502", "win", "line 6, column 53: expected a number in range"),
        ("win 502", "", "line 6, column 23: expected a segment with `win` and its window"),
        (
            "P.  1:2",
            "P  1:2",
            "line 6, column 23: expected a segment with `ack` where the flags have `.`, and only there",
        ),
        ("C > S  P.", "C2 > S2  P.", "line 6, column 23: expected a line `# connection 2: …` before this segment"),
        (
            "S   0:0(0) win 64240 <mss",
            "S   0:0(0) win 64240 <mass",
            "line 3, column 52: expected a TCP option as tcpdump prints it",
        ),
        ("client  send(", "client  sent(", "line 5, column 36: expected the name of a call that epipe knows"),
        (
            "..0.030000000",
            "",
            "line 5, column 42: expected two times (`+0.000000000..0.000000001`), since this call ended",
        ),
        (" = 1", " = 1 1 1 (", "line 5, column 63: expected a number, an address, a word or quoted data"),
        ("+0.020001000", "+0.02", "line 6, column 2: expected seconds with nine decimals"),
        ("+0.020001000", "0.020001000", "line 6, column 1: expected `+`"),
        ("+0.020001000", "+9223372036.020001000", "line 6, column 2: expected a time that a clock can show"),
        (
            "+0.010000000 ",
            "+0.010000000..0.020000000 ",
            "line 4, column 26: expected one time: only a call that ended has two",
        ),
        ("isn 2000", "isn -1", "line 2, column 72: expected a sequence number"),
    ];
    for (from, to, expected) in cases {
        assert!(SMALL.contains(from), "{from}");
        let recording = read("x.txt", SMALL.replacen(from, to, 1).as_bytes()).unwrap();
        let complaint = recording.complaints.first().unwrap_or_else(|| panic!("{to}: nothing complained of"));
        assert_eq!(*complaint, format!("{expected}: the line is left out"), "{to}");
        assert!(recording.events.len() < 5, "{to}");
    }
    let ends_first = SMALL.replace("+0.020000000..0.030000000", "+0.030000000..0.020000000");
    let recording = read("x.txt", ends_first.as_bytes()).unwrap();
    assert_eq!(recording.complaints, ["line 5, the call ends before it begins: its end is left out"]);
    assert_eq!(recording.events.len(), 4);
    let stray = SMALL.replace("+0.020000000..", "+0.015000000  client  stack #9 native - 0x1\n+0.020000000..");
    let recording = read("x.txt", stray.as_bytes()).unwrap();
    let expected = "line 5, no call that this could be the stack of began before: it is left out";
    assert_eq!((recording.complaints, recording.events.len()), (vec![expected.to_owned()], 5));
    let some_ids = SMALL.replace("+0.010000000 ", "+0.010000000#1 ");
    assert!(read("x.txt", some_ids.as_bytes()).unwrap().complaints[0].contains("put in order by their times"));
}

#[test]
fn comments_and_what_stands_behind_a_semicolon_are_no_input() {
    let commented =
        SMALL.replace("\n+0.01", "\n# words: of somebody\n\n; more\n+0.01").replace("anything; 3", "<mss 9>");
    assert_eq!(read_back(&commented), read_back(SMALL));
    assert_eq!(read_back(&SMALL.replace('\n', "\r\n")), read_back(SMALL));
    let with_fact = SMALL.replace("\n# connection", "\n# kernel: Linux: 6.18\n# connection");
    assert_eq!(read_back(&with_fact).run.fact("kernel"), Some("Linux: 6.18"));
}

fn replay(text: &str, args: &[&str]) -> (tempfile::TempDir, Output) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.txt");
    std::fs::write(&path, text).unwrap();
    let mut epipe = Command::new(env!("CARGO_BIN_EXE_epipe"));
    let output = epipe.current_dir(&directory).arg("replay").arg(path).args(args).env("TZ", "UTC").output().unwrap();
    (directory, output)
}

fn errors(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn replay_knows_a_transcript_by_its_first_line() {
    let (_directory, output) = replay(SMALL, &["--format", "tcpdump"]);
    assert!(output.status.success(), "{}", errors(&output));
    let expected = "\
00:00:05.000000 IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [S], seq 1000, win 64240, options [mss 1460], length 0
00:00:05.010000 IP 10.0.0.2.80 > 10.0.0.1.50000: Flags [S.], seq 2000, ack 1001, win 65160, options [mss 1460], length 0
00:00:05.020001 IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [P.], seq 1:2, ack 1, win 502, length 1
";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    let (_directory, output) = replay(&SMALL.replace("+0.020001000", "+0.02"), &["--format", "transcript"]);
    assert!(output.status.success());
    assert!(errors(&output).contains("x.txt: line 6, column 2: expected seconds"), "{}", errors(&output));
}

#[test]
fn what_a_transcript_cannot_do_is_refused() {
    let refused = |text: &str, args: &[&str]| {
        let (directory, output) = replay(text, args);
        assert_eq!(output.status.code(), Some(2), "{}", errors(&output));
        assert!(!directory.path().join("saved.pcapng").exists(), "a file was left behind");
        errors(&output).to_owned()
    };
    let version = refused(&SMALL.replace("transcript 1", "transcript 2"), &[]);
    assert!(version.contains("is a transcript of version \"2\"; this epipe reads version 1"), "{version}");
    let title = refused(&SMALL.replace(" start 5.0", " start 5,0"), &[]);
    assert!(title.contains("line 1, column 38: expected a time in seconds with nine decimals"), "{title}");
    let saved = refused(SMALL, &["--write", "saved.pcapng"]);
    assert!(saved.contains("cannot save \"saved.pcapng\": frame 1 has no bytes"), "{saved}");
    let filtered = refused(SMALL, &["--filter", "tcp"]);
    assert!(filtered.contains("a transcript has no packets to filter"), "{filtered}");
}

proptest! {
    #[test]
    fn any_damage_is_read_or_refused_but_never_panics(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..8)
    ) {
        let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/broken-pipe.pcapng");
        let mut bytes = written(journal_of(&reread(std::fs::File::open(recorded).unwrap()))).into_bytes();
        for (at, byte, kind) in damage {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => { bytes.remove(at); }
                _ => bytes.insert(at, b"0123456789 #;.<>:()"[usize::from(byte) % 19]),
            }
        }
        if let Ok(recording) = read("x.txt", bytes.as_slice()) {
            written(journal_of(&recording));
        }
    }

    #[test]
    fn any_numbers_are_told_without_a_panic(
        segments in prop::collection::vec((any::<bool>(), 0..0x200_u16, any::<u32>(), any::<u32>(), any::<u32>()), 0..12)
    ) {
        let mut text = SMALL.to_owned();
        for (from_client, flags, start, len, ack) in segments {
            let flags = epipe::tcp::segment::Flags::from_bits(flags);
            let (from, to) = if from_client { ('C', 'S') } else { ('S', 'C') };
            let end = start.wrapping_add(len);
            let ack = if flags.ack() { format!(" ack {ack}") } else { String::new() };
            text += &format!("+1.000000000          {from} > {to}  {flags}  {start}:{end}({len}){ack} win 1\n");
        }
        let story = journal_of(&read_back(&text));
        assert_eq!(written(journal_of(&read_back(&written(story.clone())))), written(story));
    }
}

#[test]
fn control_characters_of_a_fact_are_taken_out_of_its_name_too() {
    let title = "# epipe transcript 1   x   start 1795307257.490341000\n";
    let text = written(journal_of(&read_back(&format!("{title}# na\u{1b}me: va\u{1b}lue\n"))));
    assert!(text.contains("# na_me: va_lue\n"), "{text:?}");
}
