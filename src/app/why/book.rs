//! What programs print, and what it means: two tables, compiled in. Many texts share few meanings, so that each is written
//! once and well.

use std::collections::{BTreeSet, HashSet};

use serde::Deserialize;

use crate::socket::errno::Errno;
use crate::story::verdict::Name;

/// What varies in a text: an address, a number.
pub const GAP: char = '…';

/// What an error means, whoever prints it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meaning {
    /// By which texts name it.
    id: String,
    /// Its errno by name, where there is one.
    errno: Option<String>,
    /// Else what there is in its place.
    instead: Option<String>,
    /// What it means, in a sentence or two.
    pub means: String,
    /// What must have happened on the wire before.
    pub before: String,
    /// How `epipe explain` judges connections that end so; none where no connection of TCP shows it.
    pub verdicts: Vec<String>,
    /// The scenarios that show it, what is nearest first.
    pub scenarios: Vec<String>,
    /// The usual cure.
    pub fix: String,
}

impl Meaning {
    /// The errno, where there is one.
    pub fn errno(&self) -> Option<Errno> {
        self.errno.as_deref()?.parse().ok()
    }

    /// Why there is no errno, where there is none.
    pub fn instead(&self) -> Option<&str> {
        self.instead.as_deref()
    }
}

/// A text as a program prints it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Who prints it.
    pub program: String,
    /// As it is printed, with [`GAP`] for what varies.
    #[serde(rename = "text")]
    pub printed: String,
    /// Other forms of it.
    #[serde(default)]
    pub also: Vec<String>,
    /// What finds it only if nothing else is asked: `141` is an exit code, but also a part of many a line.
    #[serde(default)]
    pub alone: Vec<String>,
    /// Whether capital and small letters differ: with `SD` the server ended, with `sD` its time limit passed.
    #[serde(default)]
    pub exact: bool,
    /// The meaning's id.
    meaning: String,
    /// What holds of this text beside its meaning.
    pub note: Option<String>,
    /// Where this program was found to print it.
    pub source: String,
}

impl Text {
    /// The text and its other forms.
    pub fn forms(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.printed).chain(&self.also).map(String::as_str)
    }
}

/// A text with its meaning.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The text.
    pub text: Text,
    /// Its meaning.
    pub meaning: Meaning,
}

impl Entry {
    /// Other programs that print the same, or the same with more around it, in the order of their names.
    pub fn others<'a>(&self, entries: &'a [Self]) -> BTreeSet<&'a str> {
        let small = self.text.printed.to_lowercase();
        let holds = |other: &&Self| {
            other.text.program != self.text.program && other.text.printed.to_lowercase().contains(&small)
        };
        entries.iter().filter(holds).map(|other| other.text.program.as_str()).collect()
    }
}

/// Who prints the bare texts of strerror(3).
pub const STRERROR: &str = "C";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Meanings {
    meaning: Vec<Meaning>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    text: Vec<Text>,
}

/// All texts, in the order in which they are listed. What the tables lack is told in words; a test reads them.
pub fn read() -> Result<Vec<Entry>, String> {
    let meanings: Meanings = toml::from_str(include_str!("meanings.toml")).map_err(|error| error.to_string())?;
    let texts: Texts = toml::from_str(include_str!("texts.toml")).map_err(|error| error.to_string())?;
    for meaning in &meanings.meaning {
        match (&meaning.errno, &meaning.instead) {
            (Some(errno), None) => drop(errno.parse::<Errno>()?),
            (None, Some(_)) => {}
            _ => return Err(format!("{} needs an errno or what is instead of it", meaning.id)),
        }
        meaning.verdicts.iter().try_for_each(|verdict| verdict.parse::<Name>().map(drop))?;
    }
    let mut used = HashSet::new();
    let entries = texts.text.into_iter().map(|text| {
        let meaning = meanings.meaning.iter().find(|meaning| meaning.id == text.meaning);
        let meaning = meaning.ok_or_else(|| format!("{:?} has no such meaning: {}", text.printed, text.meaning))?;
        used.insert(meaning.id.clone());
        Ok(Entry { text, meaning: meaning.clone() })
    });
    let entries: Vec<Entry> = entries.collect::<Result<_, String>>()?;
    match meanings.meaning.iter().find(|meaning| !used.contains(&meaning.id)) {
        Some(meaning) => Err(format!("no text means {}", meaning.id)),
        None => Ok(entries),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::lab::library;

    #[test]
    fn the_tables_can_be_read_and_name_scenarios_that_exist() {
        let entries = read().unwrap();
        assert!(entries.len() >= 40);
        let scenarios: HashSet<String> = library::all().unwrap().into_iter().map(|scenario| scenario.name).collect();
        for scenario in entries.iter().flat_map(|entry| &entry.meaning.scenarios) {
            assert!(scenarios.contains(scenario), "{scenario}");
        }
    }

    #[test]
    fn the_bare_texts_are_strerrors() {
        for entry in read().unwrap().iter().filter(|entry| entry.text.program == STRERROR) {
            let errno = entry.meaning.errno().unwrap();
            assert_eq!(errno.text(), Some(entry.text.printed.as_str()));
        }
    }
}
