//! `docs/state-machine.md` is what the machine's own list says.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

use std::path::Path;

use epipe::tcp::rule::Rule;
use epipe::tcp::state::State;
use epipe::tcp::transition::ALL;

const HEAD: &str = "\
# The state machine

What a segment does to each end of a connection, by RFC 9293, RFC 5961 and, where Linux goes its own way, by the kernel. Both
directions count: an end that sends a segment shows what it has done, and the other is presumed to get it. `src/tcp/machine.rs`
says what is presumed, what is confirmed, and what is taken back.

This file is printed from `src/tcp/transition.rs` and `src/tcp/rule.rs`, and `tests/state_machine.rs` holds it to them.

## Changes of state

";

fn printed() -> String {
    let mut text = HEAD.to_owned();
    for state in State::ALL {
        text += &format!("### {state}\n\n| what happens | state after | rule |\n|---|---|---|\n");
        for edge in ALL.iter().filter(|edge| edge.from == state) {
            let happens = if edge.is_sent { "sends" } else { "gets" };
            text += &format!("| {happens} {} | {} | {:?} |\n", edge.stimulus, edge.to, edge.rule);
        }
        text += "\n";
    }
    text += "## Rules\n\nThose that no line above names change no state.\n\n| rule | what it says | where it is written |\n|---|---|---|\n";
    for rule in Rule::ALL {
        text += &format!("| {rule:?} | {} | {} |\n", rule.says(), rule.source());
    }
    text
}

#[test]
fn the_document_is_what_the_list_prints() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/state-machine.md");
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("state-machine.md");
    std::fs::write(&fresh, printed()).unwrap();
    let told = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        told == printed(),
        "{} differs from the list\nhelp: cp {} {}",
        file.display(),
        fresh.display(),
        file.display()
    );
}

#[test]
fn every_state_is_left_and_entered() {
    for state in State::ALL {
        assert!(ALL.iter().any(|edge| edge.from == state), "{state} is never left");
        assert!(ALL.iter().any(|edge| edge.to == state), "{state} is never entered");
        assert!(ALL.iter().all(|edge| edge.from != edge.to), "a change that changes nothing");
    }
}
