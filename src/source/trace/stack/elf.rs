//! What an ELF file says of its code: where it is loaded, how its functions are left, what they are called.

use std::ops::Range;
use std::sync::Arc;

use framehop::ExplicitModuleSectionInfo;
use object::read::{CompressedData, CompressionFormat, ReadCache, ReadRef};
use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol, SymbolKind};

use super::image::{Image, Reader};

/// The largest section that is read, in bytes, also once it is unpacked.
const LARGEST: u64 = 512 * 1024 * 1024;

/// A part of the file that is loaded to be run. One of another kind may share a page of the file with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Load {
    offset: u64,
    len: u64,
    address: u64,
}

/// A function or a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Symbol {
    address: u64,
    size: u64,
    name: String,
}

/// An ELF file.
#[derive(Debug, Default)]
pub struct Elf {
    loads: Vec<Load>,
    /// Functions, rising; of several at one address the plainest name.
    functions: Vec<Symbol>,
    unwind: Unwind,
    /// What identifies its build.
    build_id: Option<Vec<u8>>,
}

/// How its functions are left. Without the index that the linker made of that (`.eh_frame_hdr`): one that is damaged leads
/// gimli astray, and framehop makes its own.
#[derive(Clone, Debug, Default)]
struct Unwind {
    text: Option<Range<u64>>,
    got: Option<Range<u64>>,
    frames: Option<(Range<u64>, Arc<[u8]>)>,
    debug_frame: Option<Arc<[u8]>>,
}

impl Elf {
    /// What `image` says; `None` where it is no ELF file.
    pub fn of(image: &Image) -> Option<Self> {
        let cache = ReadCache::new(image.reader());
        let file = object::File::parse(&cache).ok()?;
        let reader = image.reader();
        Some(Self {
            loads: loads(&file),
            functions: functions(&file),
            unwind: Unwind::of(&file, &reader),
            build_id: file.build_id().ok().flatten().map(<[u8]>::to_vec),
        })
    }

    /// The address that symbols count with of what stands at `offset` of the file.
    pub fn address(&self, offset: u64) -> Option<u64> {
        address(&self.loads, offset)
    }

    /// The function in which `address` lies.
    pub fn function(&self, address: u64) -> Option<&str> {
        let before = self.functions.partition_point(|symbol| symbol.address <= address);
        let symbol = self.functions.get(before.checked_sub(1)?)?;
        (address - symbol.address < symbol.size).then_some(symbol.name.as_str())
    }

    /// Where the function `name` begins.
    #[cfg(test)]
    pub fn address_of(&self, name: &str) -> Option<u64> {
        self.functions.iter().find(|symbol| symbol.name == name).map(|symbol| symbol.address)
    }

    /// What identifies its build.
    pub fn build_id(&self) -> Option<&[u8]> {
        self.build_id.as_deref()
    }

    /// What framehop takes.
    pub fn sections(&self) -> ExplicitModuleSectionInfo<Arc<[u8]>> {
        let Unwind { text, got, frames, debug_frame } = self.unwind.clone();
        let (eh_frame_svma, eh_frame) = frames.unzip();
        ExplicitModuleSectionInfo {
            text_svma: text,
            got_svma: got,
            eh_frame_svma,
            eh_frame,
            debug_frame,
            ..ExplicitModuleSectionInfo::default()
        }
    }
}

impl Unwind {
    fn of<'a, R: ReadRef<'a>>(file: &object::File<'a, R>, reader: &Reader<'_>) -> Self {
        let range = |name: &str| {
            let section = file.section_by_name(name)?;
            Some(section.address()..section.address().checked_add(section.size())?)
        };
        let whole = |name: &str| Some((range(name)?, section(file, reader, name)?));
        Self {
            text: range(".text"),
            got: range(".got"),
            frames: whole(".eh_frame"),
            debug_frame: section(file, reader, ".debug_frame"),
        }
    }
}

fn loads<'a, R: ReadRef<'a>>(file: &object::File<'a, R>) -> Vec<Load> {
    let load = |segment: object::Segment<'a, '_, R>| {
        let (offset, len) = segment.file_range();
        Load { offset, len, address: segment.address() }
    };
    file.segments().filter(|segment| segment.permissions().executable()).map(load).collect()
}

/// A mapping begins where a page does, and so up to a page before the part of the file that is meant.
fn address(loads: &[Load], offset: u64) -> Option<u64> {
    const PAGE: u64 = 0xffff;
    let holds = |load: &&Load| load.offset & !PAGE <= offset && offset < load.offset.saturating_add(load.len);
    let exact = loads.iter().find(|load| load.offset <= offset && offset < load.offset.saturating_add(load.len));
    let load = exact.or_else(|| loads.iter().filter(holds).min_by_key(|load| load.offset))?;
    Some(load.address.wrapping_add(offset.wrapping_sub(load.offset)))
}

fn functions<'a, R: ReadRef<'a>>(file: &object::File<'a, R>) -> Vec<Symbol> {
    let is_function = |symbol: &object::Symbol<'a, '_, R>| {
        symbol.is_definition() && symbol.kind() == SymbolKind::Text && symbol.size() > 0
    };
    let named = |symbol: object::Symbol<'a, '_, R>| {
        let name = symbol.name().ok().filter(|name| !name.is_empty())?;
        Some(Symbol { address: symbol.address(), size: symbol.size(), name: name.to_owned() })
    };
    let mut functions: Vec<Symbol> =
        file.symbols().chain(file.dynamic_symbols()).filter(is_function).filter_map(named).collect();
    let underscores = |name: &str| name.len() - name.trim_start_matches('_').len();
    functions.sort_by(|one, other| {
        let key = |symbol: &Symbol| (symbol.address, underscores(&symbol.name), symbol.name.len());
        key(one).cmp(&key(other)).then_with(|| one.name.cmp(&other.name))
    });
    functions.dedup_by_key(|symbol| symbol.address);
    functions
}

/// Where a file has what it hands out to others.
#[derive(Debug)]
pub struct Exports<const COUNT: usize> {
    loads: Vec<Load>,
    /// The address of each that was asked for.
    pub addresses: [Option<u64>; COUNT],
}

impl<const COUNT: usize> Exports<COUNT> {
    /// The variables and functions `names` of `image`; `None` where it is no ELF file.
    pub fn of(image: &Image, names: [&str; COUNT]) -> Option<Self> {
        let cache = ReadCache::new(image.reader());
        let file = object::File::parse(&cache).ok()?;
        let mut addresses = [None; COUNT];
        for symbol in file.dynamic_symbols().filter(ObjectSymbol::is_definition) {
            let Ok(name) = symbol.name() else { continue };
            if let Some(at) = names.iter().position(|wanted| *wanted == name)
                && let Some(place) = addresses.get_mut(at)
            {
                *place = Some(symbol.address());
            }
        }
        Some(Self { loads: loads(&file), addresses })
    }

    /// The address that symbols count with of what stands at `offset` of the file.
    pub fn address(&self, offset: u64) -> Option<u64> {
        address(&self.loads, offset)
    }
}

/// The section `name`, unpacked; `None` where it is not there or too large.
pub fn section<'a, R: ReadRef<'a>>(file: &object::File<'a, R>, reader: &Reader<'_>, name: &str) -> Option<Arc<[u8]>> {
    let range = file.section_by_name(name)?.compressed_file_range().ok()?;
    if range.uncompressed_size > LARGEST || range.compressed_size > LARGEST {
        return None;
    }
    let bytes = reader.exactly(range.offset, range.compressed_size)?;
    if range.format == CompressionFormat::None {
        return Some(bytes.into());
    }
    let packed = CompressedData { format: range.format, data: &bytes, uncompressed_size: range.uncompressed_size };
    Some(packed.decompress().ok()?.into())
}
