//! A connection's addresses and ports, whichever way a packet goes.

use std::hash::{BuildHasher, Hash};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use foldhash::fast::FixedState;

use crate::decode::Glance;

/// The two ends' addresses and ports, the lower first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Key {
    /// The addresses; one of version 4 stands in the low half.
    low: [u64; 2],
    high: [u64; 2],
    ports: (u16, u16),
    v6: bool,
}

impl Key {
    /// The key of a packet, and whether the lower end sent it.
    #[inline]
    pub fn of(glance: &Glance) -> (Self, bool) {
        // By reference: the whole of an address is more than was just written of it, and waits until that is in memory.
        let (src, dst, v6) = match (&glance.src, &glance.dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => ([0, src.to_bits().into()], [0, dst.to_bits().into()], false),
            (src, dst) => (halves(*src), halves(*dst), true),
        };
        let (from, to) = glance.ports;
        if (src, from) <= (dst, to) {
            (Self { low: src, high: dst, ports: (from, to), v6 }, true)
        } else {
            (Self { low: dst, high: src, ports: (to, from), v6 }, false)
        }
    }

    /// The lower and the higher end.
    pub fn ends(&self) -> (SocketAddr, SocketAddr) {
        (self.address(self.low, self.ports.0), self.address(self.high, self.ports.1))
    }

    /// Whether source and destination are the same.
    pub fn is_with_itself(&self) -> bool {
        self.low == self.high && self.ports.0 == self.ports.1
    }

    fn address(&self, halves: [u64; 2], port: u16) -> SocketAddr {
        let [high, low] = halves;
        if self.v6 {
            (Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low)), port).into()
        } else {
            (Ipv4Addr::from_bits(u32::try_from(low).unwrap_or(0)), port).into()
        }
    }
}

fn halves(address: IpAddr) -> [u64; 2] {
    let bits = match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    };
    let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0);
    [half(bits >> 64), half(bits)]
}

impl Hash for Key {
    #[inline]
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        let end = |halves: [u64; 2], port: u16| halves[1] ^ u64::from(port) << 40;
        if self.v6 {
            state.write_u64(self.low[0]);
            state.write_u64(self.high[0]);
        }
        state.write_u64(end(self.low, self.ports.0));
        state.write_u64(end(self.high, self.ports.1));
    }
}

/// How keys are hashed: alike in all surveys that share a capture, and not in a way that a capture's author can foresee.
#[derive(Clone, Debug)]
pub struct Hasher(FixedState);

impl Hasher {
    /// Hashes by `seed`.
    pub fn new(seed: u64) -> Self {
        Self(FixedState::with_seed(seed))
    }

    /// The hash of `key`.
    #[inline]
    pub fn hash(&self, key: &Key) -> u64 {
        self.0.hash_one(key)
    }
}
