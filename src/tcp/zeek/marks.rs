//! Which letters of Zeek's history have been written for the flags of one end's segments.

use super::known::Known;
use crate::tcp::head::Head;

/// The number of the last SYN, the last FIN and the last RST, counted from the end's first number, as far as they are
/// [`Known`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    syn: u32,
    fin: u32,
    rst: u32,
}

impl Marks {
    /// The letter that `segment`, whose number is `relative`, adds: `a`, `d`, `i` and `q` once, the others again where the
    /// number is another than the last time.
    pub fn letter(&mut self, known: &mut Known, segment: &Head, relative: u32) -> Option<u8> {
        let flags = segment.flags;
        let (letter, is_new) = match (flags.syn(), flags.fin(), flags.rst()) {
            (_, true, true) => (b'i', known.learns(Known::INCONSISTENT)),
            (true, true, false) | (true, false, true) => (b'q', known.learns(Known::QUIRK)),
            (true, false, false) => {
                (if flags.ack() { b'h' } else { b's' }, known.learns(Known::SYN) | differs(&mut self.syn, relative))
            }
            (false, true, false) => {
                let number = relative.wrapping_add(segment.payload_len);
                (b'f', known.learns(Known::FIN) | differs(&mut self.fin, number))
            }
            (false, false, true) => (b'r', known.learns(Known::RST) | differs(&mut self.rst, relative)),
            (false, false, false) => return plain(known, segment),
        };
        is_new.then_some(letter)
    }
}

/// The letter of a `segment` without SYN, FIN and RST.
#[inline]
pub fn plain(known: &mut Known, segment: &Head) -> Option<u8> {
    if segment.payload_len > 0 {
        known.learns(Known::DATA).then_some(b'd')
    } else {
        (segment.flags.ack() && known.learns(Known::ACKNOWLEDGED)).then_some(b'a')
    }
}

/// Whether the number is another than the last, which it takes the place of.
fn differs(last: &mut u32, number: u32) -> bool {
    std::mem::replace(last, number) != number
}
