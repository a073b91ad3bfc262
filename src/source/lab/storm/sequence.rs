//! A sequence of calls, and random ones.

use std::net::{Ipv4Addr, SocketAddr};

use fastrand::Rng;

use crate::socket::call::{Arg, Call, CallName, Fd, Payload};
use crate::socket::loopback::{Loopback, Place, Program};
use crate::socket::outlook::Socket;
use crate::source::lab::action::Action;
use crate::tcp::state::State;

/// The server's port as sequences have it; the bench takes another for each.
pub const PORT: u16 = 2222;

/// A port on which nobody ever listens.
pub const NOBODY: u16 = 1;

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Who makes it.
    pub program: Program,
    /// Which.
    pub call: Call,
}

/// Where a connect goes; `None` for another call.
pub fn place(call: &Call) -> Option<Place> {
    if call.name != CallName::Connect {
        return None;
    }
    match call.addr() {
        None => Some(Place::Unspecified),
        Some(addr) if addr.port() == NOBODY => Some(Place::Nobody),
        Some(_) => Some(Place::Port),
    }
}

/// The name that a scenario has for `program`.
pub const fn name(program: Program) -> &'static str {
    match program {
        Program::Server => "server",
        Program::Client => "client",
    }
}

/// How many connections may wait to be accepted.
const BACKLOG: i64 = 8;

/// How many sockets a program has at most.
const SOCKETS: usize = 6;

/// How many calls are made after the usual beginning.
const CALLS: std::ops::RangeInclusive<usize> = 4..=24;

/// The sequence of this seed: a server that listens and mostly a client that is connected with it, and then what comes.
pub fn random(seed: u64) -> Vec<Step> {
    let mut rng = Rng::with_seed(seed);
    let mood = rng.choice(&MOODS).copied().unwrap_or(&ANYTHING);
    let mut writer = Writer { rng, mood, model: Loopback::default(), steps: Vec::new(), latest: Fd(3) };
    writer.begin();
    let wanted = writer.steps.len() + writer.rng.usize(CALLS);
    // Some tries come to nothing: a descriptor that has no such call, a call outside the model's domain.
    for _ in 0..wanted * 8 {
        if writer.steps.len() >= wanted {
            break;
        }
        writer.one();
    }
    writer.steps
}

/// Writes a sequence, and follows it in the model so that calls meet sockets that they can mean something to.
struct Writer {
    rng: Rng,
    mood: &'static [(Kind, usize)],
    model: Loopback,
    steps: Vec<Step>,
    /// The descriptor of the latest call.
    latest: Fd,
}

/// A kind of call, to be chosen by weight.
#[derive(Clone, Copy)]
enum Kind {
    Socket,
    Listen,
    Accept,
    Connect,
    Send,
    Write,
    Recv,
    Read,
    Shutdown,
    Close,
    Dup,
    Linger,
    FinWait2,
    Blocking,
    Error,
    Poll,
    Select,
}

/// What a sequence is mostly about: how often each kind of call is tried.
const MOODS: [&[(Kind, usize)]; 3] = [&ANYTHING, &OPENING, &ENDING];

const ANYTHING: [(Kind, usize); 17] = [
    (Kind::Socket, 3),
    (Kind::Listen, 2),
    (Kind::Accept, 10),
    (Kind::Connect, 9),
    (Kind::Send, 18),
    (Kind::Write, 4),
    (Kind::Recv, 18),
    (Kind::Read, 4),
    (Kind::Shutdown, 12),
    (Kind::Close, 12),
    (Kind::Dup, 3),
    (Kind::Linger, 5),
    (Kind::FinWait2, 4),
    (Kind::Blocking, 4),
    (Kind::Error, 5),
    (Kind::Poll, 9),
    (Kind::Select, 2),
];

/// Sockets before and after their connections.
const OPENING: [(Kind, usize); 11] = [
    (Kind::Socket, 6),
    (Kind::Listen, 4),
    (Kind::Accept, 8),
    (Kind::Connect, 28),
    (Kind::Send, 5),
    (Kind::Recv, 5),
    (Kind::Shutdown, 8),
    (Kind::Close, 8),
    (Kind::Blocking, 12),
    (Kind::Error, 8),
    (Kind::Poll, 8),
];

/// How connections end.
const ENDING: [(Kind, usize); 10] = [
    (Kind::Accept, 4),
    (Kind::Send, 22),
    (Kind::Recv, 12),
    (Kind::Shutdown, 14),
    (Kind::Close, 16),
    (Kind::Dup, 2),
    (Kind::Linger, 6),
    (Kind::FinWait2, 6),
    (Kind::Error, 6),
    (Kind::Poll, 8),
];

impl Writer {
    fn begin(&mut self) {
        use Program::{Client, Server};
        let fd = Fd(3);
        self.add(Server, socket());
        self.add(Server, option(fd, "SOL_SOCKET", "SO_REUSEADDR", &[1]));
        self.add(Server, Call::new(CallName::Bind, vec![int(fd), addr(PORT)]));
        if self.rng.u8(..4) == 0 {
            let kind = self.choose(&[(Kind::Linger, 2), (Kind::FinWait2, 2), (Kind::Blocking, 2), (Kind::Shutdown, 1)]);
            let call = self.call(Server, fd, kind);
            self.try_add(Server, call);
        }
        self.add(Server, listen(fd));
        self.add(Client, socket());
        if self.rng.u8(..4) == 0 {
            let kind = self.choose(&[(Kind::Linger, 1), (Kind::Blocking, 4), (Kind::Shutdown, 1)]);
            let call = self.call(Client, fd, kind);
            self.try_add(Client, call);
        }
        let port = if self.rng.u8(..8) == 0 { NOBODY } else { PORT };
        self.add(Client, connect(fd, addr(port)));
        if self.rng.u8(..10) > 0 {
            self.add(Server, Call::new(CallName::Accept, vec![int(fd)]));
        }
    }

    fn choose(&mut self, kinds: &[(Kind, usize)]) -> Kind {
        let all: usize = kinds.iter().map(|(_, weight)| weight).sum();
        let mut at = self.rng.usize(..all);
        for (kind, weight) in kinds {
            if at < *weight {
                return *kind;
            }
            at -= weight;
        }
        Kind::Poll
    }

    /// Tries to write one call more.
    fn one(&mut self) {
        let program = if self.rng.bool() { Program::Server } else { Program::Client };
        let open = self.model.descriptors(program);
        let listens = |fd: &Fd| self.model.socket(program, *fd).is_some_and(|socket| socket.state == State::Listen);
        // Most calls mean nothing to a listener.
        let others: Vec<Fd> = open.iter().filter(|fd| !listens(fd)).copied().collect();
        let among = if self.rng.u8(..3) > 0 && !others.is_empty() { &others } else { &open };
        let Some(fd) = self.rng.choice(among).copied() else { return };
        let fd = match self.rng.u8(..80) {
            0 => Fd(9),
            1..30 if open.contains(&self.latest) => self.latest,
            _ => fd,
        };
        let kind = self.choose(self.mood);
        let call = self.call(program, fd, kind);
        self.try_add(program, call);
    }

    /// Adds `call` if it lies within the model's domain.
    fn try_add(&mut self, program: Program, call: Call) {
        if self.is_within(program, &call) {
            let call = self.without_wait(program, call);
            self.add(program, call);
        }
    }

    fn add(&mut self, program: Program, call: Call) {
        self.latest = call.fd().unwrap_or(self.latest);
        if self.model.call(program, &call, place(&call)).is_some() {
            self.steps.push(Step { program, call });
        }
    }

    /// Whether the call lies within the model's domain, as its documentation has it.
    fn is_within(&self, program: Program, call: &Call) -> bool {
        let fd = call.fd().unwrap_or(Fd(-1));
        if Action::of(call).is_err() {
            return false;
        }
        let socket = self.model.socket(program, fd).copied().unwrap_or_default();
        let has_port = self.model.has_port(program, fd);
        match call.name {
            CallName::Socket | CallName::Dup => self.model.descriptors(program).len() < SOCKETS,
            CallName::Connect => {
                !(has_port && socket.state == State::Closed && place(call) != Some(Place::Unspecified))
            }
            // An accepted socket has the port, and would have to share it with the listener.
            CallName::Listen => !has_port || (program, fd) == (Program::Server, Fd(3)),
            _ => true,
        }
    }

    /// A call that would wait mostly says that it will not; the bench lets the others wait for some milliseconds.
    fn without_wait(&mut self, program: Program, mut call: Call) -> Call {
        let flags = match call.name {
            CallName::Recv => 2,
            CallName::Send => 3,
            _ => return call,
        };
        let socket = call.fd().and_then(|fd| self.model.socket(program, fd)).copied().unwrap_or_default();
        let may_wait = !waits(&socket, &call) || self.rng.u8(..12) == 0;
        if let Some(arg) = call.args.get_mut(flags).filter(|_| !may_wait) {
            *arg = match &*arg {
                Arg::Word(word) => Arg::Word(format!("{word}|MSG_DONTWAIT")),
                _ => Arg::Word("MSG_DONTWAIT".to_owned()),
            };
        }
        call
    }

    fn call(&mut self, program: Program, fd: Fd, kind: Kind) -> Call {
        match kind {
            Kind::Socket => socket(),
            Kind::Listen => listen(fd),
            Kind::Accept => Call::new(CallName::Accept, vec![int(fd)]),
            Kind::Connect => self.connect(fd),
            Kind::Send => {
                let (data, len) = self.data();
                let flags = self.flags(&["MSG_NOSIGNAL", "MSG_DONTWAIT"]);
                Call::new(CallName::Send, vec![int(fd), data, len, flags])
            }
            Kind::Write => {
                let (data, len) = self.data();
                Call::new(CallName::Write, vec![int(fd), data, len])
            }
            Kind::Recv => {
                let flags = self.flags(&["MSG_PEEK", "MSG_DONTWAIT", "MSG_WAITALL"]);
                Call::new(CallName::Recv, vec![int(fd), Arg::Int(self.length()), flags])
            }
            Kind::Read => Call::new(CallName::Read, vec![int(fd), Arg::Int(self.length())]),
            Kind::Shutdown => {
                let how = self.word(&["SHUT_RD", "SHUT_WR", "SHUT_WR", "SHUT_RDWR"]);
                Call::new(CallName::Shutdown, vec![int(fd), how])
            }
            Kind::Close => self.close(program, fd),
            Kind::Dup => Call::new(CallName::Dup, vec![int(fd)]),
            Kind::Linger | Kind::FinWait2 | Kind::Blocking => self.set(fd, kind),
            Kind::Error => {
                let words = ["SOL_SOCKET", "SO_ERROR"].map(|word| Arg::Word(word.to_owned()));
                Call::new(CallName::Getsockopt, [int(fd)].into_iter().chain(words).collect())
            }
            Kind::Poll => {
                let events = self.word(&["POLLIN", "POLLOUT", "POLLIN|POLLOUT|POLLRDHUP", "POLLIN|POLLOUT|POLLRDHUP"]);
                Call::new(CallName::Poll, vec![int(fd), events, Arg::Int(0)])
            }
            Kind::Select => Call::new(CallName::Select, vec![int(fd), Arg::Int(0)]),
        }
    }

    fn connect(&mut self, fd: Fd) -> Call {
        let to = match self.rng.u8(..10) {
            0..5 => addr(PORT),
            5..8 => addr(NOBODY),
            _ => Arg::Word("AF_UNSPEC".to_owned()),
        };
        connect(fd, to)
    }

    /// The listener is not closed as often as others.
    fn close(&mut self, program: Program, fd: Fd) -> Call {
        let listens = self.model.socket(program, fd).is_some_and(|socket| socket.state == State::Listen);
        if listens && self.rng.u8(..3) > 0 {
            return Call::new(CallName::Accept, vec![int(fd)]);
        }
        Call::new(CallName::Close, vec![int(fd)])
    }

    fn set(&mut self, fd: Fd, kind: Kind) -> Call {
        match kind {
            Kind::Linger => {
                let (on, seconds) = *self.rng.choice(&[(1, 0), (1, 0), (1, 5), (0, 0)]).unwrap_or(&(0, 0));
                option(fd, "SOL_SOCKET", "SO_LINGER", &[on, seconds])
            }
            Kind::FinWait2 => {
                let seconds = if self.rng.u8(..4) > 0 { -1 } else { 0 };
                option(fd, "IPPROTO_TCP", "TCP_LINGER2", &[seconds])
            }
            _ => {
                let flag = if self.rng.u8(..4) > 0 { Arg::Word("O_NONBLOCK".to_owned()) } else { Arg::Int(0) };
                Call::new(CallName::Fcntl, vec![int(fd), Arg::Word("F_SETFL".to_owned()), flag])
            }
        }
    }

    fn word(&mut self, words: &[&str]) -> Arg {
        Arg::Word(self.rng.choice(words).copied().unwrap_or_default().to_owned())
    }

    /// Each of `flags` with a chance of its own.
    fn flags(&mut self, flags: &[&str]) -> Arg {
        let chosen: Vec<&str> = flags.iter().filter(|_| self.rng.u8(..4) == 0).copied().collect();
        if chosen.is_empty() { Arg::Int(0) } else { Arg::Word(chosen.join("|")) }
    }

    fn data(&mut self) -> (Arg, Arg) {
        let len = *self.rng.choice(&[0, 1, 3, 5, 5, 5, 300]).unwrap_or(&5);
        (Arg::Bytes(Payload::whole(vec![b'a'; len])), Arg::Int(i64::try_from(len).unwrap_or(0)))
    }

    fn length(&mut self) -> i64 {
        *self.rng.choice(&[0, 1, 2, 5, 5, 100, 1024, 1024, 1024]).unwrap_or(&5)
    }
}

/// Whether `call` would wait on `socket`.
fn waits(socket: &Socket, call: &Call) -> bool {
    use crate::socket::outlook::Returns;
    socket.answer(call, None).is_some_and(|answer| answer.returns == Returns::Waits)
}

fn int(fd: Fd) -> Arg {
    Arg::Int(i64::from(fd.0))
}

/// `port` of the loopback.
pub fn addr(port: u16) -> Arg {
    Arg::Addr(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

fn socket() -> Call {
    let words = ["AF_INET", "SOCK_STREAM"].map(|word| Arg::Word(word.to_owned()));
    Call::new(CallName::Socket, words.into_iter().chain([Arg::Int(0)]).collect())
}

fn listen(fd: Fd) -> Call {
    Call::new(CallName::Listen, vec![int(fd), Arg::Int(BACKLOG)])
}

fn connect(fd: Fd, to: Arg) -> Call {
    Call::new(CallName::Connect, vec![int(fd), to])
}

fn option(fd: Fd, level: &str, name: &str, values: &[i64]) -> Call {
    let words = [level, name].map(|word| Arg::Word(word.to_owned()));
    let values = values.iter().map(|value| Arg::Int(*value));
    Call::new(CallName::Setsockopt, [int(fd)].into_iter().chain(words).chain(values).collect())
}
