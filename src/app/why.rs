//! `epipe why`: what an error message means, as programs print it.

use std::io::{self, Read};

use serde::Serialize;

use super::{Ending, Failure, output};
use crate::cli::{Common, Format, Why};
use book::Entry;
use matcher::Found;

mod answer;
mod book;
mod json;
mod matcher;

/// The most that is read from standard input, in bytes: a stack trace is shorter, and of a whole log it would not be clear
/// which line is meant.
const LONGEST: usize = 1024 * 1024;

/// Explains the text that `why` has, or lists all that are known.
pub fn run(why: &Why, common: &Common) -> Result<Ending, Failure> {
    let as_json = match common.format {
        None => false,
        Some(Format::Json) => true,
        Some(_) => {
            let failure = Failure::new("an answer of why has no such format");
            return Err(failure.help("leave --format away, or take --format json"));
        }
    };
    let entries = book::read().map_err(|error| Failure::new(format!("cannot read the table of texts: {error}")))?;
    if why.list || why.text.is_empty() {
        list(&entries, as_json, common)?;
        return Ok(Ending::Done);
    }
    let asked = asked(&why.text)?;
    let found = matcher::find(&asked, &entries);
    if as_json {
        print(&json::answer(&asked, &found, &entries), common)?;
    } else {
        let text = match &found {
            Found::Known(entry) => answer::known(entry, &entries),
            Found::Unknown(nearest) => answer::unknown(nearest),
        };
        output::to(common, |out| out.write_all(text.as_bytes()))?;
    }
    Ok(if matches!(found, Found::Known(_)) { Ending::Done } else { Ending::No })
}

fn list(entries: &[Entry], as_json: bool, common: &Common) -> Result<(), Failure> {
    if as_json {
        return print(&json::list(entries), common);
    }
    output::to(common, |out| out.write_all(answer::list(entries).as_bytes()))
}

fn print(answer: &impl Serialize, common: &Common) -> Result<(), Failure> {
    let line = serde_json::to_string(answer);
    let line = line.map_err(|error| Failure::new(format!("cannot write the answer as JSON: {error}")))? + "\n";
    output::to(common, |out| out.write_all(line.as_bytes()))
}

/// What is asked: the words that were typed, or what `-` reads from standard input.
fn asked(words: &[String]) -> Result<String, Failure> {
    if words != ["-"] {
        return Ok(words.join(" "));
    }
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(LONGEST as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::new(format!("cannot read standard input: {error}")))?;
    if bytes.len() > LONGEST {
        let failure = Failure::new("cannot explain standard input: it is longer than 1 MiB");
        return Err(failure.help("hand over the line that is meant, as tail -n 1 or grep prints it"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
