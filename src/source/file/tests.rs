mod lent;

use std::io;

use proptest::prelude::*;

use super::{Capture, FileError, Item, Record, pcap, pcapng};
use crate::event::{FrameNo, Gap, LinkType, Time};

/// Numbers in one byte order.
#[derive(Clone, Copy)]
struct Order {
    big: bool,
}

const ORDERS: [Order; 2] = [Order { big: true }, Order { big: false }];

impl Order {
    fn u16(self, number: u16) -> [u8; 2] {
        if self.big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn u32(self, number: u32) -> [u8; 4] {
        if self.big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn numbers(self, numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|&number| self.u32(number)).collect()
    }

    fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let mut padded = body.to_vec();
        padded.resize(body.len().next_multiple_of(4), 0);
        let len = self.u32(u32::try_from(padded.len()).unwrap() + 12);
        [&self.u32(kind), &len, padded.as_slice(), &len].concat()
    }

    fn option(self, code: u16, value: &[u8]) -> Vec<u8> {
        let mut padded = value.to_vec();
        padded.resize(value.len().next_multiple_of(4), 0);
        [&self.u16(code)[..], &self.u16(u16::try_from(value.len()).unwrap()), &padded].concat()
    }

    fn section(self, options: &[u8]) -> Vec<u8> {
        let head = [&self.u32(0x1a2b_3c4d)[..], &self.u16(1), &self.u16(0), &[0xff; 8], options].concat();
        self.block(0x0a0d_0d0a, &head)
    }

    fn interface(self, link_type: u16, snaplen: u32, options: &[u8]) -> Vec<u8> {
        self.block(1, &[&self.u16(link_type)[..], &[0; 2], &self.u32(snaplen), options].concat())
    }

    fn packet(self, interface: u32, ticks: u64, data: &[u8], options: &[u8]) -> Vec<u8> {
        let len = u32::try_from(data.len()).unwrap();
        let halves = [u32::try_from(ticks >> 32).unwrap(), u32::try_from(ticks & 0xffff_ffff).unwrap()];
        let mut body = self.numbers(&[interface, halves[0], halves[1], len, len + 1]);
        body.extend(data);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend(options);
        self.block(6, &body)
    }
}

fn read(file: &[u8]) -> Vec<Item> {
    Capture::new("x".to_owned(), file).unwrap().map(Result::unwrap).collect()
}

fn packets(items: Vec<Item>) -> Vec<Record> {
    items.into_iter().filter_map(|item| if let Item::Packet(record) = item { Some(record) } else { None }).collect()
}

fn pcap_file(order: Order, magic: u32, padding: usize) -> Vec<u8> {
    let mut file = order.numbers(&[magic, 0, 0, 0, 65535, 113]);
    for number in [1, 2] {
        file.extend(order.numbers(&[number, 999_999, 4, 1500]));
        file.extend(vec![0xee; padding]);
        file.extend(*b"data");
    }
    file
}

#[test]
fn pcap_of_every_kind_is_read() {
    for order in ORDERS {
        for (magic, nanos, padding) in
            [(0xa1b2_c3d4, 999_999_000, 0), (0xa1b2_3c4d, 999_999, 0), (0xa1b2_cd34, 999_999_000, 8)]
        {
            let read = packets(read(&pcap_file(order, magic, padding)));
            assert_eq!(read.len(), 2);
            assert_eq!(read[1].time, Some(Time(2_000_000_000 + nanos)));
            assert_eq!(read[1].frame.number, FrameNo(2));
            assert_eq!(read[1].frame.link_type, LinkType::LINUX_SLL);
            assert_eq!(read[1].frame.original_len, 1500);
            assert_eq!(*read[1].frame.data, *b"data");
        }
    }
}

#[test]
fn a_tail_cut_anywhere_is_told_and_costs_nothing_before_it() {
    let file = pcap_file(ORDERS[1], 0xa1b2_c3d4, 0);
    for len in 45..64 {
        let items = read(&file[..len]);
        assert_eq!(items.len(), 2, "{items:?}");
        assert_eq!(items[1], Item::Gap(Gap::CutShort { bytes: len as u64 - 44 }));
    }
    let order = ORDERS[0];
    let whole = [order.section(&[]), order.interface(1, 0, &[]), order.packet(0, 5, b"abc", &[])].concat();
    let start = whole.len();
    let file = [whole, order.packet(0, 6, b"abc", &[])].concat();
    for len in start + 1..file.len() {
        let items = read(&file[..len]);
        assert_eq!(items.len(), 2, "{items:?}");
        assert_eq!(items[1], Item::Gap(Gap::CutShort { bytes: (len - start) as u64 }));
    }
}

#[test]
fn sections_of_both_orders_and_interfaces_of_several_kinds_are_read() {
    let [big, little] = ORDERS;
    let nanos = big.option(9, &[9]);
    let binary = big.option(9, &[0x80 | 0x14]);
    let seconds = [big.option(9, &[0]), big.option(14, &10_i64.to_be_bytes())].concat();
    let file = [
        big.section(&big.option(1, b"first")),
        big.interface(1, 0, &nanos),
        big.interface(101, 0, &binary),
        big.interface(276, 0, &seconds),
        big.packet(0, 5_000_000_001, b"one", &[]),
        big.packet(1, 3 << 19, b"two", &[]),
        big.packet(2, 7, b"three", &[]),
        little.section(&little.option(1, b"second")),
        little.interface(113, 0, &[]),
        little.packet(0, 1_000_001, b"four", &[]),
    ]
    .concat();
    let items = read(&file);
    assert_eq!(items[0], Item::SectionComment("first".to_owned()));
    assert_eq!(items[4], Item::SectionComment("second".to_owned()));
    let told: Vec<_> = packets(items)
        .into_iter()
        .map(|record| {
            (record.frame.number.0, record.frame.link_type.0, record.time.unwrap().0, record.frame.data.len())
        })
        .collect();
    assert_eq!(
        told,
        [(1, 1, 5_000_000_001, 3), (2, 101, 1_500_000_000, 3), (3, 276, 17_000_000_000, 5), (4, 113, 1_000_001_000, 4)]
    );
}

#[test]
fn impossible_clocks_do_not_overflow() {
    let order = ORDERS[0];
    for resolution in [0, 9, 38, 39, 0x7f, 0x80, 0xff] {
        let options = [order.option(9, &[resolution]), order.option(14, &i64::MAX.to_be_bytes())].concat();
        let file = [order.section(&[]), order.interface(1, 0, &options), order.packet(0, u64::MAX, b"x", &[])].concat();
        assert_eq!(packets(read(&file))[0].time, Some(Time(i64::MAX)));
    }
}

#[test]
fn comments_stand_on_their_packets_whatever_their_bytes() {
    let order = ORDERS[1];
    let options = [order.option(1, b"one"), order.option(2, &[0; 4]), order.option(1, b"\xff\n")].concat();
    let unended = [order.option(1, b"three").as_slice(), &[1, 0, 0xff, 0xff]].concat();
    let file = [
        order.section(&[]),
        order.interface(1, 0, &[]),
        order.packet(0, 0, b"12345", &options),
        order.packet(0, 0, b"12345", &unended),
    ]
    .concat();
    let read = packets(read(&file));
    assert_eq!(read[0].frame.comments, ["one", "\u{fffd}\n"]);
    assert_eq!(read[1].frame.comments, ["three"]);
}

#[test]
fn every_row_of_wireshark_is_counted() {
    let order = ORDERS[1];
    let statistics = [&[0; 12][..], &order.option(5, &7_u64.to_le_bytes())].concat();
    let file = [
        order.section(&[]),
        order.interface(1, 3, &[]),
        order.block(0x0bad, b"1234custom"),
        order.block(3, &[&order.u32(9)[..], b"simple___"].concat()),
        order.block(2, &[order.numbers(&[0, 0, 2_000_000, 3, 3]).as_slice(), b"old"].concat()),
        order.block(0x77, b"unknown"),
        order.block(5, &statistics),
        order.packet(9, 0, b"no such interface", &[]),
        order.packet(0, 0, b"x", &[]),
    ]
    .concat();
    let items = read(&file);
    assert_eq!(items[0], Item::Row(FrameNo(1), "custom block"));
    assert_eq!(items[3], Item::Gap(Gap::Dropped(7)));
    let Item::Gap(Gap::Malformed { frame: FrameNo(4), why }) = &items[4] else { panic!("{items:?}") };
    assert_eq!(why, "the packet names interface 9, of which the file tells nothing");
    let read = packets(items);
    assert_eq!((read[0].frame.number.0, &*read[0].frame.data, read[0].time), (2, b"sim".as_slice(), None));
    assert_eq!(
        (read[1].frame.number.0, &*read[1].frame.data, read[1].time),
        (3, b"old".as_slice(), Some(Time(2_000_000_000)))
    );
    assert_eq!(read[2].frame.number.0, 5);
}

#[test]
fn a_long_block_of_an_unknown_kind_is_passed_over() {
    let order = ORDERS[0];
    let file = [
        order.section(&[]),
        order.interface(1, 0, &[]),
        order.block(0x4000_0bad, &vec![0; 20 << 20]),
        order.packet(0, 0, b"x", &[]),
    ]
    .concat();
    assert_eq!(packets(read(&file))[0].frame.number, FrameNo(2));
}

/// Hands out zeroes after `head`, and counts them.
struct Endless<'a> {
    head: &'a [u8],
    left: u64,
}

impl io::Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.head.is_empty() {
            return io::Read::read(&mut self.head, buffer);
        }
        let count = buffer.len().min(usize::try_from(self.left).unwrap());
        buffer[..count].fill(0);
        self.left -= count as u64;
        Ok(count)
    }
}

#[test]
fn a_length_that_lies_takes_no_memory_that_was_not_read() {
    let order = ORDERS[0];
    let lies = [order.section(&[]), order.numbers(&[6, 0xffff_fff0, 0])].concat();
    let capture = Capture::new("x".to_owned(), Endless { head: &lies, left: 1000 }).unwrap();
    let items: Vec<Item> = capture.map(Result::unwrap).collect();
    assert_eq!(items, [Item::Gap(Gap::CutShort { bytes: 1012 })]);

    let mut lies = order.numbers(&[0xa1b2_c3d4, 0, 0, 0, 65535, 1]);
    lies.extend(order.numbers(&[0, 0, 0xffff_ffff, 0]));
    let items = read(&lies);
    let [Item::Gap(Gap::Malformed { frame: FrameNo(1), why })] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!(why, "at byte 24 a packet claims 4294967295 bytes; nothing after it can be read");
}

#[test]
fn damage_between_blocks_is_told_with_its_place() {
    let order = ORDERS[0];
    let good = [order.section(&[]), order.interface(1, 0, &[]), order.packet(0, 0, b"x", &[])].concat();
    let short = [good.clone(), order.numbers(&[6, 8, 8])].concat();
    let Item::Gap(Gap::Malformed { frame: FrameNo(2), why }) = &read(&short)[1] else { panic!("no gap") };
    assert_eq!(
        why,
        &format!("at byte {} a block claims 8 bytes; 12 are the least; nothing after it can be read", good.len())
    );
    let mut differing = good.clone();
    let last = differing.len() - 1;
    differing[last] ^= 4;
    let items = read(&differing);
    assert!(matches!(items.as_slice(), [Item::Packet(_), Item::Gap(Gap::Malformed { .. })]), "{items:?}");
}

#[test]
fn what_is_no_capture_is_refused_with_what_it_begins_with() {
    let refused = |file: &[u8]| Capture::new("x.pcap".to_owned(), file).err().unwrap();
    assert_eq!(refused(b"").to_string(), "\"x.pcap\" is not a capture: it is empty");
    assert_eq!(refused(b"\x1b[31mhi").to_string(), "\"x.pcap\" is not a capture: it begins with \"\\x1b[31mhi\"");
    let packed = refused(b"\xfd7zXZ\0");
    assert!(packed.help().unwrap().starts_with("it is compressed by xz"));
    let cut = refused(&pcap_file(ORDERS[0], 0xa1b2_c3d4, 0)[..23]);
    assert_eq!(cut.to_string(), "\"x.pcap\" is a pcap file that ends at byte 23, inside its own header of 24 bytes");
    let absent = super::open(std::path::Path::new("/nonexistent/x.pcap")).err().unwrap();
    assert!(matches!(absent, FileError::Open { .. }));
    assert_eq!(absent.to_string(), "cannot open \"/nonexistent/x.pcap\": No such file or directory (os error 2)");
}

#[test]
fn an_error_while_reading_names_the_place() {
    struct Failing(bool);
    impl io::Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(io::Error::other("the disk is gone"));
            }
            let file = pcap_file(ORDERS[0], 0xa1b2_c3d4, 0);
            buffer[..50].copy_from_slice(&file[..50]);
            Ok(50)
        }
    }
    let mut capture = Capture::new("x".to_owned(), Failing(false)).unwrap();
    assert!(matches!(capture.next(), Some(Ok(Item::Packet(_)))));
    let error = capture.next().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "cannot read \"x\" at byte 44: the disk is gone");
    assert!(capture.next().is_none());
}

/// Reads in pieces of one byte, as a slow pipe gives them.
struct Dripping<'a>(&'a [u8]);

impl io::Read for Dripping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let one = buffer.len().min(1);
        io::Read::read(&mut self.0, &mut buffer[..one])
    }
}

fn drain(file: &[u8]) {
    if let Ok(capture) = Capture::new("x".to_owned(), file) {
        let items: Vec<Item> = capture.map(Result::unwrap).collect();
        let dripping = Capture::new("x".to_owned(), Dripping(file)).unwrap();
        assert_eq!(dripping.map(Result::unwrap).collect::<Vec<_>>(), items);
    }
}

fn pcapng_file() -> Vec<u8> {
    let order = ORDERS[1];
    let comment = order.option(1, b"comment");
    [order.section(&comment), order.interface(1, 0, &order.option(9, &[9])), order.packet(0, 7, b"data!", &comment)]
        .concat()
}

proptest! {
    #[test]
    fn arbitrary_bytes_behind_a_magic_never_panic(
        magic in prop::sample::select(vec![0xa1b2_c3d4_u32, 0xd4c3_b2a1, 0xa1b2_cd34, 0x0a0d_0d0a]),
        rest in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        drain(&[magic.to_be_bytes().as_slice(), &rest].concat());
    }

    #[test]
    fn a_damaged_file_never_panics(at in 0..180_usize, change in 1..=255_u8, len in 0..200_usize) {
        for mut file in [pcapng_file(), pcap_file(ORDERS[0], 0xa1b2_c3d4, 0)] {
            if let Some(byte) = file.get_mut(at) {
                *byte ^= change;
            }
            file.truncate(len.max(pcap::HEADER_LEN));
            drain(&file);
        }
    }
}

#[test]
fn the_magic_of_pcapng_is_the_same_in_both_orders() {
    for order in ORDERS {
        assert!(order.section(&[]).starts_with(&pcapng::MAGIC));
    }
}
