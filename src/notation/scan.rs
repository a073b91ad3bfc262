//! A cursor over one line.

/// Why a line could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {}: expected {expected}", column + 1)]
pub struct ParseError {
    /// Where, in bytes from the start of what was given, from 0.
    pub column: usize,
    /// What would have been right there.
    pub expected: String,
}

/// What is left of a line.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    pub const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    pub fn wrong<T>(&self, expected: impl Into<String>) -> Result<T, ParseError> {
        Err(ParseError { column: self.at, expected: expected.into() })
    }

    pub fn skip_spaces(&mut self) {
        let spaces = self.rest().len() - self.rest().trim_start_matches(' ').len();
        self.advance(spaces);
    }

    /// Takes `literal` if it comes next.
    pub fn take(&mut self, literal: &str) -> bool {
        let found = self.rest().starts_with(literal);
        if found {
            self.advance(literal.len());
        }
        found
    }

    pub fn require(&mut self, literal: &str) -> Result<(), ParseError> {
        if self.take(literal) { Ok(()) } else { self.wrong(format!("`{literal}`")) }
    }

    /// Takes characters as long as `wanted` holds.
    pub fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.advance(end);
        rest.get(..end).unwrap_or("")
    }

    /// Takes what stands before the next space, and the spaces after it.
    pub fn word(&mut self, expected: &str) -> Result<&'a str, ParseError> {
        let start = *self;
        let word = self.take_while(|c| c != ' ');
        if word.is_empty() {
            return start.wrong(expected);
        }
        self.skip_spaces();
        Ok(word)
    }

    /// Takes a word and reads it as a `T`.
    pub fn parse<T: std::str::FromStr>(&mut self, expected: &str) -> Result<T, ParseError> {
        let start = *self;
        self.word(expected)?.parse().or_else(|_| start.wrong(expected))
    }

    /// Takes decimal digits and reads them as a number.
    pub fn number<T: std::str::FromStr>(&mut self, expected: &str) -> Result<T, ParseError> {
        let start = *self;
        self.take_while(|c| c.is_ascii_digit()).parse().or_else(|_| start.wrong(expected))
    }

    /// Reads what comes next with `parser`, which returns what it leaves.
    pub fn with<T>(
        &mut self,
        parser: impl FnOnce(&'a str) -> Result<(T, &'a str), ParseError>,
    ) -> Result<T, ParseError> {
        let (read, rest) =
            parser(self.rest()).map_err(|error| ParseError { column: error.column + self.at, ..error })?;
        self.at = self.text.len() - rest.len();
        Ok(read)
    }

    pub fn end(&self) -> Result<(), ParseError> {
        if self.rest().trim_end().is_empty() { Ok(()) } else { self.wrong("the end of the line") }
    }
}
