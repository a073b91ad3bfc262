//! A capture that is read in place, without a thread: for a process that makes the segments itself, on one CPU, so that what
//! its call caused is in the capture once the call has returned.

use super::CaptureError;
#[cfg(feature = "capture")]
use super::{Delivery, Device};
use crate::decode::LinkType;

/// An open capture of every TCP segment on `lo`.
pub struct Tap {
    #[cfg(feature = "capture")]
    handle: pcap::Capture<pcap::Active>,
    link_type: LinkType,
}

/// The ring in bytes: some hundred frames of this snapshot length.
#[cfg(feature = "capture")]
const RING: i32 = 8 * 1024 * 1024;

impl Tap {
    /// Opens `lo` in this thread's network namespace.
    #[cfg(feature = "capture")]
    pub fn open() -> Result<Self, CaptureError> {
        use super::pcap_thread::open_handle;
        let (handle, link_type) = open_handle(Device::Loopback, "tcp", Delivery::AtOnce, RING)?;
        let handle = handle.setnonblock().map_err(|error| failed(&error))?;
        Ok(Self { handle, link_type })
    }

    /// Fails: this program was built without libpcap.
    #[cfg(not(feature = "capture"))]
    pub fn open() -> Result<Self, CaptureError> {
        Err(CaptureError::NotBuilt)
    }

    /// How the first bytes of each frame are to be read.
    pub const fn link_type(&self) -> LinkType {
        self.link_type
    }

    /// The next frame, and its length on the wire in bytes; `None` where there is none yet.
    #[cfg(feature = "capture")]
    pub fn next_frame(&mut self) -> Result<Option<(u32, &[u8])>, CaptureError> {
        match self.handle.next_packet() {
            Ok(packet) => Ok(Some((packet.header.len, packet.data))),
            Err(pcap::Error::TimeoutExpired) => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    /// There is none.
    #[cfg(not(feature = "capture"))]
    pub fn next_frame(&mut self) -> Result<Option<(u32, &[u8])>, CaptureError> {
        Ok(None)
    }
}

#[cfg(feature = "capture")]
fn failed(error: &pcap::Error) -> CaptureError {
    CaptureError::Open { device: Device::Loopback.name(), why: super::pcap_thread::plain(error) }
}
