//! `epipe replay`: shows a capture.

mod filter;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use self::filter::Filter;
use super::{Ending, Failure, output};
use crate::cli::{Common, Replay};
use crate::event::Time;
use crate::report::pcapng::{OtherPacket, SaveError, Saving};
use crate::source::file::{self, Capture, FileError, Recording};
use crate::story::Story;
use crate::story::journal::Journal;

/// Shows the capture that `replay` names.
pub fn run(replay: &Replay, common: &Common) -> Result<Ending, Failure> {
    let recording = read(replay)?;
    for complaint in &recording.complaints {
        eprintln!("epipe: {}: {complaint}", replay.file.display());
    }
    let journal = journal(&recording)?;
    if let Some(path) = &replay.write {
        let file = File::create(path)
            .map_err(|error| Failure::new(format!("cannot create {:?}: {error}", path.display().to_string())))?;
        save(&recording, &journal, BufWriter::new(file)).map_err(|error| failed_save(&error))?;
    }
    show(journal, common)
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

fn save(recording: &Recording, journal: &Journal, mut out: impl Write) -> Result<(), SaveError> {
    let others: Vec<OtherPacket<'_>> = recording
        .others
        .iter()
        .map(|record| OtherPacket { frame: &record.frame, time: record.time.unwrap_or(Time(0)) })
        .collect();
    Saving { others: &others, section_comments: &recording.section_comments, ..Saving::new(journal) }.write(&mut out)
}

fn show(journal: Journal, common: &Common) -> Result<Ending, Failure> {
    let story = Story::tell(journal);
    output::write(&story, None, output::format(common), common)?;
    Ok(Ending::Done)
}

fn failed_read(error: &FileError) -> Failure {
    Failure { message: error.to_string(), help: error.help() }
}

fn failed_save(error: &SaveError) -> Failure {
    Failure { message: error.to_string(), help: error.help() }
}
