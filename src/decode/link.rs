//! The link layer: what stands before the IP header.

use etherparse::{EtherType, LaxSlicedPacket, LinkSlice};

use super::{Refusal, tunnel};

/// A link-layer header type: a `LINKTYPE_` value of tcpdump.org's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkType(pub u32);

impl LinkType {
    /// BSD loopback: the address family in the capturing host's byte order.
    pub const NULL: Self = Self(0);
    /// Ethernet, which Linux's loopback uses too.
    pub const ETHERNET: Self = Self(1);
    /// PPP, with or without its address and control bytes.
    pub const PPP: Self = Self(9);
    /// PPP in HDLC-like framing.
    pub const PPP_HDLC: Self = Self(50);
    /// PPP over Ethernet, from its session header on.
    pub const PPP_ETHER: Self = Self(51);
    /// Raw IP as OpenBSD and some files number it.
    pub const RAW_BSD: Self = Self(12);
    /// Raw IP, version 4 or 6.
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback: the address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux "cooked", what `-i any` gave before version 2 of it.
    pub const LINUX_SLL: Self = Self(113);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux "cooked", version 2: what `-i any` gives.
    pub const LINUX_SLL2: Self = Self(276);
}

/// How many headers below IP are unwrapped one after the other.
const MOST_WRAPPERS: usize = 8;

/// Slices a packet from its link header on, past MPLS and `PPPoE`.
pub fn slice(link_type: LinkType, data: &[u8]) -> Result<LaxSlicedPacket<'_>, Refusal> {
    unwrap_link(link(link_type, data)?)
}

/// Goes on to what MPLS and `PPPoE` carry; another packet stays as it is.
pub fn unwrap_link(mut packet: LaxSlicedPacket<'_>) -> Result<LaxSlicedPacket<'_>, Refusal> {
    for _ in 0..MOST_WRAPPERS {
        let Some((ether_type, payload)) = ether_payload(&packet).filter(|_| packet.net.is_none()) else { break };
        let Some(inner) = tunnel::below_ip(ether_type, payload)? else { break };
        packet = inner;
    }
    Ok(packet)
}

fn link(link_type: LinkType, data: &[u8]) -> Result<LaxSlicedPacket<'_>, Refusal> {
    match link_type {
        LinkType::ETHERNET => from_ethernet(data),
        LinkType::RAW_BSD | LinkType::RAW | LinkType::IPV4 | LinkType::IPV6 => from_ip(data),
        LinkType::NULL | LinkType::LOOP => loopback(data),
        LinkType::LINUX_SLL => cooked(data, 16, 14),
        LinkType::LINUX_SLL2 => cooked(data, 20, 0),
        LinkType::PPP | LinkType::PPP_HDLC => tunnel::ppp(data)?.ok_or(Refusal::Other("PPP")),
        LinkType::PPP_ETHER => tunnel::pppoe(data)?.ok_or(Refusal::Other("PPPoE")),
        // IEEE 802.11, plain and with the headers of Prism, Radiotap, AVS and PPI.
        LinkType(105 | 119 | 127 | 163 | 192) => Err(Refusal::Other("802.11")),
        _ => Err(Refusal::Other("a link type that epipe does not know")),
    }
}

fn ether_payload<'a>(packet: &LaxSlicedPacket<'a>) -> Option<(EtherType, &'a [u8])> {
    let in_tag = packet.ether_payload().map(|payload| (payload.ether_type, payload.payload));
    in_tag.or(match &packet.link {
        Some(LinkSlice::EtherPayload(payload)) => Some((payload.ether_type, payload.payload)),
        _ => None,
    })
}

/// The protocol number that the last link header names, where the packet is not IP.
pub fn ether_type(packet: &LaxSlicedPacket<'_>) -> Option<EtherType> {
    ether_payload(packet).map(|(ether_type, _)| ether_type)
}

/// Slices an Ethernet frame.
pub fn from_ethernet(data: &[u8]) -> Result<LaxSlicedPacket<'_>, Refusal> {
    LaxSlicedPacket::from_ethernet(data).map_err(|_| cut_short("Ethernet", data, 14))
}

/// Slices an IP packet of either version.
pub fn from_ip(data: &[u8]) -> Result<LaxSlicedPacket<'_>, Refusal> {
    LaxSlicedPacket::from_ip(data).map_err(|error| Refusal::Malformed(format!("IP header: {error}")))
}

/// NULL and LOOP differ in byte order only, and NULL's order is that of a host that is not known here: whichever order gives a
/// known family is taken.
fn loopback(data: &[u8]) -> Result<LaxSlicedPacket<'_>, Refusal> {
    const INET: u32 = 2;
    /// Linux, NetBSD and OpenBSD, FreeBSD, macOS.
    const INET6: [u32; 4] = [10, 24, 28, 30];
    let Some((family, rest)) = data.split_first_chunk::<4>() else { return Err(cut_short("loopback", data, 4)) };
    let is_ip = [u32::from_be_bytes(*family), u32::from_le_bytes(*family)]
        .iter()
        .any(|family| *family == INET || INET6.contains(family));
    if is_ip { from_ip(rest) } else { Err(Refusal::Other("not IP")) }
}

/// Linux cooked headers: `len` bytes, of which two at `at` are the `EtherType`.
fn cooked(data: &[u8], len: usize, at: usize) -> Result<LaxSlicedPacket<'_>, Refusal> {
    let short = || cut_short("Linux cooked", data, len);
    let (header, rest) = data.split_at_checked(len).ok_or_else(short)?;
    let protocol = header.get(at..).and_then(<[u8]>::first_chunk::<2>).ok_or_else(short)?;
    Ok(LaxSlicedPacket::from_ether_type(EtherType(u16::from_be_bytes(*protocol)), rest))
}

/// The refusal of a header of which too little was captured.
pub fn cut_short(header: &str, data: &[u8], len: usize) -> Refusal {
    Refusal::Malformed(format!("{header} header: {} of {len} bytes were captured", data.len()))
}
