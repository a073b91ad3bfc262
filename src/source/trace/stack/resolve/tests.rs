//! Whatever a file or a stack says: at worst it says nothing.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use proptest::prelude::*;

use super::super::snapshot::{Memory, Registers};
use super::*;

/// A small program with lines, its code packed close to its data.
fn program() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (source, made) = (folder.path().join("a.c"), folder.path().join("a"));
    std::fs::write(
        &source,
        "int twice(int a) {\n    return 2 * a;\n}\nint main(int n, char **v) {\n    return twice(n);\n}\n",
    )
    .unwrap();
    let mut compiler = Command::new("cc");
    let done = compiler.arg("-g").arg("-O0").arg("-o").arg(&made).arg(&source).status().unwrap();
    assert!(done.success());
    std::fs::read(made).unwrap()
}

fn image(bytes: &[u8]) -> Arc<Image> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Arc::new(Image::of_file(0, file))
}

/// A thread at the symbol address `address` of `image`, all of which is mapped at 0x10000 with the offset 0.
fn standing(image: &Arc<Image>, address: u64, stack: &[u64]) -> Snapshot {
    const BASE: u64 = 0x1_0000;
    let code = Code {
        start: BASE,
        end: BASE + 0x10_0000,
        offset: 0,
        path: Some("/srv/a".into()),
        image: Some(Arc::clone(image)),
    };
    let bytes = stack.iter().flat_map(|word| word.to_ne_bytes()).collect();
    Snapshot {
        process: nix::unistd::getpid(),
        registers: Registers { pc: BASE.wrapping_add(address), sp: 0x7000, fp: 0x7010, lr: 0, own: 0 },
        memory: Memory { base: 0x7000, bytes },
        code: vec![code],
        python: None,
    }
}

/// The address of the function `name`, as the file's symbols have it.
fn address_of(bytes: &[u8], name: &str) -> u64 {
    use object::{Object, ObjectSymbol};
    let file = object::File::parse(bytes).unwrap();
    file.symbols().find(|symbol| symbol.name() == Ok(name)).unwrap().address()
}

/// The offset in the file of what is at `address`.
fn offset_of(bytes: &[u8], address: u64) -> u64 {
    use object::{Object, ObjectSegment};
    let file = object::File::parse(bytes).unwrap();
    let holds = |segment: &object::Segment<'_, '_>| {
        segment.address() <= address && address < segment.address() + segment.size()
    };
    let segment = file.segments().find(holds).unwrap();
    address - segment.address() + segment.file_range().0
}

#[test]
fn a_function_is_found_with_its_line() {
    let bytes = program();
    let address = address_of(&bytes, "twice");
    let image = image(&bytes);
    let mut snapshot = standing(&image, 0, &[]);
    // As the dynamic linker maps a part of a file: whole pages.
    let offset = offset_of(&bytes, address);
    snapshot.code[0].offset = offset & !0xfff;
    snapshot.registers.pc = snapshot.code[0].start + (offset & 0xfff) + 4;
    let (places, missing) = Resolver::default().resolve(&snapshot);
    assert_eq!((places[0].function.as_deref(), missing), (Some("twice"), None));
    let At::Line { file, line } = &places[0].at else { panic!("{places:?}") };
    assert_eq!((Path::new(file).file_name().unwrap().to_str().unwrap(), *line), ("a.c", 1));
}

#[test]
fn code_without_a_file_is_said_to_be_a_jits() {
    let mut snapshot = standing(&image(b"no ELF file"), 0x1234, &[]);
    let (places, _) = Resolver::default().resolve(&snapshot);
    assert_eq!(places[0].at, At::Module { file: "/srv/a".to_owned(), offset: 0x1234 });
    snapshot.code[0].path = None;
    snapshot.code[0].image = None;
    let (places, missing) = Resolver::default().resolve(&snapshot);
    assert_eq!(places[0].at, At::Address(0x1_1234));
    assert!(missing.unwrap().contains("by a JIT"));
}

#[test]
fn what_is_no_file_gives_its_name_alone() {
    let image = Arc::new(Image::of_file(0, File::open("/dev/null").unwrap()));
    let (places, _) = Resolver::default().resolve(&standing(&image, 1, &[]));
    assert_eq!(places.len(), 1);
}

/// An index of how functions are left that led gimli to subtract below 0.
#[test]
fn a_damaged_index_leads_nowhere_wrong() {
    use object::{Object, ObjectSection};
    let bytes = program();
    let file = object::File::parse(&*bytes).unwrap();
    let (start, len) = file.section_by_name(".eh_frame_hdr").unwrap().file_range().unwrap();
    let main = address_of(&bytes, "main");
    for at in start..start + len {
        let mut damaged = bytes.clone();
        damaged[usize::try_from(at).unwrap()] ^= 0x2a;
        let mut snapshot = standing(&image(&damaged), 0, &[0x1_0000 + main; 4]);
        snapshot.code[0].offset = 0x1000;
        let (places, _) = Resolver::default().resolve(&snapshot);
        assert!(!places.is_empty());
    }
}

#[test]
fn a_damaged_program_says_less_and_never_panics() {
    let bytes = program();
    let headers = 64 + 56 * 14_usize;
    let tables = bytes.len() - 64 * 40;
    let anywhere = prop_oneof![0..headers, tables..bytes.len(), 0..bytes.len()];
    let changes = prop::collection::vec((anywhere, any::<u8>()), 1..12);
    let len = prop_oneof![Just(bytes.len()), 0..bytes.len()];
    let stack = prop::collection::vec(prop_oneof![any::<u64>(), 0x1_0000..0x2_0000_u64, 0x7000..0x7100_u64], 0..16);
    let cases = (changes, len, 0..0x6000_u64, stack);
    let config = ProptestConfig::with_cases(600);
    proptest!(config, |((changes, len, address, stack) in cases)| {
        let mut damaged = bytes.clone();
        for (at, byte) in changes {
            damaged[at] = byte;
        }
        damaged.truncate(len);
        let mut snapshot = standing(&image(&damaged), address, &stack);
        let mut resolver = Resolver::default();
        resolver.resolve(&snapshot);
        snapshot.code[0].offset = 0x1000;
        let (places, _) = resolver.resolve(&snapshot);
        prop_assert!(places.len() <= 64 * 16);
    });
}
