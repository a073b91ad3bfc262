//! The last line: which keys do what.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use crate::tui::keys::{Action, Binding, Context, footer};
use crate::tui::model::{Model, Origin, Overlay, StoryScreen};
use crate::tui::theme::{Role, Theme};

use super::text::put;

/// Draws the first screen's keys.
pub fn draw_menu(model: &Model, area: Rect, buffer: &mut Buffer) {
    let shown = footer(Context::Menu, usize::from(area.width), "   ", |action| action != Action::Help);
    keys(model.theme, &shown, "   ", area, buffer);
}

/// Draws a story's keys; at its end, what to do next.
pub fn draw_story(model: &Model, story: &StoryScreen, area: Rect, buffer: &mut Buffer) {
    if let Some(line) = ending(model, story, usize::from(area.width)) {
        put(buffer, area, area.x, area.y, &line, model.theme.style(Role::Strong));
        return;
    }
    let context = match story.origin {
        Origin::Live => Context::Live,
        Origin::Replay => Context::Replay,
    };
    // What lies over the screen has a footer of its own.
    let wanted = |action| model.overlay.is_some() || model.acts(action);
    keys(model.theme, &footer(context, usize::from(area.width), "  ", wanted), "  ", area, buffer);
}

/// The last line once a scenario is over, as much of it as fits.
fn ending(model: &Model, story: &StoryScreen, width: usize) -> Option<String> {
    let entry = story.entry.as_ref().filter(|_| story.origin == Origin::Live && story.at_its_end())?;
    let again = format!(" again: epipe lab {}  ", entry.name);
    let own = " your own capture: epipe replay FILE";
    let menu = if model.menu.menu.groups.is_empty() { "" } else { "  Esc menu" };
    let lines = [
        format!("{again}{own}   e advice{menu}  ? help  q quit"),
        format!("{own}   e advice{menu}  ? help  q quit"),
        format!(" e advice{menu}  q quit"),
    ];
    lines.into_iter().find(|line| line.width() <= width)
}

/// Draws the keys of an overlay.
pub fn draw_overlay(model: &Model, overlay: &Overlay, area: Rect, buffer: &mut Buffer) {
    let context = match overlay {
        Overlay::Page(_) => Context::Page,
        Overlay::Findings(_) => Context::List,
        Overlay::Quiz(_) => Context::Quiz,
        Overlay::Path(_) | Overlay::Search(_) => Context::Line,
    };
    keys(model.theme, &footer(context, usize::from(area.width), "   ", |_| true), "   ", area, buffer);
}

fn keys(theme: Theme, bindings: &[&Binding], gap: &str, area: Rect, buffer: &mut Buffer) {
    let mut x = area.x + 1;
    for binding in bindings {
        put(buffer, area, x, area.y, binding.shown, theme.style(Role::Key));
        x = x.saturating_add(cells(binding.shown) + 1);
        put(buffer, area, x, area.y, binding.name, theme.style(Role::Text));
        x = x.saturating_add(cells(binding.name) + cells(gap));
    }
}

fn cells(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}
