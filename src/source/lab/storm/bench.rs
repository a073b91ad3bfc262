//! Real sockets, on which a sequence is played: both programs in one process, on one CPU, on a loopback of their own.
//!
//! To settle, acknowledgements that the kernel still delays are asked for (`TCP_QUICKACK`), so that no call waits 40 ms for
//! a timer; then the kernel's table shows when nothing is pending any more. Sockets get a time-out (`SO_RCVTIMEO`), so that a
//! call which waits can be seen to wait.

use std::collections::BTreeMap;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use nix::sys::socket::{SockaddrIn, getsockname, setsockopt, sockopt};
use nix::sys::time::{TimeVal, TimeValLike as _};

use super::sequence::{NOBODY, PORT, Step, addr};
use crate::decode::{self, Decoded};
use crate::socket::call::{Arg, Call, CallName, Fd, Outcome};
use crate::socket::loopback::{Program, Sent, lowest_free};
use crate::socket::settled::Wire;
use crate::source::lab::action::Action;
use crate::source::lab::perform;
use crate::source::live::{CaptureError, Tap};
use crate::source::sockdiag::{Ends, SockDiag, SockDiagError, Table};
use crate::tcp::segment::Segment;
use crate::tcp::state::State;

/// How long a call may wait that waits.
const WAIT: Duration = Duration::from_millis(4);

/// What of it must have passed for a call to have waited: the kernel counts in ticks.
const WAITED: Duration = Duration::from_millis(2);

/// How long a state may take to pass.
const BOUND: Duration = Duration::from_secs(5);

/// Why a sequence could not be played to its end.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The kernel's table.
    #[error(transparent)]
    SockDiag(#[from] SockDiagError),
    /// The capture.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// A sequence has a call that nobody can make.
    #[error("cannot make the call {call}: expected {expected}")]
    Call {
        /// The call.
        call: String,
        /// What would be one.
        expected: String,
    },
    /// Something did not pass.
    #[error("the sockets of {0} did not settle in {seconds} s", seconds = BOUND.as_secs())]
    Unsettled(String),
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Came {
    /// What it returned, with descriptors as the program counts them.
    pub outcome: Outcome,
    /// Whether it took as long as a call that waits.
    pub waited: bool,
    /// The segments until all had settled, without mere acknowledgements; `None` where there is no capture.
    pub sent: Option<Vec<Sent>>,
}

/// The bench.
pub struct Bench {
    diag: SockDiag,
    tap: Option<Tap>,
    /// The port of the sequence that is being played.
    port: u16,
    /// The descriptors as this process has them.
    files: BTreeMap<(Program, Fd), RawFd>,
    table: Table,
}

/// The first port of a sequence. The kernel gives clients ports from 32768 on.
const FIRST_PORT: u16 = 2000;
const LAST_PORT: u16 = 32_000;

impl Bench {
    /// On the loopback of this process's network namespace, which should be its own. Without a `tap` no segments are seen.
    pub fn new(tap: Option<Tap>) -> Result<Self, BenchError> {
        Ok(Self { diag: SockDiag::open()?, tap, port: FIRST_PORT, files: BTreeMap::new(), table: Table::new() })
    }

    /// Whether there is a port left that no sequence had; after that another loopback is needed.
    pub const fn has_room(&self) -> bool {
        self.port < LAST_PORT
    }

    /// Clears the bench for the next sequence.
    pub fn clear(&mut self) -> Result<(), BenchError> {
        for (_, fd) in std::mem::take(&mut self.files) {
            perform::perform(&Action::SetLinger { fd, on: true, seconds: 0 });
            perform::perform(&Action::Close { fd });
        }
        self.port += 1;
        self.drain().map(|_| ())
    }

    /// Makes the call of `step`, and waits until all has settled.
    pub fn play(&mut self, step: &Step) -> Result<Came, BenchError> {
        let Some(call) = self.real_call(step) else {
            let outcome = Outcome::failure(crate::socket::errno::Errno::EBADF);
            return Ok(Came { outcome, waited: false, sent: self.tap.is_some().then(Vec::new) });
        };
        let action =
            Action::of(&call).map_err(|expected| BenchError::Call { call: crate::notation::call(&call), expected })?;
        let begun = Instant::now();
        let outcome = perform::perform(&action);
        let waited = begun.elapsed() >= WAITED;
        let outcome = self.note(step, outcome);
        self.settle(step)?;
        let sent = self.drain()?;
        Ok(Came { outcome, waited, sent: self.tap.is_some().then_some(sent) })
    }

    /// The call with this process's descriptor and the sequence's port; `None` where the descriptor is not open.
    fn real_call(&self, step: &Step) -> Option<Call> {
        let mut call = step.call.clone();
        if let Some(fd) = call.fd() {
            let real = self.files.get(&(step.program, fd))?;
            *call.args.first_mut()? = Arg::Int(i64::from(*real));
        }
        for arg in &mut call.args {
            if *arg == addr(PORT) {
                *arg = addr(self.port);
            }
        }
        Some(call)
    }

    /// Keeps the descriptors as the program has them.
    fn note(&mut self, step: &Step, outcome: Outcome) -> Outcome {
        if outcome.errno.is_some() {
            return outcome;
        }
        match (step.call.name, step.call.fd()) {
            (CallName::Socket | CallName::Accept | CallName::Dup, _) => {
                let fd = lowest_free(|fd| self.files.contains_key(&(step.program, fd)));
                let real = RawFd::try_from(outcome.ret).unwrap_or(-1);
                self.files.insert((step.program, fd), real);
                set_patience(real);
                Outcome { ret: i64::from(fd.0), values: Vec::new(), ..outcome }
            }
            (CallName::Close, Some(fd)) => {
                self.files.remove(&(step.program, fd));
                outcome
            }
            _ => outcome,
        }
    }

    /// Waits until the kernel's table has nothing pending. It is read twice: a timer may have its say while it is read,
    /// and then it shows one end as it was before and the other as it is after.
    fn settle(&mut self, step: &Step) -> Result<(), BenchError> {
        let begun = Instant::now();
        loop {
            self.files.values().for_each(|fd| hurry(*fd));
            let table = self.diag.dump_port(self.port)?;
            let pending = table.values().any(|end| end.state.is_passing() || end.unacknowledged > 0);
            let same = std::mem::replace(&mut self.table, table) == self.table;
            if !pending && same {
                return Ok(());
            }
            if begun.elapsed() > BOUND {
                return Err(BenchError::Unsettled(crate::notation::call(&step.call)));
            }
        }
    }

    /// What was captured since the last time.
    fn drain(&mut self) -> Result<Vec<Sent>, BenchError> {
        let mut sent = Vec::new();
        let Some(tap) = &mut self.tap else { return Ok(sent) };
        let link_type = tap.link_type();
        while let Some((original_len, data)) = tap.next_frame()? {
            if let Decoded::Tcp(segment) = decode::decode(link_type, data, original_len) {
                sent.extend(wire(&segment).map(|wire| Sent {
                    by_server: segment.src.port() == self.port || segment.src.port() == NOBODY,
                    wire,
                }));
            }
        }
        Ok(sent)
    }

    /// The port that the client's end behind `fd` has, if it has one.
    pub fn own_port(&self, program: Program, fd: Fd) -> Option<u16> {
        let real = self.files.get(&(program, fd))?;
        getsockname::<SockaddrIn>(*real).ok().map(|addr| addr.port()).filter(|port| *port != 0)
    }

    /// What the kernel keeps of the connection from `client`'s port: the client's end, then the server's.
    pub fn states(&self, client: u16) -> [State; 2] {
        let at = |port: u16| std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, port));
        let ends = Ends { local: at(client), remote: at(self.port) };
        let state = |ends: &Ends| self.table.get(ends).map_or(State::Closed, |end| end.state);
        [state(&ends), state(&Ends { local: ends.remote, remote: ends.local })]
    }
}

/// What of a segment the model knows.
fn wire(segment: &Segment) -> Option<Wire> {
    match () {
        () if segment.flags.rst() => Some(Wire::Rst),
        () if segment.flags.syn() => Some(Wire::Syn),
        () if segment.flags.fin() => Some(Wire::Fin),
        () if segment.payload_len > 0 => Some(Wire::Data(segment.payload_len.into())),
        () => None,
    }
}

/// Has a call on `fd` that waits give up in time. Were it refused, the next such call would never return, and the storm with it.
fn set_patience(fd: RawFd) {
    let time = TimeVal::milliseconds(i64::try_from(WAIT.as_millis()).unwrap_or(i64::MAX));
    let _ = setsockopt(&perform::borrowed(fd), sockopt::ReceiveTimeout, &time);
}

/// Has the kernel send an acknowledgement that it delays (tcp(7)).
fn hurry(fd: RawFd) {
    let option = Action::SetOption { fd, level: libc::IPPROTO_TCP, option: libc::TCP_QUICKACK, value: 1 };
    perform::perform(&option);
}
