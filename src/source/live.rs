//! Live capture on the loopback or on one end of a link, by a thread of its own.
//!
//! Facts that this rests on (measured on Linux 6.18 with libpcap 1.10): once `open` has returned, no segment is missed;
//! the stamp is taken while the frame is received, before TCP handles it; in immediate mode a read does not return at
//! its time-out, so the thread is stopped by breakloop. A marker datagram that came back proves that every frame which
//! the same CPU had received before is in the capture too, so one is sent on each CPU.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;

use super::tun;
use crate::event::{LinkType, Time};

mod frames;
mod marker;
#[cfg(feature = "capture")]
mod pcap_thread;
mod tap;

pub use frames::{Frames, Taken};
pub use marker::{MarkerError, Markers};
pub use tap::Tap;

/// Why there is no capture.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// This program was built without the feature `capture`.
    #[error("cannot capture: epipe was built without the feature \"capture\"")]
    NotBuilt,
    /// The device could not be opened.
    #[error("cannot open capture device {device:?}: {why}")]
    Open {
        /// Its name.
        device: &'static str,
        /// Why not.
        why: String,
    },
    /// The filter could not be set.
    #[error("cannot set the capture filter {filter:?}: {why}")]
    Filter {
        /// The filter in libpcap's language.
        filter: String,
        /// Why not.
        why: String,
    },
    /// The thread could not be started.
    #[error("cannot start the capture thread: {0}")]
    Thread(#[source] std::io::Error),
}

impl CaptureError {
    /// What the user can do.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NotBuilt => Some("install libpcap's headers and build with default features".to_owned()),
            Self::Open { .. } => {
                Some("run as root, or give the program CAP_NET_RAW: setcap cap_net_raw+ep epipe".to_owned())
            }
            Self::Filter { .. } | Self::Thread(_) => None,
        }
    }
}

/// Where to capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// `lo`, on which every frame passes twice: it goes out, and it comes in.
    Loopback,
    /// The interface of a link, on which every packet passes once.
    Tun,
    /// All interfaces of the host, the loopback among them.
    All,
}

impl Device {
    /// Its name in this thread's network.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loopback => "lo",
            Self::Tun => tun::NAME,
            Self::All => "any",
        }
    }
}

/// When the capture hands over what it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Each frame as it comes.
    AtOnce,
    /// Many together, some ten milliseconds late, so that a thread that waits for them does not wake for each.
    Gathered,
}

/// Which segments to capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Every TCP segment: the loopback is our own.
    AllTcp,
    /// TCP segments from or to one of these ports.
    TcpPorts(Vec<u16>),
}

impl Wanted {
    /// The filter in libpcap's language that also lets markers pass.
    pub fn filter(&self, marker_port: u16) -> String {
        let ports = match self {
            Self::AllTcp => String::new(),
            Self::TcpPorts(ports) => {
                let each: Vec<String> = ports.iter().map(|port| format!("port {port}")).collect();
                if each.is_empty() { String::new() } else { format!(" and ({})", each.join(" or ")) }
            }
        };
        format!("(tcp{ports}) or (udp and dst port {marker_port})")
    }
}

/// What the capture thread tells, in the order of the capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A frame that is not a marker.
    Frame {
        /// When the kernel received it.
        time: Time,
        /// Its length on the wire in bytes.
        original_len: u32,
        /// What was captured of it.
        data: Arc<[u8]>,
    },
    /// A marker came back.
    Marker {
        /// Its number.
        number: u64,
        /// How many frames the capture had lost by then.
        dropped: u64,
    },
    /// The capture ended by an error.
    Failed(String),
}

/// A running capture. Dropping it stops it.
pub struct Capture {
    items: Option<Receiver<Item>>,
    stop: Box<dyn Fn() + Send>,
    thread: Option<JoinHandle<()>>,
    link_type: LinkType,
}

impl Capture {
    /// Opens `device` in this thread's network namespace. When it returns, every later segment will be seen.
    #[cfg(feature = "capture")]
    pub fn open(device: Device, wanted: &Wanted, delivery: Delivery, marker_port: u16) -> Result<Self, CaptureError> {
        pcap_thread::open(device, &wanted.filter(marker_port), delivery, marker_port)
    }

    /// Fails: this program was built without libpcap.
    #[cfg(not(feature = "capture"))]
    pub fn open(
        _device: Device,
        _wanted: &Wanted,
        _delivery: Delivery,
        _marker_port: u16,
    ) -> Result<Self, CaptureError> {
        Err(CaptureError::NotBuilt)
    }

    /// How the first bytes of each frame are to be read.
    pub const fn link_type(&self) -> LinkType {
        self.link_type
    }

    /// What the thread tells. Nobody reading fills a bounded channel, then the kernel's ring, and then frames are lost,
    /// which is counted.
    pub const fn items(&self) -> Option<&Receiver<Item>> {
        self.items.as_ref()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        (self.stop)();
        // A thread that waits for room in the channel must learn that nobody reads any more.
        drop(self.items.take());
        if let Some(thread) = self.thread.take() {
            // It returns no value, and a panic in it was already reported by the panic hook.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_lets_the_wanted_ports_and_markers_pass() {
        assert_eq!(Wanted::AllTcp.filter(9), "(tcp) or (udp and dst port 9)");
        let ports = Wanted::TcpPorts(vec![2222, 4444]);
        assert_eq!(ports.filter(9), "(tcp and (port 2222 or port 4444)) or (udp and dst port 9)");
    }
}
