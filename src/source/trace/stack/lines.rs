//! From an address to functions and lines (DWARF), in the file itself or in the one that was split off (`.build-id`).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use addr2line::Context;
use gimli::{Dwarf, EndianArcSlice, RunTimeEndian};
use object::Object;
use object::read::ReadCache;

use super::elf::{self, Elf};
use super::image::{self, Image, Reader};

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
            let split_off = roots.iter().find_map(|root| image::open(&root.join(&name)).ok())?;
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

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::process::Command;

    use super::*;

    fn run(words: &[&str]) {
        assert!(Command::new(words[0]).args(&words[1..]).status().unwrap().success(), "{words:?}");
    }

    #[test]
    fn lines_that_were_split_off_are_found_by_what_identifies_the_build() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name).to_str().unwrap().to_owned();
        let (source, program) = (path("a.c"), path("a"));
        std::fs::write(&source, "int main(void) {\n    return 7;\n}\n").unwrap();
        run(&["cc", "-g", "-Wl,--build-id=0xab12cd", "-o", &program, &source]);
        std::fs::create_dir_all(path("usr/lib/debug/.build-id/ab")).unwrap();
        let debug = path("usr/lib/debug/.build-id/ab/12cd.debug");
        run(&["objcopy", "--only-keep-debug", &program, &debug]);
        let main = Elf::of(&image(&program)).unwrap().address_of("main").unwrap();
        run(&["strip", &program]);
        let stripped = image(&program);
        let elf = Elf::of(&stripped).unwrap();
        assert!(Lines::of(&stripped, &elf, &[]).is_none());
        let lines = Lines::of(&stripped, &elf, &[PathBuf::from("/nowhere"), root.path().to_owned()]).unwrap();
        let known = lines.at(main + 4);
        assert_eq!((known[0].function.as_deref(), known[0].line.as_ref().map(|line| line.1)), (Some("main"), Some(2)));
    }

    fn image(path: &str) -> Image {
        Image::of_file(0, File::open(path).unwrap())
    }
}
