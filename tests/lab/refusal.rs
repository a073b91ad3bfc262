//! Where the kernel refuses what the lab would like best.

use std::os::unix::process::CommandExt;
use std::process::Command;

use epipe::source::lab::message::Message;
use epipe::source::lab::{Network, Options, library};

use super::common::{AS_NOBODY, installed, options, run_all, text};

/// A system call that is refused: always, or where one of its arguments has this value.
pub struct Refused {
    call: libc::c_long,
    argument: Option<(u8, u32)>,
}

pub const UNSHARE: Refused = Refused { call: libc::SYS_unshare, argument: None };

/// As Ubuntu's rule for programs without a profile does it: the namespace is granted, and what it is needed for is not.
const LOOPBACK_UP: Refused = Refused { call: libc::SYS_ioctl, argument: Some((1, 0x8914)) };

const PACKET_SOCKET: Refused = Refused { call: libc::SYS_socket, argument: Some((0, 17)) };

pub const RAW_SOCKET: Refused = Refused { call: libc::SYS_socket, argument: Some((2, 6)) };

pub const TUN_INTERFACE: Refused = Refused { call: libc::SYS_ioctl, argument: Some((1, 0x4004_54ca)) };

/// Has the kernel say EPERM to a system call, as container runtimes do: a BPF filter on its number.
#[allow(unsafe_code, reason = "the filter must be installed between fork and exec")]
pub fn refuse<'a>(command: &'a mut Command, refused: &Refused) -> &'a mut Command {
    let number = u32::try_from(refused.call).unwrap();
    let eperm = u32::try_from(libc::EPERM).unwrap();
    let word = |code: u32, jt, jf, k| libc::sock_filter { code: u16::try_from(code).unwrap(), jt, jf, k };
    let load = |offset: u32| word(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, offset);
    let equals = |value, otherwise| word(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, otherwise, value);
    // struct seccomp_data: the number at 0, the arguments of 64 bits from 16 on. Without an argument the number is asked
    // for twice.
    let (offset, value) = refused.argument.map_or((0, number), |(at, value)| (16 + 8 * u32::from(at), value));
    let filter = [
        load(0),
        equals(number, 3),
        load(offset),
        equals(value, 1),
        word(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ERRNO | eperm),
        word(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let install = move || {
        let program = libc::sock_fprog { len: 6, filter: filter.as_ptr().cast_mut() };
        // SAFETY: two system calls, which are async-signal-safe; the filter lives in this closure.
        let refused = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
                || libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) != 0
        };
        if refused { Err(std::io::Error::last_os_error()) } else { Ok(()) }
    };
    // SAFETY: the closure allocates nothing and takes no lock.
    unsafe { command.pre_exec(install) }
}

/// Only one test at a time can have the ports of the host's loopback.
static HOST: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[test]
#[ignore = "needs root, to become nobody"]
fn without_namespaces_and_capture_the_lab_still_runs() {
    let _alone = HOST.lock();
    let (_directory, program) = installed();
    let mut command = Command::new(&program);
    command.args(["lab", "broken-pipe", "--check", "--pace", "fast"]).uid(AS_NOBODY).gid(AS_NOBODY);
    let output = refuse(&mut command, &UNSHARE).output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("as expected: 16 calls, segments not compared: cannot open capture device \"lo\""), "{said}");
}

#[test]
#[ignore = "needs root, to capture on the host's loopback"]
fn without_namespaces_root_captures_on_the_hosts_loopback() {
    let _alone = HOST.lock();
    let mut command = Command::new(env!("CARGO_BIN_EXE_epipe"));
    command.args(["lab", "broken-pipe", "--check", "--pace", "fast"]);
    let output = refuse(&mut command, &UNSHARE).output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("as expected: 16 calls, 9 segments"), "{said}");
}

#[test]
#[ignore = "needs root, to capture on the host's loopback"]
fn runs_that_share_the_hosts_loopback_take_turns() {
    let _alone = HOST.lock();
    let scenario = library::find("broken-pipe").unwrap().unwrap();
    let options = Options { network: Network::Host, ..options() };
    let once = || {
        let told = run_all(&scenario, &options);
        assert_eq!(told.last(), Some(&Message::Finished));
        assert!(!told.iter().any(|message| matches!(message, Message::Mismatch(_))), "{told:?}");
    };
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(once))));
}

#[test]
#[ignore = "needs root, to become nobody"]
fn doctor_says_what_is_refused_and_what_helps() {
    let (_directory, program) = installed();
    let mut command = Command::new(&program);
    command.arg("doctor").uid(AS_NOBODY).gid(AS_NOBODY);
    let output = refuse(&mut command, &UNSHARE).output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 8, "{said}");
    assert!(
        lines[0].starts_with("no  network namespace") && lines[0].contains("remedy: allow user namespaces"),
        "{said}"
    );
    assert!(lines[4].starts_with("no  capture on the host's lo") && lines[4].contains("CAP_NET_RAW"), "{said}");
    assert!(lines[5].starts_with("ok  sock_diag"), "{said}");
    assert!(lines[6].starts_with("ok  trace a program"), "{said}");
    assert!(lines[7].contains("without capture"), "{said}");
}

#[test]
#[ignore = "needs root, to become nobody"]
fn nobody_gets_a_loopback_of_its_own() {
    let (_directory, program) = installed();
    let output = Command::new(&program)
        .args(["lab", "broken-pipe", "--check", "--pace", "fast"])
        .uid(AS_NOBODY)
        .gid(AS_NOBODY)
        .output()
        .unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("as expected: 16 calls, 9 segments"), "{said}");
}

#[test]
#[ignore = "needs root, to become nobody"]
fn a_namespace_that_is_granted_in_part_is_given_up() {
    let _alone = HOST.lock();
    let (_directory, program) = installed();
    let mut command = Command::new(&program);
    command.args(["lab", "broken-pipe", "--check", "--pace", "fast"]).uid(AS_NOBODY).gid(AS_NOBODY);
    let output = refuse(&mut command, &LOOPBACK_UP).output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("as expected: 16 calls, segments not compared: cannot open capture device \"lo\""), "{said}");

    let mut command = Command::new(&program);
    command.arg("doctor").uid(AS_NOBODY).gid(AS_NOBODY);
    let said = text(refuse(&mut command, &LOOPBACK_UP).output().as_ref().unwrap());
    let works: Vec<&str> = said.lines().map(|line| &line[..2]).collect();
    assert_eq!(works[..6], ["ok", "ok", "no", "no", "no", "ok"], "{said}");
    assert!(said.contains("kernel.apparmor_restrict_unprivileged_userns"), "{said}");
}

#[test]
#[ignore = "needs root, to become nobody"]
fn a_loopback_of_its_own_without_capture_is_still_its_own() {
    let (_directory, program) = installed();
    let mut command = Command::new(&program);
    command.args(["lab", "broken-pipe", "--check", "--pace", "fast"]).uid(AS_NOBODY).gid(AS_NOBODY);
    let said = text(refuse(&mut command, &PACKET_SOCKET).output().as_ref().unwrap());
    assert!(said.contains("as expected: 16 calls, segments not compared: cannot open capture device \"lo\""), "{said}");

    let mut command = Command::new(&program);
    command.arg("doctor").uid(AS_NOBODY).gid(AS_NOBODY);
    let said = text(refuse(&mut command, &PACKET_SOCKET).output().as_ref().unwrap());
    assert!(said.ends_with(
        "The lab runs on a loopback of its own, without capture: calls, errors and states are real, segments are missing.\n"
    ), "{said}");
}

/// What `epipe lab broken-pipe` prints where neither a namespace nor a capture is to be had.
fn printed_without_anything(format: &str) -> String {
    let _alone = HOST.lock();
    let (_directory, program) = installed();
    let mut command = Command::new(&program);
    command.args(["lab", "broken-pipe", "--pace", "fast", "--format", format]).uid(AS_NOBODY).gid(AS_NOBODY);
    let output = refuse(&mut command, &UNSHARE).output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "needs root, to become nobody"]
fn without_anything_the_transcript_has_the_calls_and_says_what_is_missing() {
    let transcript = printed_without_anything("transcript");
    let sends: Vec<&str> = transcript
        .lines()
        .filter_map(|line| line.split_once("  client  send(3, \"hello\", 5, 0) "))
        .map(|(_, outcome)| outcome)
        .collect();
    assert_eq!(sends[..2], ["= 5   ;  foretold ok"; 2], "{transcript}");
    let expected = "= -1 EPIPE (Broken pipe), SIGPIPE   ;  foretold EPIPE+SIGPIPE;  send, likely: after it no program was left to read; the reset \
                    itself was not captured";
    assert_eq!(sends[2..], [expected], "{transcript}");
    let has = |what: &str| assert!(transcript.contains(what), "{what}\n{transcript}");
    has("\n# network: the host's loopback, because epipe cannot create a user and network namespace: ");
    has("\n# capture: none: cannot open capture device \"lo\": ");
    has("\n# remedy: allow user namespaces ");
    has("  no-capture \"cannot open capture device \\\"lo\\\": ");
    has("\n# account client: sent 10, acknowledged 5, read 5, lost 5\n");
    has("\n# verdict reset-after-close, likely\n");
    assert!(!transcript.contains(" > S  ") && !transcript.contains(" > C  "), "{transcript}");
}

#[test]
#[ignore = "needs root, to become nobody"]
fn without_anything_the_ladder_draws_no_segment_and_offers_a_recording() {
    let ladder = printed_without_anything("ladder");
    let has = |what: &str| assert!(ladder.contains(what), "{what}\n{ladder}");
    has("  CLOSED                              SERVER :2222  CLOSED\n    5 bytes lost");
    has(" its program has closed it\n");
    has("   · send(\"hello\") = 5       │      not captured      │recv(1024) = \"hello\"\n");
    has(
        "   · send(\"hello\") = 5       │      not captured      │\n   · send(\"hello\") = EPIPE ✗ │      nothing sent      │\n",
    );
    has(" The segments are missing: cannot open capture device \"lo\": ");
    has(" To see them: allow user namespaces ");
    has("captures/broken-pipe.pcapng\n");
    has("─ how it ended: reset-after-close, likely ─");
    has(" bytes   sent 10 · acknowledged 5 · read 5 · LOST 5\n");
    for invented in ["▶", "◀══", "DATA", "RST (", "FIN (", "ACK"] {
        assert!(!ladder.contains(invented), "{invented}\n{ladder}");
    }
}

#[test]
#[ignore = "needs root, to become nobody"]
fn without_anything_the_json_has_calls_errors_and_states() {
    let told: serde_json::Value = serde_json::from_str(&printed_without_anything("json")).unwrap();
    let events = told["events"].as_array().unwrap();
    let kinds = |kind: &str| events.iter().filter(|event| event["kind"] == kind).count();
    assert_eq!((kinds("segment"), kinds("no_capture"), kinds("begun")), (0, 1, 16));
    let sends = events.iter().filter(|event| event["kind"] == "ended" && event["call"] == "send");
    let returned: Vec<(i64, Option<&str>)> =
        sends.map(|event| (event["returned"].as_i64().unwrap(), event["errno"].as_str())).collect();
    assert_eq!(returned, [(5, None), (5, None), (-1, Some("EPIPE"))]);
    let states: Vec<&str> = events.iter().filter_map(|event| event["state"].as_str()).collect();
    assert!(states.contains(&"CLOSE-WAIT") && states.contains(&"FIN-WAIT-2"), "{states:?}");
    assert_eq!(told["connections"][0]["client"]["lost"], 5);
}

#[test]
#[ignore = "needs root, to capture on the host's loopback"]
fn the_hosts_loopback_is_used_where_it_is_asked_for() {
    let _alone = HOST.lock();
    let mut command = Command::new(env!("CARGO_BIN_EXE_epipe"));
    command.args(["lab", "broken-pipe", "--host", "--pace", "fast", "--format", "transcript"]);
    let said = text(&command.output().unwrap());
    assert!(said.contains("\n# network: the host's loopback, as asked\n"), "{said}");
    assert!(said.contains("; 9  8 send, 6 close, proven: seq 2 = ack of 8; 7 drew none"), "{said}");
}

/// The lab's client would talk to a stranger.
#[test]
#[ignore = "needs root, to capture on the host's loopback"]
fn a_port_that_is_taken_is_refused() {
    let _alone = HOST.lock();
    let stranger = std::net::TcpListener::bind("127.0.0.1:2222").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_epipe"));
    let output = command.args(["lab", "broken-pipe", "--host", "--pace", "fast"]).output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.starts_with("epipe: cannot use port 2222 of the host's loopback: EADDRINUSE"), "{said}");
    assert!(said.contains("\nhelp: stop what listens there"), "{said}");
    stranger.set_nonblocking(true).unwrap();
    assert_eq!(stranger.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}
