//! Why the row under the cursor is as it is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use crate::story::telling::Why;
use crate::tui::model::{Model, StoryScreen};
use crate::tui::theme::Role;

use super::text::{put, rule, wrap};

/// The lines that the pane has at least: two of words and one of causes.
const LINES: u16 = 3;

/// The rows that the pane wants, its rule among them.
pub fn rows(story: &StoryScreen, width: usize) -> u16 {
    let lines = story.scene.moment.why.as_ref().map_or(0, |why| lines(story, why, width).len());
    1 + u16::try_from(lines).unwrap_or(u16::MAX - 1).max(LINES)
}

/// Draws the pane.
pub fn draw(model: &Model, story: &StoryScreen, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    let why = story.scene.moment.why.as_ref();
    let title = why.map_or_else(|| "why".to_owned(), |why| format!("why  {}", why.title));
    let note = story.judged.as_deref().unwrap_or_default();
    put(buffer, area, area.x, area.y, &rule(&title, note, width), model.theme.style(Role::Strong));
    let Some(why) = why else { return };
    let lines = lines(story, why, width);
    let cut = lines.len() > usize::from(area.height.saturating_sub(1));
    let last = area.bottom().saturating_sub(1);
    for (line, y) in lines.iter().zip(area.top() + 1..area.bottom()) {
        let text = if cut && y == last { format!(" {line} …") } else { format!(" {line}") };
        put(buffer, area, area.x, y, &text, model.theme.style(Role::Text));
    }
}

/// The sentences, then the chain with its evidence, on one line where both fit; then what was found to be wrong here.
fn lines(story: &StoryScreen, why: &Why, width: usize) -> Vec<String> {
    let width = width.saturating_sub(1);
    let later = why.later.iter().filter(|_| !story.hides_later());
    let said: Vec<String> = why.sentences.iter().chain(later).cloned().collect();
    let mut lines = sentences(&said, width);
    let because = if why.because.is_empty() { String::new() } else { format!("because of  {}", why.because) };
    let both = |gap: &str| format!("{because}{gap}{}", why.evidence);
    let gaps = if because.is_empty() || why.evidence.is_empty() { [""; 2] } else { ["    ", "   "] };
    match gaps.map(both).into_iter().find(|both| both.width() <= width) {
        Some(both) => lines.extend((!both.is_empty()).then_some(both)),
        None => lines.extend(wrap(&because, width).into_iter().chain(wrap(&why.evidence, width))),
    }
    let found = why.findings.iter().filter(|_| !story.hides_later());
    lines.extend(found.flat_map(|finding| wrap(&format!("finding: {}", finding.text), width)));
    lines
}

/// Each sentence on a line of its own where each fits on one and that takes no more lines; else one after the other.
fn sentences(sentences: &[String], width: usize) -> Vec<String> {
    let apart: Vec<String> = sentences.iter().flat_map(|sentence| wrap(sentence, width)).collect();
    let together = wrap(&sentences.join(" "), width);
    if apart.len() == sentences.len() && apart.len() <= together.len() { apart } else { together }
}
