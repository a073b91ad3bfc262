//! A survey as one JSON object, or as lines of JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::overview::{Overview, Selected};
use super::shape::{Capture, Connection, Summed};
use super::turns;
use crate::report::lean::Json;
use crate::survey::Found;

/// What is to be written.
pub struct Shown<'a> {
    /// The files' names.
    pub files: &'a [String],
    /// What all connections amount to.
    pub overview: &'a Overview,
    /// Which connections are meant.
    pub selected: Selected<'a>,
    /// How many threads may put connections into words.
    pub threads: usize,
}

/// Writes one object.
pub fn write(found: &Found, shown: &Shown<'_>, out: &mut (dyn Write + Send)) -> io::Result<()> {
    let (mut head, mut tail) = (Json::default(), Json::default());
    head.append(&Capture::of(shown.files, &found.counted))?;
    out.write_all(head.written().split_last().map_or(&[][..], |(_, open)| open))?;
    out.write_all(b",\"connections\":[")?;
    let mut first = true;
    pages(found, shown, None, &mut |page| {
        for line in page.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end) {
            out.write_all(if std::mem::take(&mut first) { b"\n" } else { b",\n" })?;
            out.write_all(line)?;
        }
        Ok(())
    })?;
    tail.append(&Summed::of(shown.overview))?;
    if let Some(brace) = tail.written().first_mut() {
        *brace = b',';
    }
    out.write_all(b"]")?;
    out.write_all(tail.written())?;
    out.write_all(b"\n")
}

/// Writes a `header` line, a line a connection, and a `summary` line.
pub fn write_lines(found: &Found, shown: &Shown<'_>, out: &mut (dyn Write + Send)) -> io::Result<()> {
    let (mut head, mut tail) = (Json::default(), Json::default());
    line(Some("header"), &Capture::of(shown.files, &found.counted), &mut head)?;
    out.write_all(head.written())?;
    pages(found, shown, Some("connection"), &mut |page| out.write_all(page))?;
    line(Some("summary"), &Summed::of(shown.overview), &mut tail)?;
    out.write_all(tail.written())
}

/// Adds a line with the object that `what` is, which says first of what `kind` it is, where that is to be said.
fn line<T: Serialize>(kind: Option<&str>, what: &T, out: &mut Json) -> io::Result<()> {
    if let Some(kind) = kind {
        out.push(b"{\"kind\":\"");
        out.push(kind.as_bytes());
        out.push(b"\"");
    }
    let brace = out.written().len();
    out.append(what)?;
    if let Some(brace) = out.written().get_mut(brace).filter(|_| kind.is_some()) {
        // The object goes on from there.
        *brace = b',';
    }
    out.push(b"\n");
    Ok(())
}

/// Some connections in words.
type Page = Json;

/// How many connections are put into words at a time: what they take stays in a processor's cache until it is written.
const PAGE: usize = 256;

/// The selected connections as lines, page by page in their order.
fn pages(found: &Found, shown: &Shown<'_>, kind: Option<&'static str>, take: turns::Take<'_>) -> io::Result<()> {
    let make = |number: usize, page: &mut Page| {
        page.clear();
        let first = number * PAGE;
        let connections = found.part(first..(first + PAGE).min(found.len()));
        let mut selected = connections.filter(|connection| (shown.selected)(connection));
        selected.try_for_each(|connection| line(kind, &Connection::of(&connection), page))
    };
    turns::write(shown.threads, found.len().div_ceil(PAGE), make, |page| page.written(), take)
}
