//! An answer as text: less than 25 lines of 80 columns, so that it stays on the screen.

use super::book::{Entry, Text};
use crate::report::wrap::wrap;
use crate::story::drawing::clip;

/// The widest line.
const WIDTH: usize = 80;

/// Where what is said begins, behind its heading.
const COLUMN: usize = 9;

/// What the text of `entry` means, and who else prints it.
pub fn known(entry: &Entry, all: &[Entry]) -> String {
    let Entry { text, meaning } = entry;
    let mut lines = hanging(&format!("{}:", text.program), &text.printed, text.program.chars().count() + 2);
    lines.extend(elsewhere(entry, all));
    lines.push(String::new());
    let errno = meaning.errno().map(|errno| format!("{errno} ({})", errno.0));
    lines.extend(errno.as_deref().or(meaning.instead()).into_iter().flat_map(|errno| said("errno", errno)));
    lines.extend(said("means", &meaning.means));
    lines.extend(said("before", &meaning.before));
    lines.extend(text.note.iter().flat_map(|note| said("here", note)));
    lines.extend(said("explain", &verdicts(&meaning.verdicts)));
    lines.extend(said("lab", &scenarios(&meaning.scenarios)));
    lines.extend(said("fix", &meaning.fix));
    lines.extend(said("source", &text.source));
    lines.join("\n") + "\n"
}

/// That nothing is known, and what is near to it.
pub fn unknown(nearest: &[&Entry]) -> String {
    let mut lines = vec!["No text like this is known.".to_owned()];
    if !nearest.is_empty() {
        lines.push("Nearest to it:".to_owned());
        lines.extend(nearest.iter().map(|entry| listed(&entry.text, true)));
    }
    lines.push("All that are known: epipe why --list".to_owned());
    lines.join("\n") + "\n"
}

/// All texts, in groups by program.
pub fn list(entries: &[Entry]) -> String {
    let mut groups: Vec<(&str, Vec<&Text>)> = Vec::new();
    for Entry { text, .. } in entries {
        match groups.iter_mut().find(|(program, _)| *program == text.program) {
            Some((_, texts)) => texts.push(text),
            None => groups.push((&text.program, vec![text])),
        }
    }
    let told = groups.iter().map(|(program, texts)| {
        let lines: Vec<String> = texts.iter().map(|text| listed(text, false)).collect();
        format!("# {program}\n{}\n", lines.join("\n"))
    });
    told.collect::<Vec<_>>().join("\n")
}

fn listed(text: &Text, with_program: bool) -> String {
    let program = if with_program { format!("{}: ", text.program) } else { String::new() };
    clip(&format!("  {program}{}", text.printed), WIDTH)
}

/// Who else prints the same: as many names as a line holds.
fn elsewhere(entry: &Entry, all: &[Entry]) -> Option<String> {
    const MORE: &str = ", and others";
    let mut names = entry.others(all).into_iter();
    let mut line = format!("So print too, with more around it: {}", names.next()?);
    for name in names {
        if line.chars().count() + 2 + name.chars().count() + MORE.len() > WIDTH {
            return Some(line + MORE);
        }
        line = format!("{line}, {name}");
    }
    Some(line)
}

fn verdicts(verdicts: &[String]) -> String {
    if verdicts.is_empty() {
        return "no verdict: no connection shows it".to_owned();
    }
    format!("epipe explain FILE --only {}", verdicts.join(","))
}

fn scenarios(scenarios: &[String]) -> String {
    match scenarios {
        [] => "no scenario shows it".to_owned(),
        names => format!("epipe lab {}", names.join(", or ")),
    }
}

/// `text` behind `heading`, all of it in one column.
fn said(heading: &str, text: &str) -> Vec<String> {
    hanging(heading, text, COLUMN)
}

/// `text` in lines that begin at `indent`, with `heading` before the first.
fn hanging(heading: &str, text: &str, indent: usize) -> Vec<String> {
    let mut lines = wrap(text, indent, WIDTH);
    if let Some(first) = lines.first_mut() {
        *first = format!("{heading:<indent$}{}", first.trim_start());
    }
    lines
}
