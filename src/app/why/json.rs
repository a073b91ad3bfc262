//! An answer as one JSON object, for programs.

use std::collections::BTreeSet;

use serde::Serialize;

use super::book::{Entry, Meaning, Text};
use super::matcher::Found;
use crate::socket::errno::Errno;

/// Rises when a field changes its meaning or goes.
const SCHEMA: u32 = 1;

/// What was asked, and what is known of it.
#[derive(Serialize)]
pub struct Answer<'a> {
    schema: u32,
    asked: &'a str,
    known: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<One<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nearest: Vec<Named<'a>>,
}

/// All texts.
#[derive(Serialize)]
pub struct List<'a> {
    schema: u32,
    texts: Vec<One<'a>>,
}

#[derive(Serialize)]
struct Named<'a> {
    program: &'a str,
    text: &'a str,
}

#[derive(Serialize)]
struct One<'a> {
    program: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    also: &'a [String],
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    printed_by: BTreeSet<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errno: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    no_errno: Option<&'a str>,
    means: &'a str,
    before: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    here: Option<&'a str>,
    verdicts: &'a [String],
    scenarios: &'a [String],
    fix: &'a str,
    source: &'a str,
}

/// The answer to `asked`.
pub fn answer<'a>(asked: &'a str, found: &Found<'a>, all: &'a [Entry]) -> Answer<'a> {
    let (text, nearest) = match found {
        Found::Known(entry) => (Some(one(entry, all)), Vec::new()),
        Found::Unknown(nearest) => (None, nearest.iter().map(|entry| named(&entry.text)).collect()),
    };
    Answer { schema: SCHEMA, asked, known: text.is_some(), text, nearest }
}

/// All of `entries`.
pub fn list(entries: &[Entry]) -> List<'_> {
    List { schema: SCHEMA, texts: entries.iter().map(|entry| one(entry, entries)).collect() }
}

fn named(text: &Text) -> Named<'_> {
    Named { program: &text.program, text: &text.printed }
}

fn one<'a>(entry: &'a Entry, all: &'a [Entry]) -> One<'a> {
    let Entry { text, meaning } = entry;
    let errno = meaning.errno();
    let Meaning { means, before, verdicts, scenarios, fix, .. } = meaning;
    One {
        program: &text.program,
        text: &text.printed,
        also: &text.also,
        printed_by: entry.others(all),
        errno: errno.map(|errno| errno.0),
        error: errno.and_then(Errno::name),
        no_errno: meaning.instead(),
        means,
        before,
        here: text.note.as_deref(),
        verdicts,
        scenarios,
        fix,
        source: &text.source,
    }
}
