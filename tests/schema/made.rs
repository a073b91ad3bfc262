//! A capture in which everything happens that explain has a field for. It is put together by hand, as `-i any` would have
//! written it: a pcapng of the link type `LINUX_SLL`.

use etherparse::{PacketBuilder, TcpHeader};

const SECOND: u64 = 1_000_000_000;
const MILLI: u64 = 1_000_000;
/// What of a connection is remembered is given back when, after its end, so many others of two packets have come.
const MANY: u16 = 8_300;

/// The capture so far.
pub struct Made {
    file: Vec<u8>,
    now: u64,
}

/// One end of a connection: address's last byte, port, next number.
#[derive(Clone, Copy)]
struct End(u8, u16, u32);

impl Made {
    /// The whole of it.
    pub fn everything() -> Vec<u8> {
        let mut made = Self { file: Vec::new(), now: 1_795_307_257 * SECOND };
        made.block(
            0x0a0d_0d0a,
            &[&0x1a2b_3c4d_u32.to_le_bytes()[..], &1_u32.to_le_bytes(), &u64::MAX.to_le_bytes()].concat(),
        );
        // Times in nanoseconds.
        made.block(1, &[113, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
        (0..5).for_each(|port| made.broken_pipe(10_000 + port));
        (0..5).for_each(|port| made.idle_limit(10_010 + port));
        (0..MANY).for_each(|port| made.refused(20_000 + port));
        made.tcp(End(1, 10_000, 10_004), End(2, 80, 2_002), "A", b"");
        made.captured_twice();
        made.udp();
        made.now -= SECOND;
        made.udp();
        // Interface statistics: 3 packets dropped; and a packet of which the end is missing.
        made.block(5, &[&[0; 12][..], &[5, 0, 8, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]].concat());
        made.udp();
        made.file.truncate(made.file.len() - 9);
        made.file
    }

    /// The server ends, the client sends a byte again and, a minute later, two that find nobody.
    fn broken_pipe(&mut self, port: u16) {
        let (mut client, mut server) = (End(1, port, u32::from(port)), End(2, 80, 2_000));
        self.open(&mut client, &mut server);
        self.tcp(client, server, "PA", b"x");
        // Later than a second interface would show it.
        self.now += 300 * MILLI;
        self.tcp(client, server, "PA", b"x");
        client.2 += 1;
        self.tcp(server, client, "FA", b"");
        server.2 += 1;
        self.tcp(client, server, "A", b"");
        self.now += 60 * SECOND;
        self.tcp(client, server, "PA", b"hi");
        self.tcp(server, client, "R", b"");
    }

    /// The server resets a connection that was idle for a minute.
    fn idle_limit(&mut self, port: u16) {
        let (mut client, mut server) = (End(1, port, u32::from(port)), End(2, 81, 2_000));
        self.open(&mut client, &mut server);
        self.tcp(client, server, "PA", b"hello");
        client.2 += 5;
        self.tcp(server, client, "A", b"");
        self.now += 60 * SECOND;
        self.tcp(server, client, "RA", b"");
    }

    fn refused(&mut self, port: u16) {
        self.tcp(End(1, port, 100), End(2, 82, 0), "S", b"");
        self.tcp(End(2, 82, 0), End(1, port, 101), "RA", b"");
    }

    /// A connection of which each packet is seen at two interfaces, and before and behind an address translation.
    fn captured_twice(&mut self) {
        for flags in ["S", "SA"] {
            for addresses in [(1, 2), (3, 2)] {
                let (client, server) = (End(addresses.0, 30_000, 100), End(addresses.1, 80, 2_000));
                for _ in 0..2 {
                    match flags {
                        "S" => self.tcp(client, End(server.0, server.1, 0), flags, b""),
                        _ => self.tcp(server, End(client.0, client.1, 101), flags, b""),
                    }
                }
            }
        }
    }

    fn open(&mut self, client: &mut End, server: &mut End) {
        self.tcp(*client, End(server.0, server.1, 0), "S", b"");
        client.2 += 1;
        self.tcp(*server, *client, "SA", b"");
        server.2 += 1;
        self.tcp(*client, *server, "A", b"");
    }

    fn tcp(&mut self, from: End, to: End, flags: &str, payload: &[u8]) {
        let mut header = TcpHeader::new(from.1, to.1, from.2, 1_025);
        for flag in flags.chars() {
            match flag {
                'S' => header.syn = true,
                'F' => header.fin = true,
                'R' => header.rst = true,
                'P' => header.psh = true,
                _ => (header.ack, header.acknowledgment_number) = (true, to.2),
            }
        }
        let ip = PacketBuilder::ipv4([10, 0, 0, from.0], [10, 0, 0, to.0], 64);
        self.packet(|data| ip.tcp_header(header).write(data, payload).unwrap());
    }

    fn udp(&mut self) {
        let ip = PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64);
        self.packet(|data| ip.udp(53, 53).write(data, b"").unwrap());
    }

    fn packet(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.now += MILLI;
        let mut data = vec![0; 14];
        data.extend([8, 0]);
        write(&mut data);
        let len = u32::try_from(data.len()).unwrap().to_le_bytes();
        let (high, low) = ((self.now >> 32).to_le_bytes(), self.now.to_le_bytes());
        let head = [&[0; 4], &high[..4], &low[..4], &len, &len].concat();
        data.resize(data.len().next_multiple_of(4), 0);
        self.block(6, &[head, data].concat());
    }

    fn block(&mut self, kind: u32, body: &[u8]) {
        let len = u32::try_from(body.len() + 12).unwrap().to_le_bytes();
        self.file.extend([&kind.to_le_bytes()[..], &len, body, &len].concat());
    }
}
