//! The first screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use crate::story::drawing::{clip, pad};
use crate::tui::menu::{Entry, MenuScreen};
use crate::tui::model::{Model, Overlay};
use crate::tui::theme::Role;

use super::footer;
use super::text::{put, put_right};

/// Where a group's count ends and its line begins; where an entry's question begins at the earliest.
const COUNT_END: u16 = 32;
const LINE_START: u16 = 34;
const QUESTION_START: usize = 24;

/// Where a title or a name begins, after the mark.
const NAME_START: u16 = 3;

/// Rows that are neither a group nor an entry: title, blank, question, blank, two rules, summary, blank, footer.
const OTHER_ROWS: u16 = 9;

/// Draws the first screen.
pub fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let menu = &model.menu;
    let theme = model.theme;
    heading(model, area, buffer);
    let groups = u16::try_from(menu.menu.groups.len()).unwrap_or(u16::MAX);
    // In a low terminal the entries come first.
    let group_rows = groups.min(area.height.saturating_sub(OTHER_ROWS + 2));
    let top = area.y + 4;
    draw_groups(model, Rect { y: top, height: group_rows, ..area }, buffer);
    let rule = format!(" {}", "─".repeat(usize::from(area.width.saturating_sub(1))));
    let entries = Rect { y: top + group_rows + 1, height: area.height.saturating_sub(group_rows + OTHER_ROWS), ..area };
    put(buffer, area, area.x, entries.y - 1, &rule, theme.style(Role::Faint));
    draw_entries(model, entries, buffer);
    put(buffer, area, area.x, entries.bottom(), &rule, theme.style(Role::Faint));
    if let Some(entry) = menu.selected() {
        put(buffer, area, area.x + 1, entries.bottom() + 1, &entry.summary, theme.style(Role::Text));
    }
    let foot = Rect { y: area.bottom() - 1, height: 1, ..area };
    footer::draw_menu(model, foot, buffer);
}

fn heading(model: &Model, area: Rect, buffer: &mut Buffer) {
    let (theme, menu) = (model.theme, &model.menu);
    put(buffer, area, area.x + 1, area.y, "epipe", theme.style(Role::Strong));
    put(buffer, area, area.x + 8, area.y, "why a TCP connection ended as it did", theme.style(Role::Text));
    if usize::from(area.width) >= 46 + menu.menu.machine.width() {
        put_right(buffer, area, area.right(), area.y, &menu.menu.machine, theme.style(Role::Faint));
    }
    let y = area.y + 2;
    let (question, hint) = match (&model.overlay, &menu.search) {
        (Some(Overlay::Search(line)), _) => (format!("/ {}▏", line.text()), "Enter to choose, Esc to end".to_owned()),
        (_, Some(text)) => (format!("found for: {text}"), "Esc for all".to_owned()),
        _ => ("What did you see?".to_owned(), "/ type an error message".to_owned()),
    };
    put(buffer, area, area.x + 1, y, &question, theme.style(Role::Strong));
    if let Some(marks) = marks(menu).filter(|_| menu.search.is_none() && area.width >= 72) {
        put(buffer, area, area.x + 24, y, &marks, theme.style(Role::Cause));
    }
    put_right(buffer, area, area.right(), y, &hint, theme.style(Role::Faint));
}

/// `start with (1) (2) (3)`, where entries are marked so.
fn marks(menu: &MenuScreen) -> Option<String> {
    let entries = menu.menu.groups.iter().flat_map(|group| &group.entries);
    let mut marks: Vec<&str> = entries.map(|entry| entry.mark.as_str()).filter(|mark| !mark.is_empty()).collect();
    marks.sort_unstable();
    let marks: Vec<String> = marks.iter().map(|mark| format!("({mark})")).collect();
    (!marks.is_empty()).then(|| format!("start with {}", marks.join(" ")))
}

fn draw_groups(model: &Model, area: Rect, buffer: &mut Buffer) {
    let menu = &model.menu;
    let first = window(menu.group, menu.menu.groups.len(), usize::from(area.height));
    let groups = menu.menu.groups.iter().enumerate().skip(first);
    for ((index, group), y) in groups.zip(area.top()..area.bottom()) {
        let here = index == menu.group && menu.search.is_none();
        let role = if here { Role::Strong } else { Role::Text };
        let style = model.theme.style(role);
        put(buffer, area, area.x + 1, y, if here { "▶" } else { " " }, style);
        put(buffer, area, area.x + NAME_START, y, &clip(&group.title, 26), style);
        put_right(buffer, area, area.x + COUNT_END, y, &group.entries.len().to_string(), style);
        put(buffer, area, area.x + LINE_START, y, &group.line, model.theme.style(Role::Text));
    }
}

fn draw_entries(model: &Model, area: Rect, buffer: &mut Buffer) {
    let menu = &model.menu;
    let listed = menu.listed();
    if listed.is_empty() {
        put(buffer, area, area.x + NAME_START, area.y, "nothing is found for this", model.theme.style(Role::Text));
    }
    let height = usize::from(area.height);
    let fits = listed.len() <= height;
    let rows = if fits { height } else { height.saturating_sub(1) };
    let first = window(menu.entry, listed.len(), rows);
    // One long name does not take the room of all other questions.
    let column = QUESTION_START - usize::from(NAME_START);
    for ((index, entry), y) in listed.iter().enumerate().skip(first).zip(area.top()..).take(rows) {
        let here = index == menu.entry;
        let style = model.theme.style(if here { Role::Strong } else { Role::Text });
        let label = label(entry);
        let name = pad(&label, column.max(label.width() + 2));
        let text = format!(" {} {name}{}", if here { "▶" } else { " " }, entry.question);
        put(buffer, area, area.x, y, &text, style);
    }
    let below = listed.len().saturating_sub(first + rows);
    if below > 0 {
        let y = area.bottom().saturating_sub(1);
        put(buffer, area, area.x + NAME_START, y, &format!("… {below} more"), model.theme.style(Role::Faint));
    }
}

fn label(entry: &Entry) -> String {
    if entry.mark.is_empty() { entry.name.clone() } else { format!("{} ({})", entry.name, entry.mark) }
}

/// The first of `count` items to show in `rows`, so that `cursor` is among them.
fn window(cursor: usize, count: usize, rows: usize) -> usize {
    if cursor < rows { 0 } else { (cursor + 1).saturating_sub(rows).min(count.saturating_sub(rows)) }
}
