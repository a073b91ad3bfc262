//! Keys on a page of text.

use crate::tui::keys::Action;
use crate::tui::message::Effect;
use crate::tui::model::{Model, Overlay};

/// How far a page key goes, in lines.
const LEAP: usize = 10;

/// Does what a key asks of the page.
pub fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Overlay::Page(page)) = &mut model.overlay else { return Vec::new() };
    let last = page.lines.len().saturating_sub(1);
    match action {
        Action::Up => page.offset = page.offset.saturating_sub(1),
        Action::Down => page.offset = (page.offset + 1).min(last),
        Action::PageUp => page.offset = page.offset.saturating_sub(LEAP),
        Action::PageDown => page.offset = (page.offset + LEAP).min(last),
        Action::Back => model.overlay = None,
        _ => {}
    }
    Vec::new()
}
