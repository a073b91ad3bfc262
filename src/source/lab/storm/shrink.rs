//! The shortest sequence that still shows a disagreement.

use super::bench::{Bench, BenchError};
use super::count::Count;
use super::run::{Disagreement, run};
use super::sequence::Step;

/// Leaves out what is not needed: what comes after the disagreement, and then one call after another, until none can go.
pub fn shrink(
    bench: &mut Bench,
    mut steps: Vec<Step>,
    mut found: Disagreement,
) -> Result<(Vec<Step>, Disagreement), BenchError> {
    steps.truncate(found.at + 1);
    let mut at = steps.len();
    while at > 0 && bench.has_room() {
        at -= 1;
        let mut fewer = steps.clone();
        fewer.remove(at);
        if let Some(still) = run(bench, &fewer, &mut Count::default())? {
            fewer.truncate(still.at + 1);
            (steps, found) = (fewer, still);
            at = steps.len();
        }
    }
    Ok((steps, found))
}
