use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;
use crate::event::{FrameNo, Gap};
use crate::source::file::{Capture, Item};

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zstd(data: &[u8]) -> Vec<u8> {
    compress_to_vec(data, CompressionLevel::Fastest)
}

fn unpacked(packed: &[u8]) -> io::Result<Vec<u8>> {
    let mut data = Vec::new();
    unpack(Box::new(Cursor::new(packed.to_vec())))?.read_to_end(&mut data)?;
    Ok(data)
}

/// Bytes that do not compress well, so that damage in the middle lies in the middle.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(len)
    .collect()
}

fn capture_of(packets: u32) -> Vec<u8> {
    let numbers = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
    let mut file = numbers(&[0xa1b2_c3d4, 0, 0, 0, 65535, 1]);
    for packet in noise(packets as usize * 100).chunks(100) {
        file.extend(numbers(&[1, 2, 100, 100]));
        file.extend(packet);
    }
    file
}

fn items(packed: &[u8]) -> Vec<Item> {
    let input = unpack(Box::new(Cursor::new(packed.to_vec()))).unwrap();
    Capture::new("x".to_owned(), input).unwrap().map(Result::unwrap).collect()
}

#[test]
fn both_formats_are_known_by_content_and_parts_that_follow_each_other_are_one() {
    let data = noise(300_000);
    let (head, tail) = data.split_at(100_000);
    let skippable = [0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9];
    assert_eq!(unpacked(&[gzip(head), gzip(tail)].concat()).unwrap(), data);
    assert_eq!(unpacked(&[&skippable[..], &zstd(head), &skippable, &zstd(tail)].concat()).unwrap(), data);
    for plain in [data.as_slice(), b"", b"\x1f", b"\x28\xb5\x2f", b"abc"] {
        assert_eq!(unpacked(plain).unwrap(), plain);
    }
}

#[test]
fn a_tail_that_is_missing_is_told_and_what_was_before_it_is_used() {
    for (name, packed) in [("gzip", gzip(&capture_of(9000))), ("zstd", zstd(&capture_of(9000)))] {
        let items = items(&packed[..packed.len() / 2]);
        let (last, packets) = items.split_last().unwrap();
        assert!(packets.len() > 3000, "{name}: {}", packets.len());
        let Item::Gap(Gap::Malformed { frame, why }) = last else { panic!("{last:?}") };
        assert_eq!(*frame, FrameNo(packets.len() as u64 + 1));
        assert_eq!(why, &format!("the {name} data is damaged: it ends early; nothing after it can be read"));
    }
}

#[test]
fn a_byte_that_was_changed_is_told() {
    for pack in [gzip, zstd] {
        let data = capture_of(9000);
        let mut packed = pack(&data);
        let whole = packed.len();
        packed[whole / 2] ^= 0x55;
        let error = unpacked(&packed).unwrap_err();
        assert!(Damage::of(&error).is_some(), "{error}");
        let items = items(&packed);
        assert!(items.len() > 3000, "{}", items.len());
        assert!(matches!(items.last(), Some(Item::Gap(Gap::Malformed { .. }))), "{:?}", items.last());
    }
}

#[test]
fn an_error_of_the_system_is_not_taken_for_damage() {
    struct Failing(Cursor<Vec<u8>>);
    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::from_raw_os_error(5)),
                read => Ok(read),
            }
        }
    }
    for mut packed in [gzip(&noise(9000)), zstd(&noise(9000))] {
        packed.truncate(5000);
        let mut input = unpack(Box::new(Failing(Cursor::new(packed)))).unwrap();
        let error = input.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(5), "{error}");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_behind_a_magic_never_panic(
        magic in prop::sample::select(vec![[0x1f, 0x8b, 8, 0], [0x28, 0xb5, 0x2f, 0xfd], [0x50, 0x2a, 0x4d, 0x18]]),
        rest in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        // Some few such inputs are whole; what they hold is not the point here.
        let _ = unpacked(&[magic.as_slice(), &rest].concat());
    }
}
