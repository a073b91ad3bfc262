//! What each call would return next, and where the bytes are.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::model::{Model, Progress, StoryScreen};
use crate::tui::scene::call_words;
use crate::tui::theme::Role;

use super::text::{put, rule, wrap};

/// The rows of the pane, its rule among them.
pub const ROWS: u16 = 4;

/// Where the words begin after `client`, `server` and `bytes`.
const INDENT: u16 = 9;

/// The call that waits to be let go: `Enter: client send("hello")`, and how many go at once where several race.
fn waiting(story: &StoryScreen) -> Option<String> {
    let Progress::Waiting(next) = &story.progress else { return None };
    // A held program's has rows of its own.
    if story.held.is_some() {
        return None;
    }
    let call = format!("Enter: {} {}", next.actor, call_words(&next.call));
    Some(if next.together > 1 { format!("{call}, {} calls at once", next.together) } else { call })
}

/// Draws the pane. Where there are rows to spare, long lines go on below.
pub fn draw(model: &Model, story: &StoryScreen, area: Rect, buffer: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let theme = model.theme;
    let note = waiting(story).unwrap_or_default();
    put(buffer, area, area.x, area.y, &rule("next", &note, usize::from(area.width)), theme.style(Role::Strong));
    let Some(next) = &story.scene.moment.next else { return };
    let lines = [
        ("client", &next.lines.client, Role::Client),
        ("server", &next.lines.server, Role::Server),
        ("bytes", &next.bytes, Role::Strong),
    ];
    let mut spare = area.height.saturating_sub(ROWS);
    let mut y = area.y + 1;
    for (name, words, role) in lines {
        put(buffer, area, area.x + 1, y, name, theme.style(role));
        let wrapped = wrap(words, usize::from(area.width.saturating_sub(INDENT)));
        let more = u16::try_from(wrapped.len().saturating_sub(1)).unwrap_or(u16::MAX).min(spare);
        spare -= more;
        let (whole, rest) = wrapped.split_at(usize::from(more).min(wrapped.len()));
        let tail = rest.join(" ");
        for line in whole.iter().chain(std::iter::once(&tail)) {
            put(buffer, area, area.x + INDENT, y, line, theme.style(Role::Text));
            y += 1;
        }
    }
}
