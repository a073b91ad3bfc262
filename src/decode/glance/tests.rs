use etherparse::PacketBuilder;
use proptest::prelude::*;

use super::{Glance, careful, plain};
use crate::decode::LinkType;

/// Behind an Ethernet header, a segment with these option bytes, over IPv4 or IPv6.
fn frame(v6: bool, options: &[u8]) -> Vec<u8> {
    let link = PacketBuilder::ethernet2([1; 6], [2; 6]);
    let ip = if v6 { link.ipv6([3; 16], [4; 16], 61) } else { link.ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64) };
    let tcp = ip.tcp(50870, 2222, 1000, 1025).ack(77);
    let tcp = tcp.options_raw(options).unwrap();
    let mut frame = Vec::new();
    tcp.write(&mut frame, b"hello").unwrap();
    frame
}

/// The same packet behind another link header.
fn relinked(link_type: LinkType, frame: &[u8]) -> Vec<u8> {
    let (ether_type, packet) = (&frame[12..14], &frame[14..]);
    match link_type {
        LinkType::LINUX_SLL => [&[0; 14], ether_type, packet].concat(),
        LinkType::LINUX_SLL2 => [ether_type, &[0; 18], packet].concat(),
        _ => frame.to_vec(),
    }
}

fn option_lists() -> impl Strategy<Value = Vec<u8>> {
    let option = prop_oneof![
        Just(vec![1]),
        Just(vec![0]),
        Just(vec![3, 3, 7]),
        Just(vec![2, 4, 5, 180]),
        Just(vec![4, 2]),
        Just(vec![1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]),
        Just(vec![5, 10, 0, 0, 0, 9, 0, 0, 0, 12]),
        Just(vec![5, 2]),
        Just(vec![34, 6, 1, 2, 3, 4]),
        prop::collection::vec(any::<u8>(), 1..6),
    ];
    prop::collection::vec(option, 0..5).prop_map(|list| {
        let mut bytes: Vec<u8> = list.concat();
        bytes.truncate(40);
        bytes
    })
}

proptest! {
    /// What is written out by hand is what etherparse says, or leaves it to it.
    #[test]
    fn by_hand_is_as_by_etherparse(
        v6: bool,
        list in option_lists(),
        link_type in prop::sample::select(vec![LinkType::ETHERNET, LinkType::LINUX_SLL, LinkType::LINUX_SLL2]),
        damage in prop::collection::vec((0..120_usize, any::<u8>()), 0..4),
        captured in prop_oneof![Just(usize::MAX), 0..140_usize],
        len: u32,
    ) {
        let mut data = relinked(link_type, &frame(v6, &list));
        for (at, value) in damage {
            if let Some(byte) = data.get_mut(at) {
                *byte = value;
            }
        }
        data.truncate(captured);
        let mut glance = Glance::default();
        if plain(link_type, &data, &mut glance).is_some() {
            prop_assert_eq!(Ok(glance), careful(link_type, &data, len));
        }
    }
}

#[test]
fn what_nearly_every_packet_is_takes_the_short_way() {
    for v6 in [false, true] {
        for list in [&[][..], &[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2], &[2, 4, 5, 180, 1, 3, 3, 7]] {
            let frame = frame(v6, list);
            assert!(plain(LinkType::ETHERNET, &frame, &mut Glance::default()).is_some(), "{frame:?}");
        }
    }
}
