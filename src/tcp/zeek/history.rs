//! The letters of Zeek's `history`.
//!
//! They are handed over as segments bring them, and kept by whoever asks: most connections have so few that they need no room
//! elsewhere.

use std::iter;

use super::ahead::MOST_RUNS;

/// What one segment adds: one letter each for its flags, a zero window and a repetition, and for gaps at most the first, the
/// tenth, the hundredth and the thousandth. (With a `^` there are no gaps.) The first is the lowest byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added(u64);

/// Whether a segment cannot show the ten thousandth gap too.
const _: () = assert!(MOST_RUNS + 1 < 9_999);

impl Added {
    /// Whether it adds nothing.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The letters in their order.
    #[inline]
    pub fn letters(self) -> impl Iterator<Item = u8> {
        let mut rest = self.0;
        iter::from_fn(move || {
            let [letter, ..] = rest.to_le_bytes();
            rest >>= u8::BITS;
            (letter != 0).then_some(letter)
        })
    }

    /// Adds the letter of what one end did: upper case for the originator's.
    #[inline]
    pub(super) fn add(&mut self, letter: u8, by_originator: bool) {
        let letter = if by_originator { letter.to_ascii_uppercase() } else { letter };
        self.0 |= u64::from(letter).checked_shl(self.bytes() * u8::BITS).unwrap_or(0);
    }

    const fn bytes(self) -> u32 {
        (u64::BITS - self.0.leading_zeros()).div_ceil(u8::BITS)
    }
}

/// The first letters of a connection, which most have no more of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beginning([u8; 12]);

impl Beginning {
    /// The letters as a text.
    pub fn as_str(&self) -> &str {
        let letters = self.0.split(|letter| *letter == 0).next().unwrap_or_default();
        std::str::from_utf8(letters).unwrap_or_default()
    }

    /// Puts what a segment adds behind them. False where there is no room for all of it; then nothing has happened.
    #[inline]
    pub fn append(&mut self, added: Added) -> bool {
        let len = self.0.iter().position(|letter| *letter == 0).unwrap_or(self.0.len());
        let free = self.0.get_mut(len..).unwrap_or_default();
        let has_room = added.bytes() as usize <= free.len();
        if has_room {
            free.iter_mut().zip(added.letters()).for_each(|(place, letter)| *place = letter);
        }
        has_room
    }
}

/// Zeek's pattern `^?S[^HAFGIQ]*R.*` on a whole history.
pub(super) fn is_syn_then_reset(history: &str) -> bool {
    let after_syn = history.strip_prefix('^').unwrap_or(history).strip_prefix('S');
    after_syn.and_then(|rest| rest.chars().find(|letter| "HAFGIQR".contains(*letter))) == Some('R')
}

#[cfg(test)]
mod tests {
    use super::{Added, Beginning};

    fn added(letters: &str) -> Added {
        let mut added = Added::default();
        letters.bytes().for_each(|letter| added.add(letter, letter.is_ascii_uppercase()));
        added
    }

    #[test]
    fn a_segment_adds_letters_in_their_order() {
        assert!(added("").is_empty() && added("").letters().next().is_none());
        for letters in ["^", "^h", "dwtGGGG", "DWTggggg"] {
            assert_eq!(added(letters).letters().map(char::from).collect::<String>(), letters);
        }
    }

    #[test]
    fn what_has_no_room_is_not_begun() {
        let mut beginning = Beginning::default();
        assert!(beginning.append(added("ShADadTt")) && !beginning.append(added("fwGGG")));
        assert_eq!(beginning.as_str(), "ShADadTt");
        assert!(beginning.append(added("fwGG")) && !beginning.append(added("F")));
        assert_eq!(beginning.as_str(), "ShADadTtfwGG");
        assert!(beginning.append(Added::default()));
    }
}
