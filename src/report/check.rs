//! The shapes of the JSON of `lab --check`: a line a scenario, and a last one. `epipe schema check` prints their schema,
//! docs/json.md says the same for people.
//!
//! A field that may be left out is so where it is empty or not known.

use schemars::JsonSchema;
use serde::Serialize;

use crate::story::verdict::Name;

/// The version of the shapes: it rises when a field changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// A line of the answer.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Line<'a> {
    /// What came of a scenario.
    Scenario(Scenario<'a>),
    /// The last line.
    Summary(Summary),
}

/// What came of a scenario.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "scenario")]
pub struct Scenario<'a> {
    /// The version of the shapes.
    pub schema: u32,
    /// Its name.
    pub name: &'a str,
    /// Whether it went as it expects.
    pub answer: Answer,
    /// How many calls were made; left out where it was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "usize")]
    pub calls: Option<usize>,
    /// How many segments were captured; left out where there was no capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "usize")]
    pub segments: Option<usize>,
    /// Why there was no capture, so that neither segments nor verdicts were compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub no_capture: Option<&'a str>,
    /// How its connections ended; left out where it was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Verdicts")]
    pub verdicts: Option<Verdicts>,
    /// Where it went otherwise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mismatches: Vec<Mismatch<'a>>,
    /// What else is missing, each in a sentence.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub gaps: &'a [String],
    /// Why it was not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Skipped")]
    pub skipped: Option<Skipped<'a>>,
}

/// Whether a scenario went as it expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Answer {
    /// In everything.
    AsExpected,
    /// Not in everything.
    Otherwise,
    /// It was not run.
    Skipped,
}

/// How the connections of a scenario ended, in the order of their first segments.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "verdicts")]
pub struct Verdicts {
    /// By calls and segments.
    #[schemars(extend("items" = names()))]
    pub calls: Vec<&'static str>,
    /// By the segments alone; left out where there was no capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<String>", extend("items" = names()))]
    pub segments: Option<Vec<&'static str>>,
}

fn names() -> serde_json::Value {
    serde_json::json!({"type": "string", "enum": Name::ALL.map(Name::text)})
}

/// Where a scenario went otherwise.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "mismatch")]
pub struct Mismatch<'a> {
    /// The scenario's file.
    pub file: &'a str,
    /// The line of it, from 1.
    pub line: usize,
    /// The column in which the expectation stands, from 1.
    pub column: usize,
    /// What is expected there.
    pub expected: &'a str,
    /// What happened.
    pub happened: &'a str,
}

/// Why a scenario was not run.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "skipped")]
pub struct Skipped<'a> {
    /// What it needs and what is missing.
    pub need: &'a str,
    /// What is there instead.
    pub why: &'a str,
    /// What the user can do; left out where that is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub help: Option<&'a str>,
}

/// The last line: how many scenarios came to which answer, and where.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "summary")]
pub struct Summary {
    /// The version of the shapes.
    pub schema: u32,
    /// How many went as they expect.
    pub as_expected: usize,
    /// How many did not.
    pub otherwise: usize,
    /// How many were not run.
    pub skipped: usize,
    /// The kernel on which that was, as `Linux 6.18.5`.
    pub kernel: String,
}
