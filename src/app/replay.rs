//! `epipe replay`: shows a capture or a transcript.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::filter::Filter;
use super::{Ending, Failure, dashboard, output, save};
use crate::cli::{Common, Format, Replay};
use crate::event::{Gap, Time, What};
use crate::report::pcapng::OtherPacket;
use crate::source::file::{self, Capture, FileError, Recording};
use crate::source::{strace, transcript};
use crate::story::Story;
use crate::story::journal::Journal;

/// Shows the capture or transcript that `replay` names.
pub fn run(replay: &Replay, common: &Common) -> Result<Ending, Failure> {
    let mut recording = read(replay)?;
    tell(&recording, &replay.file);
    if let Some(log) = &replay.strace {
        join(log, &mut recording)?;
    }
    let story = Story::tell(journal(&recording)?);
    if let Some(path) = &replay.write {
        save::save(&story, path, replay.payload, &others(&recording))?;
    }
    let format = output::format(common);
    if format == Format::Dashboard && common.output.is_none() {
        return dashboard::show(title(&replay.file), story, common);
    }
    output::write(&story, story.journal().run().kind(), format, common)?;
    Ok(Ending::Done)
}

/// Says on stderr what is wrong with the file and a saved story in it, and what was passed over.
fn tell(recording: &Recording, file: &Path) {
    let passed_over: Vec<String> =
        recording.passed_over.iter().map(|(name, count)| format!("{count} of {name}")).collect();
    let passed_over =
        (!passed_over.is_empty()).then(|| format!("passed over what is not TCP: {}", passed_over.join(", ")));
    for line in recording.complaints.iter().cloned().chain(damage(recording)).chain(passed_over) {
        eprintln!("epipe: {}: {line}", file.display());
    }
}

/// Puts the calls of the log at `path` among the frames, and says on stderr what there is to say of that.
fn join(path: &Path, recording: &mut Recording) -> Result<(), Failure> {
    if recording.events.iter().any(|event| event.begun().is_some()) {
        let why = format!("cannot join {:?} with what has calls already", path.display().to_string());
        return Err(Failure::new(why).help("give the capture that was taken together with the log"));
    }
    let (name, input) = file::open(path).map_err(|error| failed_read(&error))?;
    let log = strace::read(&name, input).map_err(|error| Failure { message: error.to_string(), help: error.help() })?;
    for line in log.join(recording) {
        eprintln!("epipe: {}: {line}", path.display());
    }
    Ok(())
}

/// What could not be read, a line for each kind of damage.
fn damage(recording: &Recording) -> Vec<String> {
    let gaps = recording.events.iter().filter_map(|event| match &event.what {
        What::Gap(gap) => Some(gap),
        _ => None,
    });
    let malformed: Vec<String> = gaps
        .clone()
        .filter_map(|gap| match gap {
            Gap::Malformed { frame, why } => Some(format!("frame {frame} cannot be read: {why}")),
            _ => None,
        })
        .collect();
    let more = malformed.len().saturating_sub(1);
    let first = malformed.into_iter().next();
    let first = first.map(|first| if more > 0 { format!("{first} (and {more} more such frames)") } else { first });
    let cut = gaps.filter_map(|gap| match gap {
        Gap::CutShort { bytes } => Some(format!("the file ends inside a packet: {bytes} bytes of it were left")),
        _ => None,
    });
    first.into_iter().chain(cut).collect()
}

/// A capture's name, as the dashboard shows it.
pub fn title(file: &Path) -> String {
    file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned()
}

/// The journal of the capture at `file`, whole.
pub fn journal_of(file: PathBuf) -> Result<Journal, Failure> {
    let recording = read(&Replay { file, strace: None, filter: None, write: None, payload: None })?;
    journal(&recording)
}

fn read(replay: &Replay) -> Result<Recording, Failure> {
    let (name, input) = file::open(&replay.file).map_err(|error| failed_read(&error))?;
    let (is_transcript, input) = transcript::recognise(input)
        .map_err(|source| failed_read(&FileError::Read { name: name.clone(), offset: 0, source }))?;
    if !is_transcript {
        return read_capture(replay, name, input);
    }
    if replay.filter.is_some() {
        return Err(Failure::new(format!("cannot filter {name:?}: a transcript has no packets to filter")));
    }
    transcript::read(&name, input).map_err(|error| Failure { message: error.to_string(), help: error.help() })
}

fn read_capture(replay: &Replay, name: String, input: Box<dyn Read>) -> Result<Recording, Failure> {
    let mut filter = replay.filter.as_deref().map(Filter::new).transpose()?;
    let capture = Capture::new(name, input).map_err(|error| failed_read(&error))?;
    let mut broken = None;
    let recording = file::read(capture, &mut |record| match &mut filter {
        None => true,
        Some(filter) => filter.passes(record.frame.link_type, &record.frame.data).unwrap_or_else(|failure| {
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

/// Why a file could not be read, with advice.
pub fn failed_read(error: &FileError) -> Failure {
    Failure { message: error.to_string(), help: error.help() }
}
