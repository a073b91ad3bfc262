//! `epipe run` on programs in Python: their stories are those of the scenarios that the same programs are in the lab.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

#[path = "run/place.rs"]
mod place;
#[path = "run/story.rs"]
mod story;

use place::{NOBODY, Place};
use story::Told;

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs the pair of programs called `name`, whose client gets what the server prints and then that it is gone, and compares.
fn is_the_scenario(options: &[&str], name: &str, scenario: &str, as_nobody: bool) -> Output {
    let place = Place::new();
    let pair = format!("(python3 {name}_server.py; echo gone) | python3 {name}_client.py");
    let mut command = place.run_with(options, &pair);
    if as_nobody {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().unwrap();
    let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("captures/{scenario}.pcapng"));
    let recorded = Command::new(env!("CARGO_BIN_EXE_epipe"))
        .args(["replay", "--format", "transcript"])
        .arg(recording)
        .output()
        .unwrap();
    let (told, expected) = (Told::of(&place.transcript()), Told::of(&String::from_utf8(recorded.stdout).unwrap()));
    assert_eq!(told.wrong, [] as [String; 0], "{}", text(&output));
    assert_eq!(told.segments, expected.segments);
    assert_eq!((&told.accounts, &told.verdict), (&expected.accounts, &expected.verdict));
    assert_eq!(told.errors, expected.errors);
    assert_eq!(told.differing, [] as [String; 0]);
    output
}

#[test]
#[ignore = "needs root, to be nobody too"]
fn the_three_documents_programs_tell_the_scenarios_stories() {
    // Held, each of their calls goes when all has settled, as in the lab.
    for (options, as_nobody) in [(&[][..], false), (&[][..], true), (&["--hold"][..], false), (&["--hold"][..], true)] {
        let output = is_the_scenario(options, "broken_pipe", "broken-pipe", as_nobody);
        assert_eq!(text(&output), "first 5\nsecond [Errno 32] Broken pipe\n");
        assert!(output.status.success());
        // The shell says of a client that a signal ended 128 and its number.
        let output = is_the_scenario(options, "ping_pang", "ping-pang", as_nobody);
        assert_eq!((text(&output).as_str(), output.status.code()), ("5\n", Some(128 + libc::SIGPIPE)));
        let output = is_the_scenario(options, "last_word", "last-word-differ", as_nobody);
        assert_eq!(text(&output), "ERROR:no end!\n");
    }
}

#[test]
#[ignore = "needs root, for a capture"]
fn every_child_of_a_fork_is_told_of_and_every_segment_is_somebodys() {
    let place = Place::new();
    let output = place.run("exec python3 forks.py 50").output().unwrap();
    assert_eq!(text(&output), "50 were served\n");
    let told = Told::of(&place.transcript());
    assert_eq!(told.connections, 50);
    assert_eq!((told.wrong, told.unproven, told.differing), (Vec::new(), Vec::new(), Vec::new()));
}

#[test]
#[ignore = "needs root, for a capture"]
fn threads_of_one_process_share_its_descriptors() {
    let place = Place::new();
    let output = place.run("exec python3 threads.py 8").output().unwrap();
    assert_eq!(text(&output), "8 were served\n");
    let told = Told::of(&place.transcript());
    assert_eq!(told.connections, 8);
    assert_eq!((told.wrong, told.unproven, told.differing), (Vec::new(), Vec::new(), Vec::new()));
}

/// What overtakes a call in its way to the kernel, what a connection goes through in a listener's queue, and what is held back
/// behind bytes that are not acknowledged: such programs showed each of these to be foretold wrongly.
#[test]
#[ignore = "needs root, for a capture"]
fn whatever_programs_do_is_foretold_and_the_kernel_has_it_so() {
    let place = Place::new();
    for number in 1..=12 {
        let output = place.run(&format!("exec python3 at_random.py {number}")).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        let told = Told::of(&place.transcript());
        assert_eq!(told.connections, 25);
        assert_eq!((told.wrong, told.differing), (Vec::new(), Vec::new()), "{number}");
    }
}

#[test]
fn the_program_ends_as_it_would_alone() {
    let place = Place::new();
    assert_eq!(place.run("echo out; echo err >&2; exit 7").output().unwrap().status.code(), Some(7));
    let killed = place.run("kill -TERM $$").output().unwrap();
    assert_eq!(killed.status.signal(), Some(libc::SIGTERM));
    let output = place.run("cat; echo err >&2").output().unwrap();
    assert_eq!(text(&output), "err\nepipe: the program made no TCP socket\n");
}

/// Starts a program that says when it runs and then waits for ever, sends `signal` to epipe, and returns how that ended, once
/// nobody has the program's output open any more: then it is gone too.
fn ended_by(signal: Signal) -> ExitStatus {
    let place = Place::new();
    let mut run = place.run("echo runs; exec sleep 1000").stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(run.stdout.take().unwrap());
    output.read_line(&mut String::new()).unwrap();
    kill(Pid::from_raw(run.id().try_into().unwrap()), signal).unwrap();
    assert_eq!(output.read_to_end(&mut Vec::new()).unwrap(), 0);
    run.wait().unwrap()
}

#[test]
fn no_end_of_epipe_leaves_the_program_behind() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGKILL] {
        assert_eq!(ended_by(signal).signal(), Some(signal as i32), "{signal}");
    }
}

#[test]
fn a_call_that_a_signals_handler_has_interrupted_returned_so() {
    let place = Place::new();
    // The interpreter makes the call again by itself, just as it was.
    let program = "import select, signal, socket, sys; signal.signal(signal.SIGALRM, lambda *_: signal.signal(signal.SIGALRM, \
                   lambda *_: sys.exit())); waits = select.epoll(); listener = socket.create_server((\"127.0.0.1\", 0)); \
                   waits.register(listener); signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1); waits.poll()";
    let output = place.run(&format!("exec python3 -c '{program}'")).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let story = place.transcript();
    assert_eq!(story.matches("= -1 EINTR").count(), 2, "{story}");
}

#[test]
fn a_ring_is_noticed_and_said_to_be_invisible() {
    let place = Place::new();
    // io_uring_setup(2), which may be forbidden: that it was asked for is enough.
    let program = "import ctypes, socket; s = socket.socket(); ctypes.CDLL(None).syscall(425, 4, ctypes.create_string_buffer(120))";
    let output = place.run(&format!("exec python3 -c '{program}'")).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let story = place.transcript();
    assert_eq!(story.matches("uses io_uring, whose calls on sockets no tracer sees").count(), 1, "{story}");
}

#[test]
fn a_parent_that_ignores_its_children_changes_nothing() {
    let place = Place::new();
    for options in [&[][..], &["--hold"]] {
        let run = place.run_with(options, "python3 -c 'import socket; socket.socket()'; echo done");
        // What is ignored is inherited by what is started.
        let mut ignoring = Command::new("python3");
        ignoring.args(["-c", "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"]);
        let output = ignoring.arg(run.get_program()).args(run.get_args()).output().unwrap();
        assert_eq!(text(&output), "done\n", "{options:?}");
        assert!(place.transcript().contains("socket("), "{options:?}");
    }
}

#[test]
fn what_the_program_leaves_running_on_the_hosts_network_ends_too() {
    let place = Place::new();
    // Without a tracer its filter would refuse it every socket.
    let output = place.run_with(&["--host"], "sleep 1000 & echo $!").output().unwrap();
    let pid = String::from_utf8(output.stdout).unwrap();
    assert!(fs::read_to_string(place.story()).unwrap().contains("was ended with it"));
    let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "{state}");
}

#[test]
fn what_the_program_leaves_running_ends_with_its_network() {
    let place = Place::new();
    let output = place.run("sleep 1000 & echo started").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "started\n");
    assert!(fs::read_to_string(place.story()).unwrap().contains("was still running when the run was over"));
}

#[test]
fn signals_that_interrupt_and_stop_reach_the_program_alone() {
    let place = Place::new();
    let line = "trap 'echo alarmed' ALRM; kill -ALRM $$; (kill -STOP $BASHPID; echo went on) & while kill -CONT $! 2>/dev/null; do :; done";
    let output = Command::new(place.0.path().join("epipe")).args(["run", "--", "bash", "-c", line]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "alarmed\nwent on\n");
}

#[test]
#[ignore = "needs root, for a capture"]
fn the_calls_that_failed_and_the_summary_are_told_alone() {
    let place = Place::new();
    let pair = "(python3 broken_pipe_server.py; echo gone) | python3 broken_pipe_client.py";
    let told = |flag: &[&str]| {
        let mut command = Command::new(place.0.path().join("epipe"));
        let output = command.arg("run").args(flag).args(["--", "sh", "-c", pair]).current_dir(place.0.path()).output();
        String::from_utf8(output.unwrap().stderr).unwrap()
    };
    let failed = told(&["--only", "EPIPE,ECONNRESET"]);
    assert!(
        failed.contains("  send(3, \"hello\", 5, 0) = -1 EPIPE (Broken pipe), SIGPIPE  (connection 1)\n"),
        "{failed}"
    );
    assert!(failed.contains("because of 9 RST ◀ 8 send ◀ 6 close"), "{failed}");
    assert_eq!(told(&["--only", "ETIMEDOUT"]), "No call failed with ETIMEDOUT.\n");
    let summary = told(&["--summary"]);
    assert!(summary.contains("  reset-after-close, proven, 5 bytes lost\n      client send() = EPIPE\n"), "{summary}");
}

/// The titles of what is found in a program: by its summary, and by the JSON of the story that was saved.
fn found(place: &Place, program: &str) -> Vec<String> {
    let saved = place.0.path().join("story.pcapng");
    let mut command = Command::new(place.0.path().join("epipe"));
    command.args(["run", "--summary", "-o"]).arg(place.story()).arg("--write").arg(&saved).args(["--", "sh", "-c"]);
    let output = command.arg(format!("exec python3 {program}")).current_dir(place.0.path()).output().unwrap();
    assert!(output.status.success(), "{program}: {}", text(&output));
    let summary = fs::read_to_string(place.story()).unwrap();
    assert!(summary.contains("connection"), "{program}: {summary}");
    let findings = summary.split_once("\nFindings\n").map_or("", |(_, findings)| findings);
    let is_head = |line: &&str| line.starts_with(' ') && !line.starts_with("      ");
    let titles: Vec<String> =
        findings.lines().filter(is_head).map(|line| line[6..].split(": ").next().unwrap().to_owned()).collect();
    let story = json(&saved);
    let in_json = story["findings"].as_array().unwrap().iter().map(|finding| finding["title"].as_str().unwrap());
    assert_eq!(in_json.collect::<Vec<_>>(), titles, "{program}");
    titles
}

/// The story in a file, as JSON.
fn json(file: &Path) -> serde_json::Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_epipe"));
    let output = command.args(["replay", "--format", "json"]).arg(file).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
#[ignore = "needs root, for a capture"]
fn each_mistake_is_found_in_the_program_that_makes_it() {
    let place = Place::new();
    let lost = "bytes were lost after a send that succeeded";
    let unread = "closed with bytes unread";
    for (program, expected) in [
        ("closed_with_bytes_unread", vec![unread, lost]),
        ("an_answer_lost_to_the_own_reset", vec![unread, "an answer was lost to the own reset", lost]),
        ("bytes_lost_after_a_send", vec![lost]),
        ("a_short_send", vec!["a short send was taken for a whole one"]),
        ("sent_after_shutdown", vec!["sent after the own shutdown"]),
        ("the_end_in_a_loop", vec!["the end of the stream was read again and again"]),
        ("never_closed", vec!["a descriptor was never closed"]),
        ("kept_open_by_a_copy", vec!["a copy of the descriptor kept the connection open"]),
        ("used_after_its_end", vec![lost, "used after its end had come"]),
        ("killed_by_sigpipe", vec![lost, "killed by SIGPIPE"]),
    ] {
        assert_eq!(found(&place, &format!("faults.py {program}")), expected, "{program}");
    }
}

#[test]
#[ignore = "needs root, for a capture"]
fn a_leak_in_a_program_that_is_left_running_is_confirmed_by_the_kernel() {
    let place = Place::new();
    let output = place.run("exec python3 left_running.py").output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let story = json(&place.story());
    let finding = &story["findings"][0];
    assert_eq!(finding["kind"], "never-closed");
    let said = finding["text"].as_str().unwrap();
    assert!(said.ends_with(" the kernel's own table had it so."), "{said}");
    // The server's process ended with the run, and only then its socket.
    let events = story["events"].as_array().unwrap();
    let at = |is_it: &dyn Fn(&serde_json::Value) -> bool| events.iter().position(is_it).unwrap();
    let waits = at(&|event| event["kind"] == "kernel" && event["state"] == "CLOSE-WAIT" && event["unread"] == 0);
    let killed = at(&|event| event["kind"] == "killed" && event["signal"] == "SIGKILL");
    assert!(waits < killed);
    assert_eq!(Told::of(&place.transcript()).differing, [] as [String; 0]);
}

#[test]
#[ignore = "needs root, for a capture"]
fn while_a_program_idles_the_kernel_is_asked_of_its_sockets() {
    let place = Place::new();
    let output = place.run("exec python3 idle.py").output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let story = json(&place.story());
    let asked = story["events"].as_array().unwrap().iter().filter(|event| event["kind"] == "kernel");
    let said: Vec<String> = asked
        .map(|event| format!("{} {} {}", event["side"], event["state"], event["unread"]).replace('"', ""))
        .filter(|said| said.starts_with("server"))
        .collect();
    assert_eq!(said, ["server ESTABLISHED 5", "server CLOSE-WAIT 6", "server null null"]);
    assert_eq!(Told::of(&place.transcript()).differing, [] as [String; 0]);
}

#[test]
#[ignore = "needs root, for a capture"]
fn in_healthy_programs_nothing_is_found() {
    let place = Place::new();
    for program in [
        "echo",
        "half_close",
        "server_closes_first",
        "drain_then_close",
        "big",
        "forking",
        "threads",
        "nonblocking",
        "epoll",
        "copies",
        "looked_before_reuse",
        "refused_then_served",
    ] {
        assert_eq!(found(&place, &format!("healthy.py {program}")), [""; 0], "{program}");
    }
}

#[test]
fn the_story_says_how_much_of_the_data_it_keeps() {
    for payload in ["none", "head", "all"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_epipe"));
        command.args(["run", "--format", "transcript", "--payload", payload, "--", "python3", "-c"]);
        let output = command.arg("import socket; socket.socket().close()").output().unwrap();
        assert!(text(&output).contains(&format!("\n# payload: {payload}\n")), "{}", text(&output));
    }
}

#[test]
fn what_would_be_refused_later_is_refused_before_the_program_runs() {
    for flags in [
        &["--write", "/nowhere/x"][..],
        &["-o", "/nowhere/x"],
        &["--format", "text"],
        &["--format", "json", "--summary"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_epipe"));
        let output = command.arg("run").args(flags).args(["--", "echo", "ran"]).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{flags:?}: {}", text(&output));
    }
}

#[test]
fn what_cannot_be_run_is_said() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_epipe")).args(["run", "--only", "EFOO", "--", "true"]).output().unwrap();
    assert!(text(&output).starts_with("epipe: cannot read --only: no error is called \"EFOO\"\nhelp: "));

    let output = Command::new(env!("CARGO_BIN_EXE_epipe")).args(["run", "--", "/nonexistent"]).output().unwrap();
    assert_eq!(text(&output), "epipe: cannot run \"/nonexistent\": No such file or directory (os error 2)\n");
    assert_eq!(output.status.code(), Some(2));
}
