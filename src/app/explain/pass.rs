//! One pass over the captures, or several at once that share the connections among them.

use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::thread;

use super::progress::Overseer;
use crate::app::Failure;
use crate::app::filter::Filter;
use crate::app::replay::failed_read;
use crate::cli::Explain;
use crate::event::{FrameNo, Time};
use crate::source::file::{self, Capture, FileError, Merged, Seen, Source, View, Watch};
use crate::survey::{Detail, Found, Packet, Share, Survey};

/// More threads than that gain little: each reads the whole file.
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

/// What one pass over all files came to.
struct Pass {
    survey: Survey,
    files: Vec<String>,
    failures: Vec<Failure>,
    stopped: bool,
}

/// Reads the captures that `explain` names.
pub fn read(explain: &Explain, detail: Detail, overseer: &Overseer) -> Result<Read, Failure> {
    let of = u32::try_from(threads(explain)).unwrap_or(1);
    let seed = RandomState::new().hash_one(0);
    let shares: Vec<Share> = Share::split(of, seed).collect();
    let passes: Vec<Result<Pass, Failure>> = thread::scope(|scope| {
        let start = |share: Share| scope.spawn(move || pass(explain, detail, share, overseer));
        let threads: Vec<_> = shares.into_iter().map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(panicked()))).collect()
    });
    let mut passes = passes.into_iter().collect::<Result<Vec<_>, _>>()?;
    let stopped = passes.iter().any(|pass| pass.stopped);
    let first = passes.first_mut().map(|first| (std::mem::take(&mut first.files), std::mem::take(&mut first.failures)));
    let (files, failures) = first.unwrap_or_default();
    let found = Survey::finish(passes.into_iter().map(|pass| pass.survey).collect());
    Ok(Read { found, files, failures, stopped })
}

fn panicked() -> Failure {
    Failure::new("a thread of this program panicked; its message stands above")
}

/// How many threads may work. What can be read only once is read by one.
pub fn threads(explain: &Explain) -> usize {
    let is_plain = |path: &PathBuf| path.metadata().is_ok_and(|metadata| metadata.is_file());
    let processors = || thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let wanted = explain.threads.and_then(|threads| usize::try_from(threads).ok()).unwrap_or_else(processors);
    if explain.follow || !explain.files.iter().all(is_plain) { 1 } else { wanted }
}

fn pass(explain: &Explain, detail: Detail, share: Share, overseer: &Overseer) -> Result<Pass, Failure> {
    let mut filter = explain.filter.as_deref().map(Filter::new).transpose()?;
    let watch = overseer.watch(share.is_first())?;
    let (mut captures, mut failures) = open(&explain.files, explain.follow, &watch)?;
    let files: Vec<String> = captures.captures().iter().map(|capture| capture.name().to_owned()).collect();
    let mut pass = Pass { survey: Survey::new(detail, share), files, failures: Vec::new(), stopped: false };
    let several = pass.files.len() > 1;
    let mut now = Time(0);
    while let Some(seen) = captures.advance() {
        match seen {
            Ok(Seen::Packet(view)) => {
                now = view.time.unwrap_or(now);
                let passes = filter.as_mut().map_or(Ok(true), |filter| filter.passes(view.link_type, view.data()))?;
                pass.survey.packet(&packet(several, now, &view, passes));
            }
            Ok(Seen::Row((_, name))) => pass.survey.row(name),
            Ok(Seen::SectionComment(_)) => {}
            Ok(Seen::Gap(gap)) => pass.survey.gap(gap),
            Err(FileError::Stopped { .. }) => {
                pass.stopped = true;
                break;
            }
            Err(error) => failures.push(failed_read(&error)),
        }
    }
    let steps_back = captures.captures().iter().map(Capture::steps_back).sum();
    pass.survey.steps_back(steps_back);
    pass.failures = failures;
    Ok(pass)
}

/// The packet that `view` shows, of one file or of `several`.
pub fn packet<'a>(several: bool, time: Time, view: &View<'a>, passes: bool) -> Packet<'a> {
    let index = if several { u16::try_from(view.file + 1).unwrap_or(u16::MAX) } else { 0 };
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
    match failures.pop() {
        Some(only) if captures.is_empty() && failures.is_empty() => Err(only),
        last => {
            failures.extend(last);
            Ok((Merged::new(captures), failures))
        }
    }
}

fn open_one(path: &Path, follow: bool, watch: &Watch, len: usize) -> Result<Capture<Source>, FileError> {
    let (name, input) = if follow { file::follow(path, watch)? } else { file::open_watched(path, watch)? };
    Capture::with_buffer(name, input, len)
}
