//! `epipe explain`: how every connection of a capture ended.

mod pass;
mod progress;
mod select;
mod story;

use std::path::Path;

use self::pass::Read;
use self::progress::Overseer;
use self::select::Selection;
use super::{Ending, Failure, dashboard, output};
use crate::cli::{Common, Explain, Format};
use crate::report::explain::overview::Overview;
use crate::report::explain::{json, text};
use crate::survey::{Detail, Summary};

/// Explains the captures that `explain` names.
pub fn run(explain: &Explain, common: &Common) -> Result<Ending, Failure> {
    let (selection, fail_on) = (Selection::of(explain)?, select::names(&explain.fail_on)?);
    let format = format(explain, common)?;
    let overseer = Overseer::new()?;
    let is_json = matches!(format, Format::Json | Format::Jsonl) && explain.connection.is_none();
    let detail = if is_json { Detail::Everything } else { Detail::Endings };
    let read = pass::read(explain, detail, &overseer);
    overseer.clear();
    let read = read?;
    for failure in &read.failures {
        failure.tell();
    }
    match explain.connection {
        Some(id) => one(explain, common, format, &read, id)?,
        None => all(explain, common, format, &read, &selection)?,
    }
    let is_no = |connection: Summary<'_>| selection.takes(&connection) && fail_on.contains(&connection.verdict());
    match &read.failures[..] {
        _ if read.stopped => Ok(Ending::Interrupted),
        _ if !fail_on.is_empty() && read.found.connections().any(is_no) => Ok(Ending::No),
        [] => Ok(Ending::Done),
        _ => Ok(Ending::Failed),
    }
}

/// The format: text where none was asked for, and of those of a story only with a single connection.
fn format(explain: &Explain, common: &Common) -> Result<Format, Failure> {
    match (common.format, explain.connection) {
        (None, None) => Ok(Format::Text),
        (None | Some(Format::Text), Some(_)) => Ok(output::format(&Common { format: None, ..common.clone() })),
        (Some(Format::Jsonl), Some(_)) => {
            Err(Failure::new("a story is no line of JSON").help("--format json prints it as one object"))
        }
        (Some(format @ (Format::Text | Format::Json | Format::Jsonl)), None) | (Some(format), Some(_)) => Ok(format),
        (Some(_), None) => Err(Failure::new("many connections cannot be shown as one story")
            .help("name one with --connection N, or take --format text, json or jsonl")),
    }
}

/// Tells of all connections that are meant.
fn all(explain: &Explain, common: &Common, format: Format, read: &Read, selection: &Selection) -> Result<(), Failure> {
    match format {
        Format::Json | Format::Jsonl => as_json(explain, common, format, read, selection),
        _ => as_text(explain, common, read, selection),
    }
}

fn as_json(
    explain: &Explain,
    common: &Common,
    format: Format,
    read: &Read,
    selection: &Selection,
) -> Result<(), Failure> {
    let selected = |connection: &Summary<'_>| selection.takes(connection);
    let overview = overview(explain, read, selection)?;
    let threads = pass::threads(explain);
    let shown = json::Shown { files: &read.files, overview: &overview, selected: &selected, threads };
    let write = if format == Format::Json { json::write } else { json::write_lines };
    output::to(common, |out| write(&read.found, &shown, out))
}

fn as_text(explain: &Explain, common: &Common, read: &Read, selection: &Selection) -> Result<(), Failure> {
    let overview = overview(explain, read, selection)?;
    let shown = text::Shown { files: &read.files, overview: &overview };
    output::to(common, |out| text::write(&read.found, &shown, out))
}

fn overview(explain: &Explain, read: &Read, selection: &Selection) -> Result<Overview, Failure> {
    let selected = |connection: &Summary<'_>| selection.takes(connection);
    let chosen = !selection.is_everything();
    Overview::of(&read.found, &selected, chosen, explain.top, pass::threads(explain)).ok_or_else(pass::panicked)
}

/// Tells the whole story of the connection `id`.
fn one(explain: &Explain, common: &Common, format: Format, read: &Read, id: u64) -> Result<(), Failure> {
    if explain.follow || explain.files.iter().any(|file| file == Path::new("-")) {
        return Err(Failure::new("the story of one connection is read from the capture a second time")
            .help("save the capture in a file, and do without --follow"));
    }
    let connection = usize::try_from(id).ok().and_then(|id| read.found.connection(id)).ok_or_else(|| {
        let failure = Failure::new(format!("no connection has the number {id}: there are {}", read.found.len()));
        failure.help("numbers count from 0, as tshark's tcp.stream does")
    })?;
    let story = story::story(explain, &connection)?;
    if format == Format::Dashboard && common.output.is_none() {
        let title = story.journal().run().name.clone();
        return dashboard::show(title, story, common).map(drop);
    }
    output::write(&story, story.journal().run().kind(), format, common)
}
