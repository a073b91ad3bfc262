//! What is drawn. Views read the model and never change it; each panel has a file of its own.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::story::drawing::ascii;

use super::model::Model;
use super::theme::Role;

mod bytes;
mod findings;
mod footer;
mod header;
mod held;
mod ladder;
pub mod legend;
mod menu;
mod next;
mod overlay;
pub mod packet;
mod packet_pane;
mod picture;
mod story;
pub(super) mod text;
mod why;

/// The smallest terminal in which something can be understood, in columns and rows.
const SMALLEST: (u16, u16) = (40, 10);

/// Draws `model` over the whole of `frame`.
pub fn draw(model: &Model, frame: &mut Frame) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        too_small(model, area, buffer);
    } else {
        match &model.story {
            Some(story) => story::draw(model, story, area, buffer),
            None => menu::draw(model, area, buffer),
        }
        overlay::draw(model, area, buffer);
    }
    if model.theme.ascii {
        to_ascii(area, buffer);
    }
}

fn too_small(model: &Model, area: Rect, buffer: &mut Buffer) {
    let message = format!(
        "epipe needs {}×{}, this is {}×{}. Make it larger, or press q.",
        SMALLEST.0, SMALLEST.1, area.width, area.height
    );
    for (line, y) in text::wrap(&message, usize::from(area.width)).iter().zip(area.top()..area.bottom()) {
        text::put(buffer, area, area.x, y, line, model.theme.style(Role::Text));
    }
}

/// Puts an ASCII character for each cell's own.
fn to_ascii(area: Rect, buffer: &mut Buffer) {
    for position in area.positions() {
        if let Some(cell) = buffer.cell_mut(position)
            && !cell.symbol().is_ascii()
        {
            let plain: String = cell.symbol().chars().take(1).map(ascii).collect();
            cell.set_symbol(&plain);
        }
    }
}

#[cfg(test)]
pub mod tests;
