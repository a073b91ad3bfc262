//! The network layer: addresses, and where the IP payload begins and ends.

use std::net::IpAddr;

use etherparse::{EtherType, IpNumber, LaxNetSlice, LaxSlicedPacket};

use super::fragment::Fragment;
use super::{Hop, LinkType, Refusal, link, tunnel};

/// The innermost IP packet, which is not a fragment. Offsets count from the first byte of the captured frame.
pub struct Packet {
    pub src: IpAddr,
    pub dst: IpAddr,
    pub protocol: IpNumber,
    pub hop: Hop,
    /// Where its header begins.
    pub header: usize,
    /// Where the payload begins.
    pub start: usize,
    /// Where it ends by the IP header; possibly behind what was captured.
    pub end: usize,
}

/// How many IP headers may stand one inside the other.
const MOST_HEADERS: usize = 8;

/// Finds the innermost IP packet in a frame.
pub fn packet(link_type: LinkType, data: &[u8], original_len: u32) -> Result<Packet, Refusal> {
    let header = Header::of(&innermost(link_type, data)?)?;
    if header.fragmented { Err(Refusal::Other("IP fragment")) } else { header.packet(data, original_len) }
}

/// The fragment that a frame holds, if it does.
pub fn fragment(link_type: LinkType, data: &[u8]) -> Option<Fragment<'_>> {
    let sliced = innermost(link_type, data).ok()?;
    match sliced.net.as_ref()? {
        LaxNetSlice::Ipv4(ip) if ip.payload().fragmented => Some(Fragment::v4(ip)),
        LaxNetSlice::Ipv6(ip) if ip.payload().fragmented => Fragment::v6(ip),
        _ => None,
    }
}

/// Follows tunnels to a TCP segment, a UDP datagram or a fragment.
fn innermost(link_type: LinkType, data: &[u8]) -> Result<LaxSlicedPacket<'_>, Refusal> {
    let mut sliced = link::slice(link_type, data)?;
    for _ in 0..MOST_HEADERS {
        let header = Header::of(&sliced)?;
        if header.fragmented || header.protocol == IpNumber::TCP {
            return Ok(sliced);
        }
        match tunnel::above_ip(header.protocol, header.payload)? {
            Some(inner) => sliced = link::unwrap_link(inner)?,
            None if header.protocol == IpNumber::UDP => return Ok(sliced),
            None => {
                let name = Refusal::Other(protocol_name(header.protocol));
                return Err(extension_error(&sliced).unwrap_or(name));
            }
        }
    }
    Err(Refusal::Other("IP in more than eight tunnels"))
}

/// Where the IP payload begins, or UDP's in a packet that is no fragment; `None` where there is no IP header.
pub fn beyond(link_type: LinkType, data: &[u8]) -> Option<usize> {
    let sliced = link::slice(link_type, data).ok()?;
    let header = Header::of(&sliced).ok()?;
    let start = header.payload.as_ptr().addr() - data.as_ptr().addr();
    let ports = header.protocol == IpNumber::UDP && !header.fragmented;
    Some(start + if ports { UDP_HEADER_LEN } else { 0 })
}

/// The length in bytes of UDP's header (RFC 768).
const UDP_HEADER_LEN: usize = 8;

/// What both versions' headers say.
struct Header<'a> {
    src: IpAddr,
    dst: IpAddr,
    protocol: IpNumber,
    hop: Hop,
    fragmented: bool,
    /// The address in memory of the first header's first byte.
    address: usize,
    /// The length of headers and payload together; 0 where the header does not say.
    total_len: usize,
    payload: &'a [u8],
}

impl<'a> Header<'a> {
    fn of(sliced: &LaxSlicedPacket<'a>) -> Result<Self, Refusal> {
        match &sliced.net {
            Some(LaxNetSlice::Ipv4(ip)) => Ok(Self::v4(ip)),
            Some(LaxNetSlice::Ipv6(ip)) => Ok(Self::v6(ip)),
            Some(LaxNetSlice::Arp(_)) => Err(Refusal::Other("ARP")),
            None => Err(not_ip(sliced)),
        }
    }

    /// The packet as offsets in the frame `data`.
    fn packet(&self, data: &[u8], original_len: u32) -> Result<Packet, Refusal> {
        let start = self.payload.as_ptr().addr() - data.as_ptr().addr();
        let header = self.address - data.as_ptr().addr();
        let end = match self.total_len {
            // A kernel that leaves cutting a large send to its network card (TSO) writes 0: the packet fills its frame.
            0 => usize::try_from(original_len).unwrap_or(usize::MAX).max(data.len()),
            len => header + len,
        };
        if end < start {
            return Err(Refusal::Malformed(format!("IP length {} is less than its own headers", self.total_len)));
        }
        Ok(Packet { src: self.src, dst: self.dst, protocol: self.protocol, hop: self.hop, header, start, end })
    }

    fn v4(ip: &etherparse::LaxIpv4Slice<'a>) -> Self {
        let (header, payload) = (ip.header(), ip.payload());
        Self {
            src: header.source_addr().into(),
            dst: header.destination_addr().into(),
            protocol: payload.ip_number,
            hop: Hop { limit: header.ttl(), id: header.identification() },
            fragmented: payload.fragmented,
            address: header.slice().as_ptr().addr(),
            total_len: usize::from(header.total_len()),
            payload: payload.payload,
        }
    }

    fn v6(ip: &etherparse::LaxIpv6Slice<'a>) -> Self {
        let (header, payload) = (ip.header(), ip.payload());
        Self {
            src: header.source_addr().into(),
            dst: header.destination_addr().into(),
            protocol: payload.ip_number,
            hop: Hop { limit: header.hop_limit(), id: 0 },
            fragmented: payload.fragmented,
            address: header.slice().as_ptr().addr(),
            total_len: match usize::from(header.payload_length()) {
                0 => 0,
                len => header.slice().len() + len,
            },
            payload: payload.payload,
        }
    }
}

fn extension_error(sliced: &LaxSlicedPacket<'_>) -> Option<Refusal> {
    use etherparse::err::Layer;
    let (error, layer) = sliced.stop_err.as_ref()?;
    let in_extensions = matches!(
        layer,
        Layer::IpAuthHeader
            | Layer::Ipv6ExtHeader
            | Layer::Ipv6HopByHopHeader
            | Layer::Ipv6DestOptionsHeader
            | Layer::Ipv6RouteHeader
            | Layer::Ipv6FragHeader
    );
    in_extensions.then(|| Refusal::Malformed(format!("{layer}: {error}")))
}

fn not_ip(sliced: &LaxSlicedPacket<'_>) -> Refusal {
    if let Some((error, layer)) = &sliced.stop_err {
        return Refusal::Malformed(format!("{layer}: {error}"));
    }
    Refusal::Other(link::ether_type(sliced).map_or("not IP", ether_type_name))
}

fn ether_type_name(ether_type: EtherType) -> &'static str {
    match ether_type.0 {
        0x0000..=0x05dc => "IEEE 802.3",
        0x0806 => "ARP",
        0x8100 | 0x88a8 | 0x9100 => "VLAN tags, more than three",
        0x8863 | 0x8864 => "PPPoE",
        0x8847 | 0x8848 => "MPLS",
        0x888e => "EAPOL",
        0x88cc => "LLDP",
        0x88e5 => "MACsec",
        _ => "another EtherType",
    }
}

fn protocol_name(protocol: IpNumber) -> &'static str {
    match protocol {
        IpNumber::ICMP => "ICMP",
        IpNumber::IGMP => "IGMP",
        IpNumber::IPV4 | IpNumber::IPV6 => "IP in IP",
        IpNumber::UDP => "UDP",
        IpNumber::GRE => "GRE",
        IpNumber::ENCAPSULATING_SECURITY_PAYLOAD => "ESP",
        IpNumber::IPV6_ICMP => "ICMPv6",
        IpNumber::SCTP => "SCTP",
        _ => "another IP protocol",
    }
}
