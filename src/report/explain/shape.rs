//! The shapes of `explain`'s JSON. `epipe schema` prints their schema, docs/json.md says the same for people.
//!
//! A field that may be left out is so where it is zero, empty or not known; what may be null is always there.

mod capture;

pub use self::capture::{Capture, Shared, Summed};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::value::{Endpoint, Findings, Returned, Seconds, Text, Word};
use crate::event::Time;
use crate::report::frame::Frame;
use crate::socket::call::How;
use crate::socket::errno::Errno;
use crate::socket::outlook::{Flags, Socket};
use crate::story::side::Side;
use crate::story::telling::Certainty;
use crate::story::verdict::Name;
use crate::survey::{self, Summary};
use crate::tcp::analysis::Finding;
use crate::tcp::state::State;

/// The version of the shapes: it rises when a field changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// How much a recv is taken to ask for.
const ASKED: u64 = 8192;

/// No capture tells whether a program wants SIGPIPE; the error it gets in any case.
const QUIET: Flags = Flags { quiet: true, at_once: false, all: false };

/// The words for how sure something is.
fn certainties() -> [&'static str; 3] {
    [Certainty::Proven, Certainty::Likely, Certainty::Unknown].map(Certainty::name)
}

/// One connection.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "connection")]
pub struct Connection<'a> {
    /// Its number, from 0, as tshark's tcp.stream.
    id: u64,
    /// Its first packet.
    first_frame: Frame,
    /// Its last packet.
    last_frame: Frame,
    /// When its first packet was captured, in seconds since 1970.
    start: Seconds,
    /// The time from its first packet to its last, in seconds.
    duration: Seconds,
    /// The silence before the segment that began its end, in seconds; left out where nothing ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Seconds")]
    idle_before_end: Option<Seconds>,
    /// Who sent the SYN; where none was captured, who sent the first packet.
    client: End<'a>,
    /// The other end.
    server: End<'a>,
    /// How it ended.
    #[schemars(with = "String", extend("enum" = Name::ALL.map(Name::text)))]
    verdict: Word,
    /// How sure the verdict is.
    #[schemars(with = "String", extend("enum" = certainties()))]
    certainty: Word,
    /// Who sent the first FIN; both if the FINs crossed, null without one.
    #[schemars(with = "Option<String>", extend("enum" = json!(["client", "server", "both", null])))]
    first_closer: Option<Word>,
    /// Who sent the reset that ended it; null without one.
    #[schemars(with = "Option<String>", extend("enum" = json!(["client", "server", null])))]
    reset_from: Option<Word>,
    /// The packet with that reset; null without one.
    reset_frame: Option<Frame>,
    /// What happened, in one sentence.
    why: String,
    /// Wireshark's tcp.completeness: the sum of 1 SYN, 2 SYN-ACK, 4 ACK, 8 data, 16 FIN, 32 RST.
    #[schemars(range(max = 63))]
    wireshark_completeness: u8,
    /// Zeek's `conn_state`.
    #[schemars(with = "String", extend("examples" = ["SF", "RSTR"]))]
    zeek_conn_state: Word,
    /// Zeek's history.
    zeek_history: &'a str,
    /// Packets of it that were captured several times, beyond the first; they count nowhere else.
    #[serde(skip_serializing_if = "is_zero")]
    copies: u64,
    /// The id of the connection that this one is, seen again behind an address translation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    copy_of: Option<u64>,
}

/// One end of a connection: what it sent, and how it stood after the last segment.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "end")]
pub struct End<'a> {
    /// Its address and port.
    #[schemars(with = "String")]
    endpoint: Endpoint,
    /// Segments that it sent.
    #[serde(skip_serializing_if = "is_zero")]
    packets: u64,
    /// Their payload in bytes; what was sent again counts again.
    #[serde(skip_serializing_if = "is_zero")]
    bytes: u64,
    /// How many of them have SYN and not ACK.
    #[serde(skip_serializing_if = "is_zero")]
    syn: u64,
    /// How many have SYN and ACK.
    #[serde(skip_serializing_if = "is_zero")]
    synack: u64,
    /// How many have FIN.
    #[serde(skip_serializing_if = "is_zero")]
    fin: u64,
    /// How many have RST.
    #[serde(skip_serializing_if = "is_zero")]
    rst: u64,
    /// Its state, as RFC 9293 spells it.
    #[schemars(with = "String", extend("enum" = State::ALL.map(State::name)))]
    state: Word,
    /// How many of its segments have each of Wireshark's flags.
    #[serde(skip_serializing_if = "Findings::is_empty")]
    analysis: Findings<'a>,
    /// Where Wireshark's flags say otherwise: our own judgement.
    #[serde(skip_serializing_if = "Judged::is_empty")]
    judged: Judged,
    /// Bytes that it sent and nobody can read any more.
    #[serde(skip_serializing_if = "is_zero")]
    lost: u64,
    /// The errors that its program has seen or will see.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Error>,
    /// What its next call would return, while a program has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Next")]
    next: Option<Next>,
}

/// An error that a program has seen or will see.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "error")]
pub struct Error {
    /// Its name.
    #[schemars(extend("examples" = ["EPIPE", "ECONNRESET", "ECONNREFUSED", "ETIMEDOUT"]))]
    error: Text<Errno>,
    /// How sure it is that the program gets it.
    #[schemars(with = "String", extend("enum" = certainties()))]
    certainty: Word,
}

/// What each call would return next: an error, a number of bytes, `ok` for all that was asked, `waits`; behind `and` the
/// segment that it would send beside data.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "next")]
pub struct Next {
    /// send(2). Where it is EPIPE, SIGPIPE comes with it unless the program ignores that or passes `MSG_NOSIGNAL`.
    #[schemars(with = "String", extend("examples" = ["ok", "EPIPE", "ECONNRESET"]))]
    send: Returned,
    /// recv(2).
    #[schemars(with = "String", extend("examples" = ["0", "5", "waits", "ECONNRESET"]))]
    recv: Returned,
    /// shutdown(2) with `SHUT_WR`.
    #[schemars(with = "String", extend("examples" = ["0 and FIN", "ENOTCONN"]))]
    shutdown: Returned,
}

/// What we judge otherwise than Wireshark.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "judged")]
pub struct Judged {
    /// Segments whose payload had all been sent before; left out where `retransmission` says the same.
    #[serde(skip_serializing_if = "is_zero")]
    repeated: u64,
}

impl Judged {
    fn is_empty(&self) -> bool {
        self.repeated == 0
    }

    fn of(end: &survey::End<'_>) -> Self {
        let is_same = end.times(Finding::Retransmission) == end.repeated();
        Self { repeated: if is_same { 0 } else { end.repeated() } }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes what it asks about by reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl<'a> Connection<'a> {
    /// `found` as it is printed.
    pub fn of(found: &Summary<'a>) -> Self {
        let facts = found.facts();
        let verdict = facts.name();
        let ((first, last), (start, end)) = (found.frames(), found.times());
        let (conn_state, history) = found.in_zeeks_words();
        let reset = facts.ending.reset;
        Self {
            id: found.id(),
            first_frame: Frame(first),
            last_frame: Frame(last),
            start: Seconds(start),
            duration: Seconds(Time(end.since(start))),
            idle_before_end: found.idle_before_end().map(|idle| Seconds(Time(idle))),
            client: End::of(&found.end(Side::Client), verdict),
            server: End::of(&found.end(Side::Server), verdict),
            verdict: Word(verdict.text()),
            certainty: Word(facts.certainty().name()),
            first_closer: facts.first_closer().map(Word),
            reset_from: reset.map(|reset| Word(reset.by.name())),
            reset_frame: reset.map(|reset| Frame(reset.frame.frame())),
            why: facts.happened(),
            wireshark_completeness: found.completeness(),
            zeek_conn_state: Word(conn_state),
            zeek_history: history,
            copies: found.copies().into(),
            copy_of: found.copy_of(),
        }
    }
}

impl Next {
    fn of(socket: &Socket) -> Self {
        Self {
            send: Returned(socket.send(1, QUIET)),
            recv: Returned(socket.recv(ASKED, QUIET)),
            shutdown: Returned(socket.shutdown(How::Write)),
        }
    }
}

impl Error {
    fn of((errno, certainty): (Errno, Certainty)) -> Self {
        Self { error: Text(errno), certainty: Word(certainty.name()) }
    }
}

impl<'a> End<'a> {
    fn of(end: &survey::End<'a>, verdict: Name) -> Self {
        let [syn, synack, fin, rst] = end.flags();
        Self {
            endpoint: Endpoint(end.endpoint),
            packets: end.packets(),
            bytes: end.bytes(),
            syn,
            synack,
            fin,
            rst,
            state: Word(end.state().name()),
            analysis: Findings(*end),
            judged: Judged::of(end),
            lost: end.lost(),
            errors: end.error(verdict).map(Error::of).into_iter().collect(),
            next: end.socket().as_ref().map(Next::of),
        }
    }
}
