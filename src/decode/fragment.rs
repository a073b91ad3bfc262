//! Fragments of IP packets (RFC 791 §3.2, RFC 8200 §4.5).

use std::net::IpAddr;

use etherparse::{Ipv6ExtensionSlice, LaxIpv4Slice, LaxIpv6Slice};

use super::{Decoded, LinkType, decode};

/// What fragments of one packet have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Whole {
    /// Who sent the packet.
    pub src: IpAddr,
    /// Whom it is for.
    pub dst: IpAddr,
    /// Its number, of 16 bits in version 4 and of 32 in version 6.
    pub identification: u32,
    /// The number of the protocol that it carries. Version 4 alone tells packets apart by it.
    pub protocol: u8,
}

/// One fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// The packet that it is of.
    pub whole: Whole,
    /// Where in the packet's payload it stands, in bytes.
    pub offset: usize,
    /// Whether others come behind it.
    pub more: bool,
    /// What was captured of it.
    pub payload: &'a [u8],
    /// How long it was on the wire, in bytes.
    pub len: usize,
}

impl<'a> Fragment<'a> {
    pub(super) fn v4(ip: &LaxIpv4Slice<'a>) -> Self {
        let (header, payload) = (ip.header(), ip.payload());
        let identification = u32::from(header.identification());
        let (src, dst) = (header.source_addr().into(), header.destination_addr().into());
        Self {
            whole: Whole { src, dst, identification, protocol: header.protocol().0 },
            offset: usize::from(header.fragments_offset().value()) * 8,
            more: header.more_fragments(),
            payload: payload.payload,
            len: usize::from(header.total_len()).saturating_sub(header.slice().len()),
        }
    }

    /// `None` where another header follows the fragment's own, which nobody sends.
    pub(super) fn v6(ip: &LaxIpv6Slice<'a>) -> Option<Self> {
        let (header, payload) = (ip.header(), ip.payload());
        let fragment = ip.extensions().clone().into_iter().find_map(|extension| match extension {
            Ipv6ExtensionSlice::Fragment(fragment) => Some(fragment.to_header()),
            _ => None,
        })?;
        let (src, dst) = (header.source_addr().into(), header.destination_addr().into());
        let extensions = payload.payload.as_ptr().addr().saturating_sub(header.slice().as_ptr().addr() + 40);
        (payload.ip_number == fragment.next_header).then(|| Self {
            whole: Whole { src, dst, identification: fragment.identification, protocol: fragment.next_header.0 },
            offset: usize::from(fragment.fragment_offset.value()) * 8,
            more: fragment.more_fragments,
            payload: payload.payload,
            len: usize::from(header.payload_length()).saturating_sub(extensions),
        })
    }
}

/// Decodes the payload of a packet that was put together; `None` where it is longer than a packet can be.
pub fn decode_payload(whole: &Whole, payload: &[u8]) -> Option<Decoded> {
    let mut packet = Vec::with_capacity(payload.len() + 40);
    match (whole.src, whole.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let [high, low] = u16::try_from(payload.len() + 20).ok()?.to_be_bytes();
            packet.extend([0x45, 0, high, low, 0, 0, 0, 0, 64, whole.protocol, 0, 0]);
            packet.extend(src.octets().into_iter().chain(dst.octets()));
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let [high, low] = u16::try_from(payload.len()).ok()?.to_be_bytes();
            packet.extend([0x60, 0, 0, 0, high, low, whole.protocol, 64]);
            packet.extend(src.octets().into_iter().chain(dst.octets()));
        }
        _ => return None,
    }
    packet.extend(payload);
    let len = u32::try_from(packet.len()).ok()?;
    Some(decode(LinkType::RAW, &packet, len))
}
