//! What a storm has covered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bench::Came;
use super::sequence::Step;
use crate::socket::loopback::Sent;
use crate::socket::outlook::Answer;
use crate::socket::settled::Wire;
use crate::tcp::state::State;

/// How often what was met.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// The kernel: `Linux 6.18.44`.
    pub kernel: String,
    /// Sequences that were played.
    pub sequences: u64,
    /// Calls by name.
    pub calls: BTreeMap<String, u64>,
    /// Failed calls by error.
    pub errors: BTreeMap<String, u64>,
    /// Calls that raised SIGPIPE.
    pub signals: u64,
    /// Calls that waited.
    pub waits: u64,
    /// Resets on the wire.
    pub resets: u64,
    /// States of ends after a call, by name.
    pub states: BTreeMap<String, u64>,
    /// The outlook's reasons, and how often each was given.
    pub reasons: BTreeMap<String, u64>,
    /// Why segments were not compared, where they were not.
    pub no_capture: Option<String>,
}

impl Count {
    /// Takes in a call, what came of it, and the states that it left.
    pub fn take(&mut self, step: &Step, came: &Came, answer: &Answer, states: impl Iterator<Item = [State; 2]>) {
        let mut add =
            |map: fn(&mut Self) -> &mut BTreeMap<String, u64>, key: String| *map(self).entry(key).or_default() += 1;
        add(|count| &mut count.calls, step.call.name.to_string());
        if let Some(errno) = came.outcome.errno {
            add(|count| &mut count.errors, errno.to_string());
        }
        if !answer.why.is_empty() {
            add(|count| &mut count.reasons, format!("{} ({})", answer.why, answer.source));
        }
        states.flatten().for_each(|state| add(|count| &mut count.states, state.name().to_owned()));
        let is_reset = |sent: &&Sent| sent.wire == Wire::Rst;
        self.resets += came.sent.iter().flatten().filter(is_reset).count() as u64;
        self.signals += u64::from(came.outcome.signal.is_some());
        self.waits += u64::from(came.waited && answer.returns == crate::socket::outlook::Returns::Waits);
    }

    /// Adds what another has counted.
    pub fn add(&mut self, other: &Self) {
        self.kernel.clone_from(&other.kernel);
        self.sequences += other.sequences;
        self.signals += other.signals;
        self.waits += other.waits;
        self.resets += other.resets;
        for (own, others) in [
            (&mut self.calls, &other.calls),
            (&mut self.errors, &other.errors),
            (&mut self.states, &other.states),
            (&mut self.reasons, &other.reasons),
        ] {
            for (key, count) in others {
                *own.entry(key.clone()).or_default() += count;
            }
        }
        self.no_capture = self.no_capture.take().or_else(|| other.no_capture.clone());
    }
}
