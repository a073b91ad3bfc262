//! recv(2) and read(2), and the error that `SO_ERROR` hands out.

use super::answer::{Answer, Returns};
use super::{Flags, Socket};
use crate::socket::errno::Errno;
use crate::tcp::state::State;

const SOURCE: &str = "tcp_recvmsg_locked()";

impl Socket {
    /// recv(2) of up to `len` bytes. The order of the questions is the kernel's.
    pub fn recv(&self, len: u64, flags: Flags) -> Answer {
        if self.state == State::Listen {
            return Answer::fails(Errno::ENOTCONN, "a listening socket carries no data", SOURCE);
        }
        if self.unread > 0 {
            return self.queued(len, flags);
        }
        if self.end_seen {
            let why = "the peer's FIN is reported as the end of the stream, whatever came after";
            return Answer::new(Returns::Zero, why, SOURCE);
        }
        if let Some(errno) = self.pending {
            return Answer::fails(errno, "the reset's error waits here, and the next call takes it", SOURCE);
        }
        if self.receive_shut {
            return Answer::new(Returns::Zero, "nothing more can be received here", SOURCE);
        }
        if self.is_gone() {
            return Answer::fails(Errno::ENOTCONN, "there is no connection", SOURCE);
        }
        Answer::new(Returns::Waits, "nothing has arrived that was not read", SOURCE)
            .at_once(flags.at_once || self.nonblocking)
    }

    /// Bytes are there. `MSG_WAITALL` waits for the rest, unless nothing more can come.
    fn queued(&self, len: u64, flags: Flags) -> Answer {
        let more_may_come = !self.receive_shut && self.pending.is_none() && !self.is_gone();
        let may_wait = !flags.at_once && !self.nonblocking;
        if flags.all && self.unread < len && more_may_come && may_wait {
            return Answer::new(Returns::Waits, "MSG_WAITALL waits for all that was asked for", SOURCE);
        }
        Answer::new(Returns::Bytes(self.unread.min(len)), "these bytes have arrived and wait to be read", SOURCE)
    }

    /// read(2) of up to `len` bytes: of none it returns 0 without asking TCP (`sock_read_iter()`).
    pub fn read(&self, len: u64) -> Answer {
        if len == 0 {
            return Answer::new(Returns::Zero, "nothing was asked for", "sock_read_iter()");
        }
        self.recv(len, Flags::default())
    }

    /// getsockopt(2) of `SO_ERROR`, which takes the error.
    pub fn error(&self) -> Answer {
        let why = if self.pending.is_some() {
            "this error waits here, and is taken by asking"
        } else {
            "no error waits here"
        };
        Answer::new(Returns::Error(self.pending), why, "sock_error()")
    }
}
