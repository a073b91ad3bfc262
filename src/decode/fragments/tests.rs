use etherparse::PacketBuilder;
use proptest::prelude::*;

use super::*;

/// The fragments of one segment with 40 bytes of data: 24, 24 and 12 bytes of its 60.
fn parts(identification: u8) -> Vec<Vec<u8>> {
    let mut packet = Vec::new();
    let builder = PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64).tcp(5, 6, 7, 8);
    builder.write(&mut packet, &[b'x'; 40]).unwrap();
    let (header, payload) = packet.split_at(20);
    let part = |(number, part): (usize, &[u8])| {
        let mut header = header.to_vec();
        header[3] = u8::try_from(20 + part.len()).unwrap();
        header[4..8].copy_from_slice(&[
            0,
            identification,
            u8::from(number < 2) << 5,
            u8::try_from(number * 3).unwrap(),
        ]);
        [&header, part].concat()
    };
    payload.chunks(24).enumerate().map(part).collect()
}

#[test]
fn a_segment_stands_where_its_last_missing_fragment_came() {
    for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
        let (mut fragments, parts) = (Fragments::default(), parts(1));
        let [first, second, last] = order.map(|at| fragments.add(LinkType::RAW, &parts[at]));
        assert_eq!((first, second), (None, None));
        let Some(Decoded::Tcp(segment)) = last else { panic!("{last:?}") };
        assert_eq!((segment.payload_len, segment.payload), (40, vec![b'x'; 40]));
        assert_eq!(fragments.bytes, 0);
    }
}

#[test]
fn what_came_first_stands_and_a_cut_fragment_is_not_used() {
    let (mut fragments, parts) = (Fragments::default(), parts(1));
    assert_eq!(fragments.add(LinkType::RAW, &parts[1][..30]), None);
    assert_eq!(fragments.bytes, 0);
    let mut other = parts[1].clone();
    other[20..].fill(b'y');
    for part in [&parts[1], &other, &parts[0]] {
        assert_eq!(fragments.add(LinkType::RAW, part), None);
    }
    let Some(Decoded::Tcp(segment)) = fragments.add(LinkType::RAW, &parts[2]) else { panic!("no segment") };
    assert_eq!(segment.payload, [b'x'; 40]);
}

#[test]
fn the_oldest_is_given_up_and_counted() {
    let mut fragments = Fragments::default();
    for number in 0..=u16::try_from(MOST_PACKETS).unwrap() {
        let mut part = parts(0).swap_remove(1);
        part[4..6].copy_from_slice(&number.to_be_bytes());
        assert_eq!(fragments.add(LinkType::RAW, &part), None);
    }
    assert_eq!((fragments.given_up, fragments.waiting.len()), (1, MOST_PACKETS));
}

proptest! {
    #[test]
    fn damaged_fragments_never_panic(damage in prop::collection::vec((0..3_usize, 0..44_usize, any::<u8>()), 0..9)) {
        let mut fragments = Fragments::default();
        for (which, at, value) in damage {
            let mut part = parts(1).swap_remove(which);
            if let Some(byte) = part.get_mut(at) {
                *byte = value;
            }
            fragments.add(LinkType::RAW, &part);
        }
    }
}
