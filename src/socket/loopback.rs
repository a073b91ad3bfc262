//! Two programs and their sockets on one machine's loopback, settled between calls: what each call returns, what it puts on
//! the wire, and what it leaves at both ends.
//!
//! [`outlook`](super::outlook) answers for one socket, [`settled`](super::settled) has the two ends of a connection act on
//! each other; here are the descriptors, the listeners and their queues. It is what `epipe lab --storm` holds to the kernel.
//!
//! Its domain beyond the outlook's: one port, on which one socket at a time listens, with room in its queue, and another
//! on which nobody ever does; a socket that has the port does not connect to it.

use std::collections::BTreeMap;

use super::call::{Call, CallName, Fd};
use super::errno::Errno;
use super::outlook::{Answer, Attachment, Returns, Socket, Target};
use super::settled::{Ends, From, Wire, disconnected};
use crate::tcp::state::State;

/// One of the programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Program {
    /// The one whose socket has the port.
    Server,
    /// The other.
    Client,
}

/// Where a connect goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The port that the server's socket is bound to.
    Port,
    /// A port that nobody listens on.
    Nobody,
    /// `AF_UNSPEC`.
    Unspecified,
}

/// A segment, by who sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Whether it comes from the server's port.
    pub by_server: bool,
    /// What it is.
    pub wire: Wire,
}

/// What a call comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comes {
    /// What it answers.
    pub answer: Answer,
    /// The descriptor that it opens.
    pub opens: Option<Fd>,
    /// What is sent until all has settled.
    pub sent: Vec<Sent>,
}

/// The number of a socket.
type Number = usize;

#[derive(Clone, Debug, Default)]
struct Kept {
    socket: Socket,
    /// The other end of its connection.
    peer: Option<Number>,
    /// Connections that wait to be accepted.
    queue: Vec<Number>,
    /// Whether it has the server's port.
    has_port: bool,
    /// Its place among the connections, in the order in which they were opened.
    connection: Option<usize>,
}

/// All sockets.
#[derive(Clone, Debug, Default)]
pub struct Loopback {
    sockets: Vec<Kept>,
    files: BTreeMap<(Program, Fd), Number>,
    connections: usize,
}

/// The first descriptor that a program opens.
const FIRST: i32 = 3;

impl Loopback {
    /// The descriptors that `program` has open.
    pub fn descriptors(&self, program: Program) -> Vec<Fd> {
        self.files.keys().filter(|(owner, _)| *owner == program).map(|(_, fd)| *fd).collect()
    }

    /// The socket behind `fd`.
    pub fn socket(&self, program: Program, fd: Fd) -> Option<&Socket> {
        self.number(program, fd).and_then(|number| self.sockets.get(number)).map(|kept| &kept.socket)
    }

    /// Whether the socket behind `fd` has the server's port.
    pub fn has_port(&self, program: Program, fd: Fd) -> bool {
        self.number(program, fd).and_then(|number| self.sockets.get(number)).is_some_and(|kept| kept.has_port)
    }

    /// How many connections were opened.
    pub const fn connections(&self) -> usize {
        self.connections
    }

    /// Which connection the socket behind `fd` is an end of.
    pub fn connection(&self, program: Program, fd: Fd) -> Option<usize> {
        self.number(program, fd).and_then(|number| self.sockets.get(number)?.connection)
    }

    /// What the kernel keeps of the ends of `connection`: the client's, then the server's.
    pub fn states(&self, connection: usize) -> [State; 2] {
        [false, true].map(|server| {
            let mut ends =
                self.sockets.iter().filter(|kept| kept.connection == Some(connection) && kept.has_port == server);
            ends.next().map_or(State::Closed, |kept| kept.socket.state)
        })
    }

    fn number(&self, program: Program, fd: Fd) -> Option<Number> {
        self.files.get(&(program, fd)).copied()
    }

    /// What is at `place`.
    fn target(&self, place: Place) -> Target {
        let listens = |kept: &Kept| kept.has_port && kept.socket.state == State::Listen;
        match place {
            Place::Unspecified => Target::Unspecified,
            Place::Port if self.sockets.iter().any(listens) => Target::Listening,
            Place::Port | Place::Nobody => Target::Refusing,
        }
    }

    /// `program` makes `call`; a connect goes to `place`. `None` where the model does not know the call.
    pub fn call(&mut self, program: Program, call: &Call, place: Option<Place>) -> Option<Comes> {
        if call.name == CallName::Socket {
            let number = self.keep(Kept::default());
            return Some(self.hand_out(program, number));
        }
        let Some(number) = self.number(program, call.fd()?) else { return Some(never_opened()) };
        let target = place.map(|place| self.target(place));
        let answer = match call.name {
            CallName::Bind | CallName::Setsockopt | CallName::Fcntl => plain(Returns::Zero),
            CallName::Dup => plain(Returns::Descriptor),
            _ => self.sockets.get(number)?.socket.answer(call, target)?,
        };
        Some(self.act(program, number, call, answer, target))
    }

    /// A `call` of `program` that waited has given up, and has handed out `bytes` (`SO_RCVTIMEO`).
    pub fn gives_up(&mut self, program: Program, call: &Call, bytes: u64) {
        if call.name == CallName::Recv
            && !call.has_flag("MSG_PEEK")
            && let Some(number) = call.fd().and_then(|fd| self.number(program, fd))
        {
            self.with(number, |socket| socket.reads(bytes));
        }
    }

    /// Does what `call`, which `answer` answers, does.
    fn act(&mut self, program: Program, number: Number, call: &Call, answer: Answer, target: Option<Target>) -> Comes {
        let mut comes = Comes { answer, opens: None, sent: Vec::new() };
        self.takes_error(number, &answer);
        match (call.name, answer.returns) {
            (CallName::Dup, _) => comes.opens = Some(self.open(program, number)),
            (CallName::Accept, Returns::Descriptor) => comes.opens = self.accept(program, number),
            (CallName::Connect, _) => comes.sent = self.connect(number, &answer, target),
            (CallName::Close, _) => comes.sent = self.close(program, call.fd(), number),
            (CallName::Shutdown, _) => comes.sent = self.shutdown(number, call),
            (CallName::Send | CallName::Write, Returns::Asked) => {
                let bytes = call.asked_len().filter(|bytes| *bytes > 0);
                comes.sent = bytes.map_or_else(Vec::new, |bytes| self.both(number, |ends| ends.data(bytes)));
            }
            (CallName::Recv | CallName::Read, Returns::Bytes(bytes)) if !call.has_flag("MSG_PEEK") => {
                self.with(number, |socket| socket.reads(bytes));
            }
            (CallName::Bind, _) => self.sockets.iter_mut().skip(number).take(1).for_each(|kept| kept.has_port = true),
            (CallName::Listen, Returns::Zero) => self.with(number, |socket| socket.state = State::Listen),
            (CallName::Setsockopt | CallName::Fcntl, _) => self.with(number, |socket| set(socket, call)),
            _ => {}
        }
        comes
    }

    fn with(&mut self, number: Number, change: impl FnOnce(&mut Socket)) {
        if let Some(kept) = self.sockets.get_mut(number) {
            change(&mut kept.socket);
        }
    }

    /// An error that a call reports is consumed by that.
    fn takes_error(&mut self, number: Number, answer: &Answer) {
        if let Returns::Fails(errno) | Returns::Error(Some(errno)) = answer.returns {
            self.with(number, |socket| socket.reports(errno));
        }
    }

    fn keep(&mut self, kept: Kept) -> Number {
        self.sockets.push(kept);
        self.sockets.len() - 1
    }

    /// Gives `program` the lowest descriptor that is free (open(2)).
    fn open(&mut self, program: Program, number: Number) -> Fd {
        let fd = (FIRST..).map(Fd).find(|fd| !self.files.contains_key(&(program, *fd))).unwrap_or(Fd(FIRST));
        self.files.insert((program, fd), number);
        self.with(number, |socket| socket.descriptors += 1);
        fd
    }

    fn hand_out(&mut self, program: Program, number: Number) -> Comes {
        Comes { answer: plain(Returns::Descriptor), opens: Some(self.open(program, number)), sent: Vec::new() }
    }

    /// Has both ends of the connection of `number` act on each other.
    fn both(&mut self, number: Number, act: impl FnOnce(&mut Ends<'_>) -> Vec<(From, Wire)>) -> Vec<Sent> {
        let Some(Kept { socket: near, peer: Some(peer), has_port, .. }) = self.sockets.get(number) else {
            return Vec::new();
        };
        let (mut near, peer, near_is_server) = (*near, *peer, *has_port);
        let Some(mut far) = self.sockets.get(peer).map(|kept| kept.socket) else { return Vec::new() };
        let sent = act(&mut Ends { near: &mut near, far: &mut far });
        self.with(number, |socket| *socket = near);
        self.with(peer, |socket| *socket = far);
        sent.into_iter().map(|(from, wire)| Sent { by_server: (from == From::Near) == near_is_server, wire }).collect()
    }

    fn accept(&mut self, program: Program, listener: Number) -> Option<Fd> {
        let kept = self.sockets.get_mut(listener).filter(|kept| !kept.queue.is_empty())?;
        let child = kept.queue.remove(0);
        kept.socket.unread -= 1;
        self.with(child, |socket| socket.attachment = Attachment::Made);
        Some(self.open(program, child))
    }

    fn connect(&mut self, number: Number, answer: &Answer, target: Option<Target>) -> Vec<Sent> {
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
        if inherited { self.both(child, |ends| ends.fin()) } else { Vec::new() }
    }

    /// tcp_disconnect(): what was there before goes on without a program, and the descriptors get a fresh socket.
    fn disconnect(&mut self, number: Number) -> Vec<Sent> {
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
            _ => self.both(number, |ends| ends.disconnect()),
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

    fn close(&mut self, program: Program, fd: Option<Fd>, number: Number) -> Vec<Sent> {
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
        self.both(number, |ends| ends.close())
    }

    /// What nobody accepted is reset (`inet_csk_listen_stop()`).
    fn stop_listening(&mut self, number: Number) -> Vec<Sent> {
        let queue = self.sockets.get_mut(number).map(|kept| std::mem::take(&mut kept.queue)).unwrap_or_default();
        let is_open = |child: &Number| self.sockets.get(*child).is_some_and(|kept| !kept.socket.is_gone());
        let open: Vec<Number> = queue.into_iter().filter(is_open).collect();
        open.into_iter().flat_map(|child| self.both(child, |ends| ends.disconnect())).collect()
    }

    fn shutdown(&mut self, number: Number, call: &Call) -> Vec<Sent> {
        let Some((how, kept)) = call.how().zip(self.sockets.get(number)) else { return Vec::new() };
        let state = kept.socket.state;
        if kept.socket.attachment == Attachment::Asked {
            let attachment = if kept.socket.is_gone() { Attachment::Cut } else { Attachment::Made };
            self.with(number, |socket| socket.attachment = attachment);
        }
        if state == State::Listen {
            return if how == super::call::How::Write { Vec::new() } else { self.disconnect(number) };
        }
        self.with(number, |socket| socket.shuts(how));
        if how == super::call::How::Read { Vec::new() } else { self.both(number, |ends| ends.fin()) }
    }
}

/// An answer that there is nothing to say about.
const fn plain(returns: Returns) -> Answer {
    Answer { returns, signal: None, sends: None, why: "", source: "" }
}

fn never_opened() -> Comes {
    let answer = Answer { why: "no such descriptor is open", source: "fdget()", ..plain(Returns::Fails(Errno::EBADF)) };
    Comes { answer, opens: None, sent: Vec::new() }
}

/// Sets the option that `call` names.
fn set(socket: &mut Socket, call: &Call) {
    match call.name {
        CallName::Fcntl if call.has_flag("F_SETFL") => socket.nonblocking = call.has_flag("O_NONBLOCK"),
        _ if call.has_flag("SO_LINGER") => socket.linger_zero = call.int(3) == Some(1) && call.int(4) == Some(0),
        _ if call.has_flag("TCP_LINGER2") => socket.skips_fin_wait_2 = call.int(3).is_some_and(|seconds| seconds < 0),
        _ => {}
    }
}
