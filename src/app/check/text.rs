//! What came of a check, as text for people: a line a scenario, and lines below it where something is not as expected.

use super::checked::{Checked, Findings};
use super::counts::Counts;
use crate::source::lab::message::Mismatch;
use crate::source::lab::need::Missing;
use crate::story::alone::{Told, Verdicts};
use crate::story::telling::Certainty;

/// The lines on one scenario.
pub fn lines(checked: &Checked<'_>) -> String {
    let lines = match &checked.run {
        Ok(findings) => found(findings, &checked.scenario.file),
        Err(missing) => skipped(missing),
    };
    format!("{:<24} {}\n", checked.scenario.name, lines.join("\n"))
}

fn found(findings: &Findings, file: &str) -> Vec<String> {
    let answer = if findings.mismatches.is_empty() { "as expected" } else { "otherwise" };
    let segments = match &findings.segments {
        Ok(1) => "1 segment".to_owned(),
        Ok(count) => format!("{count} segments"),
        Err(why) => format!("segments not compared: {why}"),
    };
    let verdicts = verdicts(&findings.verdicts);
    let mut lines = vec![format!("{answer}: {} calls, {segments}; {verdicts}", findings.calls)];
    for Mismatch { line, column, expected, happened } in &findings.mismatches {
        lines.push(format!("  {file}:{line}:{column}: expected {expected}"));
        lines.push(format!("    but it was {happened}"));
    }
    lines.extend(findings.gaps.iter().map(|gap| format!("  {gap}")));
    lines
}

fn skipped(missing: &Missing) -> Vec<String> {
    let Missing { need, why, help } = missing;
    let help = help.as_ref().map(|help| format!("  help: {help}"));
    std::iter::once(format!("skipped: needs {need}, but {why}")).chain(help).collect()
}

/// The last line.
pub fn counts(counts: Counts) -> String {
    let Counts { as_expected, otherwise, skipped } = counts;
    format!("{as_expected} as expected, {otherwise} otherwise, {skipped} skipped\n")
}

fn verdicts(verdicts: &Verdicts) -> String {
    let with_calls = listed(&verdicts.with_calls);
    match verdicts.alone.as_deref().map(listed) {
        None => format!("{with_calls} by the calls"),
        Some(alone) if alone != with_calls => format!("{with_calls}, by the segments alone {alone}"),
        Some(_) if verdicts.with_calls.is_empty() => with_calls,
        Some(alone) => format!("{alone}, by the segments alone too"),
    }
}

/// `closed ×2, aborted (likely)`.
fn listed(told: &[Told]) -> String {
    let mut runs: Vec<(Told, usize)> = Vec::new();
    for one in told {
        match runs.last_mut() {
            Some((last, count)) if last == one => *count += 1,
            _ => runs.push((*one, 1)),
        }
    }
    let text = |(told, count): (Told, usize)| {
        let sure = match told.certainty {
            Certainty::Proven => String::new(),
            certainty => format!(" ({})", certainty.name()),
        };
        let times = if count > 1 { format!(" ×{count}") } else { String::new() };
        format!("{}{sure}{times}", told.name)
    };
    let texts: Vec<String> = runs.into_iter().map(text).collect();
    if texts.is_empty() { "no connection".to_owned() } else { texts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_that_follow_each_other_are_counted() {
        let told = |name, certainty| Told { name, certainty };
        let [closed, likely] = [Certainty::Proven, Certainty::Likely].map(|certainty| told("closed", certainty));
        assert_eq!(
            listed(&[closed, closed, likely, told("aborted", Certainty::Proven)]),
            "closed ×2, closed (likely), aborted"
        );
        assert_eq!(listed(&[]), "no connection");
    }
}
