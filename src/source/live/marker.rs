//! Marker datagrams: when one has come back through the capture, so has all that was received before it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// What a marker's payload begins with.
const MAGIC: &[u8; 8] = b"epipe/mk";

/// Why markers could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum MarkerError {
    /// The socket could not be had.
    #[error("cannot open the marker socket: {0}")]
    Socket(#[source] io::Error),
    /// A datagram could not be sent.
    #[error("cannot send a marker: {0}")]
    Send(#[source] io::Error),
    /// The CPUs could not be chosen.
    #[error("cannot choose the CPU to send a marker on: {0}")]
    Affinity(#[source] Errno),
}

/// Sends markers to an address. They are never numbered as frames and never saved.
pub struct Markers {
    socket: UdpSocket,
    address: SocketAddr,
    last: u64,
}

impl Markers {
    /// Takes a free UDP port in this thread's network, and sends to the same port of `destination`: on the loopback to itself.
    pub fn open(destination: Ipv4Addr) -> Result<Self, MarkerError> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).map_err(MarkerError::Socket)?;
        let port = socket.local_addr().map_err(MarkerError::Socket)?.port();
        let address = SocketAddr::from((destination, port));
        socket.set_nonblocking(true).map_err(MarkerError::Socket)?;
        Ok(Self { socket, address, last: 0 })
    }

    /// The port that the capture must let pass.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Sends one marker on each CPU that this thread may run on, and returns their numbers.
    pub fn send(&mut self) -> Result<Vec<u64>, MarkerError> {
        let this_thread = Pid::from_raw(0);
        let allowed = sched_getaffinity(this_thread).map_err(MarkerError::Affinity)?;
        let mut numbers = Vec::new();
        for cpu in (0..CpuSet::count()).filter(|cpu| allowed.is_set(*cpu).unwrap_or(false)) {
            let mut only = CpuSet::new();
            only.set(cpu).map_err(MarkerError::Affinity)?;
            sched_setaffinity(this_thread, &only).map_err(MarkerError::Affinity)?;
            numbers.push(self.send_here()?);
        }
        sched_setaffinity(this_thread, &allowed).map_err(MarkerError::Affinity)?;
        self.drain();
        Ok(numbers)
    }

    fn send_here(&mut self) -> Result<u64, MarkerError> {
        self.last += 1;
        let mut payload = [0; 16];
        let (magic, number) = payload.split_at_mut(MAGIC.len());
        magic.copy_from_slice(MAGIC);
        number.copy_from_slice(&self.last.to_be_bytes());
        self.socket.send_to(&payload, self.address).map_err(MarkerError::Send)?;
        Ok(self.last)
    }

    /// Empties the socket's queue: what counts is that the capture saw the datagrams.
    fn drain(&self) {
        while self.socket.recv(&mut [0; 16]).is_ok() {}
    }
}

/// The number of the marker whose UDP payload this is.
#[cfg_attr(not(feature = "capture"), expect(dead_code, reason = "only a capture sees markers"))]
pub fn number(payload: &[u8]) -> Option<u64> {
    let number = payload.strip_prefix(MAGIC)?;
    Some(u64::from_be_bytes(number.get(..8)?.try_into().ok()?))
}
