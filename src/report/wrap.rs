//! Prose in lines of at most a width.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::story::drawing::clean;

/// No line of prose on paper is longer, in terminal cells.
pub const WIDTH: usize = 80;

/// `text` in lines of at most `width` cells, each with `indent` spaces before it. A word longer than a line stands alone.
pub fn wrap(text: &str, indent: usize, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && indent + line.width() + 1 + word.width() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines.into_iter().map(|line| format!("{}{line}", " ".repeat(indent))).collect()
}

/// Writes a paragraph, each line indented.
pub fn paragraph(text: &str, indent: usize, out: &mut dyn Write) -> io::Result<()> {
    wrap(&clean(text), indent, WIDTH).iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// Writes a paragraph whose first line begins with `head`, under which the others are indented.
pub fn paragraph_after(head: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    let indent = head.width();
    let lines = wrap(&clean(text), indent, WIDTH);
    for (number, line) in lines.iter().enumerate() {
        if number == 0 {
            writeln!(out, "{head}{}", line.trim_start())?;
        } else {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole_and_lines_short() {
        assert_eq!(wrap("one two three", 2, 9), ["  one two", "  three"]);
        assert_eq!(wrap("unbreakable x", 0, 4), ["unbreakable", "x"]);
        assert_eq!(wrap("", 1, 4), [" "]);
    }
}
