//! A traced program that is held before its calls: where it is to stop, what is foretold of the next call, what it printed.

use crate::socket::errno::Errno;
use crate::source::lab::message::NextCall;
use crate::source::trace::stop::Stop;
use crate::story::Story;
use crate::story::drawing::clean;
use crate::story::foretold::{Ahead, Foretold};

use super::model::Telling;

/// Where the user wants to be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breaks {
    /// Before these calls.
    pub calls: Vec<Stop>,
    /// Before calls that are foretold to fail with one of these.
    pub errors: Vec<Errno>,
}

/// What is known of a held program beside its story.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// Where the user wants to be asked; everywhere, where nothing is named.
    pub breaks: Breaks,
    /// What is foretold of the call that stands next.
    pub ahead: Ahead,
    /// The call that was let go last.
    pub made: Option<Telling>,
    /// Whether nobody stands before a call: all threads wait in their calls, or run.
    pub idle: bool,
    /// What it printed.
    pub printed: Printed,
}

impl Breaks {
    /// Whether the user is to be asked before `next`, of which `ahead` is foretold.
    pub fn are_before(&self, next: &NextCall, ahead: &Ahead) -> bool {
        let fails = |error: &Errno| ahead.answer.is_some_and(|answer| answer.fails_with(*error));
        let everywhere = self.calls.is_empty() && self.errors.is_empty();
        let named = self.calls.iter().any(|stop| stop.is_before(next.call.name));
        everywhere || named || self.errors.iter().any(fails)
    }
}

impl Held {
    /// A held program of which nothing is known yet.
    pub fn new(breaks: Breaks) -> Self {
        Self { breaks, ..Self::default() }
    }

    /// What became of what was foretold of the last call: `foretold EPIPE+SIGPIPE: so it came`.
    pub fn judgement(&self, story: &Story) -> Option<String> {
        let begun = self.made.as_ref()?.begun?;
        let foretold = story.foretold(begun)?;
        let Foretold { held, .. } = foretold;
        Some(match held {
            Some(true) => format!("foretold {}: so it came", foretold.text()),
            Some(false) => format!("foretold {}: it came otherwise", foretold.text()),
            None if story.end_of(begun).is_none() => format!("foretold {}, and it waits", foretold.text()),
            None => return None,
        })
    }
}

/// What a program printed, as text: the last lines of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Printed {
    lines: Vec<String>,
    /// The line that has not ended.
    open: Vec<u8>,
    /// How many lines came before those.
    earlier: usize,
}

/// How many lines are kept, and how long the last may become, in bytes.
const LINES: usize = 10_000;
const LONGEST: usize = 4096;

impl Printed {
    /// Takes in what came next.
    pub fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte != b'\n' {
                self.open.push(*byte);
            }
            if *byte == b'\n' || self.open.len() >= LONGEST {
                let line = clean(&String::from_utf8_lossy(&std::mem::take(&mut self.open)));
                self.lines.push(line);
            }
        }
        let over = self.lines.len().saturating_sub(LINES);
        self.lines.drain(..over);
        self.earlier += over;
    }

    /// All of it that is kept, line by line, and how much is not.
    pub fn lines(&self) -> Vec<String> {
        let earlier = (self.earlier > 0).then(|| format!("({} lines before these)", self.earlier));
        let open = (!self.open.is_empty()).then(|| clean(&String::from_utf8_lossy(&self.open)));
        earlier.into_iter().chain(self.lines.iter().cloned()).chain(open).collect()
    }

    /// The newest line; `None` where nothing was printed.
    pub fn last(&self) -> Option<String> {
        let open = (!self.open.is_empty()).then(|| clean(&String::from_utf8_lossy(&self.open)));
        open.or_else(|| self.lines.last().cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_becomes_lines_and_control_characters_do_nothing() {
        let mut printed = Printed::default();
        assert_eq!(printed.last(), None);
        printed.add(b"one\ntw");
        printed.add(b"o\x1b[2J");
        assert_eq!(printed.lines().len(), 2);
        assert!(!printed.last().unwrap().contains('\x1b'));
        for _ in 0..LINES {
            printed.add(b"x\n");
        }
        assert_eq!((printed.lines().len(), printed.lines()[0].as_str()), (LINES + 1, "(1 lines before these)"));
    }
}
