//! The title, and both ends at the cursor.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use unicode_width::UnicodeWidthStr;

use crate::story::drawing::{Columns, clip};
use crate::story::side::Side;
use crate::story::telling::Standing;
use crate::tui::model::{Model, StoryScreen};
use crate::tui::theme::Role;

use super::text::{put, put_right};

/// Where the client's half begins.
const CLIENT_START: u16 = 4;

/// Draws two or three lines.
pub fn draw(model: &Model, story: &StoryScreen, columns: Columns, area: Rect, buffer: &mut Buffer) {
    title(model, story, area, buffer);
    let Some(standing) = &story.scene.moment.standing else { return };
    let server_start = u16::try_from(columns.server_start()).unwrap_or(u16::MAX);
    for (side, start, end) in
        [(Side::Client, CLIENT_START, server_start.saturating_sub(1)), (Side::Server, server_start, area.width)]
    {
        let role = if side == Side::Client { Role::Client } else { Role::Server };
        let x = area.x + start.min(area.width);
        let width = usize::from(end.saturating_sub(start));
        let state = state_line(side, &standing[side]);
        // A port of five digits takes the second space.
        let state = if state.width() > width { state.replace("  ", " ") } else { state };
        let state = clip(&state, width);
        put(buffer, area, x, area.y + 1, &state, model.theme.style(role).patch(model.theme.style(Role::Strong)));
        let words = clip(&standing[side].line(), width);
        put(buffer, area, x, area.y + 2, &words, model.theme.style(role));
    }
    if let Some(which) = which_connection(story) {
        let middle = columns.number + columns.client + 3 + columns.network.saturating_sub(which.len()) / 2;
        let x = area.x.saturating_add(u16::try_from(middle).unwrap_or(u16::MAX));
        put(buffer, area, x, area.y + 1, &clip(&which, columns.network), model.theme.style(Role::Faint));
    }
}

fn title(model: &Model, story: &StoryScreen, area: Rect, buffer: &mut Buffer) {
    let mode = story.mode();
    let room = usize::from(area.width).saturating_sub(mode.width() + 3);
    let title = clip(&title_within(story, room), room);
    put(buffer, area, area.x + 1, area.y, &title, model.theme.style(Role::Strong));
    put_right(buffer, area, area.right().saturating_sub(1), area.y, &mode, model.theme.style(Role::Faint));
}

/// The name, and what it is about, or the newest line that a held program has printed.
fn title_within(story: &StoryScreen, room: usize) -> String {
    let name = &story.scene.name;
    if let Some(line) = story.held.as_ref().and_then(|held| held.printed.last()) {
        return format!("{}  prints: {line}", clip(name, room / 3));
    }
    let about = &story.scene.about;
    // What it is stands behind what happens in it. Half a sentence says nothing.
    let shorter = about.rsplit_once(" · ").map_or("", |(happens, _)| happens);
    let titles = [about.as_str(), shorter].map(|about| format!("{name}  {about}"));
    titles.into_iter().find(|title| title.width() <= room).unwrap_or_else(|| name.clone())
}

fn state_line(side: Side, standing: &Standing) -> String {
    let port = standing.endpoint.map(|endpoint| format!(" :{}", endpoint.port())).unwrap_or_default();
    format!("{}{port}  {}", side.name().to_uppercase(), standing.state)
}

/// Which of several connections the cursor's row belongs to.
fn which_connection(story: &StoryScreen) -> Option<String> {
    let connections = story.scene.lines.iter().filter_map(|line| line.row.connection);
    let last = connections.max().filter(|last| last.0 > 1)?;
    let here = story.scene.lines.get(story.cursor)?.row.connection?;
    // How many there will be is not known while it happens.
    let of = if story.hides_later() { String::new() } else { format!(" of {last}") };
    Some(format!("connection {here}{of}"))
}
