//! What the segments alone show of a run's connections, beside what is known with the calls.

use super::Story;
use super::connection::Connection;
use super::journal::Journal;
use super::telling::{Certainty, Verdict};
use crate::event::{Event, EventId, Run};

/// A verdict without its sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its name, as `explain` prints it.
    pub name: &'static str,
    /// How sure it is.
    pub certainty: Certainty,
}

/// The verdicts on the connections of one run, from all that is known and from the segments alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdicts {
    /// From calls and segments: those on connections of which a segment was captured, in the order of their first segments,
    /// then the others.
    pub with_calls: Vec<Told>,
    /// From the segments alone, in the same order; `None` where there was no capture.
    pub alone: Option<Vec<Told>>,
    /// How many of `with_calls` are on connections of which a segment was captured.
    captured: usize,
}

/// How the segments alone show something else than they should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Otherwise {
    /// What should have been shown.
    pub expected: String,
    /// What was.
    pub happened: String,
}

impl Verdicts {
    /// The verdicts of `story`.
    pub fn of(story: &Story) -> Self {
        let mut connections: Vec<&Connection> = story.connections().iter().collect();
        connections.sort_by_key(|connection| connection.frames.map_or((true, None), |(first, _)| (false, Some(first))));
        Self {
            with_calls: told(story, &connections),
            alone: (!story.is_blind()).then(|| {
                let bare = without_calls(story.journal());
                told(&bare, &bare.connections().iter().collect::<Vec<_>>())
            }),
            captured: connections.iter().filter(|connection| connection.frames.is_some()).count(),
        }
    }

    /// How what the segments alone show differs from what a scenario has `declared`, or else from what the calls say. `None`
    /// where it does not, and where there was no capture.
    pub fn otherwise(&self, declared: Option<&[String]>) -> Option<Otherwise> {
        let alone = self.alone.as_deref()?;
        let with_calls = self.with_calls.get(..self.captured).unwrap_or_default();
        if let Some(declared) = declared.filter(|declared| !names(alone).eq(declared.iter().map(String::as_str))) {
            let happened = format!("{} from the segments alone", listed(names(alone)));
            return Some(Otherwise { expected: listed(declared.iter().map(String::as_str)), happened });
        }
        (!names(alone).eq(names(with_calls))).then(|| Otherwise {
            expected: format!("{}, as the segments alone show it", listed(names(alone))),
            happened: format!("{} by calls and segments", listed(names(with_calls))),
        })
    }
}

fn told(story: &Story, connections: &[&Connection]) -> Vec<Told> {
    let verdict = |connection: &&Connection| story.verdict(connection.id);
    let told = |Verdict { name, certainty, .. }| Told { name, certainty };
    connections.iter().filter_map(verdict).map(told).collect()
}

/// The story that the segments of `journal` tell.
fn without_calls(journal: &Journal) -> Story {
    let segments = journal.events().iter().filter(|event| event.segment().is_some());
    let mut bare = Journal::new(Run::default());
    for (id, segment) in (1..).map(EventId).zip(segments) {
        // Its id is the next one.
        let _ = bare.append(Event { id, ..segment.clone() });
    }
    Story::tell(bare)
}

fn names(told: &[Told]) -> impl Iterator<Item = &'static str> {
    told.iter().map(|told| told.name)
}

/// As the key `verdicts` has them.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    format!("verdicts = [{}]", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(names: &[&'static str]) -> Vec<Told> {
        names.iter().map(|name| Told { name, certainty: Certainty::Proven }).collect()
    }

    fn otherwise(
        with_calls: &[&'static str],
        alone: &[&'static str],
        declared: Option<&[&str]>,
    ) -> Option<[String; 2]> {
        let verdicts = Verdicts { with_calls: told(with_calls), alone: Some(told(alone)), captured: alone.len() };
        let declared: Option<Vec<String>> = declared.map(|names| names.iter().map(|&name| name.to_owned()).collect());
        verdicts.otherwise(declared.as_deref()).map(|otherwise| [otherwise.expected, otherwise.happened])
    }

    #[test]
    fn the_segments_alone_must_show_what_is_declared_and_what_the_calls_say() {
        assert_eq!(otherwise(&["closed"], &["closed"], Some(&["closed"])), None);
        assert_eq!(otherwise(&["closed"], &["closed"], None), None);
        let [expected, happened] = otherwise(&["closed"], &["closed"], Some(&["aborted"])).unwrap();
        assert_eq!(expected, r#"verdicts = ["aborted"]"#);
        assert_eq!(happened, r#"verdicts = ["closed"] from the segments alone"#);
        let [expected, happened] = otherwise(&["aborted"], &["closed"], Some(&["closed"])).unwrap();
        assert_eq!(expected, r#"verdicts = ["closed"], as the segments alone show it"#);
        assert_eq!(happened, r#"verdicts = ["aborted"] by calls and segments"#);
        assert_eq!(otherwise(&["aborted"], &["closed"], None).map(|words| words[1].clone()), Some(happened));
        assert!(otherwise(&["closed"], &["closed"], Some(&[])).is_some());
    }

    #[test]
    fn a_connection_without_a_segment_is_the_calls_affair() {
        assert_eq!(otherwise(&["closed", "unanswered"], &["closed"], Some(&["closed"])), None);
    }

    #[test]
    fn without_a_capture_there_is_nothing_to_compare() {
        let verdicts = Verdicts { with_calls: told(&["closed"]), alone: None, captured: 0 };
        assert_eq!(verdicts.otherwise(Some(&["aborted".to_owned()])), None);
    }
}
