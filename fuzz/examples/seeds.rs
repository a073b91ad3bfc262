//! Makes seeds for the fuzz targets of this project's own recordings and stories: the first argument is the project's folder,
//! the second the folder for the seeds, which gets one folder a target.

use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use epipe::report::transcript;
use epipe::source::file::{Capture, Item, Record, read};
use epipe::story::Story;
use epipe::story::journal::Journal;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let mut folders = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(project), Some(seeds)) = (folders.next(), folders.next()) else {
        return Err("usage: seeds PROJECT SEEDS".into());
    };
    for target in ["decode", "pcap", "pcapng", "survey", "transcript"] {
        fs::create_dir_all(seeds.join(target))?;
    }
    for folder in ["captures", "captures/reconstructed"] {
        for path in files(&project.join(folder), "pcapng")? {
            of_capture(&path, &seeds)?;
        }
    }
    for path in files(&project.join("tests/stories"), "txt")? {
        let text = fs::read_to_string(&path)?;
        // The target has a title of its own.
        let (_, rest) = text.split_once('\n').unwrap_or_default();
        fs::write(seeds.join("transcript").join(name(&path)), rest)?;
    }
    Ok(())
}

fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() { Err(format!("no .{extension} file in {}", folder.display()).into()) } else { Ok(files) }
}

fn name(path: &Path) -> PathBuf {
    path.file_stem().map_or_else(PathBuf::new, PathBuf::from)
}

/// A recording as a seed for every target: itself, as pcap, its packets one by one, and as a transcript.
fn of_capture(path: &Path, seeds: &Path) -> Result<()> {
    let capture = || -> Result<_> { Ok(Capture::new(path.display().to_string(), File::open(path)?)?) };
    let bytes = fs::read(path)?;
    fs::write(seeds.join("pcapng").join(name(path)), bytes.get(4..).unwrap_or_default())?;
    let mut records = Vec::new();
    for item in capture()? {
        if let Item::Packet(record) = item? {
            records.push(record);
        }
    }
    let packets: Vec<u8> = records.iter().flat_map(packet).collect();
    let header: Vec<u8> = [0x0004_0002_u32, 0, 0, 262_144, 1].iter().flat_map(|number| number.to_le_bytes()).collect();
    fs::write(seeds.join("pcap").join(name(path)), [&[2][..], &header, &packets].concat())?;
    fs::write(seeds.join("survey").join(name(path)), [&[0][..], &packets].concat())?;
    for record in records {
        let len = u16::try_from(record.frame.original_len).unwrap_or(u16::MAX).to_le_bytes();
        let link_type = u16::try_from(record.frame.link_type.0).unwrap_or(u16::MAX).to_le_bytes();
        let name = format!("{}-{}", name(path).display(), record.frame.number);
        fs::write(seeds.join("decode").join(name), [&link_type[..], &len, &record.frame.data].concat())?;
    }
    let recording = read(capture()?, &mut |_| true)?;
    let mut journal = Journal::new(recording.run);
    for event in recording.events {
        journal.append(event)?;
    }
    let mut text = Vec::new();
    transcript::write(&Story::tell(journal), &mut text)?;
    let title = text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| end + 1);
    Ok(fs::write(seeds.join("transcript").join(name(path)), &text[title..])?)
}

/// A packet as a pcap file with nanoseconds has it.
fn packet(record: &Record) -> Vec<u8> {
    let time = record.time.unwrap_or_default().0;
    let number = |number: i64| u32::try_from(number).unwrap_or(0).to_le_bytes();
    let (seconds, nanos) = (number(time / 1_000_000_000), number(time % 1_000_000_000));
    let len = u32::try_from(record.frame.data.len()).unwrap_or(u32::MAX).to_le_bytes();
    [&seconds[..], &nanos, &len, &record.frame.original_len.to_le_bytes(), &record.frame.data].concat()
}
