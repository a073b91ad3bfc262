//! A survey as text for people: what many connections have in common, how all ended, and those worth looking at, worst first.

use std::io::{self, Write};

use super::overview::Overview;
use super::tally::Tally;
use crate::event::{FrameNo, Time, without_controls};
use crate::report::wrap::wrap;
use crate::story::side::Side;
use crate::survey::patterns::Pattern;
use crate::survey::{Counted, Found, Summary};

/// No line is longer, in columns, names of files aside.
const WIDTH: usize = 80;

/// So many patterns are shown.
const PATTERNS: usize = 12;

/// What is to be shown.
pub struct Shown<'a> {
    /// The files' names.
    pub files: &'a [String],
    /// What all connections amount to.
    pub overview: &'a Overview,
}

/// Writes all of it.
pub fn write(found: &Found, shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Overview { patterns, tally } = shown.overview;
    title(found, shown, out)?;
    self::patterns(patterns, out)?;
    verdicts(tally, out)?;
    connections(found, tally, out)?;
    beside(&found.counted, out)?;
    files(shown.files, out)
}

fn title(found: &Found, shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    let counted = &found.counted;
    let names = match shown.files {
        [one] => without_controls(one),
        several => format!("{} files", several.len()),
    };
    let span = counted.span.map_or(0, |(first, latest)| latest.since(first));
    writeln!(
        out,
        "{names}: {}, {} in {} s",
        many(counted.tcp_packets, "TCP segment"),
        many(found.len() as u64, "connection"),
        tenths(span)
    )
}

/// Which number stands for which file.
fn files(files: &[String], out: &mut dyn Write) -> io::Result<()> {
    if files.len() < 2 {
        return Ok(());
    }
    writeln!(out, "\nFiles")?;
    for (index, name) in (1..).zip(files) {
        writeln!(out, "{index:>4}: {}", without_controls(name))?;
    }
    Ok(())
}

fn patterns(patterns: &[Pattern], out: &mut dyn Write) -> io::Result<()> {
    if patterns.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nPatterns")?;
    for pattern in patterns.iter().take(PATTERNS) {
        let examples: Vec<String> = pattern.examples.iter().map(|id| format!("#{id}")).collect();
        item("* ", &format!("{} ({})", pattern.sentence, examples.join(", ")), out)?;
        item("  fix: ", pattern.kind.fix(), out)?;
    }
    let more = patterns.len().saturating_sub(PATTERNS);
    if more > 0 { writeln!(out, "  and {more} more: --format json has all") } else { Ok(()) }
}

fn verdicts(tally: &Tally, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\nHow they ended")?;
    for (name, count, lost) in tally.counts.iter().filter(|(_, count, _)| *count > 0) {
        writeln!(out, "{:>9}  {name:<21}  {}", thousands(*count), name.meaning())?;
        if *lost > 0 {
            writeln!(out, "{:34}{} lost", "", many(*lost, "byte"))?;
        }
    }
    let notes = [
        (tally.one_way, "of these seen in one direction only: the other is presumed"),
        (tally.copies, "seen again behind an address translation, counted once"),
        (tally.again, "segments seen again at another interface, counted once"),
    ];
    let mut notes = notes.iter().filter(|(count, _)| *count > 0);
    notes.try_for_each(|(count, what)| writeln!(out, "{:>9}  {what}", thousands(*count)))
}

fn connections(found: &Found, tally: &Tally, out: &mut dyn Write) -> io::Result<()> {
    let worst = tally.worst();
    if worst.is_empty() {
        return Ok(());
    }
    let of = if tally.worth > worst.len() as u64 {
        format!(" ({} of {}; --top N for more)", worst.len(), thousands(tally.worth))
    } else {
        String::new()
    };
    writeln!(out, "\n{}{of}", if tally.chosen { "Connections" } else { "Worth looking at, worst first" })?;
    for id in worst {
        let Some(connection) = usize::try_from(id).ok().and_then(|id| found.connection(id)) else { continue };
        one(&connection, out)?;
    }
    writeln!(out, "\nA whole story: epipe explain FILE --connection N")
}

fn one(connection: &Summary<'_>, out: &mut dyn Write) -> io::Result<()> {
    let facts = connection.facts();
    let ends = Side::BOTH.map(|side| connection.end(side).endpoint);
    let (id, verdict) = (connection.id(), format!("{}, {}", facts.name(), facts.certainty().name()));
    let line = format!("#{id}  {} → {}  {verdict}", ends[0], ends[1]);
    // Addresses of version 6 can fill a line each.
    if line.chars().count() <= WIDTH {
        writeln!(out, "\n{line}")?;
    } else {
        writeln!(out, "\n#{id}  {}\n    → {}\n    {verdict}", ends[0], ends[1])?;
    }
    let mut notes = vec![frames(connection.frames())];
    notes.extend(
        connection.idle_before_end().filter(|idle| *idle >= 1_000_000).map(|idle| format!("idle {} s", exact(idle))),
    );
    let lost = facts.lost.client + facts.lost.server;
    notes.extend((lost > 0).then(|| format!("{} lost", many(lost, "byte"))));
    let errors = Side::BOTH.into_iter().filter_map(|side| {
        let (errno, certainty) = connection.end(side).error(facts.name())?;
        Some(format!("{} {errno} ({})", side.name(), certainty.name()))
    });
    notes.extend(errors);
    item("    ", &notes.join(" · "), out)?;
    for sentence in facts.sentences() {
        item("    ", &sentence, out)?;
    }
    Ok(())
}

/// What else the capture holds, and what is wrong with it.
fn beside(counted: &Counted, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = Vec::new();
    let names: Vec<String> =
        counted.passed_over.iter().map(|(name, count)| format!("{} of {name}", thousands(*count))).collect();
    if !names.is_empty() {
        lines.push(format!("passed over what is not TCP: {}", names.join(", ")));
    }
    if let Some((frame, why)) = counted.first_malformed.first() {
        lines.push(format!("{} could not be read, the first: frame {frame}, {why}", many(counted.malformed, "packet")));
    }
    lines.extend((counted.dropped > 0).then(|| format!("the capture itself lost {}", many(counted.dropped, "packet"))));
    lines.extend(
        counted.cut_short.map(|bytes| format!("the file ends inside a packet, of which {bytes} bytes are left")),
    );
    lines.extend(
        (counted.steps_back > 0)
            .then(|| format!("{} with an earlier time than the one before it", many(counted.steps_back, "packet"))),
    );
    lines.extend((counted.strays > 0).then(|| {
        format!("{} came long after their connection's end and were only counted", many(counted.strays, "segment"))
    }));
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nBeside that")?;
    lines.iter().try_for_each(|line| item("  ", line, out))
}

/// `text` in lines, the first behind `head` and the others below its text.
fn item(head: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    let indent = " ".repeat(head.len());
    for (index, line) in wrap(text, 0, WIDTH - head.len()).into_iter().enumerate() {
        writeln!(out, "{}{line}", if index == 0 { head } else { &indent })?;
    }
    Ok(())
}

fn frames((first, last): (FrameNo, FrameNo)) -> String {
    if first == last { format!("frame {first}") } else { format!("frames {first} to {last}") }
}

/// `1 byte`, `12,345 bytes`.
fn many(count: u64, what: &str) -> String {
    format!("{} {what}{}", thousands(count), if count == 1 { "" } else { "s" })
}

fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Seconds with one decimal.
fn tenths(nanos: i64) -> String {
    let tenths = nanos.saturating_add(50_000_000) / 100_000_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Seconds with three decimals.
fn exact(nanos: i64) -> String {
    let text = Time(nanos).to_string();
    text.get(..text.len().saturating_sub(6)).unwrap_or(&text).to_owned()
}
