//! The capture thread, on libpcap.

use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use pcap::{Active, Error, Precision};

use super::{Capture, CaptureError, Delivery, Device, Item, marker};
use crate::decode;
use crate::event::{LinkType, Time};

/// Whole frames: the loopback's MTU is 65,536 bytes.
const SNAPLEN: i32 = 65_535;

/// The kernel's ring in bytes: 32 MB lost nothing at this snapshot length in any stepped run, and opens in 17 ms.
const RING: i32 = 32 * 1024 * 1024;

/// How many frames may wait for the reader before the ring has to hold them.
const CHANNEL: usize = 4096;

/// How long frames are gathered, in milliseconds. Some come as late as five times that.
const GATHERED: i32 = 10;

/// `DLT_RAW` of libpcap.
const RAW: u32 = 12;

/// `PACKET_IGNORE_OUTGOING` (`linux/if_packet.h`, since Linux 4.20), which libc does not name.
const PACKET_IGNORE_OUTGOING: libc::c_int = 23;

pub fn open(device: Device, filter: &str, delivery: Delivery, marker_port: u16) -> Result<Capture, CaptureError> {
    let (mut handle, link_type) = open_handle(device, filter, delivery, RING)?;
    let breakloop = handle.breakloop_handle();
    let (sender, items) = sync_channel(CHANNEL);
    let thread = std::thread::Builder::new()
        .name("capture".to_owned())
        .spawn(move || read(handle, link_type, marker_port, &sender))
        .map_err(CaptureError::Thread)?;
    Ok(Capture { items: Some(items), stop: Box::new(move || breakloop.breakloop()), thread: Some(thread), link_type })
}

/// A capture on `device` of what passes `filter`, with a ring of this many bytes, and its link type.
pub fn open_handle(
    device: Device,
    filter: &str,
    delivery: Delivery,
    ring: i32,
) -> Result<(pcap::Capture<Active>, LinkType), CaptureError> {
    let name = device.name();
    let mut handle =
        activate(name, delivery, ring).map_err(|error| CaptureError::Open { device: name, why: plain(&error) })?;
    if device == Device::Loopback {
        ignore_outgoing(&handle);
    }
    handle
        .filter(filter, true)
        .map_err(|error| CaptureError::Filter { filter: filter.to_owned(), why: plain(&error) })?;
    let link_type = match u32::try_from(handle.get_datalink().0) {
        // In memory raw IP has another number than in files.
        Ok(RAW) => LinkType::RAW,
        number => LinkType(number.unwrap_or(u32::MAX)),
    };
    Ok((handle, link_type))
}

fn activate(device: &str, delivery: Delivery, ring: i32) -> Result<pcap::Capture<Active>, Error> {
    pcap::Capture::from_device(device)?
        .immediate_mode(delivery == Delivery::AtOnce)
        .timeout(if delivery == Delivery::AtOnce { 0 } else { GATHERED })
        .snaplen(SNAPLEN)
        .buffer_size(ring)
        .precision(Precision::Nano)
        .open()
}

/// Loopback frames pass twice. Without the outgoing copies the ring holds twice as much, and the counts of the kernel are
/// counts of frames. A kernel that does not know the option only counts double.
#[allow(unsafe_code, reason = "neither nix nor pcap knows this option")]
fn ignore_outgoing(handle: &pcap::Capture<Active>) {
    let on: libc::c_int = 1;
    let size = libc::socklen_t::try_from(size_of_val(&on)).unwrap_or(4);
    // SAFETY: the descriptor is the open packet socket of `handle`, and the option's value is one int that outlives the
    // call.
    let _ = unsafe {
        libc::setsockopt(handle.as_raw_fd(), libc::SOL_PACKET, PACKET_IGNORE_OUTGOING, (&raw const on).cast(), size)
    };
}

/// An error of libpcap without its `libpcap error: ` in front.
pub fn plain(error: &Error) -> String {
    match error {
        Error::PcapError(text) => text.clone(),
        other => other.to_string(),
    }
}

fn read(mut handle: pcap::Capture<Active>, link_type: LinkType, marker_port: u16, items: &SyncSender<Item>) {
    loop {
        let item = match next(&mut handle, link_type, marker_port) {
            Ok(item) => item,
            Err(Error::TimeoutExpired) => continue,
            // What a break of the loop gives on a live handle.
            Err(Error::NoMorePackets) => return,
            Err(error) => Item::Failed(plain(&error)),
        };
        let failed = matches!(item, Item::Failed(_));
        if items.send(item).is_err() || failed {
            return;
        }
    }
}

fn next(handle: &mut pcap::Capture<Active>, link_type: LinkType, marker_port: u16) -> Result<Item, Error> {
    let packet = handle.next_packet()?;
    let marker = decode::udp(link_type, packet.data)
        .filter(|(port, _)| *port == marker_port)
        .and_then(|(_, payload)| marker::number(payload));
    if let Some(number) = marker {
        let dropped = u64::from(handle.stats()?.dropped);
        return Ok(Item::Marker { number, dropped });
    }
    // With Precision::Nano the field called microseconds holds nanoseconds.
    let stamp = packet.header.ts;
    let time = Time(stamp.tv_sec * 1_000_000_000 + stamp.tv_usec);
    Ok(Item::Frame { time, original_len: packet.header.len, data: Arc::from(packet.data) })
}
