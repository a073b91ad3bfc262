//! What came of a check, as lines of JSON.

use super::checked::{Checked, Findings};
use super::counts::Counts;
use crate::report::check::{Answer, Line, Mismatch, SCHEMA, Scenario, Skipped, Summary, Verdicts};
use crate::source::lab::kernel;
use crate::source::lab::need::Missing;
use crate::story::alone::Told;

/// The line on one scenario.
pub fn scenario(checked: &Checked<'_>) -> serde_json::Result<String> {
    let Checked { scenario, run } = checked;
    line(&Line::Scenario(match run {
        Ok(findings) => found(&scenario.name, &scenario.file, findings),
        Err(missing) => skipped(&scenario.name, missing),
    }))
}

/// The last line.
pub fn summary(counts: Counts) -> serde_json::Result<String> {
    let Counts { as_expected, otherwise, skipped } = counts;
    line(&Line::Summary(Summary { schema: SCHEMA, as_expected, otherwise, skipped, kernel: kernel::name() }))
}

fn line(line: &Line<'_>) -> serde_json::Result<String> {
    Ok(serde_json::to_string(line)? + "\n")
}

fn found<'a>(name: &'a str, file: &'a str, findings: &'a Findings) -> Scenario<'a> {
    let names = |told: &Vec<Told>| told.iter().map(|told| told.name).collect();
    let mismatches = findings.mismatches.iter().map(|mismatch| Mismatch {
        file,
        line: mismatch.line,
        column: mismatch.column,
        expected: &mismatch.expected,
        happened: &mismatch.happened,
    });
    Scenario {
        schema: SCHEMA,
        name,
        answer: if findings.mismatches.is_empty() { Answer::AsExpected } else { Answer::Otherwise },
        calls: Some(findings.calls),
        segments: findings.segments.as_ref().ok().copied(),
        no_capture: findings.segments.as_ref().err().map(String::as_str),
        verdicts: Some(Verdicts {
            calls: names(&findings.verdicts.with_calls),
            segments: findings.verdicts.alone.as_ref().map(names),
        }),
        mismatches: mismatches.collect(),
        gaps: &findings.gaps,
        skipped: None,
    }
}

fn skipped<'a>(name: &'a str, missing: &'a Missing) -> Scenario<'a> {
    let Missing { need, why, help } = missing;
    Scenario {
        schema: SCHEMA,
        name,
        answer: Answer::Skipped,
        calls: None,
        segments: None,
        no_capture: None,
        verdicts: None,
        mismatches: Vec::new(),
        gaps: &[],
        skipped: Some(Skipped { need, why, help: help.as_deref() }),
    }
}
