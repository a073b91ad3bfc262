//! Captures made in memory: TCP segments between hosts that do not exist, as pcap files.
#![allow(dead_code, reason = "each test file uses its part")]

use std::fmt;
use std::net::SocketAddrV4;
use std::time::Duration;

use epipe::decode::{Decoded, LinkType, decode};
use etherparse::{IpHeaders, IpNumber, Ipv4Extensions, Ipv4Header, PacketBuilder, TcpHeader};

/// A millisecond and a second in nanoseconds.
pub const MS: i64 = 1_000_000;
pub const S: i64 = 1_000 * MS;

/// When captures begin, in nanoseconds since 1970.
pub const START: i64 = 1_795_307_257 * S;

pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const PSH: u8 = 0x08;
pub const ACK: u8 = 0x10;

/// One segment and the IP header before it.
#[derive(Clone, Debug)]
pub struct Tcp {
    pub from: SocketAddrV4,
    pub to: SocketAddrV4,
    pub seq: u32,
    pub ack: u32,
    pub flags: u8,
    pub len: u16,
    pub window: u16,
    /// The IP header's time to live and identification.
    pub hops: u8,
    pub id: u16,
}

impl Tcp {
    /// The packet from its IP header on.
    pub fn bytes(&self) -> Vec<u8> {
        let (from, to) = (self.from.ip().octets(), self.to.ip().octets());
        let mut ip = Ipv4Header::new(0, self.hops, IpNumber::TCP, from, to).unwrap();
        ip.identification = self.id;
        let mut tcp = TcpHeader::new(self.from.port(), self.to.port(), self.seq, self.window);
        tcp.acknowledgment_number = self.ack;
        [tcp.fin, tcp.syn, tcp.rst, tcp.psh, tcp.ack] = [FIN, SYN, RST, PSH, ACK].map(|flag| self.flags & flag != 0);
        let mut bytes = Vec::new();
        let builder = PacketBuilder::ip(IpHeaders::Ipv4(ip, Ipv4Extensions::default())).tcp_header(tcp);
        builder.write(&mut bytes, &vec![b'x'; self.len.into()]).unwrap();
        bytes
    }
}

/// What stands before the IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Ethernet,
    /// What `tcpdump -i any` writes, of the interface with this number.
    Sll2(u32),
}

impl Link {
    const fn number(self) -> u32 {
        match self {
            Self::Ethernet => 1,
            Self::Sll2(_) => 276,
        }
    }

    fn header(self) -> Vec<u8> {
        match self {
            Self::Ethernet => [&[0; 12][..], &[0x08, 0x00]].concat(),
            Self::Sll2(interface) => {
                [&[0x08, 0x00, 0, 0][..], &interface.to_be_bytes(), &[0, 1, 0, 6], &[0; 8]].concat()
            }
        }
    }
}

/// A capture: packets with their times and their lengths on the wire.
#[derive(Clone)]
pub struct Capture {
    link: Link,
    packets: Vec<(i64, Vec<u8>, u32)>,
}

impl Capture {
    /// A capture without packets.
    pub fn new(link: Link) -> Self {
        Self { link, packets: Vec::new() }
    }

    /// Adds a segment, captured at `time`.
    pub fn add(&mut self, time: i64, tcp: &Tcp) {
        self.add_bytes(time, self.link, &tcp.bytes());
    }

    /// Adds an IP packet, captured at `time` behind the header of `link`.
    pub fn add_bytes(&mut self, time: i64, link: Link, packet: &[u8]) {
        let bytes = [&link.header(), packet].concat();
        let original_len = u32::try_from(bytes.len()).unwrap();
        self.packets.push((time, bytes, original_len));
    }

    /// Lets `edit` change the packets: time, bytes and length on the wire.
    pub fn edit(&mut self, mut edit: impl FnMut(&mut (i64, Vec<u8>, u32))) {
        self.packets.iter_mut().for_each(&mut edit);
    }

    /// Keeps the packets that `keep` wants.
    pub fn keep(&mut self, mut keep: impl FnMut(&[u8]) -> bool) {
        self.packets.retain(|(_, bytes, _)| keep(bytes));
    }

    /// Keeps the first packets, as many as `count`.
    pub fn keep_first(&mut self, count: usize) {
        self.packets.sort_by_key(|(time, ..)| *time);
        self.packets.truncate(count);
    }

    /// How many packets there are.
    pub fn len(&self) -> usize {
        self.packets.len()
    }

    /// The pcap file with nanoseconds, packets in the order of their times.
    pub fn file(&self) -> Vec<u8> {
        let mut packets: Vec<_> = self.packets.iter().collect();
        packets.sort_by_key(|(time, ..)| *time);
        let mut file = Vec::new();
        for number in [0xa1b2_3c4d, 0x0004_0002, 0, 0, 262_144, self.link.number()] {
            file.extend(u32::to_le_bytes(number));
        }
        for (time, bytes, original_len) in packets {
            let len = u32::try_from(bytes.len()).unwrap();
            let (seconds, nanos) = (u32::try_from(time / S).unwrap(), u32::try_from(time % S).unwrap());
            for number in [seconds, nanos, len, *original_len] {
                file.extend(number.to_le_bytes());
            }
            file.extend(bytes);
        }
        file
    }
}

impl fmt::Debug for Capture {
    /// A line a segment.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (time, bytes, original_len) in &self.packets {
            match decode(LinkType(self.link.number()), bytes, *original_len) {
                Decoded::Tcp(segment) => {
                    let (seq, ack, flags) = (segment.seq.get(), segment.ack.get(), segment.flags);
                    let (src, dst, len) = (segment.src, segment.dst, segment.payload_len);
                    write!(f, "\n{:.9} {src} > {dst} {flags} {seq}({len}) ack {ack}", seconds(*time))?;
                }
                other => write!(f, "\n{:.9} {other:?}", seconds(*time))?,
            }
        }
        Ok(())
    }
}

/// Seconds since [`START`].
fn seconds(time: i64) -> f64 {
    Duration::from_nanos(u64::try_from(time - START).unwrap()).as_secs_f64()
}

/// Which end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Client,
    Server,
}
use Who::{Client, Server};

/// A connection that is being written into a capture, with right numbers.
pub struct Talk<'a> {
    capture: &'a mut Capture,
    /// Its ends, client and server.
    pub ends: [SocketAddrV4; 2],
    /// The next numbers of both.
    pub next: [u32; 2],
    /// When the next segment goes.
    pub now: i64,
    /// The hop limits of both ends' packets.
    pub hops: [u8; 2],
    id: u16,
}

impl<'a> Talk<'a> {
    /// A connection between `client` and `server` whose first segment goes at `start`.
    pub fn new(capture: &'a mut Capture, client: SocketAddrV4, server: SocketAddrV4, start: i64) -> Self {
        let isn = u32::from(client.port()).wrapping_mul(0x9e37_79b9) ^ client.ip().to_bits();
        let next = [isn, isn.wrapping_mul(3) ^ server.ip().to_bits()];
        Self { capture, ends: [client, server], next, now: start, hops: [64, 57], id: client.port() }
    }

    /// The next segment of `from`, which acknowledges all that its peer has sent if `flags` have ACK.
    pub fn tcp(&mut self, from: Who, flags: u8, len: u16) -> Tcp {
        let (own, peer) = if from == Client { (0, 1) } else { (1, 0) };
        self.id = self.id.wrapping_add(1);
        Tcp {
            from: self.ends[own],
            to: self.ends[peer],
            seq: self.next[own],
            ack: if flags & ACK == 0 { 0 } else { self.next[peer] },
            flags,
            len,
            window: if flags & RST == 0 { 502 } else { 0 },
            hops: self.hops[own],
            id: self.id,
        }
    }

    /// Sends a segment, 200 µs after the one before.
    pub fn send(&mut self, from: Who, flags: u8, len: u16) -> &mut Self {
        let tcp = self.tcp(from, flags, len);
        self.put(&tcp);
        let takes = u32::from(len) + u32::from(flags & (SYN | FIN) != 0);
        let own = usize::from(from == Server);
        self.next[own] = self.next[own].wrapping_add(takes);
        self
    }

    /// Puts `tcp` on the wire, without counting it.
    pub fn put(&mut self, tcp: &Tcp) -> &mut Self {
        self.now += MS / 5;
        self.capture.add(self.now, tcp);
        self
    }

    /// Lets time pass.
    pub fn wait(&mut self, nanos: i64) -> &mut Self {
        self.now += nanos;
        self
    }

    /// The three segments of the beginning.
    pub fn open(&mut self) -> &mut Self {
        self.send(Client, SYN, 0).send(Server, SYN | ACK, 0).send(Client, ACK, 0)
    }

    /// A request of 120 bytes and an answer of 900, both acknowledged.
    pub fn exchange(&mut self) -> &mut Self {
        self.send(Client, PSH | ACK, 120).send(Server, ACK, 0).send(Server, PSH | ACK, 900).send(Client, ACK, 0)
    }

    /// Both ends close in order, `first` first.
    pub fn close(&mut self, first: Who) -> &mut Self {
        let second = if first == Client { Server } else { Client };
        self.send(first, FIN | ACK, 0).send(second, FIN | ACK, 0).send(first, ACK, 0)
    }
}
