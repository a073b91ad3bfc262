//! Which of the known texts stands in a line of a log, a stack trace, or whatever was typed.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::book::{Entry, GAP, STRERROR, Text};
use crate::socket::errno::Errno;

/// What was found.
#[derive(Debug)]
pub enum Found<'a> {
    /// The entry that says most of it.
    Known(&'a Entry),
    /// None; those that share most words with it, the likest first.
    Unknown(Vec<&'a Entry>),
}

/// How many entries are named where none fits.
const NEAREST: usize = 3;

/// A part of a text is not looked for below this length: `to` stands in half of them.
const SHORTEST_PART: usize = 4;

/// What is asked, with single spaces: as it was typed, and in small letters.
struct Asked {
    exact: String,
    small: String,
}

impl Asked {
    fn of(&self, text: &Text) -> &str {
        if text.exact { &self.exact } else { &self.small }
    }
}

/// Looks for `asked` in `entries`: as a whole word that stands for a text, as a text within it (the longest counts), as a name
/// or a number of an errno, and as a part of a text.
pub fn find<'a>(asked: &str, entries: &'a [Entry]) -> Found<'a> {
    let exact = spaced(asked);
    let asked = Asked { small: exact.to_lowercase(), exact };
    let whole = entries.iter().find(|entry| stands_for(&asked, &entry.text));
    let found = whole
        .or_else(|| longest_within(&asked, entries))
        .or_else(|| bare(errno_in(&asked.exact)?, entries))
        .or_else(|| part_of(&asked, entries));
    found.map_or_else(|| Found::Unknown(nearest(&asked.small, entries)), Found::Known)
}

/// `text` with single spaces between its words.
fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether nothing but the short form of `text` is asked, with or without its program before it.
fn stands_for(asked: &Asked, text: &Text) -> bool {
    text.alone.iter().any(|alone| {
        let rest = asked.small.strip_prefix(&text.program.to_lowercase()).map_or("", str::trim_start);
        let typed = if asked.exact.len() == asked.small.len() {
            // The program's name may be typed in any letters, what stands behind it not.
            asked.exact.get(asked.exact.len() - rest.len()..).unwrap_or("")
        } else {
            ""
        };
        let same = |typed: &str| if text.exact { typed == alone } else { typed.eq_ignore_ascii_case(alone) };
        same(&asked.exact) || same(typed)
    })
}

/// The entry of which most stands in what is asked; of several the first.
fn longest_within<'a>(asked: &Asked, entries: &'a [Entry]) -> Option<&'a Entry> {
    let lengths = entries.iter().filter_map(|entry| Some((length_within(asked, &entry.text)?, entry)));
    // Of several that are as long, max_by_key() would take the last.
    lengths.rev().max_by_key(|(length, _)| *length).map(|(_, entry)| entry)
}

/// How many characters of `text`, gaps aside, stand in what is asked, in their order; the longest of its forms.
fn length_within(asked: &Asked, text: &Text) -> Option<usize> {
    text.forms().filter_map(|form| within(asked.of(text), &folded(form, text))).max()
}

fn folded(form: &str, text: &Text) -> String {
    let form = spaced(form);
    if text.exact { form } else { form.to_lowercase() }
}

/// Whether the pieces of `form` stand in `line` in their order, and their length. A word is not found within another one.
fn within(line: &str, form: &str) -> Option<usize> {
    let pieces: Vec<&str> = form.split(GAP).map(str::trim).filter(|piece| !piece.is_empty()).collect();
    let (first, rest) = pieces.split_first()?;
    let starts_whole = |at: &usize| form.starts_with(GAP) || is_edge(line, *at);
    let ends_whole = |end: usize| form.ends_with(GAP) || is_edge(line, end);
    let mut begins = line.match_indices(first).map(|(at, _)| at).filter(starts_whole);
    let found = match rest.split_last() {
        None => begins.any(|at| ends_whole(at + first.len())),
        Some((last, middle)) => {
            // What follows a later beginning follows the first one too.
            let after = middle.iter().try_fold(begins.next()? + first.len(), |at, piece| {
                let offset = line[at..].find(piece)?;
                Some(at + offset + piece.len())
            })?;
            line[after..].match_indices(last).any(|(offset, _)| ends_whole(after + offset + last.len()))
        }
    };
    found.then(|| pieces.iter().map(|piece| piece.chars().count()).sum())
}

/// Whether no word goes on across the place `at` in `line`.
fn is_edge(line: &str, at: usize) -> bool {
    let is_in_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    !(is_in_word(line[..at].chars().next_back()) && is_in_word(line[at..].chars().next()))
}

/// An errno that is named (`EPIPE`), or numbered where a number can only be one: `errno 32`, `code: 104`, a number alone.
fn errno_in(line: &str) -> Option<Errno> {
    let words: Vec<String> = line.split(|c: char| !c.is_alphanumeric()).map(str::to_uppercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
    let known = |number: &str| Some(Errno(number.parse().ok()?)).filter(|errno| errno.name().is_some());
    let named = words.iter().find_map(|word| word.parse::<Errno>().ok().filter(|errno| errno.name() == Some(word)));
    let numbered = words.windows(2).enumerate().find_map(|(at, pair)| {
        let is_exit_code = at > 0 && words[at - 1] == "EXIT";
        if matches!(pair[0], "ERRNO" | "CODE" | "ERROR") && !is_exit_code { known(pair[1]) } else { None }
    });
    let alone = if let [only] = words[..] { known(only) } else { None };
    named.or(numbered).or(alone)
}

/// The entry that explains `errno` without a program.
fn bare(errno: Errno, entries: &[Entry]) -> Option<&Entry> {
    let of_c = |entry: &&Entry| entry.text.program == STRERROR && entry.meaning.errno() == Some(errno);
    entries.iter().find(of_c)
}

/// The shortest text of which all that is asked is a part.
fn part_of<'a>(asked: &Asked, entries: &'a [Entry]) -> Option<&'a Entry> {
    if asked.small.chars().count() < SHORTEST_PART {
        return None;
    }
    let holds = |form: &str| within(&spaced(form).to_lowercase(), &asked.small).is_some();
    entries.iter().filter(|entry| entry.text.forms().any(holds)).min_by_key(|entry| entry.text.printed.chars().count())
}

/// The entries that share most words with `asked`. A word that few texts have counts more.
fn nearest<'a>(asked: &str, entries: &'a [Entry]) -> Vec<&'a Entry> {
    let words: Vec<HashSet<String>> = entries.iter().map(|entry| words_of(&entry.text)).collect();
    let mut holders: HashMap<&str, usize> = HashMap::new();
    for word in words.iter().flatten() {
        *holders.entry(word).or_default() += 1;
    }
    let asked = words_in(asked);
    // In thousandths, so that they can be ordered.
    let weight = |word: &String| holders.get(word.as_str()).map_or(0, |holders| 1000 / holders);
    let scored = words.iter().zip(entries).map(|(words, entry)| {
        let score: usize = words.intersection(&asked).map(weight).sum();
        (score, entry)
    });
    let mut scored: Vec<(usize, &Entry)> = scored.filter(|(score, _)| *score > 0).collect();
    scored.sort_by_key(|(score, _)| Reverse(*score));
    scored.into_iter().take(NEAREST).map(|(_, entry)| entry).collect()
}

fn words_of(text: &Text) -> HashSet<String> {
    let mut words = words_in(&text.printed.to_lowercase());
    words.extend(words_in(&text.program.to_lowercase()));
    words
}

/// The words that say something: none of one or two letters, and none that joins others.
fn words_in(text: &str) -> HashSet<String> {
    const JOINING: [&str; 7] = ["the", "and", "for", "was", "from", "with", "while"];
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 2 && !JOINING.contains(word));
    words.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
