//! Every expectation of every scenario, changed one at a time: each change must be noticed at its line.

use epipe::event::{Event, ExitStatus};
use epipe::socket::call::{Arg, CallName, Outcome};
use epipe::socket::errno::{Errno, Signal};
use epipe::source::lab::compare::compare;
use epipe::source::lab::scenario::Scenario;
use epipe::source::lab::script::{Expect, Returned, Step, StepKind};
use epipe::tcp::segment::Flags;

use super::common::{options, playable, run};

#[test]
fn every_changed_expectation_is_noticed_at_its_line() {
    for scenario in playable() {
        let events = run(&scenario, &options());
        assert_eq!(compare(&scenario, &events), [], "{}", scenario.name);
        for at in 0..scenario.steps.len() {
            check_step(&scenario, at, &events);
        }
    }
}

fn check_step(scenario: &Scenario, at: usize, events: &[Event]) {
    let step = &scenario.steps[at];
    let is_segment = step.segment().is_some();
    if is_segment {
        let mut twice = scenario.clone();
        twice.steps.insert(at, step.clone());
        let mut without = scenario.clone();
        without.steps.remove(at);
        let optional = step.segment().is_some_and(|(_, optional)| optional);
        // A script without any is about the calls alone.
        let is_only_one = without.steps.iter().all(|step| step.segment().is_none());
        // One that may be absent, and was.
        if optional && compare(&without, events).is_empty() {
            return;
        }
        assert!(is_only_one || !compare(&without, events).is_empty(), "{}:{} left out", scenario.file, step.line);
        // Of several that are alike, one too many is missing at the last.
        let mut alike = scenario.steps.iter().filter(|other| other.text == step.text);
        let noticed = alike.any(|other| names(&twice, other.line, events));
        assert!(optional || noticed, "{}:{} twice", scenario.file, step.line);
    }
    // The pace is fast, so that the pauses were not made.
    if step.call().is_some_and(|call| call.name == CallName::Nanosleep) {
        return;
    }
    for (what, changed) in changes(step) {
        let mut other = scenario.clone();
        other.steps[at] = changed;
        assert!(names(&other, step.line, events), "{}:{} {what}: {}", scenario.file, step.line, step.text);
    }
}

/// Whether the comparison finds something, and at this line.
fn names(scenario: &Scenario, line: usize, events: &[Event]) -> bool {
    compare(scenario, events).iter().any(|mismatch| mismatch.line == line)
}

/// The step with each thing that it expects changed in turn, and which.
fn changes(step: &Step) -> Vec<(&'static str, Step)> {
    let with = |kind: StepKind| Step { kind, ..step.clone() };
    match &step.kind {
        StepKind::Call { actor, call, expect, telling, race } => {
            let with = |expect| {
                let (actor, call) = (actor.clone(), call.clone());
                with(StepKind::Call { actor, call, expect, telling: *telling, race: *race })
            };
            match expect {
                Expect::Returns(returned) => {
                    let mut changed: Vec<_> = outcomes(returned)
                        .into_iter()
                        .map(|(what, returned)| (what, with(Expect::Returns(returned))))
                        .collect();
                    changed.push(("end", with(Expect::Ends(ExitStatus::Code(0)))));
                    changed
                }
                // Not 0: one that waits until its peer is killed may return that in the same stretch.
                Expect::Waits => vec![("waiting", with(Expect::Returns(Returned::Outcome(Outcome::success(12_345)))))],
                Expect::Ends(status) => {
                    statuses(*status).into_iter().map(|status| ("status", with(Expect::Ends(status)))).collect()
                }
            }
        }
        StepKind::Returns { actor, name, result } => outcomes(result)
            .into_iter()
            .map(|(what, result)| (what, with(StepKind::Returns { actor: actor.clone(), name: *name, result })))
            .collect(),
        StepKind::Ends { actor, status } => statuses(*status)
            .into_iter()
            .map(|status| ("status", with(StepKind::Ends { actor: actor.clone(), status })))
            .collect(),
        StepKind::Segment { .. } => segments(step),
    }
}

fn outcomes(returned: &Returned) -> Vec<(&'static str, Returned)> {
    let Returned::Outcome(outcome) = returned else { return Vec::new() };
    let mut changed = Vec::new();
    let mut add = |what, change: &dyn Fn(&mut Outcome)| {
        let mut other = outcome.clone();
        change(&mut other);
        changed.push((what, Returned::Outcome(other)));
    };
    add("result", &|other| other.ret += 1);
    add("error", &|other| {
        other.errno = if other.errno == Some(Errno::EPIPE) { Some(Errno::ECONNRESET) } else { Some(Errno::EPIPE) }
    });
    if outcome.errno.is_some() {
        add("success", &|other| other.errno = None);
    }
    add("signal", &|other| other.signal = if other.signal.is_some() { None } else { Some(Signal::SIGPIPE) });
    for index in 0..outcome.values.len() {
        add("value", &|other| change_value(&mut other.values[index]));
    }
    changed
}

fn change_value(value: &mut Arg) {
    match value {
        Arg::Int(number) => *number += 1,
        Arg::Addr(addr) => addr.set_port(addr.port() ^ 1),
        Arg::Bytes(payload) => payload.bytes[0] ^= 1,
        Arg::Word(word) => word.push('X'),
    }
}

fn statuses(status: ExitStatus) -> Vec<ExitStatus> {
    match status {
        ExitStatus::Code(code) => vec![ExitStatus::Code(code ^ 1), ExitStatus::Killed(Signal::SIGPIPE)],
        ExitStatus::Killed(Signal(number)) => vec![ExitStatus::Killed(Signal(number + 1)), ExitStatus::Code(0)],
    }
}

fn segments(step: &Step) -> Vec<(&'static str, Step)> {
    let StepKind::Segment { text, optional } = &step.kind else { return Vec::new() };
    let mut changed = Vec::new();
    let mut add = |what, change: &dyn Fn(&mut epipe::notation::SegmentText)| {
        let mut other = text.clone();
        change(&mut other);
        changed.push((what, Step { kind: StepKind::Segment { text: other, optional: *optional }, ..step.clone() }));
    };
    for flag in [Flags::FIN, Flags::SYN, Flags::RST, Flags::PSH, Flags::ACK, Flags::URG, Flags::ECE] {
        add("flag", &|other| other.flags = Flags::from_bits(other.flags.bits() ^ flag.bits()));
    }
    add("sequence number", &|other| other.start = other.start.wrapping_add(1));
    add("length", &|other| other.len += 1);
    add("acknowledgement", &|other| other.ack = Some(other.ack.map_or(0, |ack| ack.wrapping_add(1))));
    if text.ack.is_some() {
        add("no acknowledgement", &|other| other.ack = None);
    }
    add("direction", &|other| other.from_client = !other.from_client);
    add("connection", &|other| other.connection += 1);
    add("window", &|other| other.window = Some(1));
    changed
}
