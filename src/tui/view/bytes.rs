//! The bytes account and both ends' states, unabridged.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::story::side::Side;
use crate::story::telling::Standing;
use crate::tui::model::{Model, StoryScreen};
use crate::tui::theme::Role;

use super::text::{put, rule, wrap};

/// Where the words begin.
const INDENT: usize = 9;

/// The rows that the pane wants, its rule among them.
pub fn rows(story: &StoryScreen, width: usize) -> u16 {
    1 + u16::try_from(lines(story, width).len()).unwrap_or(u16::MAX - 1).max(7)
}

/// Draws the pane.
pub fn draw(model: &Model, story: &StoryScreen, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    put(buffer, area, area.x, area.y, &rule("bytes and states", "", width), model.theme.style(Role::Strong));
    for ((role, line), y) in lines(story, width).iter().zip(area.top() + 1..area.bottom()) {
        put(buffer, area, area.x + 1, y, line, model.theme.style(*role));
    }
}

fn lines(story: &StoryScreen, width: usize) -> Vec<(Role, String)> {
    let width = width.saturating_sub(INDENT + 1);
    let moment = &story.scene.moment;
    let mut lines = Vec::new();
    if let Some(standing) = &moment.standing {
        for (side, role) in [(Side::Client, Role::Client), (Side::Server, Role::Server)] {
            lines.extend(labelled(role, side.name(), &inferred(&standing[side]), width));
            lines.extend(labelled(Role::Text, "kernel", &kernel(&standing[side]), width));
        }
    }
    if let Some(next) = &moment.next {
        lines.extend(labelled(Role::Strong, "bytes", &next.bytes, width));
        for (side, role) in [(Side::Client, Role::Client), (Side::Server, Role::Server)] {
            lines.extend(labelled(role, side.name(), &format!("next: {}", next.whole[side]), width));
        }
    }
    for (label, words) in &story.scene.facts {
        lines.extend(labelled(Role::Faint, label, words, width));
    }
    lines
}

fn inferred(standing: &Standing) -> String {
    let endpoint = standing.endpoint.map_or_else(|| "address not known".to_owned(), |endpoint| endpoint.to_string());
    format!("{} at {endpoint}: {}", standing.state, standing.words)
}

fn kernel(standing: &Standing) -> String {
    let Some(kernel) = &standing.kernel else {
        return "was not asked since this state was reached".to_owned();
    };
    let remark = if standing.remark.is_empty() { String::new() } else { format!(" ({})", standing.remark) };
    if standing.differs {
        format!("says otherwise: {kernel}{remark}")
    } else {
        format!("says so too: {kernel}{remark}")
    }
}

fn labelled(role: Role, label: &str, words: &str, width: usize) -> Vec<(Role, String)> {
    let label = |index: usize| if index == 0 { label } else { "" };
    let wrapped = wrap(words, width);
    let number = |(index, line): (usize, &String)| (role, format!("{:<8}{line}", label(index)));
    wrapped.iter().enumerate().map(number).collect()
}
