//! From an address to functions and lines (DWARF), in the file itself or in the one that was split off (`.build-id`).

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use addr2line::Context;
use gimli::{Dwarf, EndianArcSlice, RunTimeEndian};
use object::Object;
use object::read::ReadCache;

use super::elf::{self, Elf};
use super::image::{Image, Reader};

type Slice = EndianArcSlice<RunTimeEndian>;

/// A function, and where it was; either may be unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Its name, as a person writes it.
    pub function: Option<String>,
    /// The file and the line.
    pub line: Option<(String, u32)>,
}

/// The lines of a file.
pub struct Lines {
    context: Context<Slice>,
}

impl Lines {
    /// Those of `image`, whose debug file is looked for below `roots` too; `None` where none are to be had.
    pub fn of(image: &Image, elf: &Elf, roots: &[PathBuf]) -> Option<Self> {
        Self::within(&image.reader()).or_else(|| {
            let name = debug_file(elf.build_id()?)?;
            let split_off = roots.iter().find_map(|root| File::open(root.join(&name)).ok())?;
            Self::within(&Reader::new(&split_off))
        })
    }

    fn within(reader: &Reader<'_>) -> Option<Self> {
        let cache = ReadCache::new(*reader);
        let file = object::File::parse(&cache).ok()?;
        file.section_by_name(".debug_info")?;
        let endian = if file.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big };
        let dwarf = Dwarf::load(|id| {
            let data = elf::section(&file, reader, id.name()).unwrap_or_else(|| Arc::from([]));
            Ok::<_, gimli::Error>(EndianArcSlice::new(data, endian))
        });
        Some(Self { context: Context::from_dwarf(dwarf.ok()?).ok()? })
    }

    /// The functions at `address`: the innermost that was inlined there first, the one that stands there last.
    pub fn at(&self, address: u64) -> Vec<Known> {
        let mut known = Vec::new();
        let Ok(mut frames) = self.context.find_frames(address).skip_all_loads() else { return known };
        while let Ok(Some(frame)) = frames.next() {
            let function = frame.function.and_then(|name| name.demangle().ok().map(std::borrow::Cow::into_owned));
            let line = frame.location.and_then(|at| Some((at.file?.to_owned(), at.line.filter(|line| *line > 0)?)));
            known.push(Known { function, line });
        }
        known
    }
}

/// Where the debug file of a build is, below a root.
fn debug_file(build_id: &[u8]) -> Option<PathBuf> {
    let hex: Vec<String> = build_id.iter().map(|byte| format!("{byte:02x}")).collect();
    let (first, rest) = hex.split_first().filter(|(_, rest)| !rest.is_empty())?;
    Some(Path::new("usr/lib/debug/.build-id").join(first).join(format!("{}.debug", rest.concat())))
}
