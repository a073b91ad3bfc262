//! Which letters of Zeek's history have been written for one end.

use crate::tcp::head::Head;

/// What was written for the flags of one end's segments.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// The number of the last SYN, the last FIN and the last RST, counted from the end's first number.
    syn: Option<u32>,
    fin: Option<u32>,
    rst: Option<u32>,
    /// The letters of which one is enough.
    once: Once,
}

impl Marks {
    /// The letter that `segment`, whose number is `relative`, adds: `a`, `d`, `i` and `q` once, the others again where the
    /// number is another than the last time.
    pub fn letter(&mut self, segment: &Head, relative: u32) -> Option<char> {
        let flags = segment.flags;
        match (flags.syn(), flags.fin(), flags.rst()) {
            (_, true, true) => self.once('i'),
            (true, true, false) | (true, false, true) => self.once('q'),
            (true, false, false) => anew(&mut self.syn, relative, if flags.ack() { 'h' } else { 's' }),
            (false, true, false) => anew(&mut self.fin, relative.wrapping_add(segment.payload_len), 'f'),
            (false, false, true) => anew(&mut self.rst, relative, 'r'),
            (false, false, false) if segment.payload_len > 0 => self.once('d'),
            (false, false, false) if flags.ack() => self.once('a'),
            (false, false, false) => None,
        }
    }

    fn once(&mut self, letter: char) -> Option<char> {
        self.once.is_new(letter).then_some(letter)
    }
}

/// Letters from `a` to `z` that were written.
#[derive(Clone, Copy, Debug, Default)]
struct Once(u32);

impl Once {
    fn is_new(&mut self, letter: char) -> bool {
        let bit = 1 << (u32::from(letter) & 31);
        let is_new = self.0 & bit == 0;
        self.0 |= bit;
        is_new
    }
}

fn anew(last: &mut Option<u32>, number: u32, letter: char) -> Option<char> {
    (last.replace(number) != Some(number)).then_some(letter)
}

/// A letter that is written at the first, the tenth, the hundredth time and so on.
#[derive(Clone, Debug, Default)]
pub struct Scaled(u32);

impl Scaled {
    /// Counts one more, and says whether it is to be written.
    pub fn rises(&mut self) -> bool {
        self.0 = self.0.saturating_add(1);
        self.0 == 10u32.saturating_pow(self.0.ilog10())
    }
}
