//! One source file as the house test reads it: comments, literals and tests blanked out, lines kept.

use std::fs;
use std::path::Path;

/// A source file.
pub struct Source {
    name: String,
    modules: Vec<String>,
    text: String,
    code: String,
}

impl Source {
    /// Reads `file`, which lies below `root`.
    pub fn read(root: &Path, file: &Path) -> Self {
        let name = file.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(file).unwrap();
        let modules = name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        let code = without_tests(without_comments_and_literals(&text));
        Self { name, modules, text, code }
    }

    /// Its path below `src`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The room that it belongs to: the first part of its path.
    pub fn room(&self) -> &str {
        &self.modules[0]
    }

    /// Whether the whole file is a test module.
    pub fn is_test(&self) -> bool {
        self.modules.iter().any(|module| module == "tests")
    }

    /// Its first lines as written.
    pub fn head(&self) -> impl Iterator<Item = &str> {
        self.text.lines().take(10)
    }

    /// How many lines it has beside its tests.
    pub fn lines_besides_tests(&self) -> usize {
        let lines = self.text.lines().count();
        self.text.find("#[cfg(test)]\nmod tests {").map_or(lines, |at| self.text[..at].lines().count())
    }

    /// The lines whose code has `needle`.
    pub fn lines_with<'a>(&'a self, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let begins_word = needle.starts_with(is_word);
        self.code.lines().enumerate().filter_map(move |(index, line)| {
            let found = line.match_indices(needle).any(|(at, _)| !begins_word || !line[..at].ends_with(is_word));
            found.then_some(index + 1)
        })
    }

    /// Every path with two parts or more, `use` trees taken apart, each with its line.
    pub fn paths(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        let mut tokens = Tokens { code: &self.code, at: 0 };
        while let Some((at, token)) = tokens.next() {
            if is_name(token) {
                let line = self.code[..at].matches('\n').count() + 1;
                let mut ends = Vec::new();
                tokens.tree(token.to_owned(), &mut ends);
                found.extend(ends.into_iter().map(|path| (line, path)));
            }
        }
        found
    }

    /// The rooms that it imports, each with the line.
    pub fn imports(&self) -> Vec<(usize, String)> {
        self.paths().into_iter().filter_map(|(line, path)| Some((line, self.room_of(&path)?))).collect()
    }

    fn room_of(&self, path: &str) -> Option<String> {
        let mut parts = path.split("::").peekable();
        let first = *parts.peek()?;
        if first == "crate" || (first == "epipe" && self.room() == "main") {
            parts.next();
            return parts.next().map(str::to_owned);
        }
        let mut climbed = 0;
        while parts.peek() == Some(&"super") {
            parts.next();
            climbed += 1;
        }
        (climbed > 0 && climbed == self.modules.len()).then(|| parts.next().map(str::to_owned)).flatten()
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

struct Tokens<'a> {
    code: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    fn peek(&self) -> Option<(usize, &'a str)> {
        let rest = self.code[self.at..].trim_start();
        let start = self.code.len() - rest.len();
        let first = rest.chars().next()?;
        let len = if first.is_alphanumeric() || first == '_' {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        Some((start, &rest[..len]))
    }

    fn next(&mut self) -> Option<(usize, &'a str)> {
        let (start, token) = self.peek()?;
        self.at = start + token.len();
        Some((start, token))
    }

    /// The ends of the path that begins with `path`, `{…}` opened up.
    fn tree(&mut self, path: String, ends: &mut Vec<String>) {
        if self.peek().is_none_or(|(_, token)| token != "::") {
            if path.contains("::") {
                ends.push(path);
            }
            return;
        }
        self.next();
        match self.peek() {
            Some((_, name)) if is_name(name) => {
                self.next();
                self.tree(format!("{path}::{name}"), ends);
            }
            Some((_, "{")) => {
                self.next();
                while let Some((_, token)) = self.next() {
                    match token {
                        "}" => break,
                        name if is_name(name) => self.tree(format!("{path}::{name}"), ends),
                        _ => {}
                    }
                }
            }
            _ => ends.push(path),
        }
    }
}

/// The same text with comments and the insides of literals as spaces.
fn without_comments_and_literals(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_or_comment_end(&chars, at);
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            code.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// Where the comment or literal that begins at `at` ends; `at` itself if none begins there.
fn literal_or_comment_end(chars: &[char], at: usize) -> usize {
    let looking = |offset: usize| chars.get(at + offset).copied().unwrap_or('\0');
    let after_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match (looking(0), looking(1)) {
        ('/', '/') => find(chars, at, |rest| rest[0] == '\n').unwrap_or(chars.len()),
        ('/', '*') => find(chars, at + 2, |rest| rest.starts_with(&['*', '/'])).map_or(chars.len(), |end| end + 2),
        ('r', '"' | '#') if !after_word => raw_string_end(chars, at + 1).unwrap_or(at),
        ('"', _) | ('\'', '\\') => quoted_end(chars, at),
        ('\'', _) if looking(2) == '\'' => at + 3,
        _ => at,
    }
}

fn find(chars: &[char], from: usize, hit: impl Fn(&[char]) -> bool) -> Option<usize> {
    (from..chars.len()).find(|&index| hit(&chars[index..]))
}

fn quoted_end(chars: &[char], at: usize) -> usize {
    let mut index = at + 1;
    while index < chars.len() && chars[index] != chars[at] {
        index += if chars[index] == '\\' { 2 } else { 1 };
    }
    (index + 1).min(chars.len())
}

fn raw_string_end(chars: &[char], at: usize) -> Option<usize> {
    let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
    if chars.get(at + hashes) != Some(&'"') {
        return None;
    }
    let mut close = vec!['"'];
    close.resize(hashes + 1, '#');
    Some(find(chars, at + hashes + 1, |rest| rest.starts_with(&close)).map_or(chars.len(), |end| end + close.len()))
}

/// The same code with what `#[cfg(test)]` stands before as spaces.
fn without_tests(mut code: String) -> String {
    const MARK: &str = "#[cfg(test)]";
    while let Some(start) = code.find(MARK) {
        let mut depth = 0_usize;
        let mut end = code.len();
        for (at, c) in code[start + MARK.len()..].char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 && matches!(c, '}' | ';') {
                end = start + MARK.len() + at + c.len_utf8();
                break;
            }
        }
        let blank: String = code[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        code.replace_range(start..end, &blank);
    }
    code
}

#[test]
fn comments_literals_and_tests_are_not_code() {
    let text = "use crate::a::{b, c::d};\n// crate::x\n/* crate::y */ let s = \"crate::z\"; let c = '\"'; r#\"crate::w\"#;\n\
                #[cfg(test)]\nmod tests { use crate::t::u; }\nfn f<'a>() { super::super::g::h() }\n";
    let code = without_tests(without_comments_and_literals(text));
    let source = Source { name: "m/n.rs".into(), modules: vec!["m".into(), "n".into()], text: text.into(), code };
    let paths: Vec<String> = source.paths().into_iter().map(|(_, path)| path).collect();
    assert_eq!(paths, ["crate::a::b", "crate::a::c::d", "super::super::g::h"]);
    assert_eq!(source.imports(), [(1, "a".into()), (1, "a".into()), (6, "g".into())]);
}
