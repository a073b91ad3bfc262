//! What the calls do that open, end and undo connections.

use super::{Kept, Loopback, Number, Program, Sent};
use crate::socket::call::{Call, Fd, How};
use crate::socket::errno::Errno;
use crate::socket::outlook::{Answer, Attachment, Returns, Socket, Target};
use crate::socket::settled::{Ends, Wire, disconnected};
use crate::tcp::state::State;

impl Loopback {
    pub(super) fn accept(&mut self, program: Program, listener: Number) -> Option<Fd> {
        let kept = self.sockets.get_mut(listener).filter(|kept| !kept.queue.is_empty())?;
        let child = kept.queue.remove(0);
        kept.socket.unread -= 1;
        self.with(child, |socket| socket.attachment = Attachment::Made);
        Some(self.open(program, child))
    }

    pub(super) fn connect(&mut self, number: Number, answer: &Answer, target: Option<Target>) -> Vec<Sent> {
        if target == Some(Target::Unspecified) {
            return self.disconnect(number);
        }
        let asked = self.sockets.get(number).map(|kept| kept.socket.attachment);
        match (asked, answer.returns) {
            (Some(Attachment::None), _) if answer.sends == Some("SYN") => self.connect_first(number, target),
            (Some(Attachment::Asked), Returns::Zero) => {
                self.with(number, |socket| socket.attachment = Attachment::Made);
                Vec::new()
            }
            // The kernel disconnects what has failed.
            (Some(Attachment::Asked), Returns::Fails(errno)) if errno != Errno::EALREADY => self.disconnect(number),
            _ => Vec::new(),
        }
    }

    fn connect_first(&mut self, number: Number, target: Option<Target>) -> Vec<Sent> {
        let syn = Sent { by_server: false, wire: Wire::Syn };
        // tcp_connect_init() forgets an old error and an old end, but not what was shut down.
        self.with(number, |socket| (socket.pending, socket.end_seen) = (None, false));
        let waits = self.sockets.get(number).is_some_and(|kept| !kept.socket.nonblocking);
        if target == Some(Target::Listening) {
            let child = self.establish(number, if waits { Attachment::Made } else { Attachment::Asked });
            let mut sent = vec![syn, Sent { by_server: true, wire: Wire::Syn }];
            sent.extend(child.map_or_else(Vec::new, |child| self.ends_at_once(child)));
            return sent;
        }
        if waits {
            self.with(number, |socket| disconnected(socket, false));
        } else {
            self.with(number, |socket| {
                socket.reset_arrives(State::SynSent);
                socket.attachment = Attachment::Asked;
            });
        }
        vec![syn, Sent { by_server: true, wire: Wire::Rst }]
    }

    /// A connection between `client` and the listener. Its other end inherits what was set there (`sk_clone()`).
    fn establish(&mut self, client: Number, attachment: Attachment) -> Option<Number> {
        let is_listener = |kept: &Kept| kept.has_port && kept.socket.state == State::Listen;
        let listener = self.sockets.iter().position(is_listener)?;
        let connection = Some(self.connections);
        self.connections += 1;
        let heir = self.sockets.get(listener).map(|kept| kept.socket).unwrap_or_default();
        let child = Socket {
            linger_zero: heir.linger_zero,
            skips_fin_wait_2: heir.skips_fin_wait_2,
            send_shut: heir.send_shut,
            receive_shut: heir.receive_shut,
            attachment: Attachment::None,
            descriptors: 0,
            ..Socket::connected()
        };
        let child =
            self.keep(Kept { socket: child, peer: Some(client), has_port: true, connection, ..Kept::default() });
        if let Some(kept) = self.sockets.get_mut(listener) {
            kept.queue.push(child);
            kept.socket.unread += 1;
        }
        if let Some(kept) = self.sockets.get_mut(client) {
            (kept.peer, kept.connection) = (Some(child), connection);
            (kept.socket.state, kept.socket.attachment) = (State::Established, attachment);
        }
        Some(child)
    }

    /// An end that inherited from its listener that it sends nothing says so (`tcp_rcv_state_process()`, SYN-RECEIVED).
    fn ends_at_once(&mut self, child: Number) -> Vec<Sent> {
        let inherited = self.sockets.get(child).is_some_and(|kept| kept.socket.send_shut);
        if inherited { self.both(child, Ends::fin) } else { Vec::new() }
    }

    /// `tcp_disconnect()`: what was there before goes on without a program, and the descriptors get a fresh socket.
    pub(super) fn disconnect(&mut self, number: Number) -> Vec<Sent> {
        let sent = match self.sockets.get(number) {
            Some(kept) if kept.socket.state == State::Listen => {
                let sent = self.stop_listening(number);
                self.with(number, |socket| disconnected(socket, false));
                return sent;
            }
            Some(Kept { peer: None, .. }) => {
                self.with(number, |socket| disconnected(socket, false));
                return Vec::new();
            }
            Some(kept) if kept.socket.state == State::TimeWait => {
                self.leave_record(number);
                self.with(number, |socket| disconnected(socket, false));
                return Vec::new();
            }
            _ => self.both(number, Ends::disconnect),
        };
        if let Some(kept) = self.sockets.get_mut(number) {
            (kept.peer, kept.connection) = (None, None);
        }
        sent
    }

    /// The record of a TIME-WAIT stays when its socket is used for something else.
    fn leave_record(&mut self, number: Number) {
        let Some(kept) = self.sockets.get_mut(number) else { return };
        let socket = Socket { state: State::TimeWait, ..Socket::default() };
        let record = Kept { socket, queue: Vec::new(), ..kept.clone() };
        (kept.peer, kept.connection) = (None, None);
        let peer = record.peer;
        let record = self.keep(record);
        if let Some(peer) = peer.and_then(|peer| self.sockets.get_mut(peer)) {
            peer.peer = Some(record);
        }
    }

    pub(super) fn close(&mut self, program: Program, fd: Option<Fd>, number: Number) -> Vec<Sent> {
        if let Some(fd) = fd {
            self.files.remove(&(program, fd));
        }
        self.with(number, |socket| socket.descriptors -= 1);
        let Some(kept) = self.sockets.get(number).filter(|kept| kept.socket.descriptors == 0) else {
            return Vec::new();
        };
        if kept.socket.state == State::Listen {
            let sent = self.stop_listening(number);
            self.with(number, |socket| socket.state = State::Closed);
            return sent;
        }
        self.both(number, Ends::close)
    }

    /// What nobody accepted is reset (`inet_csk_listen_stop()`).
    fn stop_listening(&mut self, number: Number) -> Vec<Sent> {
        let queue = self.sockets.get_mut(number).map(|kept| std::mem::take(&mut kept.queue)).unwrap_or_default();
        let is_open = |child: &Number| self.sockets.get(*child).is_some_and(|kept| !kept.socket.is_gone());
        let open: Vec<Number> = queue.into_iter().filter(is_open).collect();
        open.into_iter().flat_map(|child| self.both(child, Ends::disconnect)).collect()
    }

    pub(super) fn shutdown(&mut self, number: Number, call: &Call) -> Vec<Sent> {
        let Some((how, kept)) = call.how().zip(self.sockets.get(number)) else { return Vec::new() };
        let state = kept.socket.state;
        if kept.socket.attachment == Attachment::Asked {
            let attachment = if kept.socket.is_gone() { Attachment::Cut } else { Attachment::Made };
            self.with(number, |socket| socket.attachment = attachment);
        }
        if state == State::Listen {
            return if how == How::Write { Vec::new() } else { self.disconnect(number) };
        }
        self.with(number, |socket| socket.shuts(how));
        if how == How::Read { Vec::new() } else { self.both(number, Ends::fin) }
    }
}
