//! Whether the lines of a script can follow each other, and whether what they expect can come of them.

use std::collections::{BTreeMap, BTreeSet};

use super::descriptors::Descriptors;
use super::{Expect, Returned, StepKind, possible};
use crate::event::{Actor, ExitStatus};
use crate::socket::call::{Arg, Call, CallName};
use crate::socket::errno::Signal;

/// What an actor is at by the script.
#[derive(Clone, Debug, PartialEq, Eq)]
enum At {
    Idle,
    Waiting(Call),
    Gone,
}

/// Follows a script from line to line.
pub struct Order {
    actors: Vec<Actor>,
    at: BTreeMap<Actor, At>,
    descriptors: Descriptors,
    begun: bool,
    /// Who has done something.
    acted: BTreeSet<Actor>,
}

/// Why a line cannot stand where it does.
pub enum Wrong {
    /// Nobody can do that here.
    Line(String),
    /// What is expected cannot come of it; this must stand there instead.
    Expectation(String),
}

impl Order {
    pub fn new(actors: &[Actor]) -> Self {
        let at = actors.iter().map(|actor| (actor.clone(), At::Idle)).collect();
        Self { actors: actors.to_vec(), at, descriptors: Descriptors::default(), begun: false, acted: BTreeSet::new() }
    }

    /// Takes the next line.
    pub fn check(&mut self, kind: &StepKind) -> Result<(), Wrong> {
        match kind {
            StepKind::Segment { .. } if !self.begun => Err(Wrong::Line("a segment before the first call".to_owned())),
            StepKind::Segment { .. } => Ok(()),
            StepKind::Call { actor, call, expect, .. } => self.call(actor, call, expect),
            StepKind::Returns { actor, name, result } => {
                let waiting = self.at.get(actor).cloned();
                self.pass(actor, At::Idle, |at| matches!(at, At::Waiting(call) if call.name == *name))?;
                let Some(At::Waiting(call)) = waiting else { return Ok(()) };
                self.returns(actor, &call, result)
            }
            StepKind::Ends { actor, .. } => self.pass(actor, At::Gone, |at| *at != At::Gone),
        }
    }

    fn call(&mut self, actor: &Actor, call: &Call, expect: &Expect) -> Result<(), Wrong> {
        self.begun = true;
        self.acted.insert(actor.clone());
        let (next, returned) = match expect {
            Expect::Returns(returned) => (At::Idle, Some(returned)),
            Expect::Waits => (At::Waiting(call.clone()), None),
            Expect::Ends(_) => (At::Gone, None),
        };
        self.pass(actor, next, |at| *at == At::Idle)?;
        self.descriptors.used(actor, call, returned).map_err(Wrong::Line)?;
        returned.map_or(Ok(()), |returned| self.returns(actor, call, returned))
    }

    fn returns(&mut self, actor: &Actor, call: &Call, returned: &Returned) -> Result<(), Wrong> {
        match returned {
            Returned::Outcome(outcome) => possible::outcome(call, outcome).map_err(Wrong::Expectation)?,
            Returned::Child(child) => self.is_born(child).map_err(Wrong::Expectation)?,
            Returned::Anything => {}
        }
        self.descriptors.returned(actor, call, returned);
        Ok(())
    }

    fn is_born(&mut self, child: &Actor) -> Result<(), String> {
        let is_new = self.actors.contains(child) && self.acted.insert(child.clone());
        if is_new { Ok(()) } else { Err("an actor of `actors` that has done nothing yet".to_owned()) }
    }

    fn pass(&mut self, actor: &Actor, next: At, allowed: impl Fn(&At) -> bool) -> Result<(), Wrong> {
        let at = self.at.get(actor).unwrap_or(&At::Gone);
        if allowed(at) {
            self.at.insert(actor.clone(), next);
            return Ok(());
        }
        Err(Wrong::Line(match at {
            At::Idle => format!("{actor} does not wait in such a call here"),
            At::Waiting(call) => format!("{actor} still waits in {} here", call.name),
            At::Gone => format!("{actor} is gone here"),
        }))
    }

    /// What follows from the script's end: who is still there exits, and who still waits is killed.
    pub fn ending(&self) -> Vec<(String, StepKind)> {
        self.actors.iter().filter_map(|actor| end_of(actor, self.at.get(actor)?)).collect()
    }
}

fn end_of(actor: &Actor, at: &At) -> Option<(String, StepKind)> {
    let actor = actor.clone();
    match at {
        At::Gone => None,
        At::Idle => {
            let call = Call::new(CallName::Exit, vec![Arg::Int(0)]);
            let expect = Expect::Ends(ExitStatus::Code(0));
            let text = format!("{actor}  exit(0)");
            Some((text, StepKind::Call { actor, call, expect, telling: false, race: false }))
        }
        At::Waiting(_) => {
            let status = ExitStatus::Killed(Signal(libc::SIGKILL));
            Some((format!("{actor}  killed by SIGKILL"), StepKind::Ends { actor, status }))
        }
    }
}
