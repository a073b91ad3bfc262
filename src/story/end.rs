//! One end of a connection, and what a segment does to both.

use super::side::{Both, Side};
use crate::socket::outlook::Socket;
use crate::tcp::head::Head;
use crate::tcp::machine::{self, Endpoint, Stimulus};
use crate::tcp::rule::Rule;
use crate::tcp::seq::SeqNum;
use crate::tcp::state::State;

/// One end at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// What its segments say.
    pub tcp: Endpoint,
    /// What its socket remembers, as far as segments and calls tell.
    pub socket: Socket,
    /// Whether calls at this end are known, so that reads and descriptors count.
    pub has_calls: bool,
    /// Whether, without known calls, a reset of its own shows that no program is there any more.
    pub gave_up: bool,
}

/// Two of them are kept for each connection of a survey that goes on.
const _: () = assert!(size_of::<End>() <= 80, "an end has grown");

impl End {
    /// Whether a program can still use it: false once its last descriptor is closed, or, where its calls are not known, once
    /// it has sent a reset.
    pub fn has_program(&self) -> bool {
        if self.has_calls { self.socket.descriptors > 0 } else { !self.gave_up }
    }
}

/// A state that an event changed, or was looked at and kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// At which end.
    pub side: Side,
    /// The state before.
    pub from: State,
    /// The state after.
    pub to: State,
    /// Why.
    pub rule: Rule,
}

/// What one segment did.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    /// The sender's step.
    pub sent: Change,
    /// The receiver's step.
    pub arrived: Change,
    /// Whether the receiving end, had it no program, would have answered with a reset.
    pub draws_reset: bool,
    /// Whether a program could still take it when it arrived.
    pub heard: bool,
}

/// A segment is sent by `side` and arrives at `peer`, which is `side` itself for a socket that is connected with itself.
pub fn exchange(ends: &mut Both<End>, side: Side, peer: Side, head: &Head) -> Exchange {
    let draws_reset = ends[peer].tcp.would_reset_without_reader(head);
    let has_reader = ends[peer].has_program() || head.payload_len == 0;
    let sent = if ends[side].cannot_send(head) { ends[side].is_bypassed(side) } else { ends[side].sends(side, head) };
    if ends[peer].socket.deaf {
        let state = ends[peer].tcp.state;
        let dropped = Change { side: peer, from: state, to: state, rule: Rule::Filtered };
        return Exchange { sent, arrived: dropped, draws_reset: false, heard: false };
    }
    let arrived = ends[peer].gets(peer, head);
    Exchange { sent, arrived, draws_reset, heard: has_reader }
}

/// What [`exchange`] does where a segment is just the next one of two open ends, which nearly every segment is: then no state
/// changes and nobody has anything to decide. Whether it was that; else nothing has happened.
#[inline]
pub fn in_order(ends: &mut Both<End>, side: Side, head: &Head) -> bool {
    let (sender, receiver) = match side {
        Side::Client => (&mut ends.client, &mut ends.server),
        Side::Server => (&mut ends.server, &mut ends.client),
    };
    let is_next = machine::in_order(&mut sender.tcp, &mut receiver.tcp, head);
    if is_next {
        receiver.socket.data_arrives(head.payload_len.into());
    }
    is_next
}

impl End {
    /// Whether `head` is a bare reset while a program is known to hold the socket, which answers nothing so: it takes what
    /// comes, and gives up with an ACK.
    fn cannot_send(&self, head: &Head) -> bool {
        let is_bare = head.flags.rst() && !head.flags.ack();
        is_bare && self.takes_all() && self.has_calls && self.socket.descriptors > 0
    }

    /// Whether it is in a state in which no data draws a reset (`tcp_rcv_established()`, whatever was shut down).
    pub const fn takes_all(&self) -> bool {
        matches!(self.tcp.state, State::Established | State::CloseWait)
    }

    /// Somebody else answered in its name: it did not get what was answered.
    fn is_bypassed(&mut self, side: Side) -> Change {
        let (state, next) = (self.tcp.state, self.tcp.rcv_nxt);
        if state == State::Established {
            self.tcp.take_back();
            self.lacks(next);
        }
        Change { side, from: state, to: state, rule: Rule::SentByAnother }
    }

    fn sends(&mut self, side: Side, head: &Head) -> Change {
        let (next, had_fin) = (self.tcp.rcv_nxt, self.tcp.state.has_received_fin());
        let from = self.tcp.state;
        let rule = self.tcp.take(Stimulus::Sends(head));
        let to = self.tcp.state;
        if head.flags.rst() && !matches!(rule, Rule::NotItsOwn | Rule::RejectsAck) {
            self.resets(from, rule);
        } else if !head.flags.rst() {
            if rule == Rule::StillThere {
                self.returns();
                self.lacks(next);
            }
            self.catches_up(next, had_fin);
        }
        if head.flags.fin() {
            self.socket.send_shut = true;
        }
        self.socket.state = to;
        Change { side, from, to, rule }
    }

    /// It sent a reset of its own.
    fn resets(&mut self, from: State, rule: Rule) {
        // A full socket that can receive no more answers data with a reset and takes the error itself
        // (tcp_rcv_state_process(), TCP_ABORT_ON_DATA); one whose program gave up has nobody to tell.
        let answers_for_program = rule == Rule::AnswersWithReset && self.has_calls && self.socket.descriptors > 0;
        if answers_for_program && from != State::Closed {
            self.socket.reset_arrives(State::Established);
        }
        self.socket.dies();
        self.gave_up = !self.has_calls;
    }

    /// No reset had closed it: what one did to its socket is taken back.
    fn returns(&mut self) {
        self.socket.pending = None;
        self.socket.receive_shut = self.socket.end_seen;
        self.socket.send_shut = self.tcp.fin().is_some();
        self.gave_up = false;
    }

    /// What lies between what has arrived and `presumed` has not.
    fn lacks(&mut self, presumed: Option<SeqNum>) {
        if let Some((next, presumed)) =
            self.tcp.rcv_nxt.zip(presumed).filter(|(next, presumed)| next.is_before(*presumed))
        {
            self.socket.unread = self.socket.unread.saturating_sub(presumed.relative_to(next).into());
        }
    }

    /// What its own acknowledgement shows to have arrived, beyond what was presumed.
    fn catches_up(&mut self, known: Option<SeqNum>, had_fin: bool) {
        let takes_fin = !had_fin && self.tcp.state.has_received_fin();
        if let Some((known, next)) = known.zip(self.tcp.rcv_nxt).filter(|(known, next)| known.is_before(*next)) {
            let bytes = next.relative_to(known).saturating_sub(u32::from(takes_fin));
            self.socket.data_arrives(u64::from(bytes));
        }
        if takes_fin {
            self.socket.fin_arrives();
        }
    }

    fn gets(&mut self, side: Side, head: &Head) -> Change {
        let (next, had_fin) = (self.tcp.rcv_nxt, self.tcp.state.has_received_fin());
        let from = self.tcp.state;
        let rule = self.tcp.take(Stimulus::Arrives(head));
        let to = self.tcp.state;
        match rule {
            // Nobody had accepted it yet, so that nobody is told (tcp_check_req()).
            Rule::ResetEndsPassiveOpen => self.socket.dies(),
            rule if rule.is_reset_obeyed() => self.socket.reset_arrives(from),
            _ if to != State::Closed && !head.flags.rst() => self.takes(next, had_fin, head),
            _ => {}
        }
        self.socket.state = to;
        Change { side, from, to, rule }
    }

    /// What of `head` arrived in order, and its FIN.
    fn takes(&mut self, known: Option<SeqNum>, had_fin: bool, head: &Head) {
        let from = known.unwrap_or(head.payload_range().start);
        let new = head.payload_range().end();
        if self.tcp.rcv_nxt.is_some_and(|next| new.is_at_or_before(next)) && from.is_before(new) {
            self.socket.data_arrives(u64::from(new.relative_to(from)).min(u64::from(head.payload_len)));
        }
        if !had_fin && self.tcp.state.has_received_fin() {
            self.socket.fin_arrives();
        }
    }
}
