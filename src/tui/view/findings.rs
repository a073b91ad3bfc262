//! The list of what the programs did wrong, and below it the one that is chosen in full.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::story::drawing::clip;
use crate::tui::findings::{Entry, FindingList};
use crate::tui::model::Model;
use crate::tui::theme::Role;

use super::text::{clear, put, rule, wrap};

/// The list's share that what is said below may not take, in rows.
const FEWEST_ROWS: usize = 3;

/// Draws the list over `area`, whose last row is the keys'.
pub fn draw(model: &Model, list: &FindingList, area: Rect, buffer: &mut Buffer) {
    clear(buffer, area);
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let strong = model.theme.style(Role::Strong);
    let title = format!("findings  {} of {}", list.chosen + 1, list.entries.len());
    put(buffer, area, area.x, area.y, &rule(&title, "", width), strong);
    let said = list.entries.get(list.chosen).map(|entry| said(entry, width)).unwrap_or_default();
    // The title, the rule and the keys have a row each.
    let rows = height.saturating_sub(3 + said.len()).max(FEWEST_ROWS).min(list.entries.len());
    let first = (list.chosen + 1).saturating_sub(rows);
    let of_several = list.entries.iter().any(|entry| entry.finding.connection.0 > 1);
    let below = area.bottom().saturating_sub(1);
    let mut y = area.y + 1;
    for (place, entry) in list.entries.iter().enumerate().skip(first).take(rows) {
        let chosen = place == list.chosen;
        let style = if chosen { strong } else { model.theme.style(Role::Text) };
        if y < below {
            put(buffer, area, area.x, y, &line(entry, chosen, of_several), style);
        }
        y = y.saturating_add(1);
    }
    if y < below {
        put(buffer, area, area.x, y, &rule("what happened", "", width), strong);
    }
    for (text, y) in said.iter().zip(y.saturating_add(1)..below) {
        put(buffer, area, area.x + 1, y, text, model.theme.style(Role::Text));
    }
}

/// `▶    8 client  bytes were lost after a send that succeeded`; with its connection where there are several.
fn line(entry: &Entry, chosen: bool, of_several: bool) -> String {
    let finding = &entry.finding;
    let mark = if chosen { '▶' } else { ' ' };
    let connection = if of_several { format!("connection {}  ", finding.connection) } else { String::new() };
    format!("{mark} {:>5}  {connection}{}  {}", clip(&entry.number, 5), finding.side.name(), finding.kind.title())
}

fn said(entry: &Entry, width: usize) -> Vec<String> {
    let width = width.saturating_sub(2);
    let fix = format!("What is usually done: {}.", entry.finding.kind.fix());
    let blank = std::iter::once(String::new());
    wrap(&entry.finding.text, width).into_iter().chain(blank).chain(wrap(&fix, width)).collect()
}
