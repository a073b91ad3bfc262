//! Whether the lines of a script can follow each other.

use std::collections::BTreeMap;

use super::{Expect, StepKind};
use crate::event::{Actor, ExitStatus};
use crate::socket::call::{Arg, Call, CallName};
use crate::socket::errno::Signal;

/// What an actor is at by the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Idle,
    Waiting(CallName),
    Gone,
}

/// Follows a script from line to line.
pub struct Order {
    actors: Vec<Actor>,
    at: BTreeMap<Actor, At>,
    begun: bool,
}

impl Order {
    pub fn new(actors: &[Actor]) -> Self {
        let at = actors.iter().map(|actor| (actor.clone(), At::Idle)).collect();
        Self { actors: actors.to_vec(), at, begun: false }
    }

    /// Takes the next line; an error says why it cannot stand there.
    pub fn check(&mut self, kind: &StepKind) -> Result<(), String> {
        match kind {
            StepKind::Segment { .. } if !self.begun => Err("a segment before the first call".to_owned()),
            StepKind::Segment { .. } => Ok(()),
            StepKind::Call { actor, call, expect, .. } => {
                let next = match expect {
                    Expect::Returns(_) => At::Idle,
                    Expect::Waits => At::Waiting(call.name),
                    Expect::Ends(_) => At::Gone,
                };
                self.begun = true;
                self.pass(actor, next, |at| at == At::Idle)
            }
            StepKind::Returns { actor, name, .. } => self.pass(actor, At::Idle, |at| at == At::Waiting(*name)),
            StepKind::Ends { actor, .. } => self.pass(actor, At::Gone, |at| at != At::Gone),
        }
    }

    fn pass(&mut self, actor: &Actor, next: At, allowed: impl Fn(At) -> bool) -> Result<(), String> {
        let at = self.at.get(actor).copied().unwrap_or(At::Gone);
        if allowed(at) {
            self.at.insert(actor.clone(), next);
            return Ok(());
        }
        Err(match at {
            At::Idle => format!("{actor} does not wait in such a call here"),
            At::Waiting(name) => format!("{actor} still waits in {name} here"),
            At::Gone => format!("{actor} is gone here"),
        })
    }

    /// What follows from the script's end: who is still there exits, and who still waits is killed.
    pub fn ending(&self) -> Vec<(String, StepKind)> {
        self.actors.iter().filter_map(|actor| end_of(actor, self.at.get(actor).copied()?)).collect()
    }
}

fn end_of(actor: &Actor, at: At) -> Option<(String, StepKind)> {
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
