//! What carries a packet inside another: MPLS, PPP and `PPPoE` below IP; IP in IP, GRE and VXLAN above it.

use etherparse::{EtherType, IpNumber, LaxSlicedPacket};

use super::Refusal;
use super::link::{cut_short, from_ethernet, from_ip};

/// What is unwrapped, or `None` where it carries nothing that is looked into.
pub type Inner<'a> = Result<Option<LaxSlicedPacket<'a>>, Refusal>;

/// What an `EtherType` that is no network layer of its own carries.
pub fn below_ip(ether_type: EtherType, payload: &[u8]) -> Inner<'_> {
    match ether_type.0 {
        0x8847 | 0x8848 => mpls(payload),
        0x8864 => pppoe(payload),
        _ => Ok(None),
    }
}

/// What an IP packet carries that is neither TCP nor a protocol of another kind.
pub fn above_ip(protocol: IpNumber, payload: &[u8]) -> Inner<'_> {
    match protocol {
        // The version is that of the inner header; a wrong protocol number would be told by it.
        IpNumber::IPV4 | IpNumber::IPV6 => from_ip(payload).map(Some),
        IpNumber::GRE => gre(payload),
        IpNumber::UDP => vxlan(payload),
        _ => Ok(None),
    }
}

/// A stack of labels, four bytes each, of which the last has a bit (RFC 3032 §2.1). What follows has no number: IP is told by
/// its version, and other things (pseudowires) are not guessed at.
fn mpls(data: &[u8]) -> Inner<'_> {
    let (labels, _) = data.as_chunks::<4>();
    let Some(last) = labels.iter().position(|label| label[2] & 1 == 1) else {
        return Err(Refusal::Malformed(format!("MPLS header: no last label in {} bytes", data.len())));
    };
    let inner = &data[(last + 1) * 4..];
    match inner.first().map(|byte| byte >> 4) {
        Some(4 | 6) => from_ip(inner).map(Some),
        _ => Ok(None),
    }
}

/// A session's packet (RFC 2516 §4): six bytes, then PPP without its own address and control.
pub fn pppoe(data: &[u8]) -> Inner<'_> {
    let (_, packet) = data.split_at_checked(6).ok_or_else(|| cut_short("PPPoE", data, 6))?;
    ppp(packet)
}

/// PPP (RFC 1661 §2), with address and control in front or without, and a protocol of two bytes or, compressed, one.
pub fn ppp(data: &[u8]) -> Inner<'_> {
    let data = data.strip_prefix(&[0xff, 0x03]).unwrap_or(data);
    let (protocol, packet) = match data {
        // The last byte of a protocol's number is odd, and only that one (RFC 1661 §2).
        [low, rest @ ..] if low & 1 == 1 => (u16::from(*low), rest),
        [high, low, rest @ ..] => (u16::from_be_bytes([*high, *low]), rest),
        _ => return Err(cut_short("PPP", data, 2)),
    };
    match protocol {
        0x0021 | 0x0057 => from_ip(packet).map(Some),
        0x0281 | 0x0283 => mpls(packet),
        _ => Ok(None),
    }
}

/// GRE (RFC 2784, RFC 2890) and the version of it that PPTP uses (RFC 2637 §4.1).
fn gre(data: &[u8]) -> Inner<'_> {
    let Some(head) = data.first_chunk::<4>() else { return Err(cut_short("GRE", data, 4)) };
    let flags = u16::from_be_bytes([head[0], head[1]]);
    let protocol = u16::from_be_bytes([head[2], head[3]]);
    let (key_and_sequence, more) = (0x3000, if flags & 7 == 1 { 0x0080 } else { 0x8000 });
    // Source routes (RFC 1701) are long gone, and their length would have to be read from themselves.
    if flags & 7 > 1 || flags & 0x4000 != 0 {
        return Ok(None);
    }
    let words = (flags & (key_and_sequence | more)).count_ones() as usize;
    let len = 4 + 4 * words;
    let (_, packet) = data.split_at_checked(len).ok_or_else(|| cut_short("GRE", data, len))?;
    match protocol {
        0x6558 => from_ethernet(packet).map(Some),
        0x880b => ppp(packet),
        // PPTP's acknowledgements and keep-alives carry nothing.
        _ if packet.is_empty() => Ok(None),
        _ => Ok(Some(LaxSlicedPacket::from_ether_type(EtherType(protocol), packet))),
    }
}

/// A UDP datagram to VXLAN's port (RFC 7348 §5) whose header has the bit that says that it names a network.
fn vxlan(datagram: &[u8]) -> Inner<'_> {
    const PORT: u16 = 4789;
    let Some(head) = datagram.first_chunk::<16>() else { return Ok(None) };
    if u16::from_be_bytes([head[2], head[3]]) != PORT || head[8] & 0x08 == 0 {
        return Ok(None);
    }
    from_ethernet(&datagram[16..]).map(Some)
}

/// What a UDP datagram is called: GTP-U is counted apart, since it carries what is not looked into.
pub fn udp_name(datagram: &[u8]) -> &'static str {
    const GTP_U: u16 = 2152;
    match datagram.first_chunk::<4>() {
        Some(ports) if u16::from_be_bytes([ports[2], ports[3]]) == GTP_U => "GTP-U",
        _ => "UDP",
    }
}
