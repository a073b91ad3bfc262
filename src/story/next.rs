//! What each call would return next at both ends, in one line each.

use unicode_width::UnicodeWidthStr;

use super::end::End;
use super::side::{Both, Side};
use super::telling::Next;
use super::{Story, account, standing};
use crate::event::{ConnectionId, EventId};
use crate::socket::call::How;
use crate::socket::outlook::{Flags, Returns, Socket};
use crate::tcp::state::State;

/// The room for a line at 80 columns, after `client` and before the border, in cells.
const WIDTH: usize = 70;

/// How much a recv is taken to ask for.
const ASKED: u64 = 8192;

pub fn next(story: &Story, connection: ConnectionId, at: EventId) -> Next {
    let ends = standing::ends(story, connection, at);
    let whole = Both { client: line(&ends, Side::Client), server: line(&ends, Side::Server) };
    Next {
        lines: Both { client: whole.client.within(WIDTH), server: whole.server.within(WIDTH) },
        whole: Both { client: whole.client.within(usize::MAX), server: whole.server.within(usize::MAX) },
        bytes: account::line(&story.account(connection, at)),
    }
}

/// The answers of several calls, and in which order they give way where room is short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Line {
    /// The parts, in the order in which they are shown, each with its place in the queue to give way: the highest first.
    parts: Vec<(u8, String)>,
    /// What holds for all of them.
    proviso: &'static str,
}

impl Line {
    fn one(words: &str) -> Self {
        Self { parts: vec![(0, words.to_owned())], proviso: "" }
    }

    fn text(&self) -> String {
        let parts: Vec<&str> = self.parts.iter().map(|(_, words)| words.as_str()).collect();
        parts.join(" · ") + self.proviso
    }

    /// As many of the parts as fit into `width` cells, at least one.
    fn within(&self, width: usize) -> String {
        let mut line = self.clone();
        while line.text().width() > width && line.parts.len() > 1 {
            let Some(least) = (0..line.parts.len()).max_by_key(|index| line.parts[*index].0) else { break };
            line.parts.remove(least);
        }
        line.text()
    }
}

fn line(ends: &Both<End>, side: Side) -> Line {
    let end = &ends[side];
    if !end.has_program() {
        return Line::one(without_program(end.tcp.state));
    }
    match end.tcp.state {
        State::Closed if end.tcp.isn.is_none() && !end.has_calls => Line::one("no socket yet"),
        State::Listen if ends[side.peer()].tcp.isn.is_some() => Line::one("no connection: the SYN has no answer"),
        State::Listen => Line::one("its kernel answers a SYN by itself"),
        State::SynSent => Line::one("connect waits for an answer"),
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

fn with_program(end: &End) -> Line {
    // Without calls nobody knows what was read; a program that reads is the common case, and it is said.
    let unsure = !end.has_calls && end.socket.unread > 0;
    let socket = if unsure { &Socket { unread: 0, ..end.socket } } else { &end.socket };
    // Where the peer has ended, what poll(2) says is the news; where the connection is gone, what shutdown(2) says.
    let (shutdown, poll) = if end.tcp.state == State::CloseWait { (3, 1) } else { (2, 3) };
    let parts = vec![
        (0, format!("send {}", send(end))),
        (0, format!("recv {}", socket.recv(ASKED, Flags::default()))),
        (shutdown, format!("shutdown {}", socket.shutdown(How::Write))),
        (2, format!("close {}", close(socket))),
        (poll, format!("poll {}", poll_words(socket))),
    ];
    Line { parts, proviso: if unsure { ", if all was read" } else { "" } }
}

fn poll_words(socket: &Socket) -> String {
    let ready = socket.ready();
    if ready.is_empty() { "waits".to_owned() } else { ready.to_string() }
}

/// Where data is on its way to a peer that has sent its FIN, the answer may be a reset.
fn send(end: &End) -> String {
    let unanswered = end.tcp.snd_una.is_before(end.tcp.snd_nxt);
    let answer = end.socket.send(1, Flags::default()).to_string();
    if end.tcp.state == State::CloseWait && unanswered {
        format!("{answer}, or EPIPE once an answer is here")
    } else {
        answer
    }
}

fn close(socket: &Socket) -> String {
    let answer = socket.close();
    match (answer.returns, answer.sends) {
        (Returns::Zero, None) => "0, no segment".to_owned(),
        (_, Some("RST")) if socket.unread > 0 => format!("{answer}: {} unread", socket.unread),
        _ => answer.to_string(),
    }
}
