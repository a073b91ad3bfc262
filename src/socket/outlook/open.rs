//! connect(2), listen(2) and accept(2).

use super::answer::{Answer, Returns};
use super::{Attachment, Socket};
use crate::socket::errno::Errno;
use crate::tcp::state::State;

const CONNECT: &str = "__inet_stream_connect()";
const LISTEN: &str = "inet_listen()";
const ACCEPT: &str = "inet_csk_accept()";

/// What is where a connect goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Somebody listens there, and has room.
    Listening,
    /// Nobody listens there, and its kernel says so.
    Refusing,
    /// Nowhere: `AF_UNSPEC` asks to be disconnected.
    Unspecified,
}

impl Socket {
    /// connect(2). Without a `target` only what the socket itself decides is known.
    pub fn connect(&self, target: Option<Target>) -> Option<Answer> {
        if target == Some(Target::Unspecified) {
            return Some(self.disconnect());
        }
        Some(match self.attachment {
            Attachment::Made => Answer::fails(Errno::EISCONN, "it is connected, or was", CONNECT),
            Attachment::Cut => {
                Answer::fails(Errno::EINVAL, "it was shut down before its connect had succeeded", CONNECT)
            }
            Attachment::Asked => self.connect_again(),
            Attachment::None if self.state == State::Listen => {
                Answer::fails(Errno::EISCONN, "a listening socket does not connect", CONNECT)
            }
            Attachment::None => self.connect_first(target?),
        })
    }

    /// A connect was begun before, and its end was not asked for yet.
    fn connect_again(&self) -> Answer {
        match (self.state, self.pending) {
            (State::SynSent | State::SynReceived, _) => {
                Answer::fails(Errno::EALREADY, "an earlier connect is under way", CONNECT)
            }
            (State::Closed | State::TimeWait, Some(errno)) => {
                Answer::fails(errno, "what became of the earlier connect", CONNECT)
            }
            (State::Closed | State::TimeWait, None) => Answer::fails(
                Errno::ECONNABORTED,
                "the earlier connect failed, and its error was reported already",
                CONNECT,
            ),
            _ => Answer::new(Returns::Zero, "the earlier connect has succeeded", CONNECT),
        }
    }

    fn connect_first(&self, target: Target) -> Answer {
        let answer = match target {
            _ if self.nonblocking => {
                Answer::fails(Errno::EINPROGRESS, "the SYN is sent, and the call does not wait for an answer", CONNECT)
            }
            Target::Refusing => Answer::fails(Errno::ECONNREFUSED, "the SYN is answered by a reset", CONNECT),
            _ => Answer::new(Returns::Zero, "the SYN is answered by a SYN", CONNECT),
        };
        answer.sending("SYN")
    }

    /// connect(2) with `AF_UNSPEC`. It resets what is open, and says so at the next call of its own end.
    fn disconnect(&self) -> Answer {
        let answer = Answer::new(Returns::Zero, "there is nothing to disconnect", "tcp_disconnect()");
        match self.state {
            State::Closed | State::TimeWait | State::SynSent => answer,
            State::Listen => Answer { why: "it listens no more; what was not accepted is reset", ..answer },
            _ => Answer { why: "the connection is given up by a reset", ..answer }.sending("RST"),
        }
    }

    /// listen(2).
    pub fn listen(&self) -> Answer {
        match (self.attachment, self.state) {
            (Attachment::None, State::Listen) => Answer::new(Returns::Zero, "only the backlog changes", LISTEN),
            (Attachment::None, State::Closed) => {
                Answer::new(Returns::Zero, "from now on its kernel answers SYNs", LISTEN)
            }
            _ => Answer::fails(Errno::EINVAL, "it is connected, or was", LISTEN),
        }
    }

    /// accept(2).
    pub fn accept(&self) -> Answer {
        match self.state {
            State::Listen if self.unread > 0 => {
                Answer::new(Returns::Descriptor, "a connection waits, whatever became of it since", ACCEPT)
            }
            State::Listen => Answer::new(Returns::Waits, "no connection waits", ACCEPT).at_once(self.nonblocking),
            _ => Answer::fails(Errno::EINVAL, "it does not listen", ACCEPT),
        }
    }
}
