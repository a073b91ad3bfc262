//! What a scenario expects beside what happened: a pure function of both.
//!
//! The events fall into stretches: each begins with a call and reaches to the beginning of the next call, since the lab
//! settles in between; calls that race share one. A stretch must hold what the lines of its calls expect: the outcomes,
//! the ends of processes, and the segments in their order, all of them and no others.

use std::collections::{HashMap, HashSet};

use super::message::Mismatch;
use super::scenario::Scenario;
use super::script::{Expect, Returned, Step, StepKind};
use crate::event::{Actor, Event, EventId, ExitStatus, Gap, What};
use crate::notation;
use crate::socket::call::{CallName, Outcome};

mod segments;

/// Everything in which `events` differ from what `scenario` expects, in the order of its lines.
///
/// Segments are not compared where there was no capture, or where the scenario has none: then it is about the calls alone.
pub fn compare(scenario: &Scenario, events: &[Event]) -> Vec<Mismatch> {
    differences(scenario, events, false)
}

/// The same of a run whose calls were held back: what the kernel's timers sent meanwhile is no difference.
pub fn compare_held(scenario: &Scenario, events: &[Event]) -> Vec<Mismatch> {
    differences(scenario, events, true)
}

fn differences(scenario: &Scenario, events: &[Event], held: bool) -> Vec<Mismatch> {
    let mut comparison = Comparison::new(events);
    let stretches = comparison.stretches(&scenario.steps);
    let captured = !events.iter().any(|event| matches!(event.what, What::Gap(Gap::NoCapture(_))));
    let about_segments = scenario.steps.iter().any(|step| matches!(step.kind, StepKind::Segment { .. }));
    let told = segments::relative(events);
    for (index, stretch) in stretches.iter().enumerate() {
        let end = stretches.get(index + 1).map_or(events.len(), |next| next.start);
        let range = stretch.start..end;
        comparison.calls(stretch, events.get(range.clone()).unwrap_or_default());
        let broken_off = comparison.broken_off && index + 1 == stretches.len();
        if captured && about_segments && !broken_off {
            let from = told.partition_point(|(at, _)| *at < range.start);
            let after = told.partition_point(|(at, _)| *at < range.end);
            let (before, seen) = told.get(..after).unwrap_or_default().split_at(from);
            let earlier = held.then_some(before);
            comparison.mismatches.extend(segments::compare(&stretch.steps, seen, earlier));
        }
    }
    comparison.unexpected(&scenario.steps);
    comparison.mismatches.sort_by_key(|mismatch| (mismatch.line, mismatch.column));
    comparison.mismatches
}

/// Some lines, and the events that belong to them, from this index on.
struct Stretch<'a> {
    start: usize,
    steps: Vec<&'a Step>,
}

struct Comparison<'a> {
    events: &'a [Event],
    /// The event with which each call of the script began, by its place in the script's memory.
    begun: HashMap<*const Step, EventId>,
    /// The call in which an actor waits.
    waiting: HashMap<Actor, EventId>,
    /// Ends of calls and of processes that a line expected.
    expected: HashSet<EventId>,
    /// The run ended before the script did.
    broken_off: bool,
    mismatches: Vec<Mismatch>,
}

fn mismatch(step: &Step, happened: impl Into<String>) -> Mismatch {
    Mismatch { line: step.line, column: step.column, expected: step.text.clone(), happened: happened.into() }
}

impl<'a> Comparison<'a> {
    fn new(events: &'a [Event]) -> Self {
        Self {
            events,
            begun: HashMap::new(),
            waiting: HashMap::new(),
            expected: HashSet::new(),
            broken_off: false,
            mismatches: Vec::new(),
        }
    }

    /// Lays the script's calls beside those that were made.
    fn stretches<'b>(&mut self, steps: &'b [Step]) -> Vec<Stretch<'b>> {
        let mut made = self.events.iter().enumerate().filter(|(_, event)| event.begun().is_some()).peekable();
        let mut stretches = vec![Stretch { start: 0, steps: Vec::new() }];
        let mut racing = false;
        for step in steps {
            if let StepKind::Call { actor, call, race, .. } = &step.kind {
                let same =
                    |(_, event): &(usize, &Event)| event.begun() == Some(call) && event.actor.as_ref() == Some(actor);
                if call.name == CallName::Nanosleep && !made.peek().is_some_and(same) {
                    continue;
                }
                let Some((index, event)) = made.next().filter(same) else {
                    self.broken_off = true;
                    self.mismatches.push(mismatch(step, "the run ended before this call"));
                    break;
                };
                self.begun.insert(std::ptr::from_ref(step), event.id);
                if !racing {
                    stretches.push(Stretch { start: index, steps: Vec::new() });
                }
                racing = *race;
            }
            if let Some(stretch) = stretches.last_mut() {
                stretch.steps.push(step);
            }
        }
        stretches
    }

    /// Compares calls and ends of processes.
    fn calls(&mut self, stretch: &Stretch<'_>, events: &[Event]) {
        for step in &stretch.steps {
            let problem = match &step.kind {
                StepKind::Segment { .. } => None,
                StepKind::Ends { actor, status } => self.end_of_process(actor, *status, events),
                StepKind::Call { actor, expect, .. } => {
                    let Some(begun) = self.begun.get(&std::ptr::from_ref(*step)).copied() else { continue };
                    match expect {
                        Expect::Returns(returned) => self.end_of_call(begun, returned, events),
                        Expect::Ends(status) => self.end_of_process(actor, *status, events),
                        Expect::Waits => {
                            self.waiting.insert(actor.clone(), begun);
                            None
                        }
                    }
                }
                StepKind::Returns { actor, result, .. } => match self.waiting.remove(actor) {
                    Some(begun) => self.end_of_call(begun, result, events),
                    None => Some("no such call waits".to_owned()),
                },
            };
            self.mismatches.extend(problem.map(|happened| mismatch(step, happened)));
        }
    }

    /// What is wrong with the end of the call that began with `begun`; it must be among `events`.
    fn end_of_call(&mut self, begun: EventId, expected: &Returned, events: &[Event]) -> Option<String> {
        let end_in = |events: &'a [Event]| {
            events
                .iter()
                .find_map(|event| event.ended().filter(|(of, _)| *of == begun).map(|(_, outcome)| (event.id, outcome)))
        };
        let Some((id, outcome)) = end_in(self.events) else { return Some("still waits".to_owned()) };
        self.expected.insert(id);
        let text = notation::outcome(outcome);
        if !events.iter().any(|event| event.id == id) {
            return Some(format!("{text}, but not at this point"));
        }
        (!matches(expected, outcome)).then_some(text)
    }

    fn end_of_process(&mut self, actor: &Actor, expected: ExitStatus, events: &[Event]) -> Option<String> {
        let end = events.iter().find_map(|event| match event.what {
            What::Exit(status) if event.actor.as_ref() == Some(actor) => Some((event.id, status)),
            _ => None,
        });
        let Some((id, status)) = end else { return Some(format!("{actor} is still there")) };
        self.expected.insert(id);
        (status != expected).then(|| end_text(actor, status))
    }

    /// Ends that no line expects.
    fn unexpected(&mut self, steps: &[Step]) {
        if self.broken_off {
            return;
        }
        let step_of =
            |begun: EventId| steps.iter().find(|step| self.begun.get(&std::ptr::from_ref(*step)) == Some(&begun));
        let last = steps.last();
        let unexpected = self.events.iter().filter(|event| !self.expected.contains(&event.id));
        let found: Vec<Mismatch> = unexpected
            .filter_map(|event| match (&event.what, &event.actor) {
                (What::Ended { begun, outcome }, _) => {
                    step_of(*begun).map(|step| mismatch(step, notation::outcome(outcome)))
                }
                (What::Exit(status), Some(actor)) => last.map(|step| Mismatch {
                    line: step.line,
                    column: step.column,
                    expected: format!("{actor} does not end"),
                    happened: end_text(actor, *status),
                }),
                _ => None,
            })
            .collect();
        self.mismatches.extend(found);
    }
}

fn end_text(actor: &Actor, status: ExitStatus) -> String {
    match status {
        ExitStatus::Code(code) => format!("{actor}  exit({code})"),
        ExitStatus::Killed(signal) => format!("{actor}  killed by {signal}"),
    }
}

/// Whether an outcome is as expected. Values that are not written are not compared, all else is.
fn matches(expected: &Returned, outcome: &Outcome) -> bool {
    match expected {
        Returned::Anything => true,
        Returned::Child(child) => outcome.errno.is_none() && outcome.word() == Some(child.name()),
        Returned::Outcome(expected) => {
            let same_values = expected.values.is_empty() || expected.values == outcome.values;
            (expected.ret, expected.errno, expected.signal) == (outcome.ret, outcome.errno, outcome.signal)
                && same_values
        }
    }
}
