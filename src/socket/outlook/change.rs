//! What segments and calls change in what a socket remembers.

use super::Socket;
use crate::socket::call::How;
use crate::socket::errno::Errno;
use crate::tcp::state::State;

impl Socket {
    /// Bytes arrive in order. Where both directions were shut by this end, none is taken: they are answered with a reset
    /// (`tcp_rcv_state_process()`, `TCP_ABORT_ON_DATA`).
    pub fn data_arrives(&mut self, bytes: u64) {
        if !self.resets_data() {
            self.unread += bytes;
        }
    }

    /// Whether new data is answered with a reset, although the socket is there (`tcp_rcv_state_process()`).
    pub const fn resets_data(&self) -> bool {
        self.receive_shut && matches!(self.state, State::FinWait1 | State::FinWait2)
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
            State::Closed | State::TimeWait => self.pending,
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

    /// shutdown(2) did its part. It does so even where it fails because nothing is connected (`inet_shutdown()`).
    pub fn shuts(&mut self, how: How) {
        self.receive_shut |= how != How::Write;
        self.send_shut |= how != How::Read;
    }
}
