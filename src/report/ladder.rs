//! The dashboard's drawing on paper: 80 columns, the whys behind it as notes, numbered as the rows are.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::wrap::{WIDTH, paragraph, paragraph_after};
use crate::event::{ConnectionId, EventId};
use crate::source::lab::library;
use crate::story::Story;
use crate::story::drawing::{self, Columns, Mark};
use crate::story::rows::{Row, Wire};
use crate::story::side::Side;
use crate::story::telling::Why;

/// Writes `story` as a ladder with its notes. `about` stands beside its name.
pub fn write(story: &Story, about: &str, out: &mut dyn Write) -> io::Result<()> {
    let rows = story.rows(false);
    let last = EventId(story.journal().events().len() as u64);
    title(story, about, out)?;
    if let Some(connection) = story.connections().first() {
        header(story, connection.id, last, out)?;
    }
    writeln!(out, "{}", Columns::EIGHTY.rule())?;
    for row in &rows {
        let drawn = drawing::draw(row, Mark::None, Columns::EIGHTY);
        writeln!(out, "{}", drawn.line(false).trim_end())?;
    }
    facts(story, out)?;
    comments(story, out)?;
    for connection in story.connections() {
        ending(story, connection.id, last, out)?;
    }
    notes(story, &rows, out)
}

fn title(story: &Story, about: &str, out: &mut dyn Write) -> io::Result<()> {
    let name = drawing::clean(&story.journal().run().name);
    let title = format!(" {name}  {}", drawing::clean(about));
    if title.width() <= WIDTH {
        return writeln!(out, "{title}");
    }
    paragraph(&name, 1, out)?;
    paragraph(about, 1, out)
}

fn header(story: &Story, connection: ConnectionId, at: EventId, out: &mut dyn Write) -> io::Result<()> {
    let standing = story.standing(connection, at);
    let ends = [&standing.client, &standing.server];
    let heads: Vec<String> = ends
        .iter()
        .zip(["CLIENT", "SERVER"])
        .map(|(end, name)| {
            let port = end.endpoint.map_or_else(String::new, |addr| format!(":{} ", addr.port()));
            format!("{name} {port} {}", end.state)
        })
        .collect();
    let words: Vec<String> = ends.iter().map(|end| end.line()).collect();
    let start = Columns::EIGHTY.server_start();
    for (client, server) in [(&heads[0], &heads[1]), (&words[0], &words[1])] {
        let left = format!("    {client}");
        let gap = start.saturating_sub(left.width()).max(1);
        writeln!(out, "{}", format!("{left}{}{server}", " ".repeat(gap)).trim_end())?;
    }
    Ok(())
}

/// That the segments are missing, how to get them, and where they can be seen meanwhile.
fn facts(story: &Story, out: &mut dyn Write) -> io::Result<()> {
    let run = story.journal().run();
    let Some(why) = run.fact("capture").filter(|_| story.is_blind() && !story.connections().is_empty()) else {
        return Ok(());
    };
    writeln!(out)?;
    paragraph(&format!("The segments are missing: {}.", why.trim_start_matches("none: ")), 1, out)?;
    if let Some(remedy) = run.fact("remedy") {
        paragraph(&format!("To see them: {remedy}."), 1, out)?;
    }
    match library::find(&run.name) {
        Ok(Some(_)) => {
            let file = format!("captures/{}.pcapng", run.name.replace('/', "-"));
            paragraph(&format!("A recording that has them came with the sources: epipe replay {file}"), 1, out)
        }
        _ => Ok(()),
    }
}

/// What somebody wrote on the file.
fn comments(story: &Story, out: &mut dyn Write) -> io::Result<()> {
    let comments = &story.journal().run().comments;
    if comments.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", rule("written on the file"))?;
    comments.iter().flat_map(|comment| comment.lines()).try_for_each(|line| paragraph(line, 1, out))
}

fn ending(story: &Story, connection: ConnectionId, at: EventId, out: &mut dyn Write) -> io::Result<()> {
    let many = story.connections().len() > 1;
    let which = if many { format!("connection {connection}") } else { "it".to_owned() };
    let Some(verdict) = story.verdict(connection) else { return Ok(()) };
    writeln!(out, "\n{}", rule(&format!("how {which} ended: {}, {}", verdict.name, verdict.certainty.name())))?;
    if many && verdict.name == "closed" {
        return paragraph(&verdict.sentences[0], 1, out);
    }
    paragraph(&verdict.sentences.join(" "), 1, out)?;
    let next = story.next(connection, at);
    writeln!(out, "{}", rule("next"))?;
    for side in Side::BOTH {
        paragraph_after(&format!(" {}  ", side.name()), &next.whole[side], out)?;
    }
    paragraph_after(" bytes   ", &next.bytes, out)
}

fn notes(story: &Story, rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{}", rule("why"))?;
    for row in rows {
        let why = story.why(row);
        if why.sentences.is_empty() && why.findings.is_empty() {
            continue;
        }
        let number = drawing::number(row.number);
        let number = if matches!(row.wire, Wire::Pause(_)) || number.is_empty() { "·".to_owned() } else { number };
        paragraph_after(&format!("{number:>4} "), &drawing::clean(&why.title), out)?;
        let sentences: Vec<&str> = why.sentences.iter().chain(&why.later).map(String::as_str).collect();
        paragraph(&sentences.join(" "), 5, out)?;
        because(&why, 5, out)?;
        findings(row, &why, 5, out)?;
    }
    Ok(())
}

/// What is found in the calls of `row`: the sentence at the call that tells, the kind alone at the others.
pub fn findings(row: &Row, why: &Why, indent: usize, out: &mut dyn Write) -> io::Result<()> {
    why.findings.iter().try_for_each(|finding| {
        let tells = finding.telling().is_some_and(|call| row.events.contains(&call));
        let words = if tells { finding.text.clone() } else { format!("{} (see below)", finding.kind.title()) };
        paragraph(&format!("finding: {words}"), indent, out)
    })
}

/// What a row came of, and what proves it.
pub fn because(why: &Why, indent: usize, out: &mut dyn Write) -> io::Result<()> {
    match (why.because.as_str(), why.evidence.as_str()) {
        ("", _) => Ok(()),
        (because, "") => paragraph(&format!("because of {because}"), indent, out),
        (because, evidence) => paragraph(&format!("because of {because} ({evidence})"), indent, out),
    }
}

fn rule(title: &str) -> String {
    let head = format!("─ {title} ");
    format!("{head}{}", "─".repeat(WIDTH.saturating_sub(head.width())))
}
