//! What each call would return if it were made now, and why: a small model of the Linux TCP socket.
//!
//! The model holds what the kernel's socket remembers (`struct sock`, `struct tcp_sock`) as far as answers depend on it, and
//! asks in the kernel's order. Its domain for now: blocking calls on a stream socket whose connection has settled, with
//! payloads below the buffers' size. Sources stand at each answer.

use std::fmt;

use super::call::How;
use super::errno::{Errno, Signal};
use crate::tcp::state::State;

/// What a TCP socket remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "they are the kernel's own flags, each of which is set and asked alone"
)]
pub struct Socket {
    /// The state of its connection.
    pub state: State,
    /// Bytes that arrived in order and were not read.
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
    /// How many descriptors hold it; with none it has no program.
    pub descriptors: u32,
}

/// What a call would return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// 0.
    Zero,
    /// The number of bytes asked for.
    Asked,
    /// This number of bytes.
    Bytes(u64),
    /// −1 with this error.
    Fails(Errno),
    /// Nothing yet: the call waits.
    Waits,
}

/// What a call would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What it returns.
    pub returns: Returns,
    /// The signal that comes with it.
    pub signal: Option<Signal>,
    /// What it puts on the wire: `DATA`, `FIN`, `RST`.
    pub sends: Option<&'static str>,
    /// Why, in plain words.
    pub why: &'static str,
    /// The kernel function that decides.
    pub source: &'static str,
}

impl Answer {
    const fn new(returns: Returns, why: &'static str, source: &'static str) -> Self {
        Self { returns, signal: None, sends: None, why, source }
    }

    const fn sending(mut self, segment: &'static str) -> Self {
        self.sends = Some(segment);
        self
    }

    /// Its text, where that is one of a few words.
    pub fn word(&self) -> Option<&'static str> {
        self.returns.word().filter(|_| self.is_alone())
    }

    /// Hands its text to `take`: `5`, `0 and FIN`, `EPIPE+SIGPIPE`, `waits`.
    pub fn text<T>(&self, take: impl FnOnce(&str) -> T) -> T {
        match (self.returns, self.word()) {
            (_, Some(word)) => take(word),
            (Returns::Bytes(bytes), None) if self.is_alone() => take(itoa::Buffer::new().format(bytes)),
            _ => take(&self.in_full()),
        }
    }

    /// Whether there is nothing to say beside what it returns: that data is sent goes without saying.
    fn is_alone(&self) -> bool {
        self.signal.is_none() && matches!(self.sends, Some("DATA") | None)
    }

    fn in_full(&self) -> String {
        let returns = match self.returns {
            Returns::Bytes(bytes) => bytes.to_string(),
            Returns::Fails(errno) => errno.to_string(),
            other => other.word().unwrap_or_default().to_owned(),
        };
        let signal = self.signal.map_or_else(String::new, |signal| format!("+{signal}"));
        match self.sends {
            Some("DATA") | None => returns + &signal,
            Some(segment) => format!("{returns}{signal} and {segment}"),
        }
    }
}

impl Returns {
    fn word(self) -> Option<&'static str> {
        match self {
            Self::Zero => Some("0"),
            Self::Asked => Some("ok"),
            Self::Bytes(_) => None,
            Self::Fails(errno) => errno.name(),
            Self::Waits => Some("waits"),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text(|text| f.write_str(text))
    }
}

impl Socket {
    /// A socket whose connection has just been opened, held by one descriptor.
    pub fn connected() -> Self {
        Self { state: State::Established, descriptors: 1, ..Self::default() }
    }

    /// send(2) of at least one byte. `quiet` is `MSG_NOSIGNAL`.
    pub fn send(&self, quiet: bool) -> Answer {
        const SOURCE: &str = "tcp_sendmsg_locked(), sk_stream_error()";
        if let Some(errno) = self.pending {
            let why = "an error waits here since the reset, and the next call takes it";
            return Self::failing(errno, quiet, why, SOURCE);
        }
        if self.send_shut {
            let why = if self.state == State::Closed && !self.is_fresh() {
                "the connection is gone, and its error was reported already"
            } else {
                "this end has said that it sends no more"
            };
            return Self::failing(Errno::EPIPE, quiet, why, SOURCE);
        }
        match self.state {
            State::Established => {
                Answer::new(Returns::Asked, "the kernel takes the bytes; what becomes of them shows later", SOURCE)
                    .sending("DATA")
            }
            State::CloseWait => {
                Answer::new(Returns::Asked, "the peer's FIN ended only the other direction", SOURCE).sending("DATA")
            }
            State::SynSent | State::SynReceived => {
                Answer::new(Returns::Waits, "not connected yet", "sk_stream_wait_connect()")
            }
            _ => Self::failing(Errno::EPIPE, quiet, "there is no connection to send on", "sk_stream_wait_connect()"),
        }
    }

    fn failing(errno: Errno, quiet: bool, why: &'static str, source: &'static str) -> Answer {
        let signal = (errno == Errno::EPIPE && !quiet).then_some(Signal::SIGPIPE);
        Answer { signal, ..Answer::new(Returns::Fails(errno), why, source) }
    }

    /// Whether no connection was ever opened on it.
    fn is_fresh(&self) -> bool {
        self.state == State::Closed && !self.receive_shut && !self.end_seen
    }

    /// recv(2) of up to `len` bytes.
    pub fn recv(&self, len: u64) -> Answer {
        const SOURCE: &str = "tcp_recvmsg_locked()";
        if self.state == State::Listen {
            return Answer::new(Returns::Fails(Errno::ENOTCONN), "a listening socket carries no data", SOURCE);
        }
        if self.unread > 0 {
            return Answer::new(
                Returns::Bytes(self.unread.min(len)),
                "these bytes have arrived and wait to be read",
                SOURCE,
            );
        }
        if self.end_seen {
            return Answer::new(
                Returns::Zero,
                "the peer's FIN is reported as the end of the stream, whatever came after",
                SOURCE,
            );
        }
        if let Some(errno) = self.pending {
            return Answer::new(
                Returns::Fails(errno),
                "the reset's error waits here, and the next call takes it",
                SOURCE,
            );
        }
        if self.receive_shut {
            return Answer::new(Returns::Zero, "nothing more can be received here", SOURCE);
        }
        if self.state == State::Closed {
            return Answer::new(Returns::Fails(Errno::ENOTCONN), "there is no connection", SOURCE);
        }
        Answer::new(Returns::Waits, "nothing has arrived that was not read", SOURCE)
    }

    /// shutdown(2).
    pub fn shutdown(&self, how: How) -> Answer {
        const SOURCE: &str = "inet_shutdown(), tcp_shutdown()";
        if self.state == State::Closed {
            return Answer::new(Returns::Fails(Errno::ENOTCONN), "there is no connection to shut down", SOURCE);
        }
        let answer = Answer::new(Returns::Zero, "receiving ends here; nothing is sent", SOURCE);
        match (how, self.state) {
            (How::Read, _) => answer,
            (_, State::Established | State::CloseWait | State::SynReceived) => {
                Answer { why: "the FIN says that no more bytes will come", ..answer }.sending("FIN")
            }
            _ => Answer { why: "the FIN has gone already", ..answer },
        }
    }

    /// close(2) of one descriptor.
    pub fn close(&self) -> Answer {
        const SOURCE: &str = "__tcp_close()";
        let answer = Answer::new(Returns::Zero, "only the descriptor is freed", SOURCE);
        if self.descriptors > 1 {
            return Answer { why: "another descriptor still holds the socket", ..answer };
        }
        match self.state {
            State::Closed | State::Listen | State::SynSent => answer,
            _ if self.in_repair => Answer { why: "in repair mode nobody is told", ..answer },
            _ if self.unread > 0 => {
                Answer { why: "bytes that arrived were not read, so the peer is told by a reset", ..answer }
                    .sending("RST")
            }
            _ if self.linger_zero => Answer { why: "SO_LINGER with 0 asks for a reset", ..answer }.sending("RST"),
            State::Established | State::CloseWait | State::SynReceived => {
                Answer { why: "the last descriptor: the FIN says that no more bytes will come", ..answer }
                    .sending("FIN")
            }
            _ => Answer { why: "the FIN has gone already", ..answer },
        }
    }

    /// What poll(2) would report, as on screen: `IN OUT RDHUP` (`tcp_poll()`).
    pub fn poll(&self) -> Vec<&'static str> {
        let dead = self.state == State::Closed || (self.receive_shut && self.send_shut);
        let open = !matches!(self.state, State::Listen | State::SynSent);
        let flags = [
            ("IN", open && (self.unread > 0 || self.receive_shut)),
            ("OUT", open),
            ("ERR", self.pending.is_some()),
            ("HUP", dead),
            ("RDHUP", self.receive_shut),
        ];
        flags.into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect()
    }

    /// Bytes arrive in order. Where both directions were shut by this end, none is taken: they are answered with a reset
    /// (`tcp_rcv_state_process()`, `TCP_ABORT_ON_DATA`).
    pub fn data_arrives(&mut self, bytes: u64) {
        if !(self.receive_shut && matches!(self.state, State::FinWait1 | State::FinWait2)) {
            self.unread += bytes;
        }
    }

    /// The peer's FIN is taken in (`tcp_fin()`).
    pub fn fin_arrives(&mut self) {
        self.end_seen = true;
        self.receive_shut = true;
    }

    /// A reset is obeyed while the connection is in `state` (`tcp_reset()`).
    pub fn reset_arrives(&mut self, state: State) {
        self.pending = match state {
            State::SynSent => Some(Errno::ECONNREFUSED),
            State::CloseWait => Some(Errno::EPIPE),
            State::Closed => None,
            _ => Some(Errno::ECONNRESET),
        };
        self.dies();
    }

    /// The connection is gone: both directions are shut, what was read in stays readable (`tcp_done()`).
    pub fn dies(&mut self) {
        self.state = State::Closed;
        self.receive_shut = true;
        self.send_shut = true;
    }

    /// A call reported `errno`, which is consumed by that (`sock_error()`).
    pub fn reports(&mut self, errno: Errno) {
        if self.pending == Some(errno) {
            self.pending = None;
        }
    }

    /// `bytes` were read.
    pub fn reads(&mut self, bytes: u64) {
        self.unread = self.unread.saturating_sub(bytes);
    }

    /// shutdown(2) succeeded.
    pub fn shuts(&mut self, how: How) {
        self.receive_shut |= how != How::Write;
        self.send_shut |= how != How::Read;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after_fin() -> Socket {
        let mut socket = Socket::connected();
        socket.fin_arrives();
        Socket { state: State::CloseWait, ..socket }
    }

    fn after_fin_and_reset() -> Socket {
        let mut socket = after_fin();
        socket.reset_arrives(State::CloseWait);
        socket
    }

    #[test]
    fn close_wait_sends_and_reads_the_end() {
        assert_eq!(after_fin().send(false).to_string(), "ok");
        assert_eq!(after_fin().recv(9).to_string(), "0");
        assert_eq!(after_fin().poll(), ["IN", "OUT", "RDHUP"]);
        assert_eq!(after_fin().close().to_string(), "0 and FIN");
    }

    #[test]
    fn a_reset_after_the_fin_is_a_broken_pipe() {
        let mut socket = after_fin_and_reset();
        assert_eq!(socket.send(false).to_string(), "EPIPE+SIGPIPE");
        assert_eq!(socket.send(true).to_string(), "EPIPE");
        assert_eq!(socket.recv(9).to_string(), "0");
        assert_eq!(socket.shutdown(How::Write).to_string(), "ENOTCONN");
        assert_eq!(socket.close().to_string(), "0");
        assert_eq!(socket.poll(), ["IN", "OUT", "ERR", "HUP", "RDHUP"]);
        socket.reports(Errno::EPIPE);
        assert_eq!(socket.send(false).to_string(), "EPIPE+SIGPIPE");
        assert_eq!(socket.poll(), ["IN", "OUT", "HUP", "RDHUP"]);
    }

    #[test]
    fn a_reset_without_a_fin_is_reported_once() {
        let mut socket = Socket::connected();
        socket.data_arrives(3);
        socket.reset_arrives(State::Established);
        assert_eq!(socket.recv(9).to_string(), "3");
        socket.reads(3);
        assert_eq!(socket.recv(9).to_string(), "ECONNRESET");
        socket.reports(Errno::ECONNRESET);
        assert_eq!(socket.recv(9).to_string(), "0");
        assert_eq!(socket.send(false).to_string(), "EPIPE+SIGPIPE");
    }

    #[test]
    fn unread_bytes_and_linger_zero_turn_close_into_a_reset() {
        let mut socket = Socket::connected();
        assert_eq!(socket.close().sends, Some("FIN"));
        socket.data_arrives(1);
        assert_eq!(socket.close().sends, Some("RST"));
        let socket = Socket { linger_zero: true, ..Socket::connected() };
        assert_eq!(socket.close().sends, Some("RST"));
    }

    #[test]
    fn a_copy_keeps_the_connection_open() {
        let socket = Socket { descriptors: 2, ..Socket::connected() };
        assert_eq!(socket.close().sends, None);
    }

    #[test]
    fn after_shut_rd_later_data_is_still_readable() {
        let mut socket = Socket::connected();
        socket.shuts(How::Read);
        assert_eq!(socket.recv(9).to_string(), "0");
        socket.data_arrives(4);
        assert_eq!(socket.recv(9).to_string(), "4");
        assert_eq!(socket.poll(), ["IN", "OUT", "RDHUP"]);
    }

    #[test]
    fn an_own_shutdown_makes_the_send_fail_at_once() {
        let mut socket = Socket::connected();
        socket.shuts(How::Write);
        let socket = Socket { state: State::FinWait2, ..socket };
        assert_eq!(socket.send(false).to_string(), "EPIPE+SIGPIPE");
        assert_eq!(socket.recv(9).to_string(), "waits");
    }

    #[test]
    fn a_socket_that_was_never_connected_fails_with_epipe_and_enotconn() {
        let socket = Socket { descriptors: 1, ..Socket::default() };
        assert_eq!(socket.send(false).to_string(), "EPIPE+SIGPIPE");
        assert_eq!(socket.recv(9).to_string(), "ENOTCONN");
    }
}
