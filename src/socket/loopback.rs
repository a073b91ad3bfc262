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
use super::outlook::{Answer, Returns, Socket, Target};
use super::settled::{Caused, Ends, From, Wire};
use crate::tcp::state::State;

mod effect;
#[cfg(test)]
mod tests;

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

/// The descriptor that the next call gets which opens one (open(2)).
pub fn lowest_free(is_open: impl Fn(Fd) -> bool) -> Fd {
    /// Below are the program's own.
    const FIRST: i32 = 3;
    (FIRST..=i32::MAX).map(Fd).find(|fd| !is_open(*fd)).unwrap_or(Fd(FIRST))
}

/// All sockets.
#[derive(Clone, Debug, Default)]
pub struct Loopback {
    sockets: Vec<Kept>,
    files: BTreeMap<(Program, Fd), Number>,
    connections: usize,
}

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

    /// Gives `program` a descriptor of a socket.
    fn open(&mut self, program: Program, number: Number) -> Fd {
        let fd = lowest_free(|fd| self.files.contains_key(&(program, fd)));
        self.files.insert((program, fd), number);
        self.with(number, |socket| socket.descriptors += 1);
        fd
    }

    fn hand_out(&mut self, program: Program, number: Number) -> Comes {
        Comes { answer: plain(Returns::Descriptor), opens: Some(self.open(program, number)), sent: Vec::new() }
    }

    /// Has both ends of the connection of `number` act on each other.
    fn both(&mut self, number: Number, act: impl FnOnce(&mut Ends) -> Vec<Caused>) -> Vec<Sent> {
        let Some(Kept { socket: near, peer: Some(peer), has_port: near_is_server, .. }) = self.sockets.get(number)
        else {
            return Vec::new();
        };
        let (peer, near_is_server) = (*peer, *near_is_server);
        let Some(far) = self.sockets.get(peer) else { return Vec::new() };
        let mut ends = Ends { near: *near, far: far.socket };
        let sent = act(&mut ends);
        self.with(number, |socket| *socket = ends.near);
        self.with(peer, |socket| *socket = ends.far);
        sent.into_iter()
            .map(|caused| Sent { by_server: (caused.from == From::Near) == near_is_server, wire: caused.wire })
            .collect()
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
