//! What a call changes at both ends of a connection on one machine, once all has settled.
//!
//! It holds where segments arrive at once and in order, and nothing is lost: there a FIN is taken in and acknowledged before
//! the next call is made, data for an end without a program is answered with a reset, and no state is left that passes by
//! itself.

use super::errno::Errno;
use super::outlook::{Attachment, Socket};
use crate::tcp::state::State;

/// A segment that the model sees sent. Acknowledgements without more have no part in it: when they are sent is a matter of
/// timers and of what else is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// A SYN, answered by a SYN or not.
    Syn,
    /// This many bytes.
    Data(u64),
    /// A FIN.
    Fin,
    /// A reset.
    Rst,
}

/// Who sends a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// The end that the call works on.
    Near,
    /// Its peer.
    Far,
}

/// A segment that a call has caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caused {
    /// Who sends it.
    pub from: From,
    /// What it is.
    pub wire: Wire,
    /// The state of the end that the call works on, once it has arrived.
    pub near: State,
    /// The state of its peer.
    pub far: State,
}

/// Both ends of a connection: the one that a call works on, and its peer. An end without a descriptor is a small record of
/// the kernel's, or waits to be accepted: then its attachment is [`Attachment::None`].
pub struct Ends {
    /// The end that the call works on.
    pub near: Socket,
    /// Its peer.
    pub far: Socket,
}

impl Ends {
    fn caused(&self, from: From, wire: Wire) -> Caused {
        Caused { from, wire, near: self.near.state, far: self.far.state }
    }

    /// `bytes` are sent, at least one.
    pub fn data(&mut self, bytes: u64) -> Vec<Caused> {
        let mut sent = vec![self.caused(From::Near, Wire::Data(bytes))];
        let far = &mut self.far;
        let record = far.descriptors == 0 && far.attachment != Attachment::None && far.state == State::FinWait2;
        if !record && !far.is_gone() && !far.resets_data() {
            far.data_arrives(bytes);
            return sent;
        }
        if record {
            // tcp_timewait_state_process(): TCP_TW_RST, and inet_twsk_deschedule_put().
            far.state = State::Closed;
        } else if !far.is_gone() {
            // tcp_rcv_state_process(), TCP_ABORT_ON_DATA: the socket takes the error itself.
            far.reset_arrives(far.state);
        }
        self.near.reset_arrives(self.near.state);
        sent.push(self.caused(From::Far, Wire::Rst));
        sent
    }

    /// This end says that it sends no more, if it has not said so before (`tcp_send_fin()`).
    pub fn fin(&mut self) -> Vec<Caused> {
        match self.near.state {
            State::Established => self.near.state = State::FinWait2,
            // The peer, which ended first, acknowledges at once: LAST-ACK is passed through.
            State::CloseWait => self.near.dies(),
            _ => return Vec::new(),
        }
        self.near.send_shut = true;
        self.far.fin_arrives();
        match self.far.state {
            State::Established => self.far.state = State::CloseWait,
            State::FinWait2 => {
                self.far.dies();
                self.far.state = State::TimeWait;
            }
            _ => {}
        }
        vec![self.caused(From::Near, Wire::Fin)]
    }

    /// This end gives the connection up (`tcp_send_active_reset()`).
    pub fn reset(&mut self) -> Vec<Caused> {
        self.near.dies();
        self.far.reset_arrives(self.far.state);
        vec![self.caused(From::Near, Wire::Rst)]
    }

    /// The last descriptor of this end was closed, and is not counted any more (`__tcp_close()`).
    pub fn close(&mut self) -> Vec<Caused> {
        if self.near.is_gone() {
            return Vec::new();
        }
        if self.near.unread > 0 || self.near.linger_zero {
            return self.reset();
        }
        let mut sent = self.fin();
        self.near.receive_shut = true;
        if self.near.state == State::FinWait2 && self.near.skips_fin_wait_2 {
            sent.extend(self.reset());
        }
        sent
    }

    /// This end is disconnected (`tcp_disconnect()`): open, it is given up, and its program is told so as well.
    pub fn disconnect(&mut self) -> Vec<Caused> {
        let open = !self.near.is_gone();
        let sent = if open { self.reset() } else { Vec::new() };
        disconnected(&mut self.near, open);
        sent
    }
}

/// What `tcp_disconnect()` leaves of a socket: its options, an error where it `was_open`, and else what was already pending.
pub fn disconnected(socket: &mut Socket, was_open: bool) {
    let pending = if was_open { Some(Errno::ECONNRESET) } else { socket.pending };
    *socket = Socket {
        state: State::Closed,
        unread: 0,
        pending,
        end_seen: false,
        receive_shut: false,
        send_shut: false,
        attachment: Attachment::None,
        ..*socket
    };
}
