//! A TUN interface: what the kernel sends out of it is read from a descriptor, and what is written there has come in.
//!
//! It belongs to the network in which it was made, whichever network the process goes to afterwards, and ends with its
//! descriptor.

use std::fs::{File, OpenOptions};
use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;

use nix::errno::Errno;

/// The name of the interface, in each network.
pub const NAME: &str = "link";

/// Why there is no interface.
#[derive(Debug, thiserror::Error)]
pub enum TunError {
    /// The device file.
    #[error("/dev/net/tun cannot be opened: {0}")]
    Open(#[source] io::Error),
    /// TUNSETIFF.
    #[error("no TUN interface can be created: {0}")]
    Create(#[source] io::Error),
    /// Its address, or bringing it up.
    #[error("the TUN interface cannot be set up: {0}")]
    SetUp(#[source] io::Error),
}

impl TunError {
    /// What the user can do.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Open(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                "let this user read and write it, or run as root"
            }
            Self::Open(_) => "load the kernel's module (modprobe tun); a container must be given the device",
            Self::Create(_) | Self::SetUp(_) => "run as root",
        }
    }
}

/// Creates the interface in this thread's network, up, with this address and a route to its peer's. A read gives one IP
/// packet without anything before it, whole and with its checksum; without a packet it does not wait.
pub fn create(address: Ipv4Addr, peer: Ipv4Addr) -> Result<File, TunError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(libc::O_NONBLOCK);
    let device = options.open("/dev/net/tun").map_err(TunError::Open)?;
    attach(&device).map_err(TunError::Create)?;
    bring_up(address, peer).map_err(TunError::SetUp)?;
    Ok(device)
}

/// A request about the interface.
#[allow(unsafe_code, reason = "libc's structure has no other beginning")]
fn request() -> libc::ifreq {
    // SAFETY: an ifreq is plain data, for which all zeroes are valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (slot, byte) in request.ifr_name.iter_mut().zip(NAME.bytes()) {
        *slot = libc::c_char::from_ne_bytes([byte]);
    }
    request
}

#[allow(unsafe_code, reason = "neither nix nor std sets up a TUN interface")]
fn attach(device: &File) -> io::Result<()> {
    let mut request = request();
    request.ifr_ifru.ifru_flags = libc::c_short::try_from(libc::IFF_TUN | libc::IFF_NO_PI).unwrap_or_default();
    // SAFETY: the request reads and writes one ifreq, which outlives the call; `device` is open.
    Errno::result(unsafe { libc::ioctl(device.as_raw_fd(), libc::TUNSETIFF, &raw mut request) })?;
    Ok(())
}

/// As `ip address add ADDRESS peer PEER` and `ip link set up` do; the route to the peer comes with them.
#[allow(unsafe_code, reason = "neither nix nor std sets an interface's addresses and flags")]
fn bring_up(address: Ipv4Addr, peer: Ipv4Addr) -> io::Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let mut up = request();
    up.ifr_ifru.ifru_flags = libc::c_short::try_from(libc::IFF_UP).unwrap_or(1);
    let requests = [(libc::SIOCSIFADDR, about(address)), (libc::SIOCSIFDSTADDR, about(peer)), (libc::SIOCSIFFLAGS, up)];
    for (code, mut request) in requests {
        // SAFETY: each of them reads one ifreq, which outlives the call; `socket` is open.
        Errno::result(unsafe { libc::ioctl(socket.as_raw_fd(), code, &raw mut request) })?;
    }
    Ok(())
}

/// A request about an address of the interface.
fn about(address: Ipv4Addr) -> libc::ifreq {
    let mut request = request();
    let sa_family = libc::sa_family_t::try_from(libc::AF_INET).unwrap_or_default();
    let [a, b, c, d] = address.octets().map(|byte| libc::c_char::from_ne_bytes([byte]));
    // As a sockaddr_in has it: two bytes of a port, then the address.
    let sa_data = [0, 0, a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0];
    request.ifr_ifru.ifru_addr = libc::sockaddr { sa_family, sa_data };
    request
}
