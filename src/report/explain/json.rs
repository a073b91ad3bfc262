//! A survey as one JSON object, or as lines of JSON.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use serde::Serialize;

use super::shape::{Capture, Connection, Kind, Line, Summed};
use crate::survey::patterns::Pattern;
use crate::survey::{Found, Summary};

/// What is to be written.
pub struct Shown<'a> {
    /// The files' names.
    pub files: &'a [String],
    /// The patterns, the weightiest first.
    pub patterns: &'a [Pattern],
    /// Which connections are meant.
    pub selected: &'a (dyn Fn(&Summary<'_>) -> bool + Sync),
    /// How many threads may put connections into words.
    pub threads: usize,
}

/// Writes one object.
pub fn write(found: &Found, shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut head = serde_json::to_vec(&Capture::of(shown.files, &found.counted))?;
    head.pop();
    out.write_all(&head)?;
    out.write_all(b",\"connections\":[")?;
    let mut first = true;
    pages(found, shown, Kind::None, &mut |page| {
        for line in page.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end) {
            out.write_all(if std::mem::take(&mut first) { b"\n" } else { b",\n" })?;
            out.write_all(line)?;
        }
        Ok(())
    })?;
    let mut tail = serde_json::to_vec(&Summed::of(found, shown.patterns, shown.selected))?;
    if let Some(brace) = tail.first_mut() {
        *brace = b',';
    }
    out.write_all(b"]")?;
    out.write_all(&tail)?;
    out.write_all(b"\n")
}

/// Writes a `header` line, a line a connection, and a `summary` line.
pub fn write_lines(found: &Found, shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    line(&Line { kind: Kind::Header, rest: Capture::of(shown.files, &found.counted) }, &mut head)?;
    out.write_all(&head)?;
    pages(found, shown, Kind::Connection, &mut |page| out.write_all(page))?;
    line(&Line { kind: Kind::Summary, rest: Summed::of(found, shown.patterns, shown.selected) }, &mut tail)?;
    out.write_all(&tail)
}

/// Adds a line. To memory, which costs nothing for each of its many pieces.
fn line<T: Serialize>(what: &T, out: &mut Vec<u8>) -> io::Result<()> {
    serde_json::to_writer(&mut *out, what)?;
    out.push(b'\n');
    Ok(())
}

/// How many connections are put into words at a time.
const PAGE: usize = 2048;

/// The selected connections as lines, page by page in their order. Several threads make them, each
/// the pages that fall to it, while this one hands them on.
fn pages(
    found: &Found,
    shown: &Shown<'_>,
    kind: Kind,
    take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let threads = shown.threads.max(1);
    let starts = |first: usize| (first * PAGE..found.len()).step_by(threads * PAGE);
    thread::scope(|scope| {
        let make = |first: usize| {
            let (sender, receiver) = sync_channel(1);
            // Nobody takes pages any more once one could not be written.
            scope.spawn(move || starts(first).try_for_each(|start| sender.send(page(found, shown, kind, start))));
            receiver
        };
        let receivers: Vec<Receiver<io::Result<Vec<u8>>>> = (0..threads).map(make).collect();
        for number in 0..found.len().div_ceil(PAGE) {
            let page = receivers.get(number % threads).map(Receiver::recv);
            let Some(Ok(page)) = page else { return Err(panicked()) };
            take(&page?)?;
        }
        Ok(())
    })
}

fn panicked() -> io::Error {
    io::Error::other("a thread that puts connections into words panicked")
}

fn page(found: &Found, shown: &Shown<'_>, kind: Kind, start: usize) -> io::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(PAGE * 512);
    for connection in
        found.part(start..(start + PAGE).min(found.len())).filter(|connection| (shown.selected)(connection))
    {
        match kind {
            Kind::None => line(&Connection::of(&connection), &mut out)?,
            _ => line(&Line { kind, rest: Connection::of(&connection) }, &mut out)?,
        }
    }
    Ok(out)
}
