//! The packet of the row under the cursor, as a table of its fields.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::story::drawing::{clip, pad};
use crate::tui::model::{Model, StoryScreen};
use crate::tui::theme::Role;

use super::packet::{Field, Layer, fields, hex};
use super::text::{put, rule};

/// The narrowest column of fields, in cells.
const COLUMN: usize = 39;

/// Draws the pane: as many columns as fit, without the outer headers where all together do not fit.
pub fn draw(model: &Model, story: &StoryScreen, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    let frame = story.scene.moment.frame.as_ref();
    let title = match frame {
        Some(frame) => format!("frame {}  {} of {} bytes", frame.number, frame.data.len(), frame.original_len),
        None => "no frame  this row sent nothing".to_owned(),
    };
    put(buffer, area, area.x, area.y, &rule(&title, "", width), model.theme.style(Role::Strong));
    let Some(frame) = frame else { return };
    let columns = (width / COLUMN).max(1);
    let rows = usize::from(area.height.saturating_sub(1));
    let (fields, left_out) = that_fit(fields(frame), columns * rows);
    let cell = width / columns;
    for (index, field) in fields.iter().enumerate() {
        let (column, row) = (index / rows.max(1), index % rows.max(1));
        let (Ok(x), Ok(y)) = (u16::try_from(column * cell), u16::try_from(row + 1)) else { continue };
        let style = model.theme.style(if field.layer == Layer::Tcp { Role::Text } else { Role::Faint });
        put(buffer, area, area.x + x, area.y + y, &clip(&line(field), cell.saturating_sub(1)), style);
    }
    if left_out > 0 {
        let note = rule(&title, &format!("{left_out} outer fields need a larger window"), width);
        put(buffer, area, area.x, area.y, &note, model.theme.style(Role::Strong));
    }
}

/// The last `most` fields, and how many were left out before them.
fn that_fit(mut fields: Vec<Field>, most: usize) -> (Vec<Field>, usize) {
    let left_out = fields.len().saturating_sub(most);
    (fields.split_off(left_out), left_out)
}

fn line(field: &Field) -> String {
    let bytes = pad(&clip(&hex(&field.bytes, ""), 8), 8);
    format!(" {:>3} {bytes} {} {}", field.offset, field.name, field.value)
}
