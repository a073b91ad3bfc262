//! The rows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use crate::story::drawing::{Columns, Drawn, Mark, clip, draw_numbered, number, pad, pad_left};
use crate::story::side::{Both, Side};
use crate::tcp::state::State;
use crate::tui::model::{Model, StoryScreen};
use crate::tui::scene::Line;
use crate::tui::theme::{Role, Theme};

use super::text::put;

/// The narrowest number column.
const NUMBER: usize = 3;

/// A time's width: `12.345678`, seconds since the start.
const TIME: usize = 9;

/// The wide layout's column for one end's state: a mark and the longest name.
const STATE: usize = 13;

/// Both state columns with a border before them and a space between and after.
const STATES: usize = 2 * STATE + 3;

/// The columns for a screen of `width` cells.
pub fn columns(story: &StoryScreen, width: u16, wide: bool) -> Columns {
    let width = usize::from(width);
    let digits = story.scene.lines.iter().filter_map(Line::last_frame).map(|frame| frame.0).max().unwrap_or(0);
    let own = digits.to_string().len().max(NUMBER);
    match (wide, story.times) {
        (true, _) => Columns::fit(width.saturating_sub(STATES), own + 1 + TIME),
        (false, true) => Columns::fit(width, TIME),
        (false, false) => Columns::fit(width, own),
    }
}

/// Draws the rule above the rows, and the rows around the cursor.
pub fn draw(model: &Model, story: &StoryScreen, columns: Columns, wide: bool, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let more = if wide { format!("┬{}", "─".repeat(STATES - 1)) } else { String::new() };
    let rule = columns.rule() + &more;
    put(buffer, area, area.x, area.y, &rule, theme.style(Role::Faint));
    let causes = story.scene.causes();
    let height = usize::from(area.height.saturating_sub(1));
    let first = first_row(story, height);
    for (offset, y) in (area.top() + 1..area.bottom()).enumerate() {
        let index = first + offset;
        let line = story.scene.lines.get(index).filter(|_| index < story.drawn());
        let Some(line) = line else {
            empty(theme, columns, wide, Rect { y, height: 1, ..area }, buffer);
            continue;
        };
        let mark = if index == story.cursor {
            Mark::Cursor
        } else if causes.contains(&index) {
            Mark::Cause
        } else {
            Mark::None
        };
        let drawn = draw_numbered(&line.row, &numbering(story, line, columns, wide), mark, columns);
        let painter = Painter { theme, mark, later: index > story.cursor, failed: line.row.failed };
        let end = painter.paint(&drawn, Rect { y, height: 1, ..area }, buffer);
        if wide {
            let before =
                index.checked_sub(1).and_then(|before| story.scene.lines.get(before)).and_then(|line| line.states);
            let text = format!("{}{}", painter.border(), states(before, line.states));
            put(buffer, area, end, y, &text, painter.style(Role::Text));
        }
    }
}

/// The row at the top: the cursor stays in sight, two thirds down at most, and no room is wasted at the end.
fn first_row(story: &StoryScreen, height: usize) -> usize {
    let last_top = story.drawn().saturating_sub(height);
    story.cursor.saturating_sub(height * 2 / 3).min(last_top)
}

fn numbering(story: &StoryScreen, line: &Line, columns: Columns, wide: bool) -> String {
    let own = number(line.row.number);
    let time = || line.since_start.map(seconds).unwrap_or_default();
    if wide {
        let own = pad_left(&own, columns.number.saturating_sub(TIME + 1));
        format!("{own} {}", pad_left(&time(), TIME))
    } else if story.times {
        time()
    } else {
        own
    }
}

/// Seconds with as many of six decimals as fit.
fn seconds(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let micros = nanos.unsigned_abs() / 1_000;
    let text = format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.chars().take(TIME).collect()
}

/// Both ends' states after a row, marked where the row changed them.
fn states(before: Option<Both<State>>, after: Option<Both<State>>) -> String {
    let Some(after) = after else { return String::new() };
    let each = Side::BOTH.map(|side| {
        let changed = before.is_some_and(|before| before[side] != after[side]);
        pad(&clip(&format!("{}{}", if changed { "▸" } else { " " }, after[side]), STATE), STATE)
    });
    format!("{} {}", each[0], each[1])
}

fn empty(theme: Theme, columns: Columns, wide: bool, area: Rect, buffer: &mut Buffer) {
    let blank = |cells: usize| " ".repeat(cells);
    let left = blank(columns.number + columns.client + 2);
    let right = if wide { format!("{}│", blank(columns.server)) } else { String::new() };
    let line = format!("{left}│{}│{right}", blank(columns.network));
    put(buffer, area, area.x, area.y, &line, theme.style(Role::Faint));
}

/// How one row is coloured.
struct Painter {
    theme: Theme,
    mark: Mark,
    later: bool,
    failed: bool,
}

impl Painter {
    fn style(&self, role: Role) -> Style {
        if self.later {
            return self.theme.style(Role::Faint);
        }
        let strong = if self.mark == Mark::Cursor { self.theme.style(Role::Strong) } else { Style::default() };
        self.theme.style(role).patch(strong)
    }

    const fn border(&self) -> &'static str {
        if self.later { "┊" } else { "│" }
    }

    fn side(&self, role: Role) -> Style {
        self.style(if self.failed { Role::Failed } else { role })
    }

    /// Paints the row and returns the column after it.
    fn paint(&self, drawn: &Drawn, area: Rect, buffer: &mut Buffer) -> u16 {
        let parts = [
            (drawn.mark.as_str(), self.style(Role::Cause)),
            (drawn.number.as_str(), self.style(Role::Faint)),
            (" ", self.style(Role::Text)),
            (drawn.client.as_str(), self.side(Role::Client)),
            (self.border(), self.theme.style(Role::Faint)),
            (drawn.network.as_str(), self.side(Role::Text)),
            (self.border(), self.theme.style(Role::Faint)),
            (drawn.server.as_str(), self.side(Role::Server)),
        ];
        let mut x = area.x;
        for (text, style) in parts {
            put(buffer, area, x, area.y, text, style);
            x = x.saturating_add(u16::try_from(text.width()).unwrap_or(u16::MAX));
        }
        x
    }
}
