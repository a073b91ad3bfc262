//! What stands in a traced process's memory (`process_vm_readv(2)`). An address is what a program passed to the kernel, and may
//! be any: what cannot be read is not there.

use std::io::IoSliceMut;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;

/// The most pieces of a writev(2) or a message whose bytes are looked at.
const PIECES: usize = 16;

/// Up to `len` bytes at `address`, fewer where the memory ends.
pub fn bytes(thread: Pid, address: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    let Ok(base) = usize::try_from(address) else { return Vec::new() };
    if base == 0 || len == 0 {
        return Vec::new();
    }
    let read = process_vm_readv(thread, &mut [IoSliceMut::new(&mut bytes)], &[RemoteIoVec { base, len }]);
    bytes.truncate(read.unwrap_or(0));
    bytes
}

/// `COUNT` bytes at `address`, all of them.
fn exactly<const COUNT: usize>(thread: Pid, address: u64) -> Option<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    let base = usize::try_from(address).ok().filter(|base| *base != 0)?;
    let read = process_vm_readv(thread, &mut [IoSliceMut::new(&mut bytes)], &[RemoteIoVec { base, len: COUNT }]);
    (read == Ok(COUNT)).then_some(bytes)
}

/// The int at `address`.
pub fn int(thread: Pid, address: u64) -> Option<i32> {
    exactly(thread, address).map(i32::from_ne_bytes)
}

/// The word of 8 bytes at `address`.
pub fn word(thread: Pid, address: u64) -> Option<u64> {
    exactly(thread, address).map(u64::from_ne_bytes)
}

/// One piece of data that a call hands over or takes, as `struct iovec` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where it is.
    pub base: u64,
    /// Its length in bytes.
    pub len: u64,
}

/// The pieces of a `struct iovec` array, up to the 1024 that the kernel takes (`UIO_MAXIOV`).
pub fn pieces(thread: Pid, address: u64, count: u64) -> Vec<Piece> {
    let count = usize::try_from(count).unwrap_or(0).min(1024);
    let raw = bytes(thread, address, count * size_of::<[u64; 2]>());
    let word = |at: &[u8]| at.try_into().map_or(0, u64::from_ne_bytes);
    raw.chunks_exact(16).map(|piece| Piece { base: word(&piece[..8]), len: word(&piece[8..]) }).collect()
}

/// The first `wanted` bytes of `pieces` together.
pub fn gathered(thread: Pid, pieces: &[Piece], wanted: usize) -> Vec<u8> {
    let mut all = Vec::new();
    for piece in pieces.iter().take(PIECES) {
        let more = wanted.saturating_sub(all.len()).min(usize::try_from(piece.len).unwrap_or(usize::MAX));
        if more == 0 {
            continue;
        }
        all.extend(bytes(thread, piece.base, more));
    }
    all
}

/// The socket address of `len` bytes at `address`, if it is one of IP.
pub fn socket_address(thread: Pid, address: u64, len: u64) -> Option<SocketAddr> {
    let len = usize::try_from(len).unwrap_or(0).min(size_of::<libc::sockaddr_in6>());
    parse_address(&bytes(thread, address, len))
}

/// A `sockaddr_in` or a `sockaddr_in6`, in bytes.
pub fn parse_address(raw: &[u8]) -> Option<SocketAddr> {
    let family = i32::from(u16::from_ne_bytes(raw.get(..2)?.try_into().ok()?));
    let port = u16::from_be_bytes(raw.get(2..4)?.try_into().ok()?);
    let ip: IpAddr = match family {
        libc::AF_INET => Ipv4Addr::from(<[u8; 4]>::try_from(raw.get(4..8)?).ok()?).into(),
        libc::AF_INET6 => plain(Ipv6Addr::from(<[u8; 16]>::try_from(raw.get(8..24)?).ok()?)),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// A socket of IPv6 that speaks IPv4 sends segments of IPv4.
fn plain(ip: Ipv6Addr) -> IpAddr {
    ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4)
}

/// The address family of the socket address at `address`.
pub fn family(thread: Pid, address: u64) -> Option<i32> {
    exactly::<2>(thread, address).map(|raw| i32::from(u16::from_ne_bytes(raw)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_from_their_bytes() {
        let four = [2, 0, 0, 80, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(parse_address(&four), Some("127.0.0.1:80".parse().unwrap()));
        let mut six = [0; 28];
        (six[0], six[3], six[23]) = (10, 80, 1);
        assert_eq!(parse_address(&six), Some("[::1]:80".parse().unwrap()));
        (six[18], six[19], six[20]) = (0xff, 0xff, 127);
        assert_eq!(parse_address(&six), Some("127.0.0.1:80".parse().unwrap()));
        assert_eq!(parse_address(&four[..7]), None);
        assert_eq!(parse_address(&[1, 0, 0, 80]), None);
    }

    #[test]
    fn ones_own_memory_can_be_read_and_what_is_not_there_is_not() {
        let (own, text) = (nix::unistd::getpid(), *b"hello");
        let address = text.as_ptr().addr() as u64;
        assert_eq!(bytes(own, address, 5), text);
        assert_eq!(bytes(own, 8, 5), [0; 0]);
        assert_eq!(int(own, 0), None);
    }
}
