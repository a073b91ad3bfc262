//! The three kinds of blocks that hold a packet.

use std::ops::Range;

use super::block::Order;
use super::interface::Interface;
use crate::event::{LinkType, Time};

const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// A packet without its number, by its places in its block's body.
pub struct Packet {
    /// The index in its section's interfaces.
    pub interface: u32,
    pub link_type: LinkType,
    pub original_len: u32,
    pub data: Range<usize>,
    pub options: Range<usize>,
    pub time: Option<Time>,
}

/// Whether a block of this type holds a packet.
pub const fn is_packet(kind: u32) -> bool {
    matches!(kind, OBSOLETE_PACKET | SIMPLE_PACKET | ENHANCED_PACKET)
}

/// Reads the packet in the body of a block; says why where that cannot be.
pub fn read(kind: u32, order: Order, body: &[u8], interfaces: &[Interface]) -> Result<Packet, String> {
    let interface_at = |index: u32| {
        let interface = usize::try_from(index).ok().and_then(|index| interfaces.get(index));
        interface.ok_or_else(|| format!("the packet names interface {index}, of which the file tells nothing"))
    };
    if kind == SIMPLE_PACKET {
        return simple(order, body, interface_at(0)?);
    }
    let index = if kind == OBSOLETE_PACKET { u32::from(order.u16_at(body, 0)) } else { order.u32_at(body, 0) };
    let (head, rest) = body.split_first_chunk::<20>().ok_or_else(|| too_short(body))?;
    let captured = order.u32_at(head, 12);
    let len = usize::try_from(captured).unwrap_or(usize::MAX);
    if len > rest.len() {
        return Err(format!("the packet claims {captured} bytes, and its block has {} left", rest.len()));
    }
    let interface = interface_at(index)?;
    let ticks = u64::from(order.u32_at(head, 4)) << 32 | u64::from(order.u32_at(head, 8));
    Ok(Packet {
        interface: index,
        link_type: interface.link_type,
        original_len: order.u32_at(head, 16),
        data: 20..20 + len,
        options: body.len().min(20 + len.next_multiple_of(4))..body.len(),
        time: Some(interface.time(ticks)),
    })
}

/// A simple packet block has neither time nor interface, and its captured length follows from the interface's limit.
fn simple(order: Order, body: &[u8], interface: &Interface) -> Result<Packet, String> {
    let (head, rest) = body.split_at_checked(4).ok_or_else(|| too_short(body))?;
    let original_len = order.u32_at(head, 0);
    let limit = if interface.snaplen == 0 { u32::MAX } else { interface.snaplen };
    let captured = usize::try_from(original_len.min(limit)).unwrap_or(usize::MAX).min(rest.len());
    Ok(Packet {
        interface: 0,
        link_type: interface.link_type,
        original_len,
        data: 4..4 + captured,
        options: 0..0,
        time: None,
    })
}

fn too_short(body: &[u8]) -> String {
    format!("the packet's block has {} bytes, too few for its fields", body.len())
}
