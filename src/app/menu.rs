//! `epipe` without a command: the menu in a terminal, else the ladder of broken-pipe.

use super::{Ending, Failure, dashboard, lab, output};
use crate::cli::{self, Common, Format};
use crate::socket::call::{Call, CallName};
use crate::source::lab::library;
use crate::source::lab::scenario::{Scenario, ScenarioError};
use crate::source::lab::script::{Step, StepKind};
use crate::story::drawing::clip;
use crate::tui::menu::{Entry, Group, Menu};

/// What is played where there is no terminal.
const FIRST: &str = "broken-pipe";

/// What people see, in the menu's order, with a line more about each.
const GROUPS: [(&str, &str); 7] = [
    ("Broken pipe", "the send after the close works, the next fails"),
    ("Connection reset by peer", "someone gave up: unread bytes, linger 0, kill"),
    ("The answer was lost", "who has the last word: shutdown or close"),
    ("Cannot connect", "refused, no answer, full queue"),
    ("It hangs, it times out", "both wait, peer silent, peer rebooted"),
    ("Still there", "CLOSE-WAIT, FIN-WAIT-2, TIME-WAIT, copies"),
    ("It ended well", "the orders of a good close"),
];

/// The three scenarios to start with, in this order.
const START_HERE: [&str; 3] = ["broken-pipe", "ping-pang", "last-word/differ"];

/// The widest list of calls in a summary, in cells; the number of segments stands after it.
const CALLS_WIDTH: usize = 64;

/// Shows the menu.
pub fn run(common: &Common) -> Result<Ending, Failure> {
    if output::format(common) != Format::Dashboard {
        return lab::run(&cli::Lab { scenario: Some(FIRST.to_owned()), ..cli::Lab::default() }, common);
    }
    dashboard::show_menu(menu()?, common)
}

fn menu() -> Result<Menu, Failure> {
    let groups = groups().map_err(|error| Failure::new(error.to_string()))?;
    let rights = if nix::unistd::geteuid().is_root() { "running as root" } else { "no root used" };
    Ok(Menu::new(rights, groups))
}

/// The scenarios that the program brings with it, in groups by what a person saw.
pub fn groups() -> Result<Vec<Group>, ScenarioError> {
    let mut groups: Vec<Group> = GROUPS.iter().map(|(title, line)| group(title, line)).collect();
    for scenario in &library::all()? {
        let at = groups.iter().position(|group| group.title == scenario.group).unwrap_or_else(|| {
            groups.push(group(&scenario.group, ""));
            groups.len() - 1
        });
        groups[at].entries.push(entry(scenario));
    }
    Ok(groups)
}

fn group(title: &str, line: &str) -> Group {
    Group { title: title.to_owned(), line: line.to_owned(), entries: Vec::new() }
}

/// The menu's entry of `scenario`.
pub fn entry(scenario: &Scenario) -> Entry {
    let mark = START_HERE.iter().position(|name| *name == scenario.name);
    Entry {
        name: scenario.name.clone(),
        title: scenario.title.clone(),
        question: scenario.question.clone(),
        summary: summary(scenario),
        errors: scenario.errors.clone(),
        mark: mark.map(|index| (index + 1).to_string()).unwrap_or_default(),
        lesson: vec![one_line(&scenario.lesson)],
        fix: one_line(&scenario.fix),
        sources: scenario.sources.clone(),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `server: recv, close   client: send, sleep 1 s, send ×2   9 segments`.
fn summary(scenario: &Scenario) -> String {
    // What comes after the last telling call and the last segment is clearing up.
    let matters = |step: &Step| matches!(step.kind, StepKind::Call { telling: true, .. } | StepKind::Segment { .. });
    let until = scenario.steps.iter().rposition(matters).map_or(scenario.steps.len(), |last| last + 1);
    let actors = scenario.actors.iter().filter_map(|actor| {
        let calls = scenario.steps[..until].iter().filter(|step| !step.implied).filter_map(|step| match &step.kind {
            StepKind::Call { actor: whose, call, .. } if whose == actor => told(call),
            _ => None,
        });
        let calls = folded(calls).join(", ");
        (!calls.is_empty()).then(|| format!("{actor}: {calls}"))
    });
    let calls = clip(&actors.collect::<Vec<_>>().join("   "), CALLS_WIDTH);
    let is_segment = |step: &&Step| matches!(step.kind, StepKind::Segment { optional: false, .. });
    match scenario.steps.iter().filter(is_segment).count() {
        0 => calls,
        segments => format!("{calls}   {segments} segments"),
    }
}

/// The same name several times in a row as `recv ×3`.
fn folded(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut runs: Vec<(String, usize)> = Vec::new();
    for name in names {
        match runs.last_mut() {
            Some((last, count)) if *last == name => *count += 1,
            _ => runs.push((name, 1)),
        }
    }
    runs.into_iter().map(|(name, count)| if count > 1 { format!("{name} ×{count}") } else { name }).collect()
}

/// A call's name, where the call is what the scenario is about and not its preparation.
fn told(call: &Call) -> Option<String> {
    use CallName as N;
    match call.name {
        N::Socket
        | N::Setsockopt
        | N::Bind
        | N::Listen
        | N::Accept
        | N::Connect
        | N::Exit
        | N::Sigaction
        | N::Sigprocmask
        | N::Sigpending => None,
        N::Nanosleep => Some(format!("sleep {} s", call.int(0).unwrap_or(0))),
        name => Some(name.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::errno::Errno;
    use crate::source::lab::script::{Expect, Returned};

    /// The first error of a connection that a call of `scenario` is expected to fail with; others follow from it.
    fn first_error(scenario: &Scenario) -> Option<Errno> {
        let errors = [Errno::EPIPE, Errno::ECONNRESET, Errno::ECONNREFUSED, Errno::ETIMEDOUT, Errno::EADDRINUSE];
        let expected = scenario.steps.iter().filter_map(|step| match &step.kind {
            StepKind::Call { expect: Expect::Returns(Returned::Outcome(outcome)), .. }
            | StepKind::Returns { result: Returned::Outcome(outcome), .. } => outcome.errno,
            _ => None,
        });
        expected.into_iter().find(|errno| errors.contains(errno))
    }

    #[test]
    fn a_search_by_an_error_finds_every_scenario_that_shows_it() {
        let menu = Menu::new("", groups().unwrap());
        let finds = |typed: &str, name: &str| menu.search(typed).iter().any(|entry| entry.name == name);
        for scenario in library::all().unwrap() {
            let Some(errno) = first_error(&scenario) else { continue };
            for text in [errno.name().unwrap(), errno.text().unwrap()] {
                for typed in [text.to_owned(), text.to_lowercase(), text.to_uppercase()] {
                    assert!(finds(&typed, &scenario.name), "{} by {typed:?}", scenario.name);
                }
            }
        }
    }

    #[test]
    fn every_scenario_is_in_one_of_the_groups() {
        let titles: Vec<String> = groups().unwrap().into_iter().map(|group| group.title).collect();
        assert_eq!(titles, GROUPS.map(|(title, _)| title));
    }

    #[test]
    fn a_search_finds_what_programs_print() {
        let menu = Menu::new("", groups().unwrap());
        for (typed, found) in [
            ("ECONNRESET", "reset-unread"),
            ("broken pipe", "broken-pipe"),
            ("reset by peer", "reset-unread"),
            ("java.net.SocketException: broken PIPE", "broken-pipe"),
        ] {
            assert!(menu.search(typed).iter().any(|entry| entry.name == found), "{typed}");
        }
    }
}
