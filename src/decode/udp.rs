//! UDP, as far as the lab's marker datagrams need it.

use etherparse::IpNumber;

use super::{LinkType, ip, tcp};

/// The destination port and the payload of a UDP datagram; `None` for anything else.
pub fn udp(link_type: LinkType, data: &[u8]) -> Option<(u16, &[u8])> {
    let original_len = u32::try_from(data.len()).ok()?;
    let packet = ip::packet(link_type, data, original_len).ok()?;
    if packet.protocol != IpNumber::UDP {
        return None;
    }
    let (header, payload) = tcp::captured(&packet, data).split_first_chunk::<8>()?;
    Some((u16::from_be_bytes([header[2], header[3]]), payload))
}
