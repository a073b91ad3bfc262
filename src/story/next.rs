//! What each call would return next at both ends, in one line each.

use super::connection::End;
use super::side::{Both, Side};
use super::telling::Next;
use super::{Story, account};
use crate::event::{ConnectionId, EventId};
use crate::socket::call::How;
use crate::socket::outlook::{Answer, Returns, Socket};
use crate::tcp::state::State;

/// How much a recv is taken to ask for.
const ASKED: u64 = 8192;

pub fn next(story: &Story, connection: ConnectionId, at: EventId) -> Next {
    let ends = story
        .latest(connection, at)
        .and_then(|id| story.record(id))
        .map(|record| record.ends.clone())
        .unwrap_or_default();
    Next {
        lines: Both { client: line(&ends, Side::Client), server: line(&ends, Side::Server) },
        bytes: account::line(&story.account(connection, at)),
    }
}

fn line(ends: &Both<End>, side: Side) -> String {
    let end = &ends[side];
    if !end.has_program() {
        return without_program(end.tcp.state).to_owned();
    }
    match end.tcp.state {
        State::Closed if end.tcp.isn.is_none() && !end.has_calls => "no socket yet".to_owned(),
        State::Listen => "its kernel answers a SYN by itself".to_owned(),
        State::SynSent => "connect waits for an answer".to_owned(),
        _ => with_program(end),
    }
}

/// What the kernel does for an end whose program has gone or has closed it.
const fn without_program(state: State) -> &'static str {
    match state {
        State::FinWait1 => "kernel repeats its FIN until it is acknowledged",
        State::FinWait2 => "kernel answers data with RST; FIN-WAIT-2 for 60 s at most",
        State::TimeWait => "kernel repeats the last ACK if asked; TIME-WAIT for 60 s",
        State::LastAck | State::Closing => "kernel waits for an ACK",
        State::Closed => "no socket: only a new connection",
        _ => "kernel only",
    }
}

fn with_program(end: &End) -> String {
    // Without calls nobody knows what was read; a program that reads is the common case, and it is said.
    let unsure = !end.has_calls && end.socket.unread > 0;
    let socket = if unsure { &Socket { unread: 0, ..end.socket } } else { &end.socket };
    let parts = [
        format!("send {}", send(end)),
        format!("recv {}", socket.recv(ASKED)),
        format!("shutdown {}", socket.shutdown(How::Write)),
        format!("close {}", close(&socket.close())),
    ];
    parts.join(" · ") + if unsure { ", if all was read" } else { "" }
}

/// Where data is on its way to a peer that has sent its FIN, the answer may be a reset.
fn send(end: &End) -> String {
    let unanswered = end.tcp.snd_una.is_before(end.tcp.snd_nxt);
    let answer = end.socket.send(false).to_string();
    if end.tcp.state == State::CloseWait && unanswered {
        format!("{answer}, or EPIPE once an answer is here")
    } else {
        answer
    }
}

fn close(answer: &Answer) -> String {
    match (answer.returns, answer.sends) {
        (Returns::Zero, None) => "0, no segment".to_owned(),
        _ => answer.to_string(),
    }
}
