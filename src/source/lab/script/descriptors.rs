//! Which descriptors the actors have opened, as far as a script says.

use std::collections::{BTreeMap, BTreeSet};

use super::Returned;
use crate::event::Actor;
use crate::socket::call::{Arg, Call, CallName, Outcome};
use crate::socket::errno::Errno;

/// Follows them from line to line.
#[derive(Default)]
pub struct Descriptors {
    /// By actor; `None` once one was opened whose number the script does not say.
    opened: BTreeMap<Actor, Option<BTreeSet<i64>>>,
}

/// Standard input, output and error are there from the start.
const STANDARD: i64 = 2;

impl Descriptors {
    /// Whether `actor` can have the descriptor that `call` works on. One that it never opened is good for EBADF only, and
    /// poll(2) reports it as an event; where a script leaves open what is returned, nothing is said.
    pub fn used(&self, actor: &Actor, call: &Call, expected: Option<&Returned>) -> Result<(), String> {
        let Some(fd) = call.fd().map(|fd| i64::from(fd.0)).filter(|fd| *fd > STANDARD) else { return Ok(()) };
        let may_be = match self.opened.get(actor) {
            None => false,
            Some(None) => true,
            Some(Some(opened)) => opened.contains(&fd),
        };
        let is_about_that = match expected {
            Some(Returned::Anything) => true,
            Some(Returned::Outcome(outcome)) => {
                outcome.errno.and_then(Errno::name) == Some("EBADF") || call.name == CallName::Poll
            }
            Some(Returned::Child(_)) | None => false,
        };
        if may_be || is_about_that { Ok(()) } else { Err(format!("{actor} has never opened descriptor {fd} here")) }
    }

    /// Takes note of what `call` of `actor` opens where it returns `returned`.
    pub fn returned(&mut self, actor: &Actor, call: &Call, returned: &Returned) {
        use CallName as N;
        if let Returned::Child(child) = returned {
            let copies = self.opened.get(actor).cloned().unwrap_or_default();
            self.opened.insert(child.clone(), copies);
            return;
        }
        if !matches!(call.name, N::Socket | N::Accept | N::Dup | N::Socketpair | N::Pipe) {
            return;
        }
        let new = match returned {
            Returned::Outcome(outcome) if outcome.errno.is_some() => return,
            Returned::Outcome(outcome) => numbers(call.name, outcome),
            Returned::Anything | Returned::Child(_) => None,
        };
        let opened = self.opened.entry(actor.clone()).or_insert_with(|| Some(BTreeSet::new()));
        match (opened, new) {
            (Some(opened), Some(new)) => opened.extend(new),
            (opened, _) => *opened = None,
        }
    }
}

/// The descriptors that a call has opened, where the script says which.
fn numbers(name: CallName, outcome: &Outcome) -> Option<Vec<i64>> {
    if !matches!(name, CallName::Socketpair | CallName::Pipe) {
        return Some(vec![outcome.ret]);
    }
    match outcome.values.as_slice() {
        [Arg::Int(first), Arg::Int(second)] => Some(vec![*first, *second]),
        _ => None,
    }
}
