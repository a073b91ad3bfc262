//! The TCP header (RFC 9293 §3.1).

use std::net::SocketAddr;

use etherparse::IpNumber;

use super::ip::Packet;
use super::options::options;
use super::{Refusal, tunnel};
use crate::tcp::segment::{Flags, Segment};
use crate::tcp::seq::SeqNum;

/// The length in bytes of the header without options.
const FIXED_LEN: usize = 20;

/// Reads the segment that `packet` carries in the frame `data`.
pub fn segment(packet: &Packet, data: &[u8]) -> Result<Segment, Refusal> {
    if packet.protocol != IpNumber::TCP {
        return Err(Refusal::Other(tunnel::udp_name(captured(packet, data))));
    }
    let captured = captured(packet, data);
    let segment_len = packet.end - packet.start;
    if segment_len < FIXED_LEN {
        return Err(Refusal::Malformed(format!("TCP header: the IP length leaves {segment_len} bytes for its 20")));
    }
    let Some(header) = captured.first_chunk::<FIXED_LEN>() else {
        return Err(Refusal::Malformed(format!("TCP header: {} of 20 bytes were captured", captured.len())));
    };
    let header_len = usize::from(header[12] >> 4) * 4;
    if header_len < FIXED_LEN || header_len > segment_len {
        return Err(Refusal::Malformed(format!(
            "TCP header: its length says {header_len} bytes; 20 to {segment_len} fit into the packet"
        )));
    }
    let option_bytes = &captured[FIXED_LEN..header_len.min(captured.len())];
    let (options, ended_early) = options(option_bytes);
    Ok(Segment {
        src: SocketAddr::new(packet.src, u16_at(header, 0)),
        dst: SocketAddr::new(packet.dst, u16_at(header, 2)),
        seq: SeqNum::new(u32_at(header, 4)),
        ack: SeqNum::new(u32_at(header, 8)),
        flags: Flags::from_bits(u16_at(header, 12)),
        window: u16_at(header, 14),
        urgent: u16_at(header, 18),
        options,
        options_cut: ended_early || captured.len() < header_len,
        payload_len: u32::try_from(segment_len - header_len).unwrap_or(u32::MAX),
        payload: captured.get(header_len..).unwrap_or_default().to_vec(),
    })
}

/// What was captured of the IP payload, without the padding that Ethernet adds behind it.
pub fn captured<'a>(packet: &Packet, data: &'a [u8]) -> &'a [u8] {
    data.get(packet.start..packet.end.min(data.len())).unwrap_or_default()
}

fn u16_at(header: &[u8; FIXED_LEN], at: usize) -> u16 {
    u16::from_be_bytes([header[at], header[at + 1]])
}

fn u32_at(header: &[u8; FIXED_LEN], at: usize) -> u32 {
    u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}
