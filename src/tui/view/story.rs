//! The story's screen: which panel stands where.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::model::{Model, Pane, StoryScreen};

use super::{bytes, footer, header, held, ladder, next, packet_pane, picture, why};

/// From these columns and rows on, more columns and the packet stand beside the rest.
const WIDE: (u16, u16) = (120, 30);

/// Below these rows there is room for one lower pane only.
const TWO_PANES: u16 = 20;

/// Below these rows the header is one line.
const TALL_HEADER: u16 = 14;

/// The ladder's share that no lower pane may take, in rows.
const FEWEST_ROWS: u16 = 4;

/// Draws `story` over `area`.
pub fn draw(model: &Model, story: &StoryScreen, area: Rect, buffer: &mut Buffer) {
    let wide = area.width >= WIDE.0 && area.height >= WIDE.1;
    let columns = ladder::columns(story, area.width, wide);
    let header_rows = if area.height < TALL_HEADER { 2 } else { 3 };
    let (top, rest) = split(area, header_rows);
    let (rest, foot) = split(rest, rest.height.saturating_sub(1));
    header::draw(model, story, columns, top, buffer);
    footer::draw_story(model, story, foot, buffer);
    let (rest, stands) = split(rest, rest.height.saturating_sub(held::rows(story, rest.height)));
    held::draw(model, story, stands, buffer);

    let most = rest.height.saturating_sub(1 + FEWEST_ROWS);
    let (upper, lower) = split(rest, rest.height - lower_rows(story, area, most, wide).min(most));
    ladder::draw(model, story, columns, wide, upper, buffer);
    if wide {
        let (left, right) = lower_halves(lower);
        draw_pane(model, story, left, buffer);
        picture::draw(model, story, right, buffer);
    } else {
        draw_pane(model, story, lower, buffer);
    }
}

fn draw_pane(model: &Model, story: &StoryScreen, area: Rect, buffer: &mut Buffer) {
    match story.pane {
        Pane::Why => {
            let next_rows = if area.height > next::ROWS + 2 { next_rows(area) } else { 0 };
            let (upper, lower) = split(area, area.height - next_rows);
            why::draw(model, story, upper, buffer);
            next::draw(model, story, lower, buffer);
        }
        Pane::Bytes => bytes::draw(model, story, area, buffer),
        Pane::Packet => packet_pane::draw(model, story, area, buffer),
    }
}

/// In a tall pane, next gets lines to wrap into.
const fn next_rows(area: Rect) -> u16 {
    if area.height >= 16 { next::ROWS + 4 } else { next::ROWS }
}

/// How many rows the lower panes want of `most`.
fn lower_rows(story: &StoryScreen, area: Rect, most: u16, wide: bool) -> u16 {
    if wide {
        return picture::ROWS;
    }
    let width = usize::from(area.width);
    match story.pane {
        Pane::Why => why::rows(story, width) + if area.height < TWO_PANES { 0 } else { next::ROWS },
        Pane::Bytes => bytes::rows(story, width),
        Pane::Packet => most,
    }
}

fn lower_halves(area: Rect) -> (Rect, Rect) {
    let right = picture::COLUMNS.min(area.width);
    let left = Rect { width: area.width - right - 1, ..area };
    (left, Rect { x: area.right() - right, width: right, ..area })
}

/// `area` cut after `rows` rows.
fn split(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    let upper = Rect { height: rows, ..area };
    let lower = Rect { y: area.y + rows, height: area.height - rows, ..area };
    (upper, lower)
}
