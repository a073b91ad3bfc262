//! Text into cells: clipped, cleaned, wrapped.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use crate::story::drawing::{clean, clip, pad};

/// Puts `text` at column `x` of row `y`, as far as it fits into `area`, with `…` where it does not.
pub fn put(buffer: &mut Buffer, area: Rect, x: u16, y: u16, text: &str, style: Style) {
    if x >= area.left() && x < area.right() && y >= area.top() && y < area.bottom() {
        let width = usize::from(area.right() - x);
        buffer.set_stringn(x, y, clip(text, width), width, style);
    }
}

/// Puts `text` so that it ends before column `right`.
pub fn put_right(buffer: &mut Buffer, area: Rect, right: u16, y: u16, text: &str, style: Style) {
    let width = u16::try_from(clean(text).width()).unwrap_or(u16::MAX);
    put(buffer, area, right.saturating_sub(width).max(area.left()), y, text, style);
}

/// Empties `area`.
pub fn clear(buffer: &mut Buffer, area: Rect) {
    for position in area.intersection(*buffer.area()).positions() {
        if let Some(cell) = buffer.cell_mut(position) {
            cell.reset();
        }
    }
}

/// `words` cleaned and broken at spaces into lines of at most `width` cells; a longer word is broken where it must be.
pub fn wrap(words: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in clean(words).split(' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() && line.width() + 1 + word.width() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        for c in word.chars() {
            let cells = unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
            if !line.is_empty() && line.width() + cells > width {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// A rule with `title` in it and, further right, `note`: `─ why  send("hello") = 5 ─────`.
pub fn rule(title: &str, note: &str, width: usize) -> String {
    let note = if note.is_empty() { String::new() } else { format!(" {note} ─") };
    let title = clip(&format!("─ {title} "), width.saturating_sub(note.width()));
    let line = "─".repeat(width.saturating_sub(title.width() + note.width()));
    pad(&clip(&format!("{title}{line}{note}"), width), width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_keeps_words_and_width() {
        assert_eq!(wrap("the first send succeeds", 10), ["the first", "send", "succeeds"]);
        assert_eq!(wrap("", 10), Vec::<String>::new());
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("漢字漢字", 5), ["漢字", "漢字"]);
        assert!(wrap("two words", 0).iter().all(|line| line.chars().count() <= 1));
    }

    #[test]
    fn a_rule_fills_its_width() {
        for width in 0..100 {
            assert_eq!(rule("why  send(\"hello\") = EPIPE", "you said 5: no", width).width(), width);
        }
        assert_eq!(rule("next", "", 12), "─ next ─────");
    }
}
