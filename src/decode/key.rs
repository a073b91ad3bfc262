//! A connection's addresses and ports, whichever way a packet goes.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The two ends' addresses and ports, the lower first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Over IPv4: the addresses and the ports as numbers.
    V4([(u32, u16); 2]),
    /// Over IPv6: each address in two halves, the higher first, so that a key takes no more room than it has to.
    V6([[u64; 2]; 2], [u16; 2]),
}

impl Default for Key {
    /// Of nobody yet.
    fn default() -> Self {
        Self::V4([(0, 0); 2])
    }
}

impl Key {
    /// The key of a packet over IPv4, and whether the lower end sent it.
    #[inline]
    pub fn v4(from: (u32, u16), to: (u32, u16)) -> (Self, bool) {
        let from_low = from <= to;
        (Self::V4(if from_low { [from, to] } else { [to, from] }), from_low)
    }

    /// The same over IPv6.
    #[inline]
    pub fn v6(from: (u128, u16), to: (u128, u16)) -> (Self, bool) {
        let from_low = from <= to;
        let (low, high) = if from_low { (from, to) } else { (to, from) };
        (Self::V6([halves(low.0), halves(high.0)], [low.1, high.1]), from_low)
    }

    /// The same of the sender's and the receiver's address and port.
    pub fn of(src: SocketAddr, dst: SocketAddr) -> (Self, bool) {
        match (src.ip(), dst.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => Self::v4((from.to_bits(), src.port()), (to.to_bits(), dst.port())),
            (from, to) => Self::v6((mapped(from).to_bits(), src.port()), (mapped(to).to_bits(), dst.port())),
        }
    }

    /// The lower and the higher end.
    pub fn ends(&self) -> (SocketAddr, SocketAddr) {
        match *self {
            Self::V4([low, high]) => {
                let end = |(address, port)| (Ipv4Addr::from_bits(address), port).into();
                (end(low), end(high))
            }
            Self::V6([low, high], ports) => {
                let end = |[high, low]: [u64; 2], port| {
                    (Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low)), port).into()
                };
                (end(low, ports[0]), end(high, ports[1]))
            }
        }
    }

    /// Whether source and destination are the same.
    pub fn is_with_itself(&self) -> bool {
        match self {
            Self::V4([low, high]) => low == high,
            Self::V6([low, high], ports) => low == high && ports[0] == ports[1],
        }
    }
}

impl Hash for Key {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let end = |address: u64, port: u16| address ^ u64::from(port) << 40;
        match *self {
            Self::V4([low, high]) => {
                state.write_u64(end(low.0.into(), low.1));
                state.write_u64(end(high.0.into(), high.1));
            }
            Self::V6([low, high], ports) => {
                state.write_u64(low[0]);
                state.write_u64(high[0]);
                state.write_u64(end(low[1], ports[0]));
                state.write_u64(end(high[1], ports[1]));
            }
        }
    }
}

fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}

#[allow(clippy::cast_possible_truncation, reason = "both halves are taken")]
const fn halves(bits: u128) -> [u64; 2] {
    [(bits >> 64) as u64, bits as u64]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Key;

    proptest! {
        #[test]
        fn both_ways_are_one_key_and_its_ends_are_the_packets(
            v4: bool,
            src: (u128, u16),
            dst: (u128, u16),
        ) {
            let address = |(bits, port): (u128, u16)| -> std::net::SocketAddr {
                if v4 {
                    (std::net::Ipv4Addr::from_bits(u32::try_from(bits >> 96).unwrap()), port).into()
                } else {
                    (std::net::Ipv6Addr::from_bits(bits), port).into()
                }
            };
            let (src, dst) = (address(src), address(dst));
            let ((there, from_low), (back, _)) = (Key::of(src, dst), Key::of(dst, src));
            prop_assert_eq!(there, back);
            prop_assert_eq!(there.ends(), if from_low { (src, dst) } else { (dst, src) });
            prop_assert_eq!(there.is_with_itself(), src == dst);
        }
    }
}
