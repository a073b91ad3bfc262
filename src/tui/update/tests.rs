//! Keys and words, and what becomes of the model.

use crossterm::event::{KeyCode, KeyEvent};

use super::*;

/// Presses the key of `c`.
pub fn press(model: &mut Model, c: char) -> Vec<Effect> {
    hit(model, KeyCode::Char(c))
}

/// Hits `key`.
pub fn hit(model: &mut Model, key: KeyCode) -> Vec<Effect> {
    update(model, Message::Key(KeyEvent::from(key)))
}

/// Types `text`.
pub fn type_in(model: &mut Model, text: &str) {
    for c in text.chars() {
        press(model, c);
    }
}
