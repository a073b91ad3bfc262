//! A log of strace joined with the capture of the same time: what really caused each segment comes out.
//!
//! `tests/strace/` holds programs, and of each a log and a capture as `tests/strace/record` makes them; from the logs the lines
//! were taken out by which python3 starts. The live tests record the same programs anew.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use epipe::event::{EventId, Time};
use epipe::notation::{call, outcome};
use epipe::report::transcript;
use epipe::socket::errno::{Errno, Signal};
use epipe::source::file::{self, Capture};
use epipe::source::strace;
use epipe::story::Story;
use epipe::story::journal::Journal;
use epipe::story::telling::Certainty;
use proptest::prelude::*;

#[path = "run/story.rs"]
#[allow(dead_code, reason = "each test file uses its part")]
mod story;

use story::Told;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/strace")
}

fn recorded(name: &str) -> (Vec<u8>, Vec<u8>) {
    [format!("{name}.log"), format!("{name}.pcap")].map(|file| std::fs::read(folder().join(file)).unwrap()).into()
}

/// The story of `log` and `capture`, and what there was to say of joining them.
fn joined(log: &[u8], capture: &[u8]) -> (Story, Vec<String>) {
    let capture = Capture::new("x.pcap".to_owned(), capture).unwrap();
    let mut recording = file::read(capture, &mut |_| true).unwrap();
    let told = strace::read("x.log", log).unwrap().join(&mut recording);
    let mut journal = Journal::new(recording.run);
    for event in recording.events {
        journal.append(event).unwrap();
    }
    (Story::tell(journal), told)
}

fn story(name: &str) -> Story {
    let (log, capture) = recorded(name);
    let (story, told) = joined(&log, &capture);
    assert_eq!(told, [] as [&str; 0], "{name}");
    story
}

/// The calls in the order of their beginnings, without who made them.
fn calls(story: &Story) -> Vec<String> {
    let begun = story.journal().events().iter().filter_map(|event| Some((event.id, event.begun()?)));
    begun
        .map(|(id, begun)| {
            let end = story.call(id).and_then(|(_, end)| end);
            format!("{} {}", call(begun), end.map_or_else(|| "...".to_owned(), outcome))
        })
        .collect()
}

/// Every segment with data comes, proven, from sends whose bytes it carries; how many there are.
fn every_byte_has_its_send(story: &Story) -> usize {
    let mut count = 0;
    for event in story.journal().events() {
        let Some((_, segment)) = event.segment().filter(|(_, segment)| segment.payload_len > 0) else { continue };
        let cause = story.cause(event.id).unwrap();
        assert_eq!(cause.certainty, Certainty::Proven, "{event:?}");
        let (first, _) = story.call(cause.causes[0]).unwrap();
        assert!(first.name.sends(), "{first:?}");
        let sent = &first.payload().unwrap().bytes;
        assert!(segment.payload.starts_with(sent), "{sent:?} is not in {:?}", segment.payload);
        count += 1;
    }
    count
}

/// The event whose call failed with `errno`, and the event that caused it.
fn failed(story: &Story, errno: Errno) -> (EventId, EventId) {
    let fails = |event: &&epipe::event::Event| event.ended().is_some_and(|(_, end)| end.errno == Some(errno));
    let event = story.journal().events().iter().find(fails).unwrap();
    let cause = story.cause(event.id).unwrap();
    assert_eq!(cause.certainty, Certainty::Proven, "{cause:?}");
    (event.id, cause.causes[0])
}

fn is_reset(story: &Story, event: EventId) -> bool {
    story.journal().get(event).unwrap().segment().is_some_and(|(_, segment)| segment.flags.rst())
}

fn broken_pipe_is_told(story: &Story) {
    assert_eq!(every_byte_has_its_send(story), 2);
    let (error, cause) = failed(story, Errno::EPIPE);
    assert!(is_reset(story, cause));
    assert_eq!(story.journal().get(error).unwrap().ended().unwrap().1.signal, Some(Signal::SIGPIPE));
    let text = printed(story);
    assert!(text.contains("# verdict reset-after-close, proven"), "{text}");
    assert!(text.contains("# account client: sent 13, acknowledged 8, read 8, lost 5"), "{text}");
}

fn threads_are_told(story: &Story) {
    assert_eq!(story.connections().len(), 4);
    assert!(every_byte_has_its_send(story) >= 40);
    let text = printed(story);
    assert!(!text.contains("unknown"), "{text}");
    assert_eq!(text.matches(": sent 75, acknowledged 75, read 75, lost 0").count(), 4, "{text}");
    assert_eq!(text.matches(": sent 500, acknowledged 500, read 500, lost 0").count(), 4, "{text}");
    assert_eq!(text.matches(" closed, proven").count(), 4, "{text}");
}

fn printed(story: &Story) -> String {
    let mut out = Vec::new();
    transcript::write(story, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_broken_pipe_has_its_reset_and_every_byte_its_send() {
    broken_pipe_is_told(&story("broken-pipe"));
}

#[test]
fn without_descriptions_of_descriptors_the_story_is_the_same() {
    broken_pipe_is_told(&story("without-descriptions"));
}

#[test]
fn a_program_that_sigpipe_ends_is_ended_by_its_last_send() {
    let story = story("killed");
    broken_pipe_is_told(&story);
    let is_end = |event: &&epipe::event::Event| {
        matches!(event.what, epipe::event::What::Exit(epipe::event::ExitStatus::Killed(_)))
    };
    let end = story.journal().events().iter().find(is_end).unwrap();
    let causes = &story.cause(end.id).unwrap().causes;
    assert_eq!(calls(&story).iter().filter(|call| call.starts_with("send")).count(), 3);
    assert!(story.call(causes[0]).unwrap().1.unwrap().errno == Some(Errno::EPIPE));
    assert!(is_reset(&story, causes[1]));
}

#[test]
fn threads_that_interrupt_each_others_lines_are_told_apart() {
    let (log, _) = recorded("threads");
    assert!(String::from_utf8(log).unwrap().matches("<unfinished ...>").count() > 50);
    let story = story("threads");
    threads_are_told(&story);
    assert!(!printed(&story).contains("wrongly"), "{}", printed(&story));
}

#[test]
fn each_family_of_calls_stands_in_the_form_of_the_notation() {
    let story = story("calls");
    every_byte_has_its_send(&story);
    let (_, cause) = failed(&story, Errno::ECONNRESET);
    assert!(is_reset(&story, cause));
    let (_, cause) = failed(&story, Errno::ECONNREFUSED);
    assert!(is_reset(&story, cause));
    let told = calls(&story);
    for expected in [
        "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) = 4",
        "fcntl(4, F_SETFL, O_NONBLOCK) = 0",
        "poll(4, POLLOUT, 1000) = 1 POLLOUT",
        "getsockopt(4, SOL_SOCKET, SO_ERROR) = 0 0",
        "sendmsg(4, \"abcd\", 4, 0) = 4",
        "select(5, 1000) = 1",
        "recvmsg(5, 100, 0) = 4 \"abcd\"",
        "writev(5, \"12345\", 5) = 5",
        "epoll_ctl(6, EPOLL_CTL_ADD, 4, EPOLLIN|EPOLLRDHUP) = 0",
        "epoll_wait(6, 1000) = 1 4 EPOLLIN",
        "readv(4, 103) = 5 \"12345\"",
        "write(4, \"\\x00\\x00\\x00\\x00\\x00\\x00\\x00\", 7) = 7",
        "recv(5, 3, MSG_PEEK) = 3 \"\\x00\\x00\\x00\"",
        "read(5, 100) = 7 \"\\x00\\x00\\x00\\x00\\x00\\x00\\x00\"",
        "fcntl(6, F_SETFD, 0) = 0",
        "execve(\"/usr/bin/true\") = 0",
        "setsockopt(4, SOL_SOCKET, SO_LINGER, 1, 0) = 0",
        "recv(5, 10, 0) = -1 ECONNRESET (Connection reset by peer)",
    ] {
        assert!(told.iter().any(|call| call == expected), "{expected} is not in {told:#?}");
    }
}

/// The same log by a clock that goes `nanos` before that of the capture.
fn shifted(log: &[u8], nanos: i64) -> Vec<u8> {
    let text = String::from_utf8(log.to_vec()).unwrap();
    let lines = text.lines().map(|line| {
        let (thread, rest) = line.split_once(' ').unwrap();
        let (stamp, rest) = rest.split_once(' ').unwrap();
        let time: Time = format!("{stamp}000").parse().unwrap();
        let moved = Time(time.0 + nanos).to_string();
        format!("{thread} {} {rest}\n", moved.strip_suffix("000").unwrap())
    });
    lines.collect::<String>().into_bytes()
}

#[test]
fn a_clock_that_goes_otherwise_is_found_by_the_segments() {
    for name in ["broken-pipe", "without-descriptions", "threads"] {
        let (log, capture) = recorded(name);
        let before = calls(&joined(&log, &capture).0);
        for nanos in [3_250_000_000, -3_250_000_000, 86_400_000_000_000] {
            let (story, told) = joined(&shifted(&log, nanos), &capture);
            let fact = story.journal().run().fact("clock-offset").unwrap();
            let found: Time = fact.trim_start_matches('+').split(' ').next().unwrap().parse().unwrap();
            assert!((found.0 + nanos).abs() < 1_000_000, "{name}: {nanos}: {fact}");
            assert_eq!(told, [format!("clock offset {fact}")]);
            assert_eq!(calls(&story), before, "{name}: {nanos}");
            every_byte_has_its_send(&story);
        }
    }
}

#[test]
fn one_clock_needs_no_word() {
    let story = story("broken-pipe");
    assert!(story.journal().run().fact("clock-offset").unwrap().starts_with("0 s: 3 of 3 calls"));
    assert_eq!(story.journal().run().kind(), "a capture, with the calls of a log of strace");
}

/// What may happen to a line.
#[derive(Clone, Debug)]
enum Damage {
    Cut(usize),
    Drop,
    Swap(usize),
    Bytes(usize, Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        any::<usize>().prop_map(Damage::Cut),
        Just(Damage::Drop),
        any::<usize>().prop_map(Damage::Swap),
        (any::<usize>(), prop::collection::vec(any::<u8>(), 0..6)).prop_map(|(at, bytes)| Damage::Bytes(at, bytes)),
    ]
}

fn damaged(log: &[u8], damages: &[(usize, Damage)]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = log.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    for (at, damage) in damages {
        let count = lines.len().max(1);
        let Some(line) = lines.get_mut(at % count) else { continue };
        match damage {
            Damage::Cut(len) => line.truncate(len % (line.len() + 1)),
            Damage::Drop => drop(lines.remove(at % count)),
            Damage::Swap(other) => lines.swap(at % count, other % count),
            Damage::Bytes(place, bytes) => {
                let place = place % (line.len() + 1);
                line.splice(place..place, bytes.iter().copied());
            }
        }
    }
    lines.join(&b'\n')
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn damage_is_told_and_never_ends_the_program(
        damages in prop::collection::vec((any::<usize>(), damage()), 1..30),
        name in prop::sample::select(vec!["broken-pipe", "calls", "threads"]),
    ) {
        let (log, capture) = recorded(name);
        let (story, _) = joined(&damaged(&log, &damages), &capture);
        let text = printed(&story);
        prop_assert!(text.contains("\n# clock-offset: "), "{}", text);
        // What was told reads back as it was.
        let again = epipe::source::transcript::read("x", text.as_bytes()).unwrap();
        prop_assert_eq!(&again.complaints, &[] as &[String]);
        prop_assert_eq!(again.events.len(), story.journal().events().len());
    }

    #[test]
    fn any_text_is_read_or_refused(text in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = strace::read("x.log", text.as_slice());
        let line = [b"7 1700000000.000000 sendto(3<TCP:[1]>, ".as_slice(), &text].concat();
        let _ = strace::read("x.log", line.as_slice()).map(|log| log.join(&mut file::Recording::default()));
    }
}

fn epipe(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_epipe")).current_dir(folder()).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn what_replay_saves_of_both_is_read_again_without_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let both = directory.path().join("both.pcapng");
    let both = both.to_str().unwrap();
    let first = ["replay", "calls.pcap", "--strace", "calls.log", "--format", "transcript", "--write", both];
    let (joined, saved) = (epipe(&first), epipe(&["replay", both, "--format", "transcript"]));
    assert!(joined.status.success() && saved.status.success(), "{}", text(&joined.stderr));
    assert_eq!(text(&joined.stderr), "");
    assert_eq!(text(&joined.stdout), text(&saved.stdout));
    let twice = epipe(&["replay", both, "--strace", "calls.log"]);
    assert_eq!(twice.status.code(), Some(2));
    assert!(text(&twice.stderr).contains("with what has calls already"), "{}", text(&twice.stderr));
    for format in ["ladder", "json", "tcpdump"] {
        let output = epipe(&["replay", "calls.pcap", "--strace", "calls.log", "--format", format]);
        assert!(output.status.success() && !output.stdout.is_empty(), "{format}");
    }
}

#[test]
fn what_was_not_understood_is_counted_on_stderr_with_the_name_of_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    let log = String::from_utf8(recorded("broken-pipe").0).unwrap() + "what is this\nand this\n";
    std::fs::write(&path, log).unwrap();
    let output = epipe(&["replay", "broken-pipe.pcap", "--format", "tcpdump", "--strace", path.to_str().unwrap()]);
    assert!(output.status.success());
    let errors = text(&output.stderr);
    assert!(errors.starts_with(&format!("epipe: {}: line ", path.display())), "{errors}");
    assert!(errors.trim_end().ends_with("a time in seconds since 1970 is expected (and 1 more)"), "{errors}");
}

#[test]
fn a_log_with_times_of_day_is_refused_with_the_option_that_gives_a_date() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    std::fs::write(&path, "12 10:00:00.123456 close(3) = 0 <0.000012>\n").unwrap();
    let output = epipe(&["replay", "calls.pcap", "--strace", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let errors = text(&output.stderr);
    assert!(errors.contains("line 1 has a time without a date"), "{errors}");
    assert!(errors.contains("help: record it by `strace -f -ttt -T -yy -o x.log PROGRAM`"), "{errors}");
}

#[test]
fn doctor_prints_both_commands_ready_to_paste() {
    let output = epipe(&["doctor", "--strace"]);
    let printed = text(&output.stdout);
    let commands: Vec<&str> = printed.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    assert_eq!(
        commands,
        [
            "tcpdump -i any -U -w x.pcap tcp",
            "strace -f -ttt -T -yy -o x.log PROGRAM",
            "strace -f -ttt -T -yy -o x.log -p PID",
        ]
    );
    assert!(printed.contains("strace stops the program at every system call"), "{printed}");
    assert!(printed.lines().all(|line| line.len() <= 80), "{printed}");
}

/// Records `program` with its `arguments` anew, and joins what was recorded.
fn live(options: &str, arguments: &[&str]) -> (Story, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let [log, capture] = ["x.log", "x.pcap"].map(|name| directory.path().join(name));
    let status = Command::new("unshare")
        .current_dir(folder())
        .args(["-n", "./record"])
        .args([&log, &capture])
        .args([options, "python3", "-I", "-S"])
        .args(arguments)
        .status()
        .unwrap();
    assert!(status.success());
    joined(&std::fs::read(log).unwrap(), &std::fs::read(capture).unwrap())
}

#[test]
#[ignore = "needs strace, tcpdump and root"]
fn a_broken_pipe_that_happens_now_is_told() {
    for options in ["-f -ttt -T -yy", "-f -ttt -T -y", "-f -ttt -T", "-f -ttt -T -yy -xx -s 9"] {
        let (story, told) = live(options, &["broken-pipe.py"]);
        assert_eq!(told, [] as [&str; 0], "{options}");
        broken_pipe_is_told(&story);
    }
    broken_pipe_is_told(&live("-f -ttt -T -yy", &["broken-pipe.py", "die"]).0);
}

#[test]
#[ignore = "needs strace, tcpdump and root"]
fn a_program_tells_the_same_story_by_strace_and_under_epipe_run() {
    for arguments in [&["broken-pipe.py"][..], &["broken-pipe.py", "die"], &["calls.py"]] {
        let by_strace = Told::of(&printed(&live("-f -ttt -T -yy", arguments).0));
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("story.txt");
        let mut run = Command::new(env!("CARGO_BIN_EXE_epipe"));
        run.args(["run", "--format", "transcript", "-o"]).arg(&file).args(["--", "python3", "-I", "-S"]);
        assert!(run.args(arguments).current_dir(folder()).output().unwrap().status.success());
        let by_run = Told::of(&std::fs::read_to_string(&file).unwrap());
        assert_eq!(by_run.wrong, [""; 0], "{arguments:?}");
        assert_eq!(
            (&by_strace.segments, &by_strace.errors, &by_strace.accounts, &by_strace.verdict),
            (&by_run.segments, &by_run.errors, &by_run.accounts, &by_run.verdict),
            "{arguments:?}"
        );
    }
}

#[test]
#[ignore = "needs strace, tcpdump and root"]
fn threads_that_run_now_are_told() {
    threads_are_told(&live("-f -ttt -T -yy", &["threads.py"]).0);
}

#[test]
#[ignore = "needs strace, tcpdump and root"]
fn each_family_of_calls_made_now_is_told() {
    let (story, told) = live("-f -ttt -T -yy", &["calls.py"]);
    assert_eq!(told, [] as [&str; 0]);
    every_byte_has_its_send(&story);
    assert!(is_reset(&story, failed(&story, Errno::ECONNRESET).1));
    assert!(is_reset(&story, failed(&story, Errno::ECONNREFUSED).1));
}
