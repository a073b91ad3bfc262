//! One sequence on the bench and in the model, side by side.

use std::collections::BTreeMap;

use super::bench::{Bench, BenchError, Came};
use super::count::Count;
use super::sequence::{Step, place};
use crate::notation;
use crate::socket::call::{Arg, Call, CallName, Outcome};
use crate::socket::errno::Errno;
use crate::socket::loopback::{Comes, Loopback, Sent};
use crate::socket::outlook::{Answer, Returns};
use crate::socket::settled::Wire;

/// Where the model and the kernel part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// The place of the call in the sequence.
    pub at: usize,
    /// What the model said.
    pub said: String,
    /// Why it said so.
    pub why: String,
    /// What happened.
    pub was: String,
    /// What each call up to this one came to, as a scenario has it.
    pub outcomes: Vec<String>,
}

/// Plays `steps`, and counts what was covered. The first disagreement ends it.
pub fn run(bench: &mut Bench, steps: &[Step], count: &mut Count) -> Result<Option<Disagreement>, BenchError> {
    bench.clear()?;
    let mut model = Loopback::default();
    let mut clients = BTreeMap::new();
    let mut outcomes = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let before = model.connections();
        let Some(comes) = model.call(step.program, &step.call, place(&step.call)) else { continue };
        let came = bench.play(step)?;
        if model.connections() > before {
            let port = step.call.fd().and_then(|fd| bench.own_port(step.program, fd));
            clients.extend(port.map(|port| (before, port)));
        }
        let states: Vec<_> =
            clients.iter().map(|(number, port)| (model.states(*number), bench.states(*port))).collect();
        outcomes.push(outcome_text(&comes.answer, &came));
        if comes.answer.returns == Returns::Waits {
            model.gives_up(step.program, &step.call, came.outcome.count().unwrap_or(0));
        }
        count.take(step, &came, &comes.answer, states.iter().map(|(_, was)| *was));
        if let Some((said, was)) = difference(&step.call, &comes, &came, &states) {
            let why = format!("{} ({})", comes.answer.why, comes.answer.source);
            return Ok(Some(Disagreement { at, said, why, was, outcomes }));
        }
    }
    Ok(None)
}

type States = [crate::tcp::state::State; 2];

/// What the model said and what happened, where they differ.
fn difference(call: &Call, comes: &Comes, came: &Came, states: &[(States, States)]) -> Option<(String, String)> {
    let (said, was) = (said(call, comes), was(call, &comes.answer, came));
    if said != was {
        return Some((said, was));
    }
    if let Some(sent) = &came.sent {
        if *sent != comes.sent {
            return Some((sent_text(&comes.sent), sent_text(sent)));
        }
        if let Some(word) =
            comes.answer.sends.filter(|word| sent.first().is_none_or(|first| wire_word(first.wire) != *word))
        {
            return Some((format!("it sends {word}"), sent_text(sent)));
        }
    }
    let (number, (said, was)) = states.iter().enumerate().find(|(_, (said, was))| said != was)?;
    let text = |states: &States| format!("connection {}: {} and {}", number + 1, states[0], states[1]);
    Some((text(said), text(was)))
}

/// What the model says of the call's return.
fn said(call: &Call, comes: &Comes) -> String {
    let values = |word: String| vec![Arg::Word(word)];
    let mut outcome = match comes.answer.returns {
        Returns::Zero => Outcome::success(0),
        Returns::Asked => Outcome::success(call.asked_len().and_then(|len| i64::try_from(len).ok()).unwrap_or(0)),
        Returns::Bytes(bytes) => Outcome::success(i64::try_from(bytes).unwrap_or(i64::MAX)),
        Returns::Descriptor => Outcome::success(comes.opens.map_or(-1, |fd| i64::from(fd.0))),
        Returns::Ready(_) if call.name == CallName::Select => {
            Outcome { values: values("readable".to_owned()), ..Outcome::success(1) }
        }
        Returns::Ready(ready) => {
            let words: Vec<String> = ready.words().iter().map(|word| format!("POLL{word}")).collect();
            Outcome { values: values(words.join("|")), ..Outcome::success(1) }
        }
        Returns::Error(error) => {
            let value = error.map_or(Arg::Int(0), |errno| Arg::Word(errno.to_string()));
            Outcome::success(0).with(value)
        }
        Returns::Fails(errno) => Outcome::failure(errno),
        Returns::Waits => return "waits".to_owned(),
    };
    outcome.signal = comes.answer.signal;
    notation::outcome(&outcome)
}

/// What the call came to, in the same words.
///
/// A recv that had to wait for more returns what there is when its time is up; one of no bytes 0 (the loop of
/// `tcp_recvmsg_locked()`).
fn was(call: &Call, answer: &Answer, came: &Came) -> String {
    let short = came.outcome.count().is_some_and(|count| Some(count) < call.asked_len() || count == 0);
    let gave_up = came.outcome.errno == Some(Errno::EAGAIN) || short;
    if answer.returns == Returns::Waits && gave_up && came.waited {
        return "waits".to_owned();
    }
    notation::outcome(&without_data(&came.outcome))
}

/// The model knows how many bytes a call hands out, not which, and no addresses.
fn without_data(outcome: &Outcome) -> Outcome {
    let mut outcome = outcome.clone();
    outcome.values.retain(|value| !matches!(value, Arg::Bytes(_) | Arg::Addr(_)));
    outcome
}

/// What the call came to, as a scenario expects it.
fn outcome_text(answer: &Answer, came: &Came) -> String {
    if answer.returns == Returns::Waits && came.waited { "…".to_owned() } else { notation::outcome(&came.outcome) }
}

fn sent_text(sent: &[Sent]) -> String {
    if sent.is_empty() {
        return "no segment".to_owned();
    }
    let one = |Sent { by_server, wire }: &Sent| {
        let who = if *by_server { "server" } else { "client" };
        match wire {
            Wire::Data(bytes) => format!("{who} DATA({bytes})"),
            wire => format!("{who} {}", wire_word(*wire)),
        }
    };
    sent.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The word that the outlook has for it.
const fn wire_word(wire: Wire) -> &'static str {
    match wire {
        Wire::Syn => "SYN",
        Wire::Data(_) => "DATA",
        Wire::Fin => "FIN",
        Wire::Rst => "RST",
    }
}
