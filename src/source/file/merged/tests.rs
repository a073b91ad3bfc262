use std::io::Cursor;

use proptest::prelude::*;

use super::*;
use crate::event::Gap;
use crate::source::file::Item;

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// A pcap file with packets of one byte at these times in seconds.
fn pcap(times: &[u32]) -> Vec<u8> {
    let mut file = numbers(&[0xa1b2_c3d4, 0, 0, 0, 65535, 1]);
    for time in times {
        file.extend(numbers(&[*time, 0, 1, 1]));
        file.push(0);
    }
    file
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).unwrap() + 12;
    [&numbers(&[kind, len]), body, &numbers(&[len])].concat()
}

/// A pcapng file with packets at these times in microseconds; `None` is a packet without a time.
fn pcapng(times: &[Option<u32>]) -> Vec<u8> {
    let mut file = block(0x0a0d_0d0a, &numbers(&[0x1a2b_3c4d, 0x1_0000, 0xffff_ffff, 0xffff_ffff]));
    file.extend(block(1, &numbers(&[0x1_0000, 0])));
    for time in times {
        file.extend(match time {
            Some(time) => block(6, &numbers(&[0, 0, *time, 4, 4, 0])),
            None => block(3, &numbers(&[4, 0])),
        });
    }
    file
}

fn merged(files: Vec<Vec<u8>>) -> Merged<Cursor<Vec<u8>>> {
    let open = |(number, file)| Capture::new(number, Cursor::new(file)).unwrap();
    Merged::new((0..).map(|number: usize| number.to_string()).zip(files).map(open).collect())
}

/// Each packet's file and number.
fn order(merged: &mut Merged<impl Read>) -> Vec<(usize, u64)> {
    let mut order = Vec::new();
    while let Some(seen) = merged.advance() {
        match seen.unwrap() {
            Seen::Packet(view) => order.push((view.file, view.number.0)),
            seen => panic!("{seen:?}"),
        }
    }
    order
}

#[test]
fn files_are_merged_by_time_and_the_one_named_first_comes_first() {
    let mut both = merged(vec![pcap(&[1, 4, 5]), pcap(&[2, 4, 6]), pcap(&[])]);
    assert_eq!(order(&mut both), [(0, 1), (1, 1), (0, 2), (1, 2), (0, 3), (1, 3)]);
    assert!(both.advance().is_none());
}

#[test]
fn a_step_back_in_time_keeps_its_files_order_and_is_counted() {
    let mut both = merged(vec![pcap(&[3, 1, 9]), pcap(&[2, 4])]);
    assert_eq!(order(&mut both), [(1, 1), (0, 1), (0, 2), (1, 2), (0, 3)]);
    assert_eq!(both.captures().iter().map(Capture::steps_back).collect::<Vec<_>>(), [1, 0]);
    let mut one = merged(vec![pcap(&[3, 1, 2, 2, 1])]);
    assert_eq!(order(&mut one).len(), 5);
    assert_eq!(one.captures()[0].steps_back(), 2);
}

#[test]
fn what_has_no_time_stands_where_it_stands() {
    let mut both = merged(vec![pcapng(&[None, Some(1), Some(3), None, Some(5)]), pcapng(&[Some(2), Some(4)])]);
    assert_eq!(order(&mut both), [(0, 1), (0, 2), (1, 1), (0, 3), (0, 4), (1, 2), (0, 5)]);
    assert!(both.captures().iter().all(|capture| capture.steps_back() == 0));
}

#[test]
fn damage_in_one_file_stands_in_its_place_and_the_others_go_on() {
    let mut cut = pcap(&[1, 3]);
    cut.pop();
    let mut both = merged(vec![cut, pcap(&[2, 4])]);
    let mut seen = Vec::new();
    while let Some(next) = both.advance() {
        let next = next.unwrap().to_item();
        seen.push((both.file(), next));
    }
    let files: Vec<usize> = seen.iter().map(|(file, _)| *file).collect();
    assert_eq!(files, [0, 0, 1, 1]);
    assert_eq!(seen[1].1, Item::Gap(Gap::CutShort { bytes: 16 }));
}

#[test]
fn an_error_in_one_file_is_told_once_and_the_others_go_on() {
    struct Failing(Cursor<Vec<u8>>);
    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(buffer)? {
                0 if self.0.get_ref().len() < 50 => Err(std::io::Error::other("the disk is gone")),
                read => Ok(read),
            }
        }
    }
    let open = |file| Capture::new("x".to_owned(), Failing(Cursor::new(file))).unwrap();
    let mut both = Merged::new(vec![open(pcap(&[1])), open(pcap(&[2, 3]))]);
    let mut told = Vec::new();
    while let Some(next) = both.advance() {
        let error = next.err().map(|error| error.to_string());
        told.push(error.unwrap_or_else(|| both.file().to_string()));
    }
    assert_eq!(told, ["0", "cannot read \"x\" at byte 41: the disk is gone", "1", "1"]);
}

#[test]
fn many_files_share_what_buffers_a_few_would_have() {
    assert_eq!(buffer_len(1), bytes::BUFFER);
    assert_eq!(buffer_len(0), bytes::BUFFER);
    assert!(buffer_len(100) * 100 <= ALL_BUFFERS);
    assert_eq!(buffer_len(1 << 20), LEAST_BUFFER);
}

proptest! {
    #[test]
    fn every_file_keeps_its_order_and_files_in_order_are_merged_in_order(
        mut files in prop::collection::vec(prop::collection::vec(0..20_u32, 0..12), 0..5),
        sorted in any::<bool>(),
    ) {
        if sorted {
            for times in &mut files {
                times.sort_unstable();
            }
        }
        let mut merged = merged(files.iter().map(|times| pcap(times)).collect());
        let order = order(&mut merged);
        for (file, times) in files.iter().enumerate() {
            let numbers: Vec<u64> = order.iter().filter(|(of, _)| *of == file).map(|(_, number)| *number).collect();
            prop_assert_eq!(numbers, (1..=times.len() as u64).collect::<Vec<_>>());
            let steps_back = times.windows(2).filter(|pair| pair[1] < pair[0]).count() as u64;
            prop_assert_eq!(merged.captures()[file].steps_back(), steps_back);
        }
        if sorted {
            let time = |&(file, number): &(usize, u64)| (files[file][usize::try_from(number).unwrap() - 1], file);
            prop_assert!(order.is_sorted_by_key(time));
        }
    }
}
