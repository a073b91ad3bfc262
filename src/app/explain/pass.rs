//! One pass over the captures.

mod crew;

use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::thread;

use super::progress::Overseer;
use crate::app::Failure;
use crate::app::filter::Filter;
use crate::app::replay::failed_read;
use crate::cli::Explain;
use crate::event::{FrameNo, Gap, Time};
use crate::source::file::{self, AtHand, Capture, FileError, Merged, Seen, Source, View, Watch};
use crate::survey::{Detail, Found, Intake, Packet, Sighting, Survey};

/// More threads than that gain little: one of them reads.
const MOST_THREADS: usize = 4;

/// What was read.
pub struct Read {
    /// What was found in it.
    pub found: Found,
    /// The files' names, without those that could not be opened.
    pub files: Vec<String>,
    /// What went wrong with some of it; what was read before is used.
    pub failures: Vec<Failure>,
    /// Whether a signal ended the reading.
    pub stopped: bool,
}

/// Reads the captures that `explain` names.
pub fn read(explain: &Explain, detail: Detail, overseer: &Overseer) -> Result<Read, Failure> {
    if explain.follow && explain.files.len() > 1 {
        // The merge would wait for whichever is silent.
        return Err(Failure::new("cannot follow several files at once").help("follow each by an epipe of its own"));
    }
    let filter = explain.filter.as_deref().map(Filter::new).transpose()?;
    let (captures, failures) = open(&explain.files, explain.follow, &overseer.watch()?)?;
    let files = captures.captures().iter().map(|capture| capture.name().to_owned()).collect();
    let intake = Intake::new(RandomState::new().hash_one(0), captures.captures().len() > 1);
    let reading = Reading { captures, filter, failures, stopped: false, intake };
    // One thread reads and decodes; the others judge, each its own connections.
    let (surveys, reading) = match threads(explain) - 1 {
        0 => alone(reading, detail)?,
        others => crew::judged(others, detail, |judges| reading.all(judges))?,
    };
    let Reading { captures, failures, stopped, intake, .. } = reading;
    let steps_back = captures.captures().iter().map(Capture::steps_back).sum();
    Ok(Read { found: Survey::finish(intake.finish(steps_back), surveys), files, failures, stopped })
}

fn alone(reading: Reading, detail: Detail) -> Result<(Vec<Survey>, Reading), Failure> {
    let mut alone = Alone { survey: Survey::new(detail), sighting: Sighting::default() };
    let reading = reading.all(&mut alone)?;
    Ok((vec![alone.survey], reading))
}

/// Who judges what is read.
trait Judge {
    /// Where the next sighting is to stand.
    fn place(&mut self) -> &mut Sighting;
    /// Takes the sighting that stands there now.
    fn take(&mut self);
}

/// A survey in the thread that reads.
struct Alone {
    survey: Survey,
    sighting: Sighting,
}

impl Judge for Alone {
    #[inline]
    fn place(&mut self) -> &mut Sighting {
        &mut self.sighting
    }

    #[inline]
    fn take(&mut self) {
        self.survey.take(&self.sighting);
    }
}

/// What is said where a thread has panicked.
pub fn panicked() -> Failure {
    Failure::new("a thread of this program panicked; its message stands above")
}

/// How many threads may work.
pub fn threads(explain: &Explain) -> usize {
    let processors = || thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    explain.threads.and_then(|threads| usize::try_from(threads).ok()).unwrap_or_else(processors).max(1)
}

/// Captures being read.
struct Reading {
    captures: Merged<Source>,
    filter: Option<Filter>,
    failures: Vec<Failure>,
    stopped: bool,
    intake: Intake,
}

impl Reading {
    /// Reads all, and gives what is to be judged to `judge`.
    fn all(mut self, judge: &mut impl Judge) -> Result<Self, Failure> {
        let several = self.captures.captures().len() > 1;
        let mut now = Time(0);
        loop {
            if self.filter.is_none() {
                let intake = &mut self.intake;
                self.captures.at_hand(|packet| {
                    if intake.packet(&whole(packet), judge.place()) {
                        judge.take();
                    }
                });
            }
            let Some(seen) = self.captures.advance() else { break };
            match seen {
                Ok(Seen::Packet(view)) => {
                    now = view.time.unwrap_or(now);
                    let filter = self.filter.as_mut();
                    let passes = filter.map_or(Ok(true), |filter| filter.passes(view.link_type, view.data()))?;
                    if self.intake.packet(&packet(several, now, view, passes), judge.place()) {
                        judge.take();
                    }
                }
                Ok(Seen::Row((_, name))) => self.intake.row(name),
                Ok(Seen::SectionComment(_)) => {}
                Ok(Seen::Gap(gap)) => {
                    let gap = gap.clone();
                    self.intake.gap(&in_file(gap, several, self.captures.file()));
                }
                Err(FileError::Stopped { .. }) => {
                    self.stopped = true;
                    break;
                }
                Err(error) => self.failures.push(failed_read(&error)),
            }
        }
        Ok(self)
    }
}

/// `gap` in the `file`th file, from 0, of one or of `several`.
fn in_file(gap: Gap, several: bool, file: usize) -> Gap {
    match gap {
        Gap::Malformed { frame, why } => {
            Gap::Malformed { frame: FrameNo::in_file(number(several, file), frame.0), why }
        }
        other => other,
    }
}

/// How frames name the `file`th file, from 0, of one or of `several`.
fn number(several: bool, file: usize) -> u16 {
    if several { u16::try_from(file + 1).unwrap_or(u16::MAX) } else { 0 }
}

/// The packet that `view` shows, of one file or of `several`.
pub fn packet(several: bool, time: Time, view: View<'_>, passes: bool) -> Packet<'_> {
    let index = number(several, view.file);
    Packet {
        frame: FrameNo::in_file(index, view.number.0),
        time,
        link_type: view.link_type,
        interface: view.interface.wrapping_add(u32::from(index) << 16),
        original_len: view.original_len,
        data: view.data(),
        passes,
    }
}

#[inline]
fn whole(packet: AtHand<'_>) -> Packet<'_> {
    let AtHand { number, time, link_type, original_len, data } = packet;
    Packet { frame: number, time, link_type, interface: 0, original_len, data, passes: true }
}

/// The captures at `paths` as one. Of several, those that cannot be opened are told of and left out.
pub fn open(paths: &[PathBuf], follow: bool, watch: &Watch) -> Result<(Merged<Source>, Vec<Failure>), Failure> {
    let len = file::buffer_len(paths.len());
    let (mut captures, mut failures) = (Vec::new(), Vec::new());
    for path in paths {
        match open_one(path, follow, watch, len) {
            Ok(capture) => captures.push(capture),
            Err(error) => failures.push(failed_read(&error)),
        }
    }
    if captures.is_empty()
        && let Some(last) = failures.pop()
    {
        failures.iter().for_each(Failure::tell);
        return Err(last);
    }
    Ok((Merged::new(captures), failures))
}

fn open_one(path: &Path, follow: bool, watch: &Watch, len: usize) -> Result<Capture<Source>, FileError> {
    let (name, input) = if follow { file::follow(path, watch)? } else { file::open_watched(path, watch)? };
    Capture::with_buffer(name, input, len)
}
