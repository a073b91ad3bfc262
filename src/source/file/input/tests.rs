use std::fs;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Mutex;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use tempfile::TempDir;

use super::*;
use crate::source::file::{Capture, FileError, Seen, open_all, open_watched};

const HEADER: [u32; 6] = [0xa1b2_c3d4, 0, 0, 0, 65535, 1];
const PACKET: [u32; 5] = [1, 0, 4, 4, 0];

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

struct Fifo {
    dir: TempDir,
    path: PathBuf,
}

impl Fifo {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fifo");
        mkfifo(&path, Mode::S_IRWXU).unwrap();
        Self { dir, path }
    }

    /// An end to write to; opened for both, since it would wait for a reader otherwise.
    fn writer(&self) -> File {
        OpenOptions::new().read(true).write(true).open(&self.path).unwrap()
    }
}

/// A watch that is stopped by its first tick.
fn stopped_by_a_tick() -> Watch {
    let (ours, theirs) = UnixStream::pair().unwrap();
    Watch::default().stopped_by(theirs).telling(move |_| (&ours).write_all(b"x").unwrap())
}

/// A watch whose tick drops `held`.
fn dropping_by_a_tick(held: File) -> Watch {
    let held = Mutex::new(Some(held));
    Watch::default().telling(move |_| drop(held.lock().unwrap().take()))
}

#[test]
fn a_stop_ends_the_reading_of_a_pipe_that_nobody_writes_to() {
    let fifo = Fifo::new();
    let error = open_watched(&fifo.path, &stopped_by_a_tick()).err().unwrap();
    assert!(error.is_stop());
    assert_eq!(error.to_string(), format!("the reading of {:?} was stopped", fifo.path.display().to_string()));
}

#[test]
fn what_came_before_a_stop_is_handed_out_and_a_stop_is_no_end() {
    let fifo = Fifo::new();
    let mut writer = fifo.writer();
    writer.write_all(&numbers(&HEADER)).unwrap();
    writer.write_all(&numbers(&PACKET)).unwrap();
    writer.write_all(&numbers(&PACKET[..3])).unwrap();
    let (name, input) = open_watched(&fifo.path, &stopped_by_a_tick()).unwrap();
    let mut capture = Capture::new(name, input).unwrap();
    assert!(matches!(capture.advance(), Some(Ok(Seen::Packet(_)))));
    assert!(matches!(capture.advance(), Some(Err(FileError::Stopped { .. }))));
    assert!(capture.advance().is_none());
    drop(writer);
}

#[test]
fn a_pipe_ends_when_its_writer_is_gone() {
    let fifo = Fifo::new();
    let mut writer = fifo.writer();
    writer.write_all(&numbers(&HEADER)).unwrap();
    writer.write_all(&numbers(&PACKET)).unwrap();
    let watch = dropping_by_a_tick(writer);
    let (name, input) = open_watched(&fifo.path, &watch).unwrap();
    let mut capture = Capture::new(name, input).unwrap();
    assert!(matches!(capture.advance(), Some(Ok(Seen::Packet(_)))));
    assert!(capture.advance().is_none());
    assert_eq!(watch.progress(), Progress { read: 44, of: None });
}

#[test]
fn a_stop_amidst_compressed_data_is_not_taken_for_damage() {
    for beginning in [&[0x1f, 0x8b, 8, 0, 0, 0][..], &[0x28, 0xb5, 0x2f, 0xfd, 0x20]] {
        let fifo = Fifo::new();
        let mut writer = fifo.writer();
        writer.write_all(beginning).unwrap();
        let (name, input) = open_watched(&fifo.path, &stopped_by_a_tick()).unwrap();
        assert!(Capture::new(name, input).err().unwrap().is_stop());
        drop(writer);
    }
}

#[test]
fn a_plain_file_is_stopped_too_and_its_progress_is_known() {
    let dir = Fifo::new().dir;
    let paths = [dir.path().join("one"), dir.path().join("two")];
    for path in &paths {
        fs::write(path, [numbers(&HEADER), numbers(&PACKET)].concat()).unwrap();
    }
    let watch = Watch::default();
    let mut merged = open_all(&paths, &watch).unwrap();
    while let Some(seen) = merged.advance() {
        seen.unwrap();
    }
    assert_eq!(watch.progress(), Progress { read: 88, of: Some(88) });

    let (ours, theirs) = UnixStream::pair().unwrap();
    drop(ours);
    let error = open_watched(&paths[0], &Watch::default().stopped_by(theirs)).err().unwrap();
    assert!(error.is_stop());
}

#[test]
fn a_directory_is_refused_with_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let error = open_watched(dir.path(), &Watch::default()).err().unwrap();
    assert_eq!(
        error.to_string(),
        format!("cannot read {:?} at byte 0: Is a directory (os error 21)", dir.path().display().to_string())
    );
}
