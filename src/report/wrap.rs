//! Prose in lines of at most a width.

use unicode_width::UnicodeWidthStr;

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
