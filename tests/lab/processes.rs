//! Nothing outlives what started it.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::{Command, Stdio};

use epipe::event::What;
use epipe::source::lab::Lab;
use epipe::source::lab::message::{self, Message};

use super::common::options;
use super::scenario;

/// A process that can be waited for without being its parent.
struct Watched(OwnedFd);

impl Watched {
    #[allow(unsafe_code, reason = "nix has no pidfd_open")]
    fn new(pid: i32) -> Self {
        // SAFETY: pidfd_open(2) takes two numbers; a result that is not negative is a descriptor of ours.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        assert!(fd >= 0, "process {pid} is gone already");
        // SAFETY: as above.
        Self(unsafe { OwnedFd::from_raw_fd(i32::try_from(fd).unwrap()) })
    }

    /// Whether the process ends within ten seconds; it returns at once where it does.
    #[allow(unsafe_code, reason = "one descriptor, given as a number")]
    fn ends(&self) -> bool {
        let mut watched = libc::pollfd { fd: self.0.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one pollfd is given and outlives the call.
        unsafe { libc::poll(&raw mut watched, 1, 10_000) == 1 }
    }
}

/// The process ids of the children of `pid`.
pub fn children(pid: i32) -> Vec<i32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    threads
        .flat_map(|thread| {
            let mut text = String::new();
            File::open(thread.unwrap().path().join("children")).unwrap().read_to_string(&mut text).unwrap();
            text.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<i32>>()
        })
        .collect()
}

/// Runs until the actors are there, and returns their process ids.
fn actors(messages: &std::sync::mpsc::Receiver<Message>) -> Vec<i32> {
    let mut pids = Vec::new();
    for message in messages {
        match message {
            Message::Event(event) => {
                if let What::Started { pid } = event.what {
                    pids.push(pid);
                }
            }
            Message::Settled(_) => return pids,
            _ => {}
        }
    }
    panic!("the run ended before its first call");
}

#[test]
fn dropping_a_held_run_leaves_no_process() {
    let mut options = options();
    options.hold = true;
    let (lab, messages) = Lab::start(&scenario("broken-pipe"), &options).unwrap();
    let watched: Vec<Watched> = actors(&messages).into_iter().map(Watched::new).collect();
    assert_eq!(watched.len(), 2);
    drop(lab);
    assert!(watched.iter().all(Watched::ends));
}

#[test]
fn nobody_receiving_ends_the_run() {
    let mut options = options();
    options.hold = true;
    let (lab, messages) = Lab::start(&scenario("broken-pipe"), &options).unwrap();
    let watched: Vec<Watched> = actors(&messages).into_iter().map(Watched::new).collect();
    drop(messages);
    lab.command(message::Command::Go);
    assert!(watched.iter().all(Watched::ends));
}

#[test]
fn stop_finishes_the_run() {
    let mut options = options();
    options.hold = true;
    let (lab, messages) = Lab::start(&scenario("broken-pipe"), &options).unwrap();
    let watched: Vec<Watched> = actors(&messages).into_iter().map(Watched::new).collect();
    lab.command(message::Command::Stop);
    assert_eq!(messages.iter().last(), Some(Message::Finished));
    assert!(watched.iter().all(Watched::ends));
}

/// The scenario of a walk takes some seconds, so that it is under way when its program is killed.
#[test]
fn a_program_that_is_killed_leaves_no_process() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_epipe"))
        .args(["lab", "broken-pipe", "--check", "--pace", "walk"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let pid = i32::try_from(program.id()).unwrap();
    let descendants = loop {
        let stages = children(pid);
        let actors: Vec<i32> = stages.iter().flat_map(|stage| children(*stage)).collect();
        if actors.len() == 2 {
            break [stages, actors].concat();
        }
        assert_eq!(program.try_wait().unwrap(), None, "the program ended before its actors were there");
        std::thread::yield_now();
    };
    let watched: Vec<Watched> = descendants.into_iter().map(Watched::new).collect();
    assert_eq!(watched.len(), 3);
    program.kill().unwrap();
    program.wait().unwrap();
    assert!(watched.iter().all(Watched::ends));
}

#[test]
fn a_stage_that_is_killed_is_told_as_a_failure() {
    let mut options = options();
    options.hold = true;
    let (_lab, messages) = Lab::start(&scenario("broken-pipe"), &options).unwrap();
    let actors = actors(&messages);
    let watched: Vec<Watched> = actors.iter().copied().map(Watched::new).collect();
    let stage = parent(actors[0]);
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(stage), nix::sys::signal::Signal::SIGKILL).unwrap();
    let last = messages.iter().last();
    assert!(matches!(&last, Some(Message::Failed { .. })), "{last:?}");
    assert!(watched.iter().all(Watched::ends));
}

/// An actor that somebody else kills: the run says so and goes no further.
#[test]
fn an_actor_that_is_killed_is_told_as_a_difference() {
    let mut options = options();
    options.hold = true;
    let (lab, messages) = Lab::start(&scenario("broken-pipe"), &options).unwrap();
    let client = actors(&messages)[1];
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(client), nix::sys::signal::Signal::SIGKILL).unwrap();
    lab.command(message::Command::Run);
    let messages: Vec<Message> = messages.iter().collect();
    let difference = messages.iter().find_map(|message| match message {
        Message::Mismatch(mismatch) => Some((mismatch.expected.clone(), mismatch.happened.clone())),
        _ => None,
    });
    let expected = "client  socket(AF_INET, SOCK_STREAM, 0) = 3".to_owned();
    assert_eq!(difference, Some((expected, "the run ended before this call".to_owned())));
    assert_eq!(messages.last(), Some(&Message::Finished));
}

/// The parent of the process `pid`, from the fourth field of its stat (proc(5)).
fn parent(pid: i32) -> i32 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = stat.rsplit(") ").next().unwrap();
    after_name.split(' ').nth(1).unwrap().parse().unwrap()
}
