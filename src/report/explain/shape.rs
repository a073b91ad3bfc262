//! The shapes of `explain`'s JSON. docs/json.md says what the fields are; `epipe schema` prints their schema.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::event::{FrameNo, Time};
use crate::socket::call::How;
use crate::story::side::Side;
use crate::survey::patterns::Pattern;
use crate::survey::{self, Found, Summary};
use crate::tcp::analysis::Finding;

/// The version of the shapes: it rises when a field changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// How much a recv is taken to ask for.
const ASKED: u64 = 8192;

/// One connection.
#[derive(Debug, Serialize)]
pub struct Connection<'a> {
    id: u64,
    first_frame: Frame,
    last_frame: Frame,
    start: Seconds,
    duration: Seconds,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_before_end: Option<Seconds>,
    client: End,
    server: End,
    verdict: &'static str,
    certainty: &'static str,
    first_closer: Option<&'static str>,
    reset_from: Option<&'static str>,
    reset_frame: Option<Frame>,
    why: String,
    wireshark_completeness: u8,
    zeek_conn_state: &'static str,
    zeek_history: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    copies: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    copy_of: Option<u64>,
}

/// One end of a connection.
#[derive(Debug, Serialize)]
pub struct End {
    endpoint: Text<std::net::SocketAddr>,
    #[serde(skip_serializing_if = "is_zero")]
    packets: u64,
    #[serde(skip_serializing_if = "is_zero")]
    bytes: u64,
    #[serde(skip_serializing_if = "is_zero")]
    syn: u64,
    #[serde(skip_serializing_if = "is_zero")]
    synack: u64,
    #[serde(skip_serializing_if = "is_zero")]
    fin: u64,
    #[serde(skip_serializing_if = "is_zero")]
    rst: u64,
    state: &'static str,
    #[serde(skip_serializing_if = "Findings::is_empty")]
    analysis: Findings,
    #[serde(skip_serializing_if = "Judged::is_empty")]
    judged: Judged,
    #[serde(skip_serializing_if = "is_zero")]
    lost: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Error>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Next>,
}

/// An error that a program has seen or will see.
#[derive(Debug, Serialize)]
pub struct Error {
    error: Text<crate::socket::errno::Errno>,
    certainty: &'static str,
}

/// What each call would return next.
#[derive(Debug, Serialize)]
pub struct Next {
    send: Text<crate::socket::outlook::Answer>,
    recv: Text<crate::socket::outlook::Answer>,
    shutdown: Text<crate::socket::outlook::Answer>,
}

/// What we judge otherwise than Wireshark.
#[derive(Debug, Default, Serialize)]
pub struct Judged {
    #[serde(skip_serializing_if = "is_zero")]
    repeated: u64,
}

impl Judged {
    fn is_empty(&self) -> bool {
        self.repeated == 0
    }
}

/// How many segments have each of Wireshark's flags.
#[derive(Debug)]
pub struct Findings(Vec<(Finding, u64)>);

impl Findings {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Findings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(finding, count)| (finding.name(), count)))
    }
}

/// What prints itself, as a string.
#[derive(Debug)]
pub struct Text<T>(T);

impl<T: std::fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Seconds with nine decimals, as a string: nanoseconds since 1970 do not fit a JavaScript number.
pub type Seconds = Text<Time>;

/// A packet's number; with several files the string `FILE:NUMBER`.
#[derive(Debug)]
pub struct Frame(FrameNo);

impl Serialize for Frame {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.file() == 0 { serializer.serialize_u64(self.0.number()) } else { serializer.collect_str(&self.0) }
    }
}

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
            start: Text(start),
            duration: Text(Time(end.since(start))),
            idle_before_end: found.idle_before_end().map(|idle| Text(Time(idle))),
            client: End::of(&found.end(Side::Client), verdict),
            server: End::of(&found.end(Side::Server), verdict),
            verdict: verdict.text(),
            certainty: facts.certainty().name(),
            first_closer: facts.first_closer(),
            reset_from: reset.map(|reset| reset.by.name()),
            reset_frame: reset.map(|reset| Frame(reset.frame.frame())),
            why: facts.sentences().join(" "),
            wireshark_completeness: found.completeness(),
            zeek_conn_state: conn_state,
            zeek_history: history,
            copies: found.copies().into(),
            copy_of: found.copy_of(),
        }
    }
}

impl End {
    fn of(end: &survey::End<'_>, verdict: crate::story::verdict::Name) -> Self {
        let [syn, synack, fin, rst] = end.flags();
        let next = end.socket().map(|socket| Next {
            send: Text(socket.send(false)),
            recv: Text(socket.recv(ASKED)),
            shutdown: Text(socket.shutdown(How::Write)),
        });
        let error = |(errno, certainty): (_, crate::story::telling::Certainty)| Error {
            error: Text(errno),
            certainty: certainty.name(),
        };
        Self {
            endpoint: Text(end.endpoint),
            packets: end.packets(),
            bytes: end.bytes(),
            syn,
            synack,
            fin,
            rst,
            state: end.state().name(),
            analysis: Findings(end.findings().collect()),
            judged: Judged { repeated: end.repeated() },
            lost: end.lost(),
            errors: end.error(verdict).map(error).into_iter().collect(),
            next,
        }
    }
}

/// The capture as a whole.
#[derive(Debug, Serialize)]
pub struct Capture<'a> {
    schema: u32,
    files: &'a [String],
    packets: u64,
    tcp_packets: u64,
    malformed: u64,
    cut_short: Option<u64>,
    #[serde(skip_serializing_if = "is_zero")]
    dropped: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    passed_over: &'a BTreeMap<&'static str, u64>,
    #[serde(skip_serializing_if = "is_zero")]
    strays: u64,
    #[serde(skip_serializing_if = "is_zero")]
    steps_back: u64,
}

impl<'a> Capture<'a> {
    /// What was counted in `files`.
    pub fn of(files: &'a [String], counted: &'a survey::Counted) -> Self {
        Self {
            schema: SCHEMA,
            files,
            packets: counted.packets,
            tcp_packets: counted.tcp_packets,
            malformed: counted.malformed,
            cut_short: counted.cut_short,
            dropped: counted.dropped,
            passed_over: &counted.passed_over,
            strays: counted.strays,
            steps_back: counted.steps_back,
        }
    }
}

/// What a line of `jsonl` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The capture as a whole.
    Header,
    /// A connection.
    Connection,
    /// Verdicts and patterns.
    Summary,
    /// Nothing is said of it.
    None,
}

/// A line of `jsonl`.
#[derive(Debug, Serialize)]
pub struct Line<T> {
    /// What it is.
    pub kind: Kind,
    /// What it says.
    #[serde(flatten)]
    pub rest: T,
}

/// What all connections amount to.
#[derive(Debug, Serialize)]
pub struct Summed<'a> {
    verdicts: BTreeMap<&'static str, u64>,
    patterns: Vec<Shared<'a>>,
}

/// A pattern.
#[derive(Debug, Serialize)]
pub struct Shared<'a> {
    kind: &'static str,
    count: u64,
    of: u64,
    server: Text<std::net::SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle: Option<Seconds>,
    #[serde(skip_serializing_if = "is_zero")]
    lost: u64,
    examples: &'a [u64],
    text: &'a str,
    fix: &'static str,
}

impl<'a> Summed<'a> {
    /// The verdicts of the selected connections, and the patterns of all.
    pub fn of(found: &Found, patterns: &'a [Pattern], selected: &dyn Fn(&Summary<'_>) -> bool) -> Self {
        let mut verdicts = BTreeMap::new();
        for connection in
            found.connections().filter(|connection| connection.copy_of().is_none() && selected(connection))
        {
            *verdicts.entry(connection.verdict().text()).or_default() += 1;
        }
        Self { verdicts, patterns: patterns.iter().map(Shared::of).collect() }
    }
}

impl<'a> Shared<'a> {
    fn of(pattern: &'a Pattern) -> Self {
        Self {
            kind: pattern.kind.text(),
            count: pattern.count,
            of: pattern.of,
            server: Text(pattern.server),
            side: pattern.side.map(Side::name),
            idle: pattern.idle.map(|idle| Text(Time(idle))),
            lost: pattern.lost,
            examples: &pattern.examples,
            text: &pattern.sentence,
            fix: pattern.kind.fix(),
        }
    }
}
