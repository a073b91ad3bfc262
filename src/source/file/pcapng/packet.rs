//! The three kinds of blocks that hold a head.

use super::block::Order;
use super::interface::Interface;
use crate::source::file::seen::Head;

const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// Whether a block of this type holds a head.
pub const fn is_packet(kind: u32) -> bool {
    matches!(kind, OBSOLETE_PACKET | SIMPLE_PACKET | ENHANCED_PACKET)
}

/// Reads the packet in the body of a block into `head`, all but its number, its places counted from the body's beginning and
/// its interface from the section's first; says why where that cannot be.
#[inline]
pub fn read(kind: u32, order: Order, body: &[u8], interfaces: &[Interface], head: &mut Head) -> Result<(), String> {
    if kind == SIMPLE_PACKET {
        return simple(order, body, interface_at(interfaces, 0)?, head);
    }
    let (fields, rest) = body.split_first_chunk::<20>().ok_or_else(|| too_short(body))?;
    let captured = order.u32_at(fields, 12);
    let len = usize::try_from(captured).unwrap_or(usize::MAX);
    if len > rest.len() {
        return Err(format!("the packet claims {captured} bytes, and its block has {} left", rest.len()));
    }
    let index = if kind == OBSOLETE_PACKET { u32::from(order.u16_at(fields, 0)) } else { order.u32_at(fields, 0) };
    let interface = interface_at(interfaces, index)?;
    head.interface = index;
    head.link_type = interface.link_type;
    head.original_len = order.u32_at(fields, 16);
    head.time = Some(interface.time(u64::from(order.u32_at(fields, 4)) << 32 | u64::from(order.u32_at(fields, 8))));
    head.data = 20..20 + len;
    head.options = body.len().min(20 + len.next_multiple_of(4))..body.len();
    Ok(())
}

/// A simple packet block has neither time nor interface, and its captured length follows from the interface's limit.
fn simple(order: Order, body: &[u8], interface: &Interface, head: &mut Head) -> Result<(), String> {
    let (fields, rest) = body.split_at_checked(4).ok_or_else(|| too_short(body))?;
    let original_len = order.u32_at(fields, 0);
    let limit = if interface.snaplen == 0 { u32::MAX } else { interface.snaplen };
    let captured = usize::try_from(original_len.min(limit)).unwrap_or(usize::MAX).min(rest.len());
    head.interface = 0;
    head.link_type = interface.link_type;
    head.original_len = original_len;
    head.time = None;
    head.data = 4..4 + captured;
    head.options = 0..0;
    Ok(())
}

#[inline]
fn interface_at(interfaces: &[Interface], index: u32) -> Result<&Interface, String> {
    let interface = usize::try_from(index).ok().and_then(|index| interfaces.get(index));
    interface.ok_or_else(|| format!("the packet names interface {index}, of which the file tells nothing"))
}

fn too_short(body: &[u8]) -> String {
    format!("the packet's block has {} bytes, too few for its fields", body.len())
}
