//! `epipe lab --storm`: random calls on this kernel, against the outlook.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use super::{Ending, Failure};
use crate::source::lab::storm::{self, Count, Found, Options, StormError, Weather};

/// Plays `sequences` from `seed` on, and prints what was covered or what is wrong.
pub fn run(sequences: u64, seed: u64) -> Result<Ending, Failure> {
    let program = PathBuf::from("/proc/self/exe");
    let drawn = io::stderr().is_terminal();
    let weather = storm::storm(&Options { sequences, seed, program }, |done| {
        if drawn {
            draw(&format!("{done} of {sequences} sequences"));
        }
    });
    if drawn {
        draw("");
    }
    match weather.map_err(failure)? {
        Weather::Calm(count) => {
            print(&calm(&count, seed))?;
            Ok(Ending::Done)
        }
        Weather::Disagreement(found) => {
            let file = format!("storm-{}.toml", found.seed);
            std::fs::write(&file, scenario(&found))
                .map_err(|error| Failure::new(format!("cannot write {file:?}: {error}")))?;
            print(&disagreement(&found, &file))?;
            Ok(Ending::No)
        }
    }
}

/// Puts `line` in the place of the one before. A terminal that has gone needs none.
fn draw(line: &str) {
    let _ = write!(io::stderr(), "\r\x1b[K{line}");
}

fn failure(error: StormError) -> Failure {
    match error {
        StormError::Failed { message, help } => Failure { message, help },
        other => Failure::new(other.to_string()),
    }
}

/// Prints `text`. That nobody reads any more changes nothing: the exit code is the answer too.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

fn calm(count: &Count, seed: u64) -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let total = |map: &BTreeMap<String, u64>| map.values().sum::<u64>();
    let mut text = format!(
        "{} sequences from seed {seed} on Linux {}: every call came as the outlook said\n",
        count.sequences,
        kernel.trim()
    );
    for (what, map) in [("calls", &count.calls), ("errors", &count.errors), ("states", &count.states)] {
        text += &format!("{what:<9} {}: {}\n", total(map), each(map));
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
    entries.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(" · ")
}

fn disagreement(found: &Found, file: &str) -> String {
    let mut text = format!("seed {}: this kernel and the outlook disagree\n", found.seed);
    for [program, call, outcome] in &found.lines {
        text += &format!("  {program}  {call} {outcome}\n");
    }
    text += &format!("said {}: {}\nwas  {}\n", found.said, found.why, found.was);
    text + &format!("saved as {file}: epipe lab {file} plays it\n")
}

/// The sequence as a scenario that expects what happened. Of the segments it expects nothing.
fn scenario(found: &Found) -> String {
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
}
