//! The kernel's own view of its TCP sockets, by `sock_diag(7)`.
//!
//! A dump, never a query for one 4-tuple: such a query answers with the listener where the connection has gone.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, InetResponseHeader, SocketId, StateFlags};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr as NetlinkAddr};

use crate::event::SocketSample;
use crate::tcp::state::State;

/// Why the kernel could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum SockDiagError {
    /// The netlink socket could not be opened.
    #[error("cannot open a sock_diag socket: {0}")]
    Open(#[source] io::Error),
    /// The request or the answer failed.
    #[error("cannot ask sock_diag for the TCP sockets: {0}")]
    Ask(#[source] io::Error),
    /// The answer could not be read.
    #[error("cannot read the answer of sock_diag: {0}")]
    Answer(String),
}

/// The two addresses of a socket: its own and its peer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ends {
    /// The socket's own address.
    pub local: SocketAddr,
    /// Its peer's.
    pub remote: SocketAddr,
}

/// What the kernel holds for each end of each connection; listeners are not connections.
pub type Table = BTreeMap<Ends, SocketSample>;

/// A netlink socket in the network namespace in which it was opened.
pub struct SockDiag {
    socket: Socket,
    sequence: u32,
}

impl SockDiag {
    /// Opens a netlink socket. Needs no privilege.
    pub fn open() -> Result<Self, SockDiagError> {
        let mut socket = Socket::new(NETLINK_SOCK_DIAG).map_err(SockDiagError::Open)?;
        socket.bind_auto().map_err(SockDiagError::Open)?;
        socket.connect(&NetlinkAddr::new(0, 0)).map_err(SockDiagError::Open)?;
        Ok(Self { socket, sequence: 0 })
    }

    /// Every IPv4 TCP socket but the listeners, TIME-WAIT records and half-open requests included.
    pub fn dump(&mut self) -> Result<Table, SockDiagError> {
        let mut table = Table::new();
        self.ask(SocketId::new_v4(), &mut table)?;
        Ok(table)
    }

    /// The same of IPv6 too. A socket for both that talks IPv4 stands under its IPv4 addresses, as its segments do.
    pub fn dump_both(&mut self) -> Result<Table, SockDiagError> {
        let mut table = self.dump()?;
        match self.ask(SocketId::new_v6(), &mut table) {
            // A kernel without IPv6 has none.
            Err(SockDiagError::Ask(error)) if error.raw_os_error() == Some(libc::ENOENT) => Ok(table),
            asked => asked.map(|()| table),
        }
    }

    /// The same, of the connections that have `port` at one of their ends.
    pub fn dump_port(&mut self, port: u16) -> Result<Table, SockDiagError> {
        let mut table = Table::new();
        self.ask(SocketId { source_port: port, ..SocketId::new_v4() }, &mut table)?;
        self.ask(SocketId { destination_port: port, ..SocketId::new_v4() }, &mut table)?;
        Ok(table)
    }

    fn ask(&mut self, which: SocketId, table: &mut Table) -> Result<(), SockDiagError> {
        self.sequence = self.sequence.wrapping_add(1);
        let request = request(self.sequence, which);
        self.socket.send(&request, 0).map_err(SockDiagError::Ask)?;
        loop {
            let (datagram, _) = self.socket.recv_from_full().map_err(SockDiagError::Ask)?;
            if self.take(&datagram, table)? {
                return Ok(());
            }
        }
    }

    /// Has the kernel give up the socket with `ends`, as `ss -K` does. Needs `CAP_NET_ADMIN` in the user namespace of the
    /// network namespace, and a kernel with `CONFIG_INET_DIAG_DESTROY`. The error is the kernel's.
    pub fn destroy(&mut self, ends: Ends) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        self.socket.send(&destruction(self.sequence, ends), 0)?;
        let (answer, _) = self.socket.recv_from_full()?;
        let answer = NetlinkMessage::<SockDiagMessage>::deserialize(&answer).map_err(io::Error::other)?;
        match answer.payload {
            NetlinkPayload::Error(error) if error.code.is_some() => Err(error.to_io()),
            _ => Ok(()),
        }
    }

    /// Reads one datagram of the answer into `table`; true where it was the last.
    fn take(&self, datagram: &[u8], table: &mut Table) -> Result<bool, SockDiagError> {
        let mut rest = datagram;
        while !rest.is_empty() {
            let message = NetlinkMessage::<SockDiagMessage>::deserialize(rest)
                .map_err(|error| SockDiagError::Answer(error.to_string()))?;
            let length = usize::try_from(message.header.length).unwrap_or(rest.len()).next_multiple_of(4);
            rest = rest.get(length.max(4)..).unwrap_or_default();
            if message.header.sequence_number != self.sequence {
                continue;
            }
            match message.payload {
                NetlinkPayload::Done(_) => return Ok(true),
                NetlinkPayload::Error(error) => return Err(SockDiagError::Ask(error.to_io())),
                NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(response)) => {
                    table.extend(connection_end(&response.header));
                }
                _ => {}
            }
        }
        Ok(false)
    }
}

/// What will still pass by itself, in words; `None` where nothing will.
pub fn pending(table: &Table) -> Option<String> {
    let passing = |(ends, end): (&Ends, &SocketSample)| {
        if end.state.is_passing() {
            Some(format!("{} > {} is in {}", ends.local, ends.remote, end.state))
        } else if end.unacknowledged > 0 {
            Some(format!("{} > {} has bytes that are not acknowledged", ends.local, ends.remote))
        } else {
            None
        }
    };
    let all: Vec<String> = table.iter().filter_map(passing).collect();
    if all.is_empty() { None } else { Some(all.join("; ")) }
}

fn request(sequence: u32, which: SocketId) -> Vec<u8> {
    message(sequence, NLM_F_REQUEST | NLM_F_DUMP, which)
}

/// The type of the message that asks for a socket's end (`include/uapi/linux/sock_diag.h`), and where a message has its
/// type (netlink(7)).
const SOCK_DESTROY: [u8; 2] = 21_u16.to_ne_bytes();
const TYPE: std::ops::Range<usize> = 4..6;

fn destruction(sequence: u32, ends: Ends) -> Vec<u8> {
    let id = SocketId {
        source_address: ends.local.ip(),
        source_port: ends.local.port(),
        destination_address: ends.remote.ip(),
        destination_port: ends.remote.port(),
        interface_id: 0,
        // No cookie: the addresses are enough.
        cookie: [0xff; 8],
    };
    let mut message = message(sequence, NLM_F_REQUEST | NLM_F_ACK, id);
    // The crate knows only the question of the same form.
    if let Some(kind) = message.get_mut(TYPE) {
        kind.copy_from_slice(&SOCK_DESTROY);
    }
    message
}

fn message(sequence: u32, flags: u16, socket_id: SocketId) -> Vec<u8> {
    let mut header = NetlinkHeader::default();
    header.flags = flags;
    header.sequence_number = sequence;
    let family = if socket_id.source_address.is_ipv4() { AF_INET } else { AF_INET6 };
    let body = InetRequest {
        family,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::all(),
        socket_id,
    };
    let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(body).into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}

fn connection_end(header: &InetResponseHeader) -> Option<(Ends, SocketSample)> {
    let state = state(header.state).filter(|state| *state != State::Listen)?;
    let id = &header.socket_id;
    let ends = Ends {
        local: SocketAddr::new(id.source_address.to_canonical(), id.source_port),
        remote: SocketAddr::new(id.destination_address.to_canonical(), id.destination_port),
    };
    let sample =
        SocketSample { state, unread: header.recv_queue, unacknowledged: header.send_queue, orphan: header.inode == 0 };
    Some((ends, sample))
}

/// The kernel's numbers for its states (`include/net/tcp_states.h`). A TIME-WAIT record comes with its substate, so that
/// FIN-WAIT-2 after close(2) comes as FIN-WAIT-2; a half-open request comes as SYN-RECEIVED (`inet_req_diag_fill`).
pub const fn state(number: u8) -> Option<State> {
    Some(match number {
        1 => State::Established,
        2 => State::SynSent,
        3 | 12 => State::SynReceived,
        4 => State::FinWait1,
        5 => State::FinWait2,
        6 => State::TimeWait,
        7 | 13 => State::Closed,
        8 => State::CloseWait,
        9 => State::LastAck,
        10 => State::Listen,
        11 => State::Closing,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn both_ends_of_a_connection_are_listed_and_its_listener_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let mut stream = TcpStream::connect(server).unwrap();
        let client = stream.local_addr().unwrap();
        let _accepted = listener.accept().unwrap();
        stream.write_all(b"hello").unwrap();

        let table = SockDiag::open().unwrap().dump().unwrap();
        let near = table[&Ends { local: client, remote: server }];
        let far = table[&Ends { local: server, remote: client }];
        assert_eq!((near.state, near.unread, near.orphan), (State::Established, 0, false));
        assert_eq!((far.state, far.unread, far.orphan), (State::Established, 5, false));
        assert!(table.keys().all(|ends| ends.local != server || ends.remote.port() != 0));
    }

    #[test]
    fn an_orphan_whose_fin_is_acknowledged_is_fin_wait_2() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let stream = TcpStream::connect(server).unwrap();
        let ends = Ends { local: server, remote: stream.local_addr().unwrap() };
        drop(listener.accept().unwrap());

        let mut diag = SockDiag::open().unwrap();
        // For a moment neither the socket nor the record that takes its place is listed.
        let passed = std::iter::repeat_with(|| diag.dump().unwrap().get(&ends).copied())
            .flatten()
            .find(|end| !end.state.is_passing())
            .unwrap();
        assert_eq!((passed.state, passed.orphan), (State::FinWait2, true));
    }
}
