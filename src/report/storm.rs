//! What a storm has covered, or where it ended, as text.

use std::collections::BTreeMap;

use super::wrap::wrap;
use crate::source::lab::storm::{Count, Found};

/// The widest line, in cells.
const WIDTH: usize = 80;

/// How far the counts are indented.
const INDENT: usize = 10;

/// What a storm from `seed` on has covered, in which every call came as foretold.
pub fn calm(count: &Count, seed: u64) -> String {
    let total = |map: &BTreeMap<String, u64>| map.values().sum::<u64>();
    let mut text = format!(
        "{} sequences from seed {seed} on {}: every call came as the outlook said\n",
        count.sequences, count.kernel
    );
    for (what, map) in [("calls", &count.calls), ("errors", &count.errors), ("states", &count.states)] {
        text += &format!("{what:<9} {}\n", total(map));
        for line in wrap(&each(map), INDENT, WIDTH) {
            text += &format!("{line}\n");
        }
    }
    text += &format!("resets    {}\nSIGPIPE   {}\nwaits     {}\n", count.resets, count.signals, count.waits);
    text += &format!("reasons   {} of the outlook's were given\n", count.reasons.len());
    if let Some(why) = &count.no_capture {
        text += &format!("segments  not compared: {why}\n");
    }
    text
}

/// The most frequent first.
fn each(map: &BTreeMap<String, u64>) -> String {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
    entries.iter().map(|(name, count)| format!("{name}={count}")).collect::<Vec<_>>().join(" ")
}

/// The shortest sequence that shows a disagreement, which was saved as `file`.
pub fn disagreement(found: &Found, file: &str) -> String {
    let mut text = format!("seed {}: this kernel and the outlook disagree\n", found.seed);
    for [program, call, outcome] in &found.lines {
        text += &format!("  {program}  {call} {outcome}\n");
    }
    text += &format!("said {}: {}\nwas  {}\n", found.said, found.why, found.was);
    text + &format!("saved as {file}: epipe lab {file} plays it\n")
}

/// The sequence as a scenario that expects what happened. Of the segments it expects nothing.
pub fn scenario(found: &Found) -> String {
    let mut text = format!(
        "# Where the outlook was wrong: at the last call it said {}\n# ({}); it was {}.\n",
        found.said, found.why, found.was
    );
    text += &format!("name = \"storm-{}\"\ngroup = \"Your own\"\n", found.seed);
    text += "question = \"Why was the outlook wrong?\"\n\nscript = '''\n";
    for [program, call, outcome] in &found.lines {
        text += &format!("{program}  {call} {outcome}\n");
    }
    text + "'''\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::lab::scenario::Scenario;

    fn found() -> Found {
        let lines = [
            ["server", "socket(AF_INET, SOCK_STREAM, 0)", "= 3"],
            ["server", "send(3, \"a\", 1, 0)", "= -1 EPIPE (Broken pipe), SIGPIPE"],
        ];
        Found {
            seed: 7,
            lines: lines.map(|line| line.map(str::to_owned)).to_vec(),
            said: "= 1".to_owned(),
            why: "the kernel takes the bytes".to_owned(),
            was: "= -1 EPIPE (Broken pipe), SIGPIPE".to_owned(),
        }
    }

    #[test]
    fn a_disagreement_is_told_with_its_calls_and_saved_as_a_scenario_of_what_happened() {
        assert_eq!(
            disagreement(&found(), "storm-7.toml"),
            "seed 7: this kernel and the outlook disagree\n\
             \x20 server  socket(AF_INET, SOCK_STREAM, 0) = 3\n\
             \x20 server  send(3, \"a\", 1, 0) = -1 EPIPE (Broken pipe), SIGPIPE\n\
             said = 1: the kernel takes the bytes\n\
             was  = -1 EPIPE (Broken pipe), SIGPIPE\n\
             saved as storm-7.toml: epipe lab storm-7.toml plays it\n"
        );
        let scenario = Scenario::parse("storm-7.toml", &scenario(&found())).unwrap();
        assert_eq!(
            (scenario.name.as_str(), scenario.steps.iter().filter(|step| !step.implied).count()),
            ("storm-7", 2)
        );
    }

    #[test]
    fn counts_keep_within_eighty_columns_the_most_frequent_first() {
        let names =
            ["accept", "bind", "close", "connect", "getsockopt", "listen", "recv", "send", "shutdown", "socket"];
        let calls = names.iter().zip(1..).map(|(name, count)| ((*name).to_owned(), count * 1000)).collect();
        let count = Count { sequences: 3, kernel: "Linux 6.18".to_owned(), calls, ..Count::default() };
        let text = calm(&count, 7);
        assert!(
            text.starts_with(
                "3 sequences from seed 7 on Linux 6.18: every call came as the outlook said\ncalls     55000\n"
            ),
            "{text}"
        );
        assert!(text.contains("\n          socket=10000 shutdown=9000 "), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }
}
