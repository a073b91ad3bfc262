//! `epipe replay`: shows a capture.

mod filter;

use std::path::{Path, PathBuf};

use self::filter::Filter;
use super::{Ending, Failure, dashboard, output, save};
use crate::cli::{Common, Format, Replay};
use crate::event::Time;
use crate::report::pcapng::OtherPacket;
use crate::source::file::{self, Capture, FileError, Recording};
use crate::story::Story;
use crate::story::journal::Journal;

/// Shows the capture that `replay` names.
pub fn run(replay: &Replay, common: &Common) -> Result<Ending, Failure> {
    let recording = read(replay)?;
    tell(&recording, &replay.file);
    let story = Story::tell(journal(&recording)?);
    if let Some(path) = &replay.write {
        save::save(&story, path, &others(&recording), &recording.section_comments)?;
    }
    let format = output::format(common);
    if format == Format::Dashboard && common.output.is_none() {
        return dashboard::show(title(&replay.file), story, common);
    }
    output::write(&story, None, format, common)?;
    Ok(Ending::Done)
}

/// Says on stderr what is wrong with a saved story, and what was passed over.
fn tell(recording: &Recording, file: &Path) {
    for complaint in &recording.complaints {
        eprintln!("epipe: {}: {complaint}", file.display());
    }
    let passed_over: Vec<String> =
        recording.passed_over.iter().map(|(name, count)| format!("{count} of {name}")).collect();
    if !passed_over.is_empty() {
        eprintln!("epipe: {}: passed over what is not TCP: {}", file.display(), passed_over.join(", "));
    }
}

/// A capture's name, as the dashboard shows it.
pub fn title(file: &Path) -> String {
    file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned()
}

/// The journal of the capture at `file`, whole.
pub fn journal_of(file: PathBuf) -> Result<Journal, Failure> {
    let recording = read(&Replay { file, filter: None, write: None })?;
    journal(&recording)
}

fn read(replay: &Replay) -> Result<Recording, Failure> {
    let mut filter = replay.filter.as_deref().map(Filter::new).transpose()?;
    let capture = Capture::open(&replay.file).map_err(|error| failed_read(&error))?;
    let mut broken = None;
    let recording = file::read(capture, &mut |record| match &mut filter {
        None => true,
        Some(filter) => filter.passes(&record.frame).unwrap_or_else(|failure| {
            broken.get_or_insert(failure);
            false
        }),
    });
    match broken {
        Some(failure) => Err(failure),
        None => recording.map_err(|error| failed_read(&error)),
    }
}

fn journal(recording: &Recording) -> Result<Journal, Failure> {
    let mut journal = Journal::new(recording.run.clone());
    for event in &recording.events {
        journal.append(event.clone()).map_err(|error| Failure::new(error.to_string()))?;
    }
    Ok(journal)
}

fn others(recording: &Recording) -> Vec<OtherPacket<'_>> {
    recording
        .others
        .iter()
        .map(|record| OtherPacket { frame: &record.frame, time: record.time.unwrap_or(Time(0)) })
        .collect()
}

fn failed_read(error: &FileError) -> Failure {
    Failure { message: error.to_string(), help: error.help() }
}
