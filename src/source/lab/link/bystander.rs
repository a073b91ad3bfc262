//! The reset with which a box on the way, one that has forgotten a connection, answers a segment in its receiver's name.

use std::net::SocketAddr;

use etherparse::PacketBuilder;

use super::wire::Packet;
use crate::tcp::segment::Segment;

/// What many routers write into packets of their own. The ends' own packets leave them with 64.
const HOP_LIMIT: u8 = 255;

/// What answers `segment`, as a host does that has no such connection (RFC 9293 §3.10.7.1). `None` for what the link does not
/// carry, which is all but IPv4.
pub fn reset(segment: &Segment) -> Option<Packet> {
    let (SocketAddr::V4(src), SocketAddr::V4(dst)) = (segment.src, segment.dst) else { return None };
    let answer = PacketBuilder::ipv4(dst.ip().octets(), src.ip().octets(), HOP_LIMIT);
    let answer = match segment.acknowledges() {
        Some(number) => answer.tcp(dst.port(), src.port(), number.get(), 0).rst(),
        None => answer.tcp(dst.port(), src.port(), 0, 0).rst().ack(segment.end().get()),
    };
    let mut packet = Vec::with_capacity(answer.size(0));
    answer.write(&mut packet, &[]).ok()?;
    Some(packet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{self, Decoded, LinkType, hop};
    use crate::tcp::segment::Flags;

    fn decoded(packet: &[u8]) -> Segment {
        let Decoded::Tcp(segment) = decode::decode(LinkType::RAW, packet, 40) else { panic!("no segment") };
        segment
    }

    fn answer(flags: u8) -> (Segment, Segment, Packet) {
        let mut packet = vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        packet.extend([0, 1, 0, 80, 0, 0, 0, 7, 0, 0, 0, 9, 0x50, flags, 0, 64, 0, 0, 0, 0]);
        let segment = decoded(&packet);
        let reset = reset(&segment).unwrap();
        (segment, decoded(&reset), reset)
    }

    #[test]
    fn what_has_an_ack_is_answered_with_its_number_and_without_one() {
        let (segment, reset, packet) = answer(0x10);
        assert_eq!((reset.src, reset.dst), (segment.dst, segment.src));
        assert_eq!((reset.flags, reset.seq, reset.window), (Flags::RST, segment.ack, 0));
        assert_eq!(hop(LinkType::RAW, &packet).unwrap().limit, HOP_LIMIT);
    }

    #[test]
    fn a_syn_is_refused() {
        let (segment, reset, _) = answer(0x02);
        assert_eq!((reset.flags, reset.seq.get(), reset.ack), (Flags::RST.with(Flags::ACK), 0, segment.seq + 1));
    }
}
