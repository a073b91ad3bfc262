//! The list of changes is what the machine does: no change is missing in it, and none is never made.

use std::collections::{HashSet, VecDeque};

use super::*;
use crate::tcp::transition::ALL;

type Edge = (State, bool, State, Rule);

/// What one end can send, at every number that makes a difference this near to the beginning.
fn segments(own: SeqNum, other: SeqNum) -> Vec<Head> {
    let mut all = Vec::new();
    for flags in [SYN, SYN_ACK, ACK, FIN_ACK, Flags::FIN, RST, RST_ACK, Flags::PSH] {
        for (seq, ack) in (0..3).flat_map(|seq| (0..3).map(move |ack| (seq, ack))) {
            if ack == 0 || flags.ack() {
                let kinds = [(0, 9), (0, 0), (1, 9)];
                for (payload_len, window) in kinds.into_iter().filter(|(len, _)| *len == 0 || !flags.rst()) {
                    all.push(Head { window, ..segment(flags, own + seq, other + ack, payload_len) });
                }
            }
        }
    }
    all
}

/// What can tell two endpoints apart; of those that it does not, one is looked at.
fn kind(end: &Endpoint) -> impl Eq + std::hash::Hash + use<> {
    let order = |one: SeqNum, other: Option<SeqNum>| other.map(|other| one.distance_to(other).signum());
    let reset = end.before_reset.map(|_| end.reset);
    let expected =
        end.rcv_nxt.map(|next| (order(next, end.confirmed()), order(next, end.peer_fin()), order(next, reset)));
    let own =
        (end.isn.is_some(), order(end.snd_una, end.fin()), order(end.snd_una, Some(end.snd_nxt)), end.rcv_wnd == 0);
    (end.state, end.before_reset, end.known, expected, own)
}

/// Every change and every rule that comes of what can be reached.
fn explored() -> (HashSet<Edge>, HashSet<Rule>) {
    let stimuli = [(true, segments(LOCAL, REMOTE)), (false, segments(REMOTE, LOCAL))];
    let (mut edges, mut rules, mut kinds) = (HashSet::new(), HashSet::new(), HashSet::new());
    let mut todo = VecDeque::from([Endpoint::default()]);
    while let Some(end) = todo.pop_front() {
        for (is_sent, head) in
            stimuli.iter().flat_map(|(is_sent, heads)| heads.iter().map(move |head| (*is_sent, head)))
        {
            let step = end.step(if is_sent { Stimulus::Sends(head) } else { Stimulus::Arrives(head) });
            rules.insert(step.rule);
            if step.changes_state() {
                edges.insert((step.from, is_sent, step.to, step.rule));
            }
            if kinds.insert(kind(&step.after)) {
                todo.push_back(step.after);
            }
        }
    }
    (edges, rules)
}

fn lines<'a>(edges: impl Iterator<Item = &'a Edge>) -> String {
    let line = |(from, is_sent, to, rule): &Edge| {
        format!("{from} {} {rule:?} {to}\n", if *is_sent { "sends" } else { "gets" })
    };
    let mut lines: Vec<String> = edges.map(line).collect();
    lines.sort();
    lines.concat()
}

#[test]
fn the_list_is_what_the_machine_does() {
    let (edges, rules) = explored();
    let listed: HashSet<Edge> = ALL.iter().map(|edge| (edge.from, edge.is_sent, edge.to, edge.rule)).collect();
    assert_eq!(listed.len(), ALL.len(), "a change is listed twice");
    let missing = lines(edges.difference(&listed));
    let never = lines(listed.difference(&edges));
    assert!(missing.is_empty() && never.is_empty(), "\nnot listed:\n{missing}\nnever made:\n{never}");
    let unused: Vec<&Rule> = Rule::ALL.iter().filter(|rule| rules.contains(rule) == rule.is_told_by_calls()).collect();
    assert!(unused.is_empty(), "nothing makes {unused:?}");
}
