//! What is lent is what is handed out to be kept, whatever the bytes, and memory follows what was read.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;
use crate::source::file::bytes::BUFFER;
use crate::source::file::{Merged, Seen, packed};

/// The bundled recordings, and the same packets as pcap files.
static RECORDINGS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let files: Vec<_> = paths.iter().filter(|path| path.is_file()).map(|path| fs::read(path).unwrap()).collect();
    assert!(files.len() > 10);
    let as_pcap: Vec<_> = files.iter().map(|file| pcap_of(&packets(read(file)))).collect();
    [files, as_pcap].concat()
});

fn pcap_of(records: &[Record]) -> Vec<u8> {
    let order = ORDERS[0];
    let mut file = order.numbers(&[0xa1b2_3c4d, 0, 0, 0, 65535, 1]);
    for Record { frame, time } in records {
        let nanos = u64::try_from(time.unwrap().0).unwrap();
        let parts = [nanos / 1_000_000_000, nanos % 1_000_000_000, frame.data.len() as u64];
        file.extend(order.numbers(&parts.map(|part| u32::try_from(part).unwrap())));
        file.extend(order.u32(frame.original_len));
        file.extend(&*frame.data);
    }
    file
}

/// What is lent of `input`, whose length unpacked is `len`, as items.
fn lent(input: impl io::Read, buffer: usize, len: usize) -> Vec<Item> {
    let mut capture = Capture::with_buffer("x".to_owned(), input, buffer).unwrap();
    let mut items = Vec::new();
    while let Some(seen) = capture.advance() {
        items.push(seen.unwrap().to_item());
        let held = capture.format.bytes().held();
        assert!(held <= len.next_power_of_two() * 2 + 4 * buffer.max(1), "{held} bytes are held of {len}");
    }
    assert!(capture.advance().is_none());
    items
}

/// Holds that all ways to read `file` give the same.
fn hold_equal(file: &[u8]) {
    let Ok(capture) = Capture::new("x".to_owned(), file) else { return };
    let kept: Vec<Item> = capture.map(Result::unwrap).collect();
    for buffer in [0, 100, 4096, BUFFER] {
        assert_eq!(lent(file, buffer, file.len()), kept);
    }
    let mut merged = Merged::new(vec![Capture::new("x".to_owned(), file).unwrap()]);
    for item in &kept {
        assert_eq!(&merged.advance().unwrap().unwrap().to_item(), item);
    }
    assert!(merged.advance().is_none());
}

#[test]
fn the_recordings_are_lent_as_they_are_kept() {
    for file in &*RECORDINGS {
        hold_equal(file);
    }
}

#[test]
fn a_view_has_its_interface_and_its_comments() {
    let [big, little] = ORDERS;
    let comments = [big.option(1, b"one"), big.option(2, b"x"), big.option(1, b"tw\xff")].concat();
    let file = [
        big.section(&[]),
        big.interface(1, 0, &[]),
        big.interface(101, 0, &[]),
        big.packet(1, 7, b"abcde", &comments),
        little.section(&[]),
        little.interface(1, 0, &[]),
        little.packet(0, 8, b"x", &[]),
    ]
    .concat();
    let mut capture = Capture::new("x".to_owned(), file.as_slice()).unwrap();
    let Some(Ok(Seen::Packet(view))) = capture.advance() else { panic!("no packet") };
    assert_eq!((view.interface, view.link_type, view.data()), (1, LinkType::RAW, b"abcde".as_slice()));
    assert_eq!(view.comments().collect::<Vec<_>>(), ["one", "tw\u{fffd}"]);
    let Some(Ok(Seen::Packet(view))) = capture.advance() else { panic!("no packet") };
    assert_eq!((view.interface, view.time, view.comments().count()), (2, Some(Time(8000)), 0));
    assert_eq!((capture.frames(), capture.offset()), (2, file.len() as u64));
}

#[test]
fn a_cut_anywhere_leaves_what_was_before_it() {
    for file in RECORDINGS.iter().filter(|file| file.len() < 5000) {
        let whole = read(file);
        for len in pcap::HEADER_LEN..file.len() {
            let mut items = lent(&file[..len], 512, len);
            if matches!(items.last(), Some(Item::Gap(Gap::CutShort { .. }))) {
                items.pop();
            }
            assert!(whole.starts_with(&items), "cut at {len} of {}", file.len());
        }
    }
}

#[test]
fn a_length_that_lies_anywhere_takes_no_memory_that_was_not_read() {
    let mut shorter: Vec<_> = RECORDINGS.iter().filter(|file| file.len() < 5000).cloned().collect();
    shorter.extend([pcapng_file(), pcap_file(ORDERS[0], 0xa1b2_c3d4, 0)]);
    for file in shorter {
        for at in (4..file.len() - 4).step_by(4) {
            for lie in [0xffff_ffff_u32, 0x7fff_fff0, 0x00ff_fff0, 0x0100_0000] {
                let mut file = file.clone();
                file[at..at + 4].copy_from_slice(&lie.to_le_bytes());
                if let Ok(capture) = Capture::new("x".to_owned(), file.as_slice()) {
                    drop(capture);
                    lent(file.as_slice(), 512, file.len());
                }
            }
        }
    }
}

#[test]
fn a_long_packet_takes_memory_only_as_long_as_it_is_looked_at() {
    let order = ORDERS[0];
    let mut file = [order.section(&[]), order.interface(1, 0, &[])].concat();
    file.extend(order.packet(0, 0, &vec![0; 8 << 20], &[]));
    for _ in 0..100 {
        file.extend(order.packet(0, 0, &[0; 100], &[]));
    }
    let mut capture = Capture::with_buffer("x".to_owned(), file.as_slice(), 4096).unwrap();
    let mut held = 0;
    while let Some(seen) = capture.advance() {
        seen.unwrap();
        held = capture.format.bytes().held();
    }
    assert_eq!(capture.frames(), 101);
    assert!(held <= 4096 * 4, "{held} bytes are held");
}

fn packings(file: &[u8]) -> [Vec<u8>; 2] {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(file).unwrap();
    [encoder.finish().unwrap(), compress_to_vec(file, CompressionLevel::Fastest)]
}

/// Reads all of a packed file that may be damaged.
fn drain_packed(packed: Vec<u8>) {
    let Ok(input) = packed::unpack(Box::new(Cursor::new(packed))) else { return };
    if let Ok(mut capture) = Capture::new("x".to_owned(), input) {
        while let Some(seen) = capture.advance() {
            seen.unwrap();
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_lent_as_they_are_kept(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        hold_equal(&bytes);
        hold_equal(&[&pcapng_file()[..28], &bytes].concat());
        hold_equal(&[&pcap_file(ORDERS[1], 0xa1b2_c3d4, 0)[..24], &bytes].concat());
    }

    #[test]
    fn damaged_recordings_are_lent_as_they_are_kept(
        file in any::<prop::sample::Index>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut file = file.get(RECORDINGS.as_slice()).clone();
        for (at, byte) in flips {
            let at = at.index(file.len());
            file[at] = byte;
        }
        if is_cut {
            file.truncate(cut.index(file.len()));
        }
        hold_equal(&file);
    }

    #[test]
    fn damaged_packed_recordings_never_panic(
        file in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        for mut packed in packings(&RECORDINGS[file.index(RECORDINGS.len())]) {
            let at = at.index(packed.len());
            packed[at] = byte;
            drain_packed(packed.clone());
            packed.truncate(cut.index(packed.len()));
            drain_packed(packed);
        }
    }
}
