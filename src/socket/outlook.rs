//! What each call would return if it were made now, and why: a small model of the Linux TCP socket.
//!
//! The model holds what the kernel's socket remembers (`struct sock`, `struct tcp_sock`) as far as answers depend on it, and
//! asks in the kernel's order. Sources stand at each answer.
//!
//! Its domain: a stream socket over IPv4 whose connection has settled, that is, nothing is on its way any more; payloads
//! below the buffers' size, so that no window closes; no urgent data, no error but a reset's. Which calls and options are
//! known is to be seen at [`Socket::answer`]. `epipe lab --storm` holds it to the running kernel.

pub use self::answer::{Answer, Returns};
pub use self::open::Target;
pub use self::ready::Readiness;
use super::call::{Call, CallName};
use super::errno::Errno;
use crate::tcp::state::State;

mod answer;
mod change;
mod open;
mod ready;
mod receive;
mod send;
mod shutdown;
#[cfg(test)]
mod tests;

/// How far a socket's own connect has come: `sock->state`, which outlives the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Attachment {
    /// `SS_UNCONNECTED`.
    #[default]
    None,
    /// `SS_CONNECTING`: a connect that did not wait, whose outcome was not asked for by another.
    Asked,
    /// `SS_CONNECTED`, also after the connection's end.
    Made,
    /// `SS_DISCONNECTING`: shut down before it was connected.
    Cut,
}

/// What a TCP socket remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "they are the kernel's own flags, each of which is set and asked alone"
)]
pub struct Socket {
    /// The state of its connection. For a program TIME-WAIT is no connection any more: a small record of the kernel's
    /// keeps it, and the socket itself is closed (`tcp_time_wait()`).
    pub state: State,
    /// Bytes that arrived in order and were not read; of a listening socket, connections that were not accepted yet.
    pub unread: u64,
    /// `sk_err`: an error that the next call reports and consumes.
    pub pending: Option<Errno>,
    /// `SOCK_DONE`: the peer's FIN was taken in.
    pub end_seen: bool,
    /// `RCV_SHUTDOWN`.
    pub receive_shut: bool,
    /// `SEND_SHUTDOWN`.
    pub send_shut: bool,
    /// `SO_LINGER` is on with a time of 0.
    pub linger_zero: bool,
    /// `TCP_LINGER2` is below 0: once closed it does not wait in FIN-WAIT-2 (tcp(7)).
    pub skips_fin_wait_2: bool,
    /// A filter drops every segment that comes (`SO_ATTACH_FILTER`).
    pub deaf: bool,
    /// It is in repair mode: close(2) sends nothing (`TCP_REPAIR`).
    pub in_repair: bool,
    /// `O_NONBLOCK`.
    pub nonblocking: bool,
    /// How far its own connect has come.
    pub attachment: Attachment,
    /// How many descriptors hold it; with none it has no program.
    pub descriptors: u16,
}

/// A survey keeps two of them for each connection.
const _: () = assert!(size_of::<Socket>() <= 24, "a socket has grown");

/// The flags of send(2) and recv(2) that change an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "they are the calls' own flags")]
pub struct Flags {
    /// `MSG_NOSIGNAL`.
    pub quiet: bool,
    /// `MSG_DONTWAIT`.
    pub at_once: bool,
    /// `MSG_WAITALL`.
    pub all: bool,
}

impl Flags {
    /// Those of `call`.
    pub fn of(call: &Call) -> Self {
        Self {
            quiet: call.has_flag("MSG_NOSIGNAL"),
            at_once: call.has_flag("MSG_DONTWAIT"),
            all: call.has_flag("MSG_WAITALL"),
        }
    }
}

impl Socket {
    /// A socket whose connection has just been opened, held by one descriptor.
    pub fn connected() -> Self {
        Self { state: State::Established, descriptors: 1, attachment: Attachment::Made, ..Self::default() }
    }

    /// Whether it has no connection: none yet, or none any more.
    pub const fn is_gone(&self) -> bool {
        matches!(self.state, State::Closed | State::TimeWait)
    }

    /// Whether there was a connection once, as far as its end left a trace.
    const fn was_connected(&self) -> bool {
        self.receive_shut || self.end_seen
    }

    /// What `call`, which works on this socket, would come to. `None` where the model does not know: another call, or a
    /// connect, whose `target` decides.
    pub fn answer(&self, call: &Call, target: Option<Target>) -> Option<Answer> {
        let asked = call.asked_len().unwrap_or(0);
        Some(match call.name {
            CallName::Read | CallName::Readv => self.read(asked),
            name if name.sends() => self.send(asked, Flags::of(call)),
            name if name.receives() => self.recv(asked, Flags::of(call)),
            CallName::Shutdown => self.shutdown(call.how()?),
            CallName::Close => self.close(),
            // Of several sockets, which is ready is not this one's to say.
            CallName::Poll if call.args.len() == 3 => self.poll(call.word(1)?, call.int(2)?),
            CallName::Select => self.select(call.int(1)?),
            CallName::Getsockopt if call.has_flag("SO_ERROR") => self.error(),
            CallName::Connect if call.has_flag("AF_UNSPEC") => return self.connect(Some(Target::Unspecified)),
            CallName::Connect => return self.connect(target),
            CallName::Listen => self.listen(),
            CallName::Accept | CallName::Accept4 => self.accept(),
            _ => return None,
        })
    }
}
