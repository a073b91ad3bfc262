//! A line of text being typed.

/// A line of text being typed, with the cursor at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(String);

impl Line {
    /// What has been typed.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Adds `c`, unless it is a control character.
    pub fn push(&mut self, c: char) {
        if !c.is_control() {
            self.0.push(c);
        }
    }

    /// Takes the last character back.
    pub fn backspace(&mut self) {
        self.0.pop();
    }

    /// Takes everything back.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
