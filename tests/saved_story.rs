//! Saving and replaying loses nothing: the journal is equal, event by event.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

mod wire;

use std::process::Command;

use epipe::event::{At, Event, EventId, ExitStatus, FrameNo, Gap, Language, Place, Run, Sample, Stack, What};
use epipe::report::pcapng::{OtherPacket, Saving};
use epipe::socket::call::{Arg, Call, CallName, Outcome, Payload};
use epipe::socket::errno::{Errno, Signal};
use epipe::story::journal::Journal;
use wire::{journal, journal_of, reread, saved, segment, tcp_frame};

fn begun(payload: Vec<u8>) -> What {
    What::Begun(Call::new(CallName::Send, vec![Arg::Int(3), Arg::Bytes(Payload::whole(payload)), Arg::Int(0)]))
}

fn ended(begun: u64, outcome: Outcome) -> What {
    What::Ended { begun: EventId(begun), outcome }
}

fn stack(begun: u64) -> What {
    let at = At::Line { file: "a \"b\" ü.py".to_owned(), line: 31 };
    let place = Place { language: Language::Python, function: Some("reply".to_owned()), at };
    let nowhere = Place { language: Language::Native, function: None, at: At::Address(u64::MAX) };
    What::Stack(Stack { begun: EventId(begun), places: vec![place, nowhere], missing: Some("no more".to_owned()) })
}

/// A broken pipe of one segment, one failure and one death.
fn broken_pipe() -> Journal {
    journal([
        What::Started { pid: 4711 },
        begun(b"hello".to_vec()),
        segment(tcp_frame(1, 1, b"hello")),
        ended(2, Outcome::success(5)),
        segment(tcp_frame(2, 6, b"")),
        begun(b"x".to_vec()),
        ended(6, Outcome { signal: Some(Signal::SIGPIPE), ..Outcome::failure(Errno::EPIPE) }),
        What::Sample(Sample { local: "[::1]:1".parse().unwrap(), remote: "[::1]:2".parse().unwrap(), socket: None }),
        segment(tcp_frame(3, 6, b"more")),
        What::Exit(ExitStatus::Killed(Signal::SIGPIPE)),
    ])
}

fn assert_survives(journal: &Journal) {
    let recording = reread(saved(&Saving::new(journal)).as_slice());
    assert_eq!(recording.complaints, [] as [&str; 0]);
    assert_eq!(&journal_of(&recording), journal);
}

#[test]
fn a_story_survives() {
    assert_survives(&broken_pipe());
}

#[test]
fn a_run_without_frames_survives() {
    assert_survives(&journal([begun(b"x".to_vec()), ended(1, Outcome::failure(Errno::EPIPE))]));
    assert_survives(&journal([]));
}

#[test]
fn long_payloads_of_every_byte_survive() {
    let every_byte: Vec<u8> = (0..=255_u8).cycle().take(100_000).collect();
    assert_survives(&journal([
        segment(tcp_frame(1, 1, b"")),
        begun(every_byte.clone()),
        begun(every_byte),
        ended(2, Outcome::success(100_000)),
        ended(3, Outcome::success(100_000)),
        segment(tcp_frame(2, 1, b"")),
    ]));
}

#[test]
fn ten_megabytes_in_each_of_four_calls_stay_below_what_wireshark_reads() {
    let large = || begun(vec![b'x'; 10_000_000]);
    let journal = journal([
        large(),
        large(),
        segment(tcp_frame(1, 1, b"")),
        large(),
        segment(tcp_frame(2, 1, b"")),
        segment(tcp_frame(3, 1, b"")),
        large(),
        segment(tcp_frame(4, 1, b"")),
    ]);
    assert_survives(&journal);
    let file = saved(&Saving::new(&journal));
    let mut rest = file.as_slice();
    while !rest.is_empty() {
        let len = u32::from_le_bytes(rest[4..8].try_into().unwrap());
        assert!(len < 16 << 20, "a block of {len} bytes");
        rest = &rest[usize::try_from(len).unwrap()..];
    }
}

#[test]
fn late_events_and_frames_out_of_order_survive() {
    let mut out_of_order = Journal::default();
    for (index, number) in [2, 1, 3].into_iter().enumerate() {
        let what = segment(tcp_frame(number, 1, b"x"));
        let event = Event { id: EventId(index as u64 + 1), time: wire::START, actor: None, late: number == 1, what };
        out_of_order.append(event).unwrap();
    }
    assert_survives(&out_of_order);
}

#[test]
fn anothers_comments_survive_beside_ours() {
    let mut frame = tcp_frame(1, 1, b"");
    frame.comments = vec!["look here\nsecond line".to_owned(), String::new(), "ä epipe/1 not ours".to_owned()];
    let story = journal([begun(b"x".to_vec()), segment(frame), ended(1, Outcome::success(1))]);
    let run = Run { comments: vec!["made by hand".to_owned()], ..story.run().clone() };
    let mut commented = Journal::new(run);
    story.events().iter().for_each(|event| commented.append(event.clone()).unwrap());
    assert_survives(&commented);
}

#[test]
fn packets_that_are_no_segments_keep_their_places_and_numbers() {
    let other = wire::frame(2, epipe::event::LinkType(147), vec![1, 2, 3]);
    let broken = wire::frame(4, epipe::event::LinkType::RAW, vec![0x45]);
    let others = [&other, &broken].map(|frame| OtherPacket { frame, time: wire::START });
    let why = || "cut".to_owned();
    let journal = journal([
        segment(tcp_frame(1, 1, b"")),
        segment(tcp_frame(3, 1, b"")),
        What::Gap(Gap::Malformed { frame: FrameNo(4), why: why() }),
        What::Gap(Gap::CutShort { bytes: 3 }),
    ]);
    let recording = reread(saved(&Saving { others: &others, ..Saving::new(&journal) }).as_slice());
    assert_eq!(journal_of(&recording), journal);
    assert_eq!(recording.others.iter().map(|record| record.frame.clone()).collect::<Vec<_>>(), [other, broken]);
    assert_eq!(recording.passed_over.values().sum::<u64>(), 1);
}

#[test]
fn a_line_stands_on_the_frame_that_its_event_caused() {
    let journal = broken_pipe();
    let caused = |id: EventId| (id == EventId(2)).then_some(FrameNo(3));
    let recording = reread(saved(&Saving { caused: &caused, ..Saving::new(&journal) }).as_slice());
    assert_eq!(journal_of(&recording), journal);
}

/// Replaces `from` by `to`, which is as long, in the saved broken pipe, and reads it again.
fn edited(from: &str, to: &str) -> epipe::source::file::Recording {
    edited_in(&broken_pipe(), from, to)
}

fn edited_in(journal: &Journal, from: &str, to: &str) -> epipe::source::file::Recording {
    assert_eq!(from.len(), to.len());
    let mut file = saved(&Saving::new(journal));
    let at = file.windows(from.len()).position(|window| window == from.as_bytes()).expect("the text to be edited");
    file[at..at + to.len()].copy_from_slice(to.as_bytes());
    reread(file.as_slice())
}

#[test]
fn an_edited_errno_changes_that_event_alone() {
    let recording = edited("EPIPE (Broken pipe), SIGPIPE", "EINTR (Broken pipe), SIGPIPE");
    assert_eq!(recording.complaints, [] as [&str; 0]);
    let before = broken_pipe();
    for (event, was) in recording.events.iter().zip(before.events()) {
        assert_eq!(event == was, event.id != EventId(7), "{event:?}");
    }
}

#[test]
fn a_damaged_line_is_complained_of_and_the_rest_is_read() {
    let recording = edited("started 4711", "sta+ted 4711");
    assert_eq!(recording.complaints.len(), 1);
    assert!(recording.complaints[0].starts_with("on frame 1: \"epipe/1 1 - client"), "{}", recording.complaints[0]);
    let was = broken_pipe();
    let kinds = |events: &[Event]| events.iter().map(|event| std::mem::discriminant(&event.what)).collect::<Vec<_>>();
    assert_eq!(kinds(&recording.events), kinds(&was.events()[1..]));
    assert_eq!(recording.events[2].ended().map(|(begun, _)| begun), Some(EventId(1)));
}

#[test]
fn an_end_without_a_beginning_is_left_out_with_a_complaint() {
    let recording = edited("... #6 = -1", "... #3 = -1");
    assert_eq!(recording.complaints, ["event 7 ends a call that event 3 did not begin: it is left out"]);
    assert_eq!(recording.events.len(), 9);
}

#[test]
fn a_stack_survives_with_its_call_and_is_left_out_without() {
    let call = || [begun(b"x".to_vec()), stack(2), ended(2, Outcome::failure(Errno::EPIPE))];
    let story = journal([What::Started { pid: 4711 }].into_iter().chain(call()));
    assert_survives(&story);
    // One event fewer: the call has another number now, and its stack names that.
    let recording = edited_in(&story, "started 4711", "sta+ted 4711");
    assert_eq!(recording.events[1].what, stack(1));
    let recording = edited_in(&story, "stack #2", "stack #1");
    let expected = ["event 3 is the stack of a call that event 1 did not begin: it is left out"];
    assert_eq!((recording.complaints.as_slice(), recording.events.len()), (&expected.map(str::to_owned)[..], 3));
}

#[test]
fn a_second_line_for_an_event_is_complained_of() {
    let recording = edited("epipe/1 6 - client", "epipe/1 2 - client");
    assert!(recording.complaints[0].ends_with("a second line for event 2"), "{:?}", recording.complaints);
    assert!(recording.complaints[1].contains("put in order by their times"), "{:?}", recording.complaints);
    assert_eq!(recording.events.len(), 8, "the line itself and the end of its call are gone");
}

#[test]
fn a_missing_line_is_noticed_and_time_decides_the_order() {
    let recording = edited("epipe/1 1 - client", "someone 1 - client");
    assert_eq!(
        recording.complaints,
        ["the story had 10 events or more, and 9 are left: they are put in order by their times"]
    );
    let times: Vec<_> = recording.events.iter().map(|event| event.time).collect();
    assert!(times.is_sorted());
    assert_eq!(times.len(), 9);
}

#[test]
fn any_damage_to_a_story_is_read_without_a_panic() {
    let file = saved(&Saving::new(&broken_pipe()));
    for at in 0..file.len() {
        for change in [0xff, 0x01, 0x80, 0x20] {
            let mut damaged = file.clone();
            damaged[at] ^= change;
            if let Ok(capture) = epipe::source::file::Capture::new("damaged".to_owned(), damaged.as_slice()) {
                let recording = epipe::source::file::read(capture, &mut |_| true).unwrap();
                journal_of(&recording);
            }
        }
    }
}

#[test]
#[ignore = "needs tshark"]
fn tshark_shows_every_line_as_a_comment_of_its_frame() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("story.pcapng");
    std::fs::write(&path, saved(&Saving::new(&broken_pipe()))).unwrap();
    let output = Command::new("tshark")
        .args(["-n", "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=|", "-e", "frame.number"])
        .args(["-e", "frame.comment", "-e", "frame.time_epoch", "-r"])
        .arg(&path)
        .output()
        .unwrap();
    assert!(output.status.success());
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.lines().all(|line| line.starts_with("Running as user")), "{errors}");
    let shown = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("1\tepipe/1 1 - client"), "{}", lines[0]);
    assert!(lines[0].contains(r#"|epipe/1 2 - client 1795307257.490342007 send(3, "hello", 0) ..."#), "{}", lines[0]);
    assert!(lines[2].contains("killed SIGPIPE"), "{}", lines[2]);
    assert!(lines[0].ends_with("1795307257.490343007"), "{}", lines[0]);
}

#[test]
#[ignore = "needs editcap"]
fn a_comment_added_with_editcap_is_kept_and_costs_no_line() {
    let directory = tempfile::tempdir().unwrap();
    let [before, after] = ["before.pcapng", "after.pcapng"].map(|name| directory.path().join(name));
    std::fs::write(&before, saved(&Saving::new(&broken_pipe()))).unwrap();
    let status = Command::new("editcap").args(["-a", "3:my own words"]).arg(&before).arg(&after).status().unwrap();
    assert!(status.success());
    let recording = reread(std::fs::File::open(&after).unwrap());
    assert_eq!(recording.complaints, [] as [&str; 0]);
    let (frame, _) = recording.events[8].segment().unwrap();
    assert_eq!(frame.comments, ["my own words"]);
    assert_eq!(recording.events.len(), 10);
}
