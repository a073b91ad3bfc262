//! What strace(1) prints between parentheses, taken apart: arguments, lists, structures and quoted strings.
//!
//! A line's bytes stand here as one character each (U+0000 to U+00FF), so that no byte is lost whatever its encoding.

use crate::socket::call::Payload;

/// Where what begins at `text`, inside of parentheses or brackets, ends: the place of its closing one, if there is one.
pub fn closing(text: &str) -> Option<usize> {
    let mut scan = Scan::new(text);
    while let Some((at, c, depth)) = scan.next() {
        if depth == 0 && matches!(c, ')' | ']' | '}') {
            return Some(at);
        }
    }
    None
}

/// The parts of `text` between the commas that stand in no brackets and no quotes.
pub fn split(text: &str) -> Vec<&str> {
    let mut scan = Scan::new(text);
    let (mut parts, mut start) = (Vec::new(), 0);
    while let Some((at, c, depth)) = scan.next() {
        if depth == 0 && c == ',' {
            parts.push(text.get(start..at).unwrap_or("").trim());
            start = at + 1;
        }
    }
    let last = text.get(start..).unwrap_or("").trim();
    if !(parts.is_empty() && last.is_empty()) {
        parts.push(last);
    }
    parts
}

/// The elements of a list, `[a, b]`.
pub fn items(text: &str) -> Vec<&str> {
    inside(text, '[', ']').map(split).unwrap_or_default()
}

/// What stands behind `name=` in a structure, `{name=value, …}`.
pub fn field<'a>(structure: &'a str, name: &str) -> Option<&'a str> {
    let fields = split(inside(structure, '{', '}')?);
    fields.into_iter().find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
}

/// What stands between `open` at the beginning and the `close` that belongs to it.
pub fn inside(text: &str, open: char, close: char) -> Option<&str> {
    let inner = text.trim_start().strip_prefix(open)?;
    let end = closing(inner)?;
    inner.get(end..)?.starts_with(close).then(|| inner.get(..end)).flatten()
}

/// A number as strace prints it: decimal, `0x` and hexadecimal digits, or one of them in brackets.
pub fn number(text: &str) -> Option<i64> {
    let text = text.trim();
    let text = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(text);
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok().and_then(|number| i64::try_from(number).ok()),
        None => text.parse().ok(),
    }
}

/// A quoted string, and `...` behind it where strace left bytes out.
pub fn quoted(text: &str) -> Option<Payload> {
    let mut rest = text.trim_start().strip_prefix('"')?;
    let mut bytes = Vec::new();
    loop {
        let c = rest.chars().next()?;
        rest = rest.get(c.len_utf8()..)?;
        match c {
            '"' => return Some(Payload { bytes, cut: rest.starts_with("...") }),
            '\\' => bytes.push(escape(&mut rest)?),
            c => bytes.push(u8::try_from(u32::from(c)).ok()?),
        }
    }
}

/// What stands behind a backslash: a letter, up to three octal digits, or `x` and two hexadecimal ones.
fn escape(rest: &mut &str) -> Option<u8> {
    let c = rest.chars().next()?;
    let octal = rest.bytes().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
    let (byte, len) = match c {
        'n' => (b'\n', 1),
        't' => (b'\t', 1),
        'r' => (b'\r', 1),
        'v' => (0x0b, 1),
        'f' => (0x0c, 1),
        'a' => (0x07, 1),
        'b' => (0x08, 1),
        'e' => (0x1b, 1),
        'x' => (u8::from_str_radix(rest.get(1..3)?, 16).ok()?, 3),
        '0'..='7' => (u8::try_from(u32::from_str_radix(rest.get(..octal)?, 8).ok()?).ok()?, octal),
        c => (u8::try_from(u32::from(c)).ok()?, c.len_utf8()),
    };
    *rest = rest.get(len..)?;
    Some(byte)
}

/// Walks over characters outside of quotes, comments and a descriptor's `<…>`, with how deep in brackets each stands.
struct Scan<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Scan<'a> {
    const fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// The next character, where it stands, and its depth; that of a bracket is the one outside of it.
    fn next(&mut self) -> Option<(usize, char, usize)> {
        loop {
            let rest = self.text.get(self.at..)?;
            let c = rest.chars().next()?;
            let hidden = hidden(rest, c, self.text.get(..self.at)?);
            if hidden > 0 {
                self.at += hidden;
                continue;
            }
            let at = self.at;
            self.at += c.len_utf8();
            match c {
                '(' | '[' | '{' => self.depth += 1,
                ')' | ']' | '}' if self.depth > 0 => {
                    self.depth -= 1;
                    return Some((at, c, self.depth + 1));
                }
                _ => {}
            }
            return Some((at, c, self.depth));
        }
    }
}

/// How long the quotes, the comment or the descriptor's description is that begins here; 0 where none does.
fn hidden(rest: &str, c: char, before: &str) -> usize {
    match c {
        '"' => string_len(rest),
        '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
        // Shifts are no descriptions, and the addresses of a connection stand with `->` between them.
        '<' if !rest.starts_with("<<") && !before.ends_with(['<', ' ']) => described_len(rest).unwrap_or(0),
        _ => 0,
    }
}

fn string_len(rest: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a description in angle brackets, with both of them.
pub fn described_len(rest: &str) -> Option<usize> {
    rest.match_indices('>')
        .map(|(at, _)| at)
        .find(|at| !rest.get(..*at).is_some_and(|before| before.ends_with('-')))
        .map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_split_outside_of_quotes_brackets_and_descriptions() {
        let text = r#"3<TCP:[1.2.3.4:5->6.7.8.9:10]>, "a,\"b)", {x=[1, 2], y=f(3, 4)}, NULL /* 3, 4 */, 1<<2"#;
        let parts = split(text);
        assert_eq!(parts.len(), 5, "{parts:?}");
        assert_eq!(parts[0], "3<TCP:[1.2.3.4:5->6.7.8.9:10]>");
        assert_eq!(field(parts[2], "y"), Some("f(3, 4)"));
        assert_eq!(items(field(parts[2], "x").unwrap()), ["1", "2"]);
        assert_eq!(closing("a, (b)), c"), Some(6));
        assert_eq!(closing("a, \"b)"), None);
        assert!(split("").is_empty());
    }

    #[test]
    fn strings_are_bytes_with_every_escape_of_strace() {
        let read = |text: &str| quoted(text).map(|payload| (payload.bytes, payload.cut));
        assert_eq!(read(r#""a\n\0\377\x41\"\\"..., 3"#), Some((b"a\n\x00\xffA\"\\".to_vec(), true)));
        assert_eq!(read(r#""\1234""#), Some((b"S4".to_vec(), false)));
        assert_eq!(read("\"\u{e9}\""), Some((vec![0xe9], false)));
        for wrong in ["", "a", "\"a", "\"\\", "\"\\x4", "\"\\777\""] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
