//! What lies over the screen: pages of text, the question, the path to be typed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::story::drawing::clip;
use crate::tui::line::Line;
use crate::tui::model::{Model, Overlay, Page, Size};
use crate::tui::quiz::Quiz;
use crate::tui::theme::Role;

use super::text::{clear, put, rule};
use super::{findings, footer};

/// Draws what lies over the screen, if something does. A search is part of the first screen and drawn there.
pub fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let Some(overlay) = &model.overlay else { return };
    match overlay {
        Overlay::Page(page) => draw_page(model, page, area, buffer),
        Overlay::Findings(list) => findings::draw(model, list, area, buffer),
        Overlay::Quiz(quiz) => draw_quiz(model, quiz, area, buffer),
        Overlay::Path(line) => draw_path(model, line, area, buffer),
        Overlay::Search(_) => return,
    }
    let foot = Rect { y: area.bottom() - 1, height: 1, ..area };
    clear(buffer, foot);
    footer::draw_overlay(model, overlay, foot, buffer);
}

fn draw_page(model: &Model, page: &Page, area: Rect, buffer: &mut Buffer) {
    clear(buffer, area);
    let width = usize::from(area.width);
    put(buffer, area, area.x, area.y, &rule(&page.title, "", width), model.theme.style(Role::Strong));
    let size = Size { width: area.width, height: area.height };
    let rows = page.rows(size);
    // The terminal may have grown since it was scrolled.
    let offset = page.offset.min(page.last_offset(size));
    for (row, y) in rows.iter().skip(offset).zip(area.top() + 2..area.bottom().saturating_sub(2)) {
        put(buffer, area, area.x + 1, y, row, model.theme.style(Role::Text));
    }
    if offset + Page::seen(size) < rows.len() {
        put(buffer, area, area.x + 1, area.bottom() - 2, "↓ more", model.theme.style(Role::Faint));
    }
}

/// The question stands where why and next stand, so that the rows above stay in sight.
fn draw_quiz(model: &Model, quiz: &Quiz, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    let height = 8.min(area.height.saturating_sub(1));
    let pane = Rect { y: area.bottom() - 1 - height, height, ..area };
    clear(buffer, pane);
    let title = format!("before you go on  {}", quiz.next);
    put(buffer, pane, pane.x, pane.y, &rule(&title, "", width), model.theme.style(Role::Strong));
    put(buffer, pane, pane.x + 1, pane.y + 2, &quiz.question(), model.theme.style(Role::Strong));
    let choices: Vec<String> =
        quiz.offered().iter().enumerate().map(|(index, words)| format!("{} {words}", index + 1)).collect();
    put(buffer, pane, pane.x + 3, pane.y + 4, &choices.join("    "), model.theme.style(Role::Text));
    let hint = "Press 1, 2 or 3; the call is then made, and you will see.";
    put(buffer, pane, pane.x + 1, pane.y + 6, hint, model.theme.style(Role::Faint));
}

fn draw_path(model: &Model, line: &Line, area: Rect, buffer: &mut Buffer) {
    let pane = Rect { y: area.bottom().saturating_sub(4), height: 3, ..area };
    clear(buffer, pane);
    let width = usize::from(area.width);
    put(buffer, pane, pane.x, pane.y, &rule("open a capture", "", width), model.theme.style(Role::Strong));
    let shown = tail(line.text(), width.saturating_sub(8));
    put(buffer, pane, pane.x + 1, pane.y + 1, &format!("path: {shown}▏"), model.theme.style(Role::Text));
    let hint = "pcap or pcapng, as tcpdump and Wireshark save them";
    put(buffer, pane, pane.x + 1, pane.y + 2, hint, model.theme.style(Role::Faint));
}

/// The end of a long text, for that is where one types.
fn tail(text: &str, width: usize) -> String {
    let backwards: String = text.chars().rev().collect();
    clip(&backwards, width).chars().rev().collect()
}
