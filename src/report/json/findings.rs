//! What the programs of a story did wrong.

use serde_json::{Value, json};

use crate::story::Story;
use crate::story::findings::Finding;

/// The findings of `story`; `None` where no calls are known, for then nothing was looked for.
pub fn of(story: &Story) -> Option<Value> {
    let calls_known = story.journal().events().iter().any(|event| event.begun().is_some());
    calls_known.then(|| story.findings().iter().map(finding).collect())
}

fn finding(finding: &Finding) -> Value {
    let calls: Vec<u64> = finding.calls.iter().map(|id| id.0).collect();
    json!({
        "kind": finding.kind.name(),
        "connection": finding.connection.0,
        "side": finding.side.name(),
        "calls": calls,
        "title": finding.kind.title(),
        "text": finding.text,
        "fix": finding.kind.fix(),
    })
}
