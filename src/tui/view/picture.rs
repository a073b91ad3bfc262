//! The wide layout's right pane: the TCP header as RFC 9293 draws it, 32 bits a row, and the packet's bytes below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::story::drawing::{clip, pad};
use crate::tui::model::{Model, StoryScreen};
use crate::tui::theme::Role;

use super::packet::{Field, Layer, dump_line, fields};
use super::text::{put, rule};

/// The pane's width in cells.
pub const COLUMNS: u16 = 39;

/// The rows that the lower part of the wide layout has, rule and picture and eight lines of bytes among them.
pub const ROWS: u16 = 20;

/// Half of the picture, 16 bits, without its borders.
const HALF: usize = 17;

/// Draws the pane.
pub fn draw(model: &Model, story: &StoryScreen, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let frame = story.scene.moment.frame.as_ref();
    let title = frame.map_or_else(|| "no frame".to_owned(), |frame| format!("frame {}", frame.number));
    put(buffer, area, area.x, area.y, &rule(&title, "", usize::from(area.width)), theme.style(Role::Strong));
    let Some(frame) = frame else { return };
    let picture = picture(&fields(frame));
    let bytes = (0..).map_while(|line| dump_line(&frame.data, line));
    for (line, y) in picture.into_iter().chain(bytes).zip(area.top() + 1..area.bottom()) {
        put(buffer, area, area.x, y, &line, theme.style(Role::Text));
    }
}

/// The header's picture; nothing where there is no TCP header.
fn picture(fields: &[Field]) -> Vec<String> {
    let value = |name: &str| {
        let found = fields.iter().find(|field| field.layer == Layer::Tcp && field.name == name);
        found.map(|field| field.value.as_str())
    };
    let Some(source) = value("source port") else { return Vec::new() };
    let value = |name| value(name).unwrap_or_default();
    let edge = |left, middle, right| format!("{left}{}{middle}{}{right}", "─".repeat(HALF), "─".repeat(HALF));
    let halves = |left: &str, right: &str| format!("│{}│{}│", cell(left, HALF), cell(right, HALF));
    let whole = |text: &str| format!("│{}│", cell(text, 2 * HALF + 1));
    let options = fields.iter().filter(|field| field.layer == Layer::Tcp && field.offset >= first_option(fields));
    let options: Vec<&str> = options.map(|field| field.name).filter(|name| *name != "no operation").collect();
    let mut lines = vec![
        edge("┌", "┬", "┐"),
        halves(&format!("from port {source}"), &format!("to port {}", value("destination port"))),
        whole(&format!("sequence {}", value("sequence"))),
        whole(&format!("acknowledgement {}", value("acknowledgement"))),
        halves(&format!("{}, {}", value("header length"), value("flags")), &format!("window {}", value("window"))),
        halves(&format!("checksum {}", value("checksum")), &format!("urgent {}", value("urgent pointer"))),
    ];
    if !options.is_empty() {
        lines.push(whole(&options.join(", ")));
    }
    lines.push(edge("└", "┴", "┘"));
    lines
}

fn cell(text: &str, width: usize) -> String {
    pad(&clip(text, width), width)
}

/// Where the options begin: after the urgent pointer's two bytes.
fn first_option(fields: &[Field]) -> usize {
    let urgent = fields.iter().find(|field| field.layer == Layer::Tcp && field.name == "urgent pointer");
    urgent.map_or(usize::MAX, |field| field.offset + 2)
}
