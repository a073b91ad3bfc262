//! send(2) and write(2).

use super::answer::{Answer, Returns};
use super::{Flags, Socket};
use crate::socket::errno::{Errno, Signal};
use crate::tcp::state::State;

const SOURCE: &str = "tcp_sendmsg_locked(), sk_stream_error()";
const WAIT: &str = "sk_stream_wait_connect()";

impl Socket {
    /// send(2) of `len` bytes. The order of the questions is the kernel's.
    pub fn send(&self, len: u64, flags: Flags) -> Answer {
        if let Some(errno) = self.pending {
            let why = "an error waits here since the reset, and the next call takes it";
            return Self::failing(errno, flags, why, SOURCE);
        }
        match self.state {
            State::Established | State::CloseWait if self.send_shut => {
                Self::failing(Errno::EPIPE, flags, "this end has said that it sends no more", SOURCE)
            }
            State::Established | State::CloseWait => self.takes(len),
            State::SynSent | State::SynReceived => {
                Answer::new(Returns::Waits, "not connected yet", WAIT).at_once(flags.at_once || self.nonblocking)
            }
            _ => Self::failing(Errno::EPIPE, flags, self.why_not(), WAIT),
        }
    }

    fn takes(&self, len: u64) -> Answer {
        let why = if self.state == State::CloseWait {
            "the peer's FIN ended only the other direction"
        } else {
            "the kernel takes the bytes; what becomes of them shows later"
        };
        let answer = Answer::new(Returns::Asked, why, SOURCE);
        if len == 0 { answer } else { answer.sending("DATA") }
    }

    /// Why there is nothing to send on.
    fn why_not(&self) -> &'static str {
        match () {
            () if self.is_gone() && self.was_connected() => {
                "the connection is gone, and its error was reported already"
            }
            () if self.send_shut => "this end has said that it sends no more",
            () => "there is no connection to send on",
        }
    }

    /// Only EPIPE raises a signal, pending or not, and `MSG_NOSIGNAL` holds it back (`sk_stream_error()`).
    fn failing(errno: Errno, flags: Flags, why: &'static str, source: &'static str) -> Answer {
        let signal = (errno == Errno::EPIPE && !flags.quiet).then_some(Signal::SIGPIPE);
        Answer { signal, ..Answer::fails(errno, why, source) }
    }
}
