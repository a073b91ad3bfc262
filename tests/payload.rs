//! What a saved story keeps of the data that programs exchanged, and that the rest of the story does not hang on it.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

mod wire;

use std::path::{Path, PathBuf};
use std::process::Command;

use epipe::event::{Event, What};
use epipe::report::payload::{HEAD, Keep, cut, cut_other};
use epipe::report::pcapng::Saving;
use epipe::socket::call::{Arg, Call, CallName, Outcome, Payload};
use epipe::story::Story;
use epipe::story::journal::Journal;
use wire::{journal, journal_of, reread, saved, segment, tcp_frame};

const LESS: [Keep; 2] = [Keep::None, Keep::Head];

fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let captures: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "pcapng")).collect();
    assert!(captures.len() > 15, "{captures:?}");
    captures
}

/// The bytes of data that an event still has, in its call and in its frame.
fn data(event: &Event) -> Vec<Payload> {
    let args = match &event.what {
        What::Begun(call) => call.args.clone(),
        What::Ended { outcome, .. } => outcome.values.clone(),
        What::Segment { segment, .. } => vec![Arg::Bytes(Payload::whole(segment.payload.clone()))],
        _ => Vec::new(),
    };
    args.into_iter().filter_map(|arg| if let Arg::Bytes(payload) = arg { Some(payload) } else { None }).collect()
}

/// What a story says of its connections and of the causes of its events, data aside.
fn told(journal: &Journal) -> String {
    let story = Story::tell(journal.clone());
    let connections = story.connections().iter().map(|known| {
        let last = *known.events.last().unwrap();
        format!("{:?} {:?} {:?}\n", known.ends, story.verdict(known.id), story.account(known.id, last))
    });
    let causes = journal.events().iter().map(|event| {
        let record = story.record(event.id).unwrap();
        format!("{:?} {:?} {:?}\n", story.cause(event.id), record.changes, record.ends)
    });
    connections.chain(causes).collect()
}

#[test]
fn a_cut_story_of_every_recording_is_told_as_the_whole_one() {
    for path in captures() {
        let whole = journal_of(&reread(std::fs::File::open(&path).unwrap()));
        for keep in LESS {
            let short = cut(&whole, keep).unwrap();
            let recording = reread(saved(&Saving::new(&short)).as_slice());
            assert_eq!(recording.complaints, [] as [&str; 0], "{path:?}");
            assert_eq!(journal_of(&recording), short, "{path:?}: saved and read again");
            assert_eq!(told(&short), told(&whole), "{path:?}");
            assert_eq!(short.run().fact("payload"), Some(keep.name()), "{path:?}");
        }
        assert_eq!(cut(&whole, Keep::All).unwrap(), whole, "{path:?}");
    }
}

/// A call with 40 bytes of data, the segment that carries them, and a recv that takes them.
fn talk() -> Journal {
    let text = [b'x'; 40];
    let call = |name, arg| What::Begun(Call::new(name, vec![Arg::Int(3), arg]));
    journal([
        call(CallName::Send, Arg::Bytes(Payload::whole(text))),
        segment(tcp_frame(1, 1, &text)),
        call(CallName::Recv, Arg::Int(1024)),
        What::Ended {
            begun: epipe::event::EventId(3),
            outcome: Outcome::success(40).with(Arg::Bytes(Payload::whole(text))),
        },
    ])
}

#[test]
fn calls_and_frames_are_cut_alike_and_keep_their_lengths() {
    let whole = talk();
    for (keep, len) in [(Keep::None, 0), (Keep::Head, HEAD)] {
        let short = cut(&whole, keep).unwrap();
        for (event, was) in short.events().iter().zip(whole.events()) {
            for payload in data(event) {
                assert_eq!(payload.bytes, vec![b'x'; len]);
                assert_eq!(payload.cut, event.segment().is_none());
            }
            assert_eq!((event.id, event.time, &event.actor), (was.id, was.time, &was.actor));
        }
        let [frame, before] = [&short, &whole].map(|journal| journal.events()[1].segment().unwrap());
        assert_eq!(frame.0.original_len, before.0.original_len);
        assert_eq!(frame.0.data.len() + 40 - len, before.0.data.len());
        assert_eq!(frame.1.payload_len, 40);
    }
}

#[test]
fn what_was_cut_before_is_not_said_to_be_more() {
    let none = cut(&talk(), Keep::None).unwrap();
    assert_eq!(cut(&none, Keep::Head).unwrap(), none);
    assert_eq!(cut(&none, Keep::All).unwrap(), none);
}

#[test]
fn other_packets_keep_their_headers_and_no_more_data() {
    let mut packet = Vec::new();
    let udp = etherparse::PacketBuilder::ethernet2([0; 6], [0; 6]).ipv4([127, 0, 0, 1], [127, 0, 0, 1], 64).udp(1, 2);
    udp.write(&mut packet, &[b'x'; 40]).unwrap();
    let frame = wire::frame(1, epipe::event::LinkType::ETHERNET, packet);
    assert_eq!(cut_other(&frame, Keep::None).data.len(), 14 + 20 + 8);
    assert_eq!(cut_other(&frame, Keep::Head).data.len(), 14 + 20 + 8 + HEAD);
    assert_eq!(cut_other(&frame, Keep::All), frame);
    let unknown = wire::frame(1, epipe::event::LinkType(147), vec![b'x'; 100]);
    assert_eq!(cut_other(&unknown, Keep::None).data.len(), 64);
    assert_eq!(cut_other(&unknown, Keep::None).original_len, 100);
}

#[test]
fn replay_saves_as_much_as_it_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let [from, to] = ["talk.pcapng", "cut.pcapng"].map(|name| directory.path().join(name));
    std::fs::write(&from, saved(&Saving::new(&talk()))).unwrap();
    let replay = |payload: &[&str]| {
        let mut epipe = Command::new(env!("CARGO_BIN_EXE_epipe"));
        epipe.args(["replay", "--format", "tcpdump"]).arg(&from).arg("--write").arg(&to).args(payload);
        assert!(epipe.status().unwrap().success());
        journal_of(&reread(std::fs::File::open(&to).unwrap()))
    };
    assert_eq!(replay(&[]), talk());
    assert_eq!(replay(&["--payload", "all"]), talk());
    assert_eq!(replay(&["--payload", "head"]), cut(&talk(), Keep::Head).unwrap());
    assert_eq!(replay(&["--payload", "none"]), cut(&talk(), Keep::None).unwrap());
}

#[test]
#[ignore = "needs tshark"]
fn tshark_finds_nothing_wrong_with_cut_frames() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cut.pcapng");
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/last-word-five.pcapng");
    let whole = journal_of(&reread(std::fs::File::open(recorded).unwrap()));
    for keep in LESS {
        std::fs::write(&path, saved(&Saving::new(&cut(&whole, keep).unwrap()))).unwrap();
        let shown = |filter: &str| {
            let mut tshark = Command::new("tshark");
            tshark.args(["-n", "-T", "fields", "-e", "tcp.len", "-Y", filter, "-r"]);
            let output = tshark.arg(&path).output().unwrap();
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(shown("_ws.malformed or _ws.expert.severity == error"), "");
        let lens =
            whole.events().iter().filter_map(Event::segment).map(|(_, segment)| format!("{}\n", segment.payload_len));
        assert_eq!(shown("tcp"), lens.collect::<String>());
    }
}
