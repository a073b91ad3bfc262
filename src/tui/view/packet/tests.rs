use std::sync::Arc;

use etherparse::PacketBuilder;
use proptest::prelude::*;

use super::*;
use crate::event::FrameNo;

fn frame(link_type: LinkType, data: &[u8]) -> Frame {
    Frame {
        number: FrameNo(8),
        link_type,
        original_len: u32::try_from(data.len()).unwrap(),
        data: Arc::from(data),
        comments: Vec::new(),
    }
}

fn hello() -> Vec<u8> {
    let builder = PacketBuilder::ethernet2([0; 6], [2; 6])
        .ipv4([127, 0, 0, 1], [127, 0, 0, 1], 64)
        .tcp(47414, 2222, 225_088_834, 512)
        .ack(3_298_188_620)
        .psh()
        .options_raw(&[1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9])
        .unwrap();
    let mut bytes = Vec::new();
    builder.write(&mut bytes, b"hello").unwrap();
    bytes
}

fn value(fields: &[Field], layer: Layer, name: &str) -> (usize, Vec<u8>, String) {
    let found = fields.iter().find(|field| field.layer == layer && field.name == name);
    let found = found.unwrap_or_else(|| panic!("no {name} in {fields:#?}"));
    (found.offset, found.bytes.clone(), found.value.clone())
}

#[test]
fn every_field_says_where_it_stands_and_what_it_is() {
    let fields = fields(&frame(LinkType::ETHERNET, &hello()));
    assert_eq!(value(&fields, Layer::Ip, "time to live"), (22, vec![64], "64".into()));
    assert_eq!(value(&fields, Layer::Tcp, "source port"), (34, vec![0xb9, 0x36], "47414".into()));
    assert_eq!(value(&fields, Layer::Tcp, "sequence"), (38, 225_088_834_u32.to_be_bytes().into(), "225088834".into()));
    assert_eq!(value(&fields, Layer::Tcp, "flags"), (46, vec![0x80, 0x18], "PSH ACK".into()));
    assert_eq!(value(&fields, Layer::Tcp, "timestamps").2, "7, echo 9");
    assert_eq!(value(&fields, Layer::Data, "data"), (66, b"hello".to_vec(), "5 bytes: hello".into()));
}

#[test]
fn every_byte_of_a_whole_packet_is_in_some_field() {
    let bytes = hello();
    let mut seen = vec![false; bytes.len()];
    for field in fields(&frame(LinkType::ETHERNET, &bytes)) {
        assert_eq!(field.bytes, bytes[field.offset..field.offset + field.bytes.len()], "{field:?}");
        seen[field.offset..field.offset + field.bytes.len()].fill(true);
    }
    assert!(seen.iter().all(|seen| *seen), "{seen:?}");
}

#[test]
fn other_links_are_read_from_where_ip_begins() {
    let ip = hello().split_off(14);
    for (link_type, before) in [(101, 0), (0, 4), (113, 16), (276, 20)] {
        let bytes: Vec<u8> = std::iter::repeat_n(0, before).chain(ip.iter().copied()).collect();
        let fields = fields(&frame(LinkType(link_type), &bytes));
        assert_eq!(value(&fields, Layer::Tcp, "source port").0, before + 20, "link type {link_type}");
    }
}

#[test]
fn what_is_not_understood_is_shown_as_bytes() {
    let fields = fields(&frame(LinkType(147), b"\x01\x02"));
    assert_eq!((fields[0].name, fields[0].value.as_str()), ("bytes not understood", "2 bytes: .."));
}

#[test]
fn a_dump_has_eight_bytes_a_line() {
    assert_eq!(dump_line(b"hello, world", 0).unwrap(), "0000  68 65 6c 6c 6f 2c 20 77  hello, w");
    assert_eq!(dump_line(b"hello, world", 1).unwrap(), "0008  6f 72 6c 64              orld");
    assert_eq!(dump_line(b"hello, w", 1), None);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(data in prop::collection::vec(any::<u8>(), 0..120), link in 0_u32..300) {
        for field in fields(&frame(LinkType(link), &data)) {
            prop_assert!(field.offset + field.bytes.len() <= data.len());
        }
    }

    #[test]
    fn no_damage_to_a_packet_makes_it_panic(at in 0_usize..71, byte in any::<u8>(), len in 0_usize..72) {
        let mut data = hello();
        data[at] = byte;
        data.truncate(len);
        for field in fields(&frame(LinkType::ETHERNET, &data)) {
            prop_assert!(field.offset + field.bytes.len() <= data.len());
        }
    }
}
