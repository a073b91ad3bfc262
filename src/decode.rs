//! Bytes of one packet → what it says of TCP.
//!
//! Link and IP headers are sliced by etherparse, laxly: packets cut by a snapshot length and packets whose IP length the
//! sender's kernel left to the network card (0) are read too. The TCP header and its options are read here, because
//! etherparse refuses a header that was cut and stops at the first option that it does not know. How long a payload was is
//! always taken from the IP header, never from what was captured of it.

mod fragment;
mod fragments;
mod glance;
mod ip;
mod key;
mod link;
mod options;
mod tcp;
mod tunnel;
mod udp;

pub use fragment::{Fragment, Whole, decode_payload};
pub use fragments::Fragments;
pub use glance::{Glance, glance, of_segment};
pub use key::Key;
pub use link::LinkType;
pub use options::options;
pub use udp::udp;

use crate::tcp::segment::Segment;

/// What a packet turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// A TCP segment.
    Tcp(Segment),
    /// Something whole that is not TCP, by its name: `ARP`, `UDP`, `IP fragment`.
    Other(&'static str),
    /// Something that cannot be read as what it claims to be, and why, in lower case.
    Malformed(String),
}

/// Decodes a packet of which `data` was captured and which was `original_len` bytes long on the wire.
///
/// A fragment is [`Decoded::Other`], since without its fellows the length of its segment is not known: see [`fragment()`] and
/// [`decode_payload`].
pub fn decode(link_type: LinkType, data: &[u8], original_len: u32) -> Decoded {
    match ip::packet(link_type, data, original_len).and_then(|packet| tcp::segment(&packet, data)) {
        Ok(segment) => Decoded::Tcp(segment),
        Err(Refusal::Other(name)) => Decoded::Other(name),
        Err(Refusal::Malformed(why)) => Decoded::Malformed(why),
    }
}

/// Where the parts of a segment lie in its frame: offsets in bytes from the frame's first byte, possibly behind what was
/// captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Where the IP header begins; in a tunnel, the innermost.
    pub ip: usize,
    /// Where the TCP header begins.
    pub tcp: usize,
    /// Where the payload begins.
    pub payload: usize,
    /// Where the payload ends by the IP length.
    pub end: usize,
}

/// Where the parts of the segment in a packet lie; `None` where [`decode`] finds no segment.
pub fn layout(link_type: LinkType, data: &[u8], original_len: u32) -> Option<Layout> {
    let packet = ip::packet(link_type, data, original_len).ok()?;
    let segment = tcp::segment(&packet, data).ok()?;
    let payload = packet.end.checked_sub(usize::try_from(segment.payload_len).ok()?)?;
    Some(Layout { ip: packet.header, tcp: packet.start, payload, end: packet.end })
}

/// What an IP header tells of a packet's way and of its sender's counter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hop {
    /// The time to live, or hop limit: how many routers it may still pass.
    pub limit: u8,
    /// The identification of version 4; 0 in version 6, which has none outside fragments.
    pub id: u16,
}

/// What the innermost IP header of a packet tells of its way; `None` where [`decode`] finds no IP packet.
pub fn hop(link_type: LinkType, data: &[u8]) -> Option<Hop> {
    let original_len = u32::try_from(data.len()).ok()?;
    ip::packet(link_type, data, original_len).ok().map(|packet| packet.hop)
}

/// How many bytes of a packet are headers up to the network layer's, and UDP's where that comes next in a whole packet; `None`
/// where there is no IP header. An IP fragment's own payload is data, whatever it begins with.
pub fn beyond_network(link_type: LinkType, data: &[u8]) -> Option<usize> {
    ip::beyond(link_type, data)
}

/// The IP fragment in a packet; `None` where [`decode`] finds something else.
pub fn fragment(link_type: LinkType, data: &[u8]) -> Option<Fragment<'_>> {
    ip::fragment(link_type, data)
}

/// Why there is no segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Something whole that is not TCP, by its name.
    Other(&'static str),
    /// Something that cannot be read as what it claims to be, and why.
    Malformed(String),
}

#[cfg(test)]
mod tests;
