//! shutdown(2) and close(2).

use super::answer::{Answer, Returns};
use super::{Attachment, Socket};
use crate::socket::call::How;
use crate::socket::errno::Errno;
use crate::tcp::state::State;

const SHUTDOWN: &str = "inet_shutdown(), tcp_shutdown()";
const CLOSE: &str = "__tcp_close()";

impl Socket {
    /// shutdown(2). It acts on the socket, whatever other descriptors there are.
    pub fn shutdown(&self, how: How) -> Answer {
        let answer = Answer::new(Returns::Zero, "receiving ends here; nothing is sent", SHUTDOWN);
        match (how, self.state) {
            _ if self.is_gone() => {
                let why = if self.attachment == Attachment::None {
                    "there is no connection to shut down"
                } else {
                    "the connection is gone already"
                };
                Answer::fails(Errno::ENOTCONN, why, SHUTDOWN)
            }
            (How::Write, State::Listen) => Answer { why: "a listening socket sends nothing anyway", ..answer },
            (_, State::Listen) => Answer { why: "it listens no more (tcp_disconnect())", ..answer },
            (_, State::SynSent) => Answer { why: "the attempt to connect is given up (tcp_disconnect())", ..answer },
            (How::Read, _) => answer,
            (_, State::Established | State::CloseWait | State::SynReceived) => {
                Answer { why: "the FIN says that no more bytes will come", ..answer }.sending("FIN")
            }
            _ => Answer { why: "the FIN has gone already", ..answer },
        }
    }

    /// close(2) of one descriptor. Unread bytes are asked for before SO_LINGER.
    pub fn close(&self) -> Answer {
        let answer = Answer::new(Returns::Zero, "only the descriptor is freed", CLOSE);
        if self.descriptors > 1 {
            return Answer { why: "another descriptor still holds the socket", ..answer };
        }
        match self.state {
            State::Closed | State::TimeWait | State::SynSent => answer,
            State::Listen => Answer { why: "it listens no more; what was not accepted is reset", ..answer },
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
            State::FinWait2 if self.skips_fin_wait_2 => {
                Answer { why: "TCP_LINGER2 below 0: it does not wait for the peer's FIN", ..answer }.sending("RST")
            }
            _ => Answer { why: "the FIN has gone already", ..answer },
        }
    }
}
