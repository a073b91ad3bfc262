//! The lab on the real kernel: what its processes do, tell, and leave behind.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "lab/check.rs"]
mod check;
#[cfg(feature = "capture")]
#[path = "lab/check_json.rs"]
mod check_json;
#[cfg(feature = "capture")]
#[path = "schema/checker.rs"]
mod checker;
#[path = "lab/common.rs"]
mod common;
#[cfg(feature = "capture")]
#[path = "lab/held.rs"]
mod held;
#[cfg(feature = "capture")]
#[path = "lab/link.rs"]
mod link;
#[path = "lab/mistakes.rs"]
mod mistakes;
#[cfg(feature = "capture")]
#[path = "lab/mutation.rs"]
mod mutation;
#[cfg(feature = "capture")]
#[path = "lab/needs.rs"]
mod needs;
#[path = "lab/processes.rs"]
mod processes;
#[path = "lab/quiz.rs"]
mod quiz;
#[cfg(feature = "capture")]
#[path = "lab/refusal.rs"]
mod refusal;
#[cfg(feature = "capture")]
#[path = "lab/storm.rs"]
mod storm;

use common::{options, run, run_all};
use epipe::event::{ExitStatus, Gap, What};
use epipe::notation;
use epipe::socket::errno::Signal;
use epipe::source::lab::message::{Command, Message};
use epipe::source::lab::scenario::Scenario;
use epipe::source::lab::{Lab, library};
use epipe::tcp::state::State;

fn scenario(name: &str) -> Scenario {
    library::find(name).unwrap().unwrap()
}

/// A scenario of `script` alone, whose first line is line 7.
fn scripted(script: &str) -> Scenario {
    let head = "name = \"x\"\ngroup = \"\"\nquestion = \"\"\nlesson = \"\"\nfix = \"\"\n";
    Scenario::parse("x.toml", &format!("{head}script = '''\n{script}'''\n")).unwrap()
}

/// Calls, their ends, and segments, without numbers that differ from run to run.
#[cfg(feature = "capture")]
fn outline(events: &[epipe::event::Event]) -> Vec<String> {
    let line = |event: &epipe::event::Event| match &event.what {
        What::Segment { frame, segment } => {
            let from = if segment.src.port() == 2222 { "S" } else { "C" };
            Some(format!("{} {from} {}", frame.number, segment.flags))
        }
        What::Begun(call) => Some(format!("{} {} …", event.actor.as_ref()?, call.name)),
        What::Ended { begun, outcome } => {
            let call = events.iter().find(|event| event.id == *begun)?.begun()?;
            let error = outcome.errno.map_or_else(|| outcome.ret.to_string(), |errno| errno.to_string());
            Some(format!("{} {} = {error}", event.actor.as_ref()?, call.name))
        }
        What::Exit(ExitStatus::Code(code)) => Some(format!("{} exited {code}", event.actor.as_ref()?)),
        What::Exit(ExitStatus::Killed(signal)) => Some(format!("{} {signal}", event.actor.as_ref()?)),
        _ => None,
    };
    events.iter().filter_map(line).collect()
}

#[cfg(feature = "capture")]
const BROKEN_PIPE: &str = "\
server socket …
server socket = 3
server setsockopt …
server setsockopt = 0
server bind …
server bind = 0
server listen …
server listen = 0
client socket …
client socket = 3
server accept …
client connect …
1 C S
2 S S.
3 C .
server accept = 4
client connect = 0
client send …
4 C P.
5 S .
client send = 5
server recv …
server recv = 5
server close …
6 S F.
server close = 0
7 C .
client send …
8 C P.
9 S R
client send = 5
client send …
client send = EPIPE
client close …
client close = 0
client exit …
client exited 0
server close …
server close = 0
server exit …
server exited 0";

#[cfg(feature = "capture")]
#[test]
fn a_broken_pipe_is_told_in_order() {
    let events = run(&scenario("broken-pipe"), &options());
    let ids: Vec<u64> = events.iter().map(|event| event.id.0).collect();
    assert_eq!(ids, (1..=events.len() as u64).collect::<Vec<_>>());
    assert!(events.iter().all(|event| !event.late), "{events:?}");
    assert!(events.windows(2).all(|pair| pair[0].time <= pair[1].time));
    // Whether accept or connect returns first, and whether the FIN's acknowledgement comes inside close, is the
    // scheduler's and the timer's choice.
    let mut told = outline(&events);
    for (first, second) in [("client connect = 0", "server accept = 4"), ("7 C .", "server close = 0")] {
        if let Some(at) =
            told.iter().position(|line| line == first).filter(|at| told.get(at + 1).is_some_and(|next| next == second))
        {
            told.swap(at, at + 1);
        }
    }
    assert_eq!(told.join("\n"), BROKEN_PIPE);
}

#[test]
fn the_kernels_own_view_is_told_where_it_changes() {
    let events = run(&scenario("broken-pipe"), &options());
    let views: Vec<(bool, Option<State>, bool)> = events
        .iter()
        .filter_map(|event| match &event.what {
            What::Sample(sample) => {
                let socket = sample.socket;
                Some((sample.local.port() == 2222, socket.map(|s| s.state), socket.is_some_and(|s| s.orphan)))
            }
            _ => None,
        })
        .collect();
    let server: Vec<_> = views.iter().filter(|view| view.0).map(|view| (view.1, view.2)).collect();
    let client: Vec<_> = views.iter().filter(|view| !view.0).map(|view| view.1).collect();
    let established = Some(State::Established);
    // Accepted; five bytes unread; read; the record that close left behind; nothing.
    let held = (established, false);
    assert_eq!(server, [held, held, held, (Some(State::FinWait2), true), (None, false)]);
    // Connected; the FIN is there; nothing.
    assert_eq!(client, [established, Some(State::CloseWait), None]);
}

#[cfg(feature = "capture")]
#[test]
fn what_is_told_of_the_run_says_where_it_ran() {
    let messages = run_all(&scenario("broken-pipe"), &options());
    let Some(Message::Run(run)) = messages.first() else { panic!("{:?}", messages.first()) };
    assert_eq!(run.name, "broken-pipe");
    assert!(run.fact("network").unwrap().starts_with("private loopback"));
    assert_eq!(run.fact("capture"), Some("libpcap on lo"));
    assert_eq!(run.fact("payload"), Some("all"));
    assert_eq!(messages.last(), Some(&Message::Finished));
}

#[test]
fn sigpipe_kills_and_is_seen_pending() {
    let killed = run(&scenario("broken-pipe/killed"), &options());
    let ends: Vec<_> = killed
        .iter()
        .filter_map(|event| if let What::Exit(status) = event.what { Some(status) } else { None })
        .collect();
    assert_eq!(ends, [ExitStatus::Killed(Signal::SIGPIPE), ExitStatus::Code(0)]);
    let blocked = run(&scenario("broken-pipe/blocked"), &options());
    let pending: Vec<_> = blocked.iter().filter_map(|event| event.ended()?.1.word().map(str::to_owned)).collect();
    assert_eq!(pending, ["none", "SIGPIPE"]);
}

#[test]
fn the_signal_in_an_outcome_is_the_one_that_was_delivered() {
    let events = run(&scenario("broken-pipe"), &options());
    let failed: Vec<String> = events
        .iter()
        .filter_map(|event| event.ended())
        .filter(|(_, outcome)| outcome.errno.is_some())
        .map(|(_, outcome)| notation::outcome(outcome))
        .collect();
    assert_eq!(failed, ["= -1 EPIPE (Broken pipe), SIGPIPE"]);
}

#[test]
fn a_held_run_waits_for_each_go_and_runs_on_when_told() {
    let scenario = scenario("broken-pipe");
    let mut options = options();
    options.hold = true;
    let (lab, messages) = Lab::start(&scenario, &options).unwrap();
    let mut asked: Vec<String> = Vec::new();
    let (mut begun, mut running) = (0, false);
    for message in messages {
        match message {
            Message::Settled(Some(next)) => {
                assert_eq!(begun, asked.len(), "no call before its go");
                asked.push(format!("{} {}", next.line, notation::call(&next.call)));
                if !running {
                    running = asked.len() == 5;
                    lab.command(if running { Command::Run } else { Command::Go });
                }
            }
            Message::Event(event) => begun += usize::from(event.begun().is_some()),
            Message::Failed { message, .. } => panic!("{message}"),
            _ => {}
        }
    }
    let line = scenario.steps[1].line;
    assert_eq!(asked[1], format!("{line} setsockopt(3, SOL_SOCKET, SO_REUSEADDR, 1)"));
    assert_eq!((asked.len(), begun), (16, 16));
}

#[test]
fn a_telling_call_is_told_as_such_with_what_is_expected() {
    let messages = run_all(&scenario("broken-pipe"), &options());
    let telling: Vec<String> = messages
        .iter()
        .filter_map(|message| match message {
            Message::Settled(Some(next)) if next.telling => next.expected.as_ref().map(notation::outcome),
            _ => None,
        })
        .collect();
    assert_eq!(telling, ["= 5", "= -1 EPIPE (Broken pipe), SIGPIPE"]);
}

#[test]
fn what_never_comes_is_a_difference_and_not_a_wait() {
    let script = "\
server  socketpair(AF_UNIX, SOCK_STREAM, 0) = 0 3 4
server  recv(3, 10, 0) = 5
server  close(3) = 0
";
    let scenario = scripted(script);
    let found: Vec<(usize, String)> = run_all(&scenario, &options())
        .into_iter()
        .filter_map(
            |message| if let Message::Mismatch(found) = message { Some((found.line, found.happened)) } else { None },
        )
        .collect();
    assert_eq!(found, [(8, "still waits".to_owned()), (9, "the run ended before this call".to_owned())]);
}

#[test]
fn a_call_with_a_time_out_is_waited_for() {
    let script = "\
server  socketpair(AF_UNIX, SOCK_STREAM, 0) = 0 3 4
server  poll(3, POLLIN|POLLRDHUP, 30) = 0
server  select(3, 30) …
server  select … = 0
server  write(4, \"x\", 1) = 1
server  select(3, -1) = 1 readable
server  poll(3, POLLIN|POLLOUT, -1) = 1 POLLIN|POLLOUT
server  close(4) = 0
server  read(3, 5) = 1 \"x\"
server  read(3, 5) = 0
server  send(3, \"y\", 1, MSG_NOSIGNAL) = -1 EPIPE
server  write(3, \"y\", 1) = -1 EPIPE, SIGPIPE
server  pipe() = 0 4 5
server  dup(5) = 6  race
server  close(4) = 0
server  write(6, \"y\", 1) = -1 EPIPE, SIGPIPE
server  getsockopt(3, SOL_SOCKET, SO_ERROR) = 0 0
server  close(9) = -1 EBADF
";
    let scenario = scripted(script);
    let differences: Vec<Message> =
        run_all(&scenario, &options()).into_iter().filter(|message| matches!(message, Message::Mismatch(_))).collect();
    assert_eq!(differences, []);
}

#[test]
fn what_cannot_settle_is_said_once_and_the_run_goes_on() {
    let data = "x".repeat(20_000);
    let script = format!(
        "\
server  socket(AF_INET, SOCK_STREAM, 0) = 3
server  setsockopt(3, SOL_SOCKET, SO_RCVBUF, 2304) = 0
server  bind(3, 127.0.0.1:2222) = 0
server  listen(3, 5) = 0
client  socket(AF_INET, SOCK_STREAM, 0) = 3
client  connect(3, 127.0.0.1:2222) = 0
client  send(3, \"{data}\", 20000, 0) = 20000
client  shutdown(3, SHUT_WR) = 0
client  pipe() = 0
"
    );
    let events = run(&scripted(&script), &options());
    let pending: Vec<&str> = events
        .iter()
        .filter_map(|event| if let What::Gap(Gap::Unsettled(what)) = &event.what { Some(what.as_str()) } else { None })
        .collect();
    // The bytes that nobody reads; then the FIN that stands behind them.
    assert!(pending[0].ends_with("has bytes that are not acknowledged"), "{pending:?}");
    assert!(pending[1].ends_with("is in FIN-WAIT-1"), "{pending:?}");
    assert_eq!(pending.len(), 2, "{pending:?}");
    let calls = events.iter().filter(|event| event.ended().is_some()).count();
    assert_eq!(calls, 9, "{events:?}");
}
