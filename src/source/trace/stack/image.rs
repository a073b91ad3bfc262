//! The files that a process runs, opened while it is known to run them: a later file of the same name may be another.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use nix::unistd::Pid;

use super::elf::Exports;
use super::maps::{self, Mapping};
use crate::source::trace::memory;

/// How much of a file's beginning is compared with memory, in bytes: its headers, and what identifies its build.
const BEGINNING: usize = 4096;

/// One file.
#[derive(Debug)]
pub struct Image {
    /// Its number, counted as files come.
    pub id: u64,
    /// The file.
    file: File,
    /// Where Python's interpreter is in it, once that was asked.
    python: OnceLock<Option<Exports<5>>>,
}

/// Which file it is: device, inode, size, and when it was last changed. A compiler may write a new program into an old inode.
type Key = (u64, u64, u64, (i64, i64));

/// Those that are known.
#[derive(Debug, Default)]
pub struct Images {
    known: HashMap<Key, Arc<Image>>,
}

impl Images {
    /// The file of `mapping`, one of `all` of `process`; `None` where it cannot be had, or not for certain.
    pub fn of(&mut self, process: Pid, mapping: &Mapping, all: &[Mapping]) -> Option<Arc<Image>> {
        let file = opened(process, mapping, all)?;
        let meta = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let key = (meta.dev(), meta.ino(), meta.size(), (meta.ctime(), meta.ctime_nsec()));
        let id = self.known.len() as u64;
        Some(Arc::clone(self.known.entry(key).or_insert_with(|| Arc::new(Image::of_file(id, file)))))
    }
}

/// The kernel's own link is the file for certain, but only the mighty may follow it; the name is, if what stands in memory
/// is what stands in the file.
fn opened(process: Pid, mapping: &Mapping, all: &[Mapping]) -> Option<File> {
    if let Ok(file) = File::open(maps::link(process, mapping)) {
        return Some(file);
    }
    let root = Path::new("/proc").join(process.to_string()).join("root");
    let path = root.join(mapping.path.strip_prefix("/").ok()?);
    let file = open(&path).ok()?;
    let first = all.iter().find(|one| one.offset == 0 && (one.inode, &one.path) == (mapping.inode, &mapping.path))?;
    let (mut begins, seen) = (vec![0; BEGINNING], memory::bytes(process, first.start, BEGINNING));
    let read = file.read_at(&mut begins, 0).ok()?;
    (read >= 64 && seen.get(..read) == begins.get(..read)).then_some(file)
}

/// Opens what may be anything by now, without waiting for whom a pipe would wait for.
pub fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)
}

impl Image {
    /// The file `file`, as number `id`.
    pub const fn of_file(id: u64, file: File) -> Self {
        Self { id, file, python: OnceLock::new() }
    }

    /// Where it has the variables that Python's interpreter hands out, whose names these are.
    pub fn python(&self, names: [&str; 5]) -> Option<&Exports<5>> {
        self.python.get_or_init(|| Exports::of(self, names)).as_ref()
    }

    /// Its bytes, for reading.
    pub const fn reader(&self) -> Reader<'_> {
        Reader { file: &self.file, at: 0 }
    }
}

/// Reads a file without moving what others read of it.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    file: &'a File,
    at: u64,
}

impl<'a> Reader<'a> {
    /// Of `file`.
    pub const fn new(file: &'a File) -> Self {
        Self { file, at: 0 }
    }

    /// `len` bytes from `offset` on; `None` where there are fewer.
    pub fn exactly(&self, offset: u64, len: u64) -> Option<Vec<u8>> {
        let size = self.file.metadata().ok()?.size();
        offset.checked_add(len).filter(|end| *end <= size)?;
        let mut bytes = vec![0; usize::try_from(len).ok()?];
        self.file.read_exact_at(&mut bytes, offset).ok()?;
        Some(bytes)
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Reader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::Current(by) => (self.at, by),
            SeekFrom::End(by) => (self.file.metadata()?.size(), by),
        };
        let beyond = || io::Error::from(io::ErrorKind::InvalidInput);
        self.at = from.checked_add_signed(by).ok_or_else(beyond)?;
        Ok(self.at)
    }
}
