//! A plain file that grows, read as it does, like `tail -f`.
//!
//! At the end of the file the reading waits for the file to change, which inotify tells; looking again at each tick finds what
//! it does not tell: a symbolic link that was changed, or a change made by another machine. The end of such a reading is always
//! a [`FileError`](super::FileError), and all that stood in the file before is handed out first.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use super::input::{self, Ended, Watch, Watcher};

/// A growing file. Reading from it never ends but by an error.
pub struct Follow {
    file: File,
    path: PathBuf,
    /// How many bytes were read.
    position: u64,
    /// Tells of changes; `None` where this system has no more of it to give, and only ticks are left.
    changes: Option<Inotify>,
    watcher: Watcher,
}

impl Follow {
    /// Opens the file at `path`; `None` if that is something else than a plain file.
    pub fn open(path: &Path, watch: &Watch) -> io::Result<Option<Self>> {
        let file = input::open(path)?;
        if !file.metadata()?.is_file() {
            return Ok(None);
        }
        let changes = changes_of(&file).ok();
        let watcher = Watcher::new(watch, None);
        Ok(Some(Self { file, path: path.to_owned(), position: 0, changes, watcher }))
    }

    fn take(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = loop {
            match self.file.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.position += read as u64;
        self.watcher.count(read);
        Ok(read)
    }

    /// Waits for a change or a tick.
    fn wait(&mut self) -> io::Result<()> {
        let has_changed = self.watcher.wait(self.changes.as_ref().map(AsFd::as_fd))?;
        while has_changed && let Some(changes) = &self.changes {
            match changes.read_events() {
                Ok(_) => {}
                Err(Errno::EAGAIN) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Why nothing more can come, if so.
    fn lost(&self) -> io::Result<Option<String>> {
        let open = self.file.metadata()?;
        if open.len() < self.position {
            return Ok(Some(format!("it shrank from {} to {} bytes", self.position, open.len())));
        }
        Ok(match fs::metadata(&self.path) {
            Ok(named) if identity(&named) == identity(&open) => None,
            Ok(_) => Some("another file was put in its place".to_owned()),
            Err(error) if error.kind() == ErrorKind::NotFound && open.nlink() == 0 => Some("it was deleted".to_owned()),
            Err(error) if error.kind() == ErrorKind::NotFound => Some("it was moved away".to_owned()),
            Err(error) => return Err(error),
        })
    }
}

/// What tells of changes to `file` itself, whatever stands at its path by now.
fn changes_of(file: &File) -> nix::Result<Inotify> {
    let changes = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
    let kinds = AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_ATTRIB | AddWatchFlags::IN_MOVE_SELF;
    changes.add_watch(format!("/proc/self/fd/{}", file.as_raw_fd()).as_str(), kinds)?;
    Ok(changes)
}

fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

impl Read for Follow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.watcher.look()?;
            let mut read = self.take(buffer)?;
            if read == 0
                && let Some(why) = self.lost()?
            {
                // Something may have been written between the last read and what ended it.
                read = self.take(buffer)?;
                if read == 0 {
                    return Err(Ended::Lost(why).into_error());
                }
            }
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            self.wait()?;
        }
    }
}

#[cfg(test)]
mod tests;
