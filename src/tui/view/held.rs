//! The call of a held program that stands next, and what is foretold of it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::notation;
use crate::story::foretold::Ahead;
use crate::tui::held::Held;
use crate::tui::model::{Model, Progress, StoryScreen};
use crate::tui::theme::Role;

use super::text::{put, wrap};

/// Where the words begin after `Enter` and `foretold`.
const INDENT: u16 = 10;

/// The rows: of the call and of what is foretold.
const ROWS: u16 = 3;

/// How many rows it wants of `rows`.
pub fn rows(story: &StoryScreen, rows: u16) -> u16 {
    match (&story.held, &story.progress) {
        (Some(_), Progress::Waiting(_)) if rows >= 18 => ROWS,
        (Some(_), _) => 1,
        _ => 0,
    }
}

/// Draws them.
pub fn draw(model: &Model, story: &StoryScreen, area: Rect, buffer: &mut Buffer) {
    let Some(held) = story.held.as_ref().filter(|_| area.height > 0) else { return };
    let theme = model.theme;
    let (key, words) = match &story.progress {
        Progress::Waiting(next) => {
            let first = if next.beside > 0 { format!("first of {} · ", next.beside + 1) } else { String::new() };
            ("Enter", format!("{first}{}: {}", who(next.actor.name(), held), notation::call(&next.call)))
        }
        Progress::Busy if held.idle => {
            ("waits", "no thread stands before a call now: each waits in one, or runs".to_owned())
        }
        Progress::Busy => ("…", "until all that the call caused has settled".to_owned()),
        Progress::Finished => {
            ("ended", "the program has ended; q prints what it printed, and ends as it did".to_owned())
        }
    };
    put(buffer, area, area.x + 1, area.y, key, theme.style(Role::Key));
    put(buffer, area, area.x + INDENT, area.y, &words, theme.style(Role::Strong));
    if area.height < ROWS {
        return;
    }
    put(buffer, area, area.x + 1, area.y + 1, "foretold", theme.style(Role::Key));
    let width = usize::from(area.width.saturating_sub(INDENT + 1));
    let lines = wrap(&foretold(&held.ahead), width);
    let (first, rest) = lines.split_at(lines.len().min(1));
    for (line, y) in first.iter().cloned().chain((!rest.is_empty()).then(|| rest.join(" "))).zip(area.y + 1..) {
        put(buffer, area, area.x + INDENT, y, &line, theme.style(Role::Text));
    }
}

/// Who makes the call: the end, where that is known, and the program.
fn who(actor: &str, held: &Held) -> String {
    held.ahead.side.map_or_else(|| actor.to_owned(), |side| format!("{} {actor}", side.name()))
}

fn foretold(ahead: &Ahead) -> String {
    match ahead.answer {
        Some(answer) => format!("{answer}: {}", answer.why),
        None => "nothing: the model has no rule for this call, or does not know its socket".to_owned(),
    }
}
