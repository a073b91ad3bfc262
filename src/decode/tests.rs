use std::net::SocketAddr;

use etherparse::PacketBuilder;
use proptest::prelude::*;

use super::{Decoded, Layout, LinkType, decode, layout, options, udp};
use crate::tcp::segment::{Flags, Segment, TcpOption};
use crate::tcp::seq::SeqNum;

const PAYLOAD: &[u8] = b"hello, this is data";

fn v4_frame() -> Vec<u8> {
    let builder = PacketBuilder::ethernet2([1; 6], [2; 6])
        .ipv4([127, 0, 0, 1], [127, 0, 0, 2], 64)
        .tcp(50870, 2222, 1000, 1025)
        .psh()
        .ack(77);
    let mut frame = Vec::new();
    builder.write(&mut frame, PAYLOAD).unwrap();
    frame
}

fn segment(decoded: Decoded) -> Segment {
    match decoded {
        Decoded::Tcp(segment) => segment,
        other => panic!("not a segment: {other:?}"),
    }
}

fn decode_whole(link_type: LinkType, data: &[u8]) -> Decoded {
    decode(link_type, data, u32::try_from(data.len()).unwrap())
}

#[test]
fn an_ethernet_frame_is_read() {
    let segment = segment(decode_whole(LinkType::ETHERNET, &v4_frame()));
    assert_eq!(segment.src, "127.0.0.1:50870".parse::<SocketAddr>().unwrap());
    assert_eq!(segment.dst, "127.0.0.2:2222".parse::<SocketAddr>().unwrap());
    assert_eq!((segment.seq, segment.ack), (SeqNum::new(1000), SeqNum::new(77)));
    assert_eq!(segment.flags, Flags::PSH.with(Flags::ACK));
    assert_eq!(segment.window, 1025);
    assert_eq!((segment.payload_len, segment.payload.as_slice()), (19, PAYLOAD));
    assert!(!segment.options_cut);
}

#[test]
fn every_link_header_leads_to_the_same_segment() {
    let frame = v4_frame();
    let ip = &frame[14..];
    let expected = decode_whole(LinkType::ETHERNET, &frame);
    let behind = |header: &[u8]| [header, ip].concat();
    let cooked = [[0; 14].as_slice(), &[8, 0]].concat();
    let cooked2 = [[8, 0].as_slice(), &[0; 18]].concat();
    let tagged = [&frame[..12], &[0x81, 0, 0, 7, 0x81, 0, 0, 9, 8, 0], ip].concat();
    for (link_type, data) in [
        (LinkType::RAW, behind(&[])),
        (LinkType::RAW_BSD, behind(&[])),
        (LinkType::IPV4, behind(&[])),
        (LinkType::NULL, behind(&[2, 0, 0, 0])),
        (LinkType::NULL, behind(&[0, 0, 0, 2])),
        (LinkType::LOOP, behind(&[0, 0, 0, 2])),
        (LinkType::LINUX_SLL, behind(&cooked)),
        (LinkType::LINUX_SLL2, behind(&cooked2)),
        (LinkType::ETHERNET, tagged),
    ] {
        assert_eq!(decode_whole(link_type, &data), expected, "{link_type:?}");
    }
}

#[test]
fn a_cut_frame_keeps_the_length_that_it_had() {
    let frame = v4_frame();
    for captured in 54..frame.len() {
        let segment = segment(decode(LinkType::ETHERNET, &frame[..captured], u32::try_from(frame.len()).unwrap()));
        assert_eq!(segment.payload_len, 19);
        assert_eq!(segment.payload, PAYLOAD[..captured - 54]);
    }
    assert!(matches!(decode_whole(LinkType::ETHERNET, &frame[..53]), Decoded::Malformed(_)));
}

#[test]
fn the_layout_says_where_the_headers_lie() {
    let frame = v4_frame();
    let layout = layout(LinkType::ETHERNET, &frame[..60], u32::try_from(frame.len()).unwrap());
    assert_eq!(layout, Some(Layout { ip: 14, tcp: 34, payload: 54, end: 73 }));
}

#[test]
fn padding_behind_the_packet_is_no_payload() {
    let padded = [v4_frame(), vec![0; 6]].concat();
    assert_eq!(segment(decode_whole(LinkType::ETHERNET, &padded)).payload, PAYLOAD);
}

#[test]
fn a_length_of_zero_means_that_the_packet_fills_its_frame() {
    let mut frame = v4_frame();
    frame[16..18].fill(0);
    let segment = segment(decode(LinkType::ETHERNET, &frame, 54 + 90_000));
    assert_eq!((segment.payload_len, segment.payload.as_slice()), (90_000, PAYLOAD));
}

#[test]
fn an_impossible_length_is_malformed() {
    let mut frame = v4_frame();
    frame[17] = 39;
    let Decoded::Malformed(why) = decode_whole(LinkType::ETHERNET, &frame) else { panic!("accepted") };
    assert_eq!(why, "TCP header: the IP length leaves 19 bytes for its 20");
}

#[test]
fn ipv6_with_an_extension_header_is_read() {
    let mut tcp = Vec::new();
    etherparse::TcpHeader::new(1, 2, 3, 4).write(&mut tcp).unwrap();
    let destination_options = [6, 0, 1, 4, 0, 0, 0, 0];
    let payload = [destination_options.as_slice(), &tcp, b"xyz"].concat();
    let mut packet = vec![0x60, 0, 0, 0, 0, u8::try_from(payload.len()).unwrap(), 60, 64];
    packet.extend([0; 15].iter().chain(&[1]).chain(&[0; 15]).chain(&[2]));
    packet.extend(payload);
    let segment = segment(decode_whole(LinkType::IPV6, &packet));
    assert_eq!(segment.dst, "[::2]:2".parse::<SocketAddr>().unwrap());
    assert_eq!((segment.payload_len, segment.payload.as_slice()), (3, b"xyz".as_slice()));
}

#[test]
fn what_is_not_tcp_is_named() {
    let mut datagram = Vec::new();
    PacketBuilder::ethernet2([1; 6], [2; 6])
        .ipv4([127, 0, 0, 1], [127, 0, 0, 1], 64)
        .udp(9, 4001)
        .write(&mut datagram, b"mark")
        .unwrap();
    assert_eq!(decode_whole(LinkType::ETHERNET, &datagram), Decoded::Other("UDP"));
    assert_eq!(udp(LinkType::ETHERNET, &datagram), Some((4001, b"mark".as_slice())));
    assert_eq!(udp(LinkType::ETHERNET, &v4_frame()), None);
    let mut fragment = v4_frame();
    fragment[20] = 0x20;
    assert_eq!(decode_whole(LinkType::ETHERNET, &fragment), Decoded::Other("IP fragment"));
    let lldp = [[0; 12].as_slice(), &[0x88, 0xcc, 1, 2]].concat();
    assert_eq!(decode_whole(LinkType::ETHERNET, &lldp), Decoded::Other("LLDP"));
    assert_eq!(decode_whole(LinkType(147), &lldp), Decoded::Other("a link type that epipe does not know"));
}

#[test]
fn options_behind_an_unknown_one_are_found() {
    let list = [34, 4, 0xab, 0xcd, 2, 4, 5, 0xb4, 1, 3, 3, 7, 5, 10, 0, 0, 0, 1, 0, 0, 0, 9, 4, 2, 8, 3, 1, 0, 99];
    let (read, cut) = options(&list);
    assert!(!cut);
    assert_eq!(
        read,
        [
            TcpOption::Other { kind: 34, data: vec![0xab, 0xcd] },
            TcpOption::MaximumSegmentSize(1460),
            TcpOption::Nop,
            TcpOption::WindowScale(7),
            TcpOption::Sack(vec![(SeqNum::new(1), SeqNum::new(9))]),
            TcpOption::SackPermitted,
            TcpOption::Other { kind: 8, data: vec![1] },
            TcpOption::EndOfList,
        ]
    );
}

#[test]
fn a_list_that_ends_inside_an_option_says_so() {
    for list in [[2, 4, 5].as_slice(), &[1, 2], &[8, 0], &[8, 1, 1], &[200, 255, 0]] {
        assert!(options(list).1, "{list:?}");
    }
}

/// `payload` behind an IPv4 header of this protocol.
fn in_v4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
    [&[0x45, 0, high, low, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], payload].concat()
}

/// `payload` behind an IPv6 header of this protocol.
fn in_v6(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [&[0x60, 0, 0, 0, high, low, protocol, 64][..], &[0; 15], &[1], &[0; 15], &[2], payload].concat()
}

fn behind_type(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    [&[0; 12][..], &ether_type.to_be_bytes(), payload].concat()
}

/// Every way to carry `v4_frame`, as link type and bytes.
fn wrapped() -> Vec<(LinkType, Vec<u8>)> {
    let frame = v4_frame();
    let ip = &frame[14..];
    let mpls = [&[0, 1, 0x20, 64, 0, 2, 0x21, 64], ip].concat();
    let pppoe = [&[0x11, 0, 0, 9, 0, 61, 0, 0x21], ip].concat();
    let gre = |head: &[u8]| in_v4(47, &[head, ip].concat());
    let vxlan = [&[0xc0, 0, 0x12, 0xb5, 0, 89, 0, 0, 8, 0, 0, 0, 0, 0, 7, 0][..], &frame].concat();
    let (ethernet, raw) = (LinkType::ETHERNET, LinkType::RAW);
    vec![
        (ethernet, behind_type(0x8847, &mpls)),
        (ethernet, behind_type(0x8100, &[&[0, 7, 0x88, 0x47][..], &mpls].concat())),
        (ethernet, behind_type(0x8864, &pppoe)),
        (ethernet, behind_type(0x88a8, &[&[0, 7, 0x81, 0, 0, 8, 0x88, 0x64][..], &pppoe].concat())),
        (LinkType::PPP_ETHER, pppoe),
        (LinkType::PPP, [&[0xff, 3, 0, 0x21], ip].concat()),
        (LinkType::PPP, [&[0x21], ip].concat()),
        (LinkType::PPP_HDLC, [&[0xff, 3, 0x02, 0x81][..], &mpls].concat()),
        (raw, in_v4(4, ip)),
        (raw, in_v6(4, ip)),
        (raw, in_v4(4, &in_v4(4, ip))),
        (raw, gre(&[0, 0, 8, 0])),
        (raw, gre(&[0xb0, 0, 8, 0, 1, 1, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1])),
        (raw, gre(&[0x20, 0, 8, 0, 0, 0, 0, 9])),
        (raw, in_v6(47, &[&[0, 0, 0x65, 0x58][..], &frame].concat())),
        (raw, gre(&[0x30, 0x81, 0x88, 0x0b, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 3, 0, 0x21])),
        (raw, in_v4(17, &vxlan)),
        (ethernet, behind_type(0x86dd, &in_v6(17, &vxlan))),
    ]
}

#[test]
fn a_segment_is_found_in_whatever_carries_it_with_the_right_offsets() {
    let expected = decode_whole(LinkType::ETHERNET, &v4_frame());
    for (link_type, data) in wrapped() {
        assert_eq!(decode_whole(link_type, &data), expected, "{link_type:?} {data:02x?}");
        let end = data.len();
        let place = layout(link_type, &data, u32::try_from(end).unwrap());
        assert_eq!(place, Some(Layout { ip: end - 59, tcp: end - 39, payload: end - 19, end }), "{data:02x?}");
    }
}

#[test]
fn ipv6_inside_ipv4_is_followed() {
    let tcp = &v4_frame()[34..];
    let segment = segment(decode_whole(LinkType::RAW, &in_v4(41, &in_v6(6, tcp))));
    assert_eq!(segment.src, "[::1]:50870".parse::<SocketAddr>().unwrap());
    assert_eq!(segment.payload, PAYLOAD);
}

#[test]
fn tunnels_have_an_end_and_what_they_carry_is_named() {
    let nested = (0..8).fold(v4_frame()[14..].to_vec(), |inner, _| in_v4(4, &inner));
    assert_eq!(decode_whole(LinkType::RAW, &nested), Decoded::Other("IP in more than eight tunnels"));
    assert_eq!(decode_whole(LinkType::RAW, &in_v4(47, &[0, 0, 8, 0])), Decoded::Other("GRE"));
    assert_eq!(decode_whole(LinkType::RAW, &in_v4(4, &in_v4(1, &[8, 0]))), Decoded::Other("ICMP"));
    let gtp = [[0, 9, 8, 104, 0, 8, 0, 0].as_slice(), &[0x30; 8]].concat();
    assert_eq!(decode_whole(LinkType::RAW, &in_v4(17, &gtp)), Decoded::Other("GTP-U"));
    assert_eq!(decode_whole(LinkType::ETHERNET, &behind_type(0x8847, &[0, 0, 1, 9, 0, 0])), Decoded::Other("MPLS"));
    assert_eq!(decode_whole(LinkType::PPP, &[0xc0, 0x21, 1, 1]), Decoded::Other("PPP"));
    assert_eq!(decode_whole(LinkType(127), &[0; 40]), Decoded::Other("802.11"));
    for cut in [in_v4(47, &[0, 0]), behind_type(0x8864, &[0x11]), behind_type(0x8847, &[0, 0, 0, 9])] {
        let link_type = if cut[0] == 0x45 { LinkType::RAW } else { LinkType::ETHERNET };
        assert!(matches!(decode_whole(link_type, &cut), Decoded::Malformed(_)), "{cut:02x?}");
    }
}

fn link_types() -> impl Strategy<Value = LinkType> {
    prop::sample::select(vec![0, 1, 9, 12, 50, 51, 101, 105, 108, 113, 147, 228, 229, 276]).prop_map(LinkType)
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(link_type in link_types(), data in prop::collection::vec(any::<u8>(), 0..200), len: u32) {
        decode(link_type, &data, len);
        layout(link_type, &data, len);
        udp(link_type, &data);
        options(&data);
    }

    #[test]
    fn a_damaged_tunnel_never_panics(which in 0..18_usize, at in 0..160_usize, value: u8, captured in 0..160_usize, len: u32) {
        let (link_type, mut data) = wrapped().swap_remove(which);
        if let Some(byte) = data.get_mut(at) {
            *byte = value;
        }
        data.truncate(captured);
        decode(link_type, &data, len);
        layout(link_type, &data, len);
        udp(link_type, &data);
    }

    #[test]
    fn a_damaged_frame_never_panics(at in 0..73_usize, value: u8, captured in 0..74_usize, len: u32) {
        let mut frame = v4_frame();
        frame[at] = value;
        frame.truncate(captured);
        decode(LinkType::ETHERNET, &frame, len);
        decode(LinkType::RAW, frame.get(14..).unwrap_or_default(), len);
    }
}
