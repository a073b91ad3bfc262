//! The capture as a whole, and what all connections amount to.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{SCHEMA, is_zero};
use crate::event::Time;
use crate::report::explain::overview::Overview;
use crate::report::explain::value::{Endpoint, Seconds};
use crate::story::side::Side;
use crate::survey::Counted;
use crate::survey::patterns::Pattern;

/// The capture as a whole.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "capture")]
pub struct Capture<'a> {
    /// The version of the fields and their meanings.
    #[schemars(extend("const" = SCHEMA))]
    schema: u32,
    /// The files, as they were named; the FILE of a packet's name is its place here, from 1.
    files: &'a [String],
    /// Packets.
    packets: u64,
    /// Packets that are TCP segments.
    tcp_packets: u64,
    /// Packets that could not be decoded.
    malformed: u64,
    /// How many bytes of an unfinished record a file ended with; null where none did.
    cut_short: Option<u64>,
    /// Packets that the capture says it lost.
    #[serde(skip_serializing_if = "is_zero")]
    dropped: u64,
    /// How many packets of each kind were passed over because they are not TCP.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    passed_over: &'a BTreeMap<&'static str, u64>,
    /// Segments that came so long after the end of their connection that they were only counted.
    #[serde(skip_serializing_if = "is_zero")]
    strays: u64,
    /// Packets that bear an earlier time than the one before them in their file.
    #[serde(skip_serializing_if = "is_zero")]
    steps_back: u64,
}

impl<'a> Capture<'a> {
    /// What was counted in `files`.
    pub fn of(files: &'a [String], counted: &'a Counted) -> Self {
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

/// What all connections amount to.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "summary")]
pub struct Summed<'a> {
    /// How many of the connections that are shown ended in each way; those that are copies of others do not count.
    verdicts: BTreeMap<&'static str, u64>,
    /// What the endings of many connections of the capture have in common, the weightiest first.
    patterns: Vec<Shared<'a>>,
}

/// A pattern.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "pattern")]
pub struct Shared<'a> {
    /// Of what kind it is.
    #[schemars(extend("examples" = ["idle-limit", "stale-reuse", "lost-bytes", "one-sided-resets", "refusals"]))]
    kind: &'static str,
    /// In how many connections it was found.
    count: u64,
    /// Of how many that could have it.
    of: u64,
    /// At which server.
    #[schemars(with = "String")]
    server: Endpoint,
    /// At which side, where it is one side's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("enum" = Side::BOTH.map(Side::name)))]
    side: Option<&'static str>,
    /// The silence before the ends, in seconds, where that is the pattern.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Seconds")]
    idle: Option<Seconds>,
    /// Bytes that were lost.
    #[serde(skip_serializing_if = "is_zero")]
    lost: u64,
    /// The ids of some of the connections.
    examples: &'a [u64],
    /// The pattern in a sentence.
    text: &'a str,
    /// What is usually done about it.
    fix: &'static str,
}

impl<'a> Summed<'a> {
    /// The verdicts of the connections that are meant, and the patterns of all.
    pub fn of(overview: &'a Overview) -> Self {
        let counts = overview.tally.counts.iter().filter(|(_, count, _)| *count > 0);
        let verdicts = counts.map(|(name, count, _)| (name.text(), *count)).collect();
        Self { verdicts, patterns: overview.patterns.iter().map(Shared::of).collect() }
    }
}

impl<'a> Shared<'a> {
    fn of(pattern: &'a Pattern) -> Self {
        Self {
            kind: pattern.kind.text(),
            count: pattern.count,
            of: pattern.of,
            server: Endpoint(pattern.server),
            side: pattern.side.map(Side::name),
            idle: pattern.idle.map(|idle| Seconds(Time(idle))),
            lost: pattern.lost,
            examples: &pattern.examples,
            text: &pattern.sentence,
            fix: pattern.kind.fix(),
        }
    }
}
