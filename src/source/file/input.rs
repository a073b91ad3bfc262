//! A file, a pipe or standard input as bytes: what a signal can stop, and what tells while it waits that it waits.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc::O_NONBLOCK;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// How often a [`Watch`] tells how far the reading is.
pub const TICK: Duration = Duration::from_millis(100);

/// How much of the input has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read so far of all inputs, as they are stored: of a compressed file, the compressed ones.
    pub read: u64,
    /// How many there were in all when they were opened; `None` where one is no plain file, or is followed.
    pub of: Option<u64>,
}

/// What may stop the reading of inputs, and who is told of its progress. Clones watch the same inputs.
#[derive(Clone, Default)]
pub struct Watch {
    stop: Option<Arc<OwnedFd>>,
    tell: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    read: AtomicU64,
    len: AtomicU64,
    is_endless: AtomicBool,
}

impl Watch {
    /// Ends all reading with [`FileError::Stopped`](super::FileError::Stopped) once `stop` can be read, and at once where a read
    /// waits. Nothing is taken from it.
    #[must_use]
    pub fn stopped_by(self, stop: impl Into<OwnedFd>) -> Self {
        Self { stop: Some(Arc::new(stop.into())), ..self }
    }

    /// Calls `tell` about every [`TICK`] while inputs are read, and that often too while no data comes.
    #[must_use]
    pub fn telling(self, tell: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self { tell: Some(Arc::new(tell)), ..self }
    }

    /// How far all inputs that were opened with this have been read.
    pub fn progress(&self) -> Progress {
        let Counts { read, len, is_endless } = &*self.counts;
        let of = (!is_endless.load(Ordering::Relaxed)).then(|| len.load(Ordering::Relaxed));
        Progress { read: read.load(Ordering::Relaxed), of }
    }
}

/// Why an input ended before its end, without the system being at fault.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Ended {
    #[error("it was stopped")]
    Stopped,
    /// A file cannot be followed any further.
    #[error("{0}")]
    Lost(String),
}

impl Ended {
    /// What `error` tells of, if it is not the system's.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    pub fn into_error(self) -> io::Error {
        io::Error::other(self)
    }
}

/// The watch over one input.
pub struct Watcher {
    watch: Watch,
    told: Instant,
}

impl Watcher {
    /// Watches over an input of `len` bytes; `None` if that is not known.
    pub fn new(watch: &Watch, len: Option<u64>) -> Self {
        match len {
            Some(len) => drop(watch.counts.len.fetch_add(len, Ordering::Relaxed)),
            None => watch.counts.is_endless.store(true, Ordering::Relaxed),
        }
        Self { watch: watch.clone(), told: Instant::now() }
    }

    /// Counts what was read.
    pub fn count(&self, read: usize) {
        self.watch.counts.read.fetch_add(read as u64, Ordering::Relaxed);
    }

    /// Fails if the reading is to stop, and tells how far it is if that is due.
    pub fn look(&mut self) -> io::Result<()> {
        self.tell();
        if self.watch.stop.is_some() { self.poll(None, Duration::ZERO).map(drop) } else { Ok(()) }
    }

    /// Waits until `input` can be read or is at its end, or until something is told; returns whether it can be read.
    pub fn wait(&mut self, input: Option<BorrowedFd<'_>>) -> io::Result<bool> {
        let is_ready = self.poll(input, TICK.saturating_sub(self.told.elapsed()))?;
        self.tell();
        Ok(is_ready)
    }

    fn tell(&mut self) {
        if self.told.elapsed() >= TICK {
            self.told = Instant::now();
            if let Some(tell) = &self.watch.tell {
                tell(self.watch.progress());
            }
        }
    }

    fn poll(&self, input: Option<BorrowedFd<'_>>, wait: Duration) -> io::Result<bool> {
        let stop = self.watch.stop.as_ref().map(|stop| stop.as_fd());
        let mut waited: Vec<PollFd<'_>> =
            stop.into_iter().chain(input).map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        // Rounded up, so that the last part of a millisecond is not spent in a loop.
        let millis = wait.as_micros().div_ceil(1000);
        match poll(&mut waited, PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)) {
            Err(Errno::EINTR) => return Ok(false),
            found => drop(found?),
        }
        let is_ready = |polled: &PollFd<'_>| polled.any().unwrap_or(true);
        if stop.is_some() && waited.first().is_some_and(is_ready) {
            return Err(Ended::Stopped.into_error());
        }
        Ok(input.is_some() && waited.last().is_some_and(is_ready))
    }
}

/// A file, a pipe or a device.
pub struct Input {
    file: File,
    is_plain: bool,
    watcher: Watcher,
}

impl Input {
    /// Opens the file at `path`; a named pipe does not need to have a writer yet.
    pub fn open(path: &Path, watch: &Watch) -> io::Result<Self> {
        Self::new(open(path)?, watch)
    }

    /// Standard input, past the buffer of [`io::stdin`].
    pub fn stdin(watch: &Watch) -> io::Result<Self> {
        Self::new(File::from(io::stdin().as_fd().try_clone_to_owned()?), watch)
    }

    fn new(file: File, watch: &Watch) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let is_plain = metadata.is_file();
        let watcher = Watcher::new(watch, is_plain.then_some(metadata.len()));
        Ok(Self { file, is_plain, watcher })
    }
}

/// Opens `path` for reading without waiting for anything.
pub fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(O_NONBLOCK).open(path)
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.is_plain {
                self.watcher.look()?;
            } else {
                while !self.watcher.wait(Some(self.file.as_fd()))? {}
            }
            match self.file.read(buffer) {
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                read => {
                    let read = read?;
                    self.watcher.count(read);
                    return Ok(read);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
