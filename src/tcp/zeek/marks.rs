//! Which letters of Zeek's history have been written for one end.

use crate::tcp::segment::Segment;

/// What was written for the flags of one end's segments.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// The number of the last SYN, the last FIN and the last RST, counted from the end's first number.
    syn: Option<u32>,
    fin: Option<u32>,
    rst: Option<u32>,
    ack: bool,
    data: bool,
    fin_and_rst: bool,
    syn_and_more: bool,
}

impl Marks {
    /// The letter that `segment`, whose number is `relative`, adds: `a`, `d`, `i` and `q` once, the others again where the
    /// number is another than the last time.
    pub fn letter(&mut self, segment: &Segment, relative: u32) -> Option<char> {
        let flags = segment.flags;
        match (flags.syn(), flags.fin(), flags.rst()) {
            (_, true, true) => once(&mut self.fin_and_rst, 'i'),
            (true, true, false) | (true, false, true) => once(&mut self.syn_and_more, 'q'),
            (true, false, false) => anew(&mut self.syn, relative, if flags.ack() { 'h' } else { 's' }),
            (false, true, false) => anew(&mut self.fin, relative.wrapping_add(segment.payload_len), 'f'),
            (false, false, true) => anew(&mut self.rst, relative, 'r'),
            (false, false, false) if segment.payload_len > 0 => once(&mut self.data, 'd'),
            (false, false, false) if flags.ack() => once(&mut self.ack, 'a'),
            (false, false, false) => None,
        }
    }
}

fn once(seen: &mut bool, letter: char) -> Option<char> {
    (!std::mem::replace(seen, true)).then_some(letter)
}

fn anew(last: &mut Option<u32>, number: u32, letter: char) -> Option<char> {
    (last.replace(number) != Some(number)).then_some(letter)
}

/// A letter that is written at the first, the tenth, the hundredth time and so on.
#[derive(Clone, Debug, Default)]
pub struct Scaled(u64);

impl Scaled {
    /// Counts one more, and says whether it is to be written.
    pub fn rises(&mut self) -> bool {
        self.0 = self.0.saturating_add(1);
        self.0 == 10u64.saturating_pow(self.0.ilog10())
    }
}
