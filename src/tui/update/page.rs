//! Keys on a page of text.

use crate::tui::keys::Action;
use crate::tui::message::Effect;
use crate::tui::model::{Model, Overlay, Page};

/// A held program printed something: a page that shows that grows, and one that shows its end goes on showing it.
pub fn printed(model: &mut Model, bytes: &[u8]) {
    let Some(held) = model.story.as_mut().and_then(|story| story.held.as_mut()) else { return };
    held.printed.add(bytes);
    let Some(Overlay::Page(page)) = model.overlay.as_mut() else { return };
    if page.grows {
        let at_end = page.offset >= page.last_offset(model.size);
        page.lines = held.printed.lines();
        page.offset = if at_end { page.last_offset(model.size) } else { page.offset };
    }
}

/// Does what a key asks of the page.
pub fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let size = model.size;
    let Some(Overlay::Page(page)) = &mut model.overlay else { return Vec::new() };
    let last = page.last_offset(size);
    // One row of the page before stays in sight.
    let leap = Page::seen(size).saturating_sub(1).max(1);
    let offset = page.offset.min(last);
    page.offset = match action {
        Action::Up => offset.saturating_sub(1),
        Action::Down => (offset + 1).min(last),
        Action::PageUp => offset.saturating_sub(leap),
        Action::PageDown => (offset + leap).min(last),
        Action::First => 0,
        Action::Last => last,
        _ => offset,
    };
    if action == Action::Back {
        model.overlay = None;
    }
    Vec::new()
}
