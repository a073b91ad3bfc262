//! A survey as one JSON object, or as lines of JSON.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, ScopedJoinHandle};

use serde::Serialize;

use super::overview::{Overview, Selected};
use super::shape::{Capture, Connection, Summed};
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
pub fn write(found: &Found, shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
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
pub fn write_lines(found: &Found, shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
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

/// What the words of one connection usually take, in bytes.
const USUAL: usize = 1024;

/// A thread that makes pages.
struct Maker<'scope> {
    pages: Receiver<io::Result<Page>>,
    /// Pages that were written, to be filled again.
    give_back: SyncSender<Page>,
    thread: ScopedJoinHandle<'scope, ()>,
}

/// How many pages each thread may be ahead of what is written.
const AHEAD: usize = 8;

/// The selected connections as lines, page by page in their order. Several threads make them, each
/// the pages that fall to it, while this one hands them on.
fn pages(
    found: &Found,
    shown: &Shown<'_>,
    kind: Option<&'static str>,
    take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let threads = shown.threads.max(1);
    let starts = |first: usize| (first * PAGE..found.len()).step_by(threads * PAGE);
    thread::scope(|scope| {
        let make = |first: usize| {
            let (sender, pages) = sync_channel(AHEAD);
            let (give_back, written) = sync_channel::<Page>(AHEAD + 2);
            let thread = scope.spawn(move || {
                for start in starts(first) {
                    let out = written.try_recv().unwrap_or_else(|_| Page::with_room(PAGE * USUAL));
                    if sender.send(page(found, shown, kind, start, out)).is_err() {
                        // Nobody takes pages any more once one could not be written.
                        break;
                    }
                }
            });
            Maker { pages, give_back, thread }
        };
        let makers: Vec<Maker<'_>> = (0..threads).map(make).collect();
        for number in 0..found.len().div_ceil(PAGE) {
            let Some(maker) = makers.get(number % threads) else { return Err(panicked()) };
            let mut page = maker.pages.recv().map_err(|_| panicked())??;
            take(page.written())?;
            page.clear();
            // Where nobody wants it any more, it is dropped.
            let _ = maker.give_back.try_send(page);
        }
        makers.into_iter().try_for_each(|Maker { thread, .. }| thread.join().map_err(|_| panicked()))
    })
}

fn panicked() -> io::Error {
    io::Error::other("a thread that puts connections into words panicked")
}

fn page(found: &Found, shown: &Shown<'_>, kind: Option<&str>, start: usize, mut out: Page) -> io::Result<Page> {
    for connection in
        found.part(start..(start + PAGE).min(found.len())).filter(|connection| (shown.selected)(connection))
    {
        line(kind, &Connection::of(&connection), &mut out)?;
    }
    Ok(out)
}
