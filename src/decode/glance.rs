//! As much of a packet as a survey of millions needs: who sent what numbers to whom.
//!
//! etherparse decides; the path through plain Ethernet or cooked headers, IP and TCP is written out by hand, because nearly
//! every packet takes it. A property test holds it to the other.

use super::{Hop, Key, LinkType, Refusal, ip, tcp};
use crate::tcp::head::{Head, Sack};
use crate::tcp::segment::{Flags, Segment, TcpOption};
use crate::tcp::seq::SeqNum;

/// A TCP segment at a glance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    /// Between whom.
    pub key: Key,
    /// Whether the key's lower end sent it.
    pub from_low: bool,
    /// Its numbers.
    pub head: Head,
    /// What it acknowledges selectively.
    pub sack: Option<Box<Sack>>,
    /// What the IP header tells of its way; all 0 where several fragments told it.
    pub hop: Hop,
    /// The checksum as it stands in the header; with equal numbers it tells a copy of a packet from a repetition.
    pub checksum: u16,
}

const TCP: u8 = 6;
const TCP_LEN: usize = 20;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// What [`decode`](super::decode) says of a packet, at a glance: `into` holds it, unless it is something else, which is
/// returned. (Handing a value of this size from one to the next costs more than reading it.)
#[inline]
pub fn glance(link_type: LinkType, data: &[u8], original_len: u32, into: &mut Glance) -> Result<(), Refusal> {
    if plain(link_type, data, into).is_some() {
        return Ok(());
    }
    *into = careful(link_type, data, original_len)?;
    Ok(())
}

/// By etherparse.
#[cold]
pub fn careful(link_type: LinkType, data: &[u8], original_len: u32) -> Result<Glance, Refusal> {
    let packet = ip::packet(link_type, data, original_len)?;
    let segment = tcp::segment(&packet, data)?;
    let checksum = data.get(packet.start + 16..).and_then(|rest| u16_at(rest, 0)).unwrap_or(0);
    Ok(Glance { hop: packet.hop, checksum, ..of_segment(&segment) })
}

/// A segment that was put together from fragments.
pub fn of_segment(segment: &Segment) -> Glance {
    let (key, from_low) = Key::of(segment.src, segment.dst);
    Glance { key, from_low, head: segment.head(), sack: segment.sack().map(Box::new), hop: Hop::default(), checksum: 0 }
}

/// By hand, where nothing is odd; `None` where anything is, or where it is no TCP: then `into` holds nothing of use.
#[inline]
pub fn plain(link_type: LinkType, data: &[u8], into: &mut Glance) -> Option<()> {
    // How long its header is, and where in it stands what comes behind.
    let (len, at) = match link_type {
        LinkType::ETHERNET => (14, 12),
        LinkType::LINUX_SLL => (16, 14),
        LinkType::LINUX_SLL2 => (20, 0),
        _ => return None,
    };
    let (link, packet) = data.split_at_checked(len)?;
    match u16_at(link, at)? {
        IPV4 => v4(packet, into),
        IPV6 => v6(packet, into),
        _ => None,
    }
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "measured: a run of millions of packets takes a fiftieth less")]
fn v4(packet: &[u8], into: &mut Glance) -> Option<()> {
    let header = packet.first_chunk::<20>()?;
    let header_len = usize::from(header[0] & 0xf) * 4;
    let total_len = usize::from(u16_at(header, 2)?);
    // Version 4; not one of several fragments, whatever the other bits say.
    let is_whole = u16_at(header, 6)? << 2 == 0;
    if header[0] >> 4 != 4 || header_len < 20 || !is_whole || header[9] != TCP {
        return None;
    }
    into.hop = Hop { limit: header[8], id: u16_at(header, 4)? };
    let (src, dst) = (u32_at(header, 12)?, u32_at(header, 16)?);
    let ports = segment(packet.get(header_len..)?, total_len.checked_sub(header_len)?, into)?;
    (into.key, into.from_low) = Key::v4((src, ports.0), (dst, ports.1));
    Some(())
}

fn v6(packet: &[u8], into: &mut Glance) -> Option<()> {
    let header = packet.first_chunk::<40>()?;
    let segment_len = usize::from(u16_at(header, 4)?);
    if header[0] >> 4 != 6 || header[6] != TCP || segment_len == 0 {
        return None;
    }
    into.hop = Hop { limit: header[7], id: 0 };
    let address = |at: usize| header.get(at..)?.first_chunk().map(|bytes| u128::from_be_bytes(*bytes));
    let (src, dst) = (address(8)?, address(24)?);
    let ports = segment(packet.get(40..)?, segment_len, into)?;
    (into.key, into.from_low) = Key::v6((src, ports.0), (dst, ports.1));
    Some(())
}

/// Reads the TCP header; the ports are returned.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as above")]
fn segment(captured: &[u8], segment_len: usize, into: &mut Glance) -> Option<(u16, u16)> {
    let header = captured.first_chunk::<TCP_LEN>()?;
    let header_len = usize::from(header[12] >> 4) * 4;
    if header_len < TCP_LEN || header_len > segment_len {
        return None;
    }
    into.head.seq = SeqNum::new(u32_at(header, 4)?);
    into.head.ack = SeqNum::new(u32_at(header, 8)?);
    into.head.payload_len = u32::try_from(segment_len - header_len).ok()?;
    into.head.window = u16_at(header, 14)?;
    into.head.flags = Flags::from_bits(u16_at(header, 12)?);
    into.head.scale = None;
    into.head.has_cookie = false;
    into.checksum = u16_at(header, 16)?;
    let list = captured.get(TCP_LEN..header_len)?;
    // Two NOPs and timestamps: what nearly every segment has, and nothing in it matters here.
    let is_timestamps = list.len() == 12 && list.starts_with(&[1, 1, 8, 10]);
    into.sack = if list.is_empty() || is_timestamps { None } else { options(list, &mut into.head) };
    Some((u16_at(header, 0)?, u16_at(header, 2)?))
}

/// What [`Segment::head`](crate::tcp::segment::Segment::head) finds in the options, and the SACK option among them.
fn options(mut list: &[u8], head: &mut Head) -> Option<Box<Sack>> {
    let mut sack = None;
    while let [kind, rest @ ..] = list {
        list = match kind {
            0 => break,
            1 => rest,
            _ => {
                let Some((data, behind)) = super::options::body(rest) else { break };
                match (kind, data) {
                    (3, &[shift]) => head.scale = head.scale.or(Some(shift)),
                    (5, edges) if edges.len() % 8 == 0 => sack = blocks(edges),
                    _ => head.has_cookie |= TcpOption::is_cookie(*kind, data),
                }
                behind
            }
        };
    }
    sack
}

fn blocks(edges: &[u8]) -> Option<Box<Sack>> {
    let number = |edge: &[u8], at| SeqNum::new(u32_at(edge, at).unwrap_or(0));
    let blocks = edges.as_chunks::<8>().0.iter().map(|edge| (number(edge, 0), number(edge, 4)));
    (!edges.is_empty()).then(|| Box::new(blocks.collect()))
}

#[inline]
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.first_chunk().map(|two| u16::from_be_bytes(*two))
}

#[inline]
fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.first_chunk().map(|four| u32::from_be_bytes(*four))
}

#[cfg(test)]
mod tests;
