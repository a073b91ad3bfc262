//! What the programs did wrong, as a list to choose from.

use crate::event::EventId;
use crate::story::drawing;
use crate::story::findings::Finding;

use super::scene::Line;

/// The list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindingList {
    /// The findings, each with its row.
    pub entries: Vec<Entry>,
    /// The place of the one that is chosen.
    pub chosen: usize,
}

/// A finding on a ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What was found.
    pub finding: Finding,
    /// The place of the row of the call that tells; `None` where no row has it.
    pub row: Option<usize>,
    /// That row's number, as it is drawn.
    pub number: String,
}

impl FindingList {
    /// `findings` on the ladder of `lines`; the first one at or below the row `cursor` is chosen.
    pub fn new(findings: &[Finding], lines: &[Line], cursor: usize) -> Self {
        let mut entries: Vec<Entry> = findings.iter().map(|finding| entry(finding, lines)).collect();
        entries.sort_by_key(|entry| entry.row);
        let chosen = entries.iter().position(|entry| entry.row >= Some(cursor)).unwrap_or(0);
        Self { entries, chosen }
    }

    /// The row of the one that is chosen.
    pub fn row(&self) -> Option<usize> {
        self.entries.get(self.chosen)?.row
    }

    /// Chooses the one that is so many before or after, as far as there are.
    pub fn step(&mut self, by: isize) {
        self.chosen = self.chosen.saturating_add_signed(by).min(self.entries.len().saturating_sub(1));
    }
}

fn entry(finding: &Finding, lines: &[Line]) -> Entry {
    let row_of = |call: EventId| lines.iter().position(|line| line.row.events.binary_search(&call).is_ok());
    let row = finding.calls.iter().rev().find_map(|call| row_of(*call));
    let number = row.and_then(|row| lines.get(row)).map(|line| drawing::number(line.row.number)).unwrap_or_default();
    Entry { finding: finding.clone(), row, number }
}
