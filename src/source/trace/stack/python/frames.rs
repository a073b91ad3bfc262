//! The frames of a thread of Python, and the objects that they name.

use nix::unistd::Pid;

use super::layout::Layout;
use super::lines;
use crate::event::{At, Language, Place};
use crate::source::trace::memory;
use crate::source::trace::stack::walk::DEEPEST;

/// How many interpreters, threads or frames are looked at.
const MOST: usize = 4096;

/// How long a name or a table of lines may be, in bytes.
const LONGEST: u64 = 1 << 20;

/// A frame of the interpreter's own, between functions of C (`FRAME_OWNED_BY_CSTACK`).
const OF_C: u8 = 3;

/// What a frame is of.
enum Frame {
    /// A function of Python.
    Of(Place),
    /// The interpreter itself.
    OfC,
}

/// The addresses of types, by which objects are known for what they are.
#[derive(Clone, Copy, Debug)]
pub struct Types {
    /// `PyCode_Type`.
    pub code: u64,
    /// `PyUnicode_Type`.
    pub text: u64,
    /// `PyBytes_Type`.
    pub bytes: u64,
}

/// An interpreter in the memory of a process.
pub struct Interpreter {
    /// The process.
    pub process: Pid,
    /// The address of `_PyRuntime`.
    pub runtime: u64,
    /// Where its structures have what.
    pub layout: Layout,
    /// Its types.
    pub types: Types,
}

impl Interpreter {
    /// The functions that `thread` runs, the innermost first; none where it runs no Python.
    pub fn frames(&self, thread: Pid, own: u64) -> Result<Vec<Place>, String> {
        let Some(state) = self.thread(thread, own) else { return Ok(Vec::new()) };
        let wrong = || "the interpreter's memory is not as expected".to_owned();
        let mut frame = self.first(state).ok_or_else(wrong)?;
        let mut places = Vec::new();
        for _ in 0..MOST {
            if frame == 0 || places.len() >= DEEPEST {
                break;
            }
            match self.frame(frame).zip(self.word(frame, self.layout.previous)) {
                Some((Frame::OfC, previous)) => frame = previous,
                Some((Frame::Of(place), previous)) => {
                    places.push(place);
                    frame = previous;
                }
                // What was read before was looked at by itself.
                None if !places.is_empty() => break,
                None => return Err(wrong()),
            }
        }
        Ok(places)
    }

    /// The state of `thread`: that with its number, or after a fork, which does not always change that, with its stack.
    fn thread(&self, thread: Pid, own: u64) -> Option<u64> {
        let states: Vec<u64> = self.states();
        let tid = inner_number(thread);
        let by = |field: u64, wanted: u64| {
            let is_it = |state: &u64| wanted != 0 && self.word(*state, field) == Some(wanted);
            states.iter().copied().find(is_it)
        };
        by(self.layout.tid, tid).or_else(|| by(self.layout.pthread, own))
    }

    /// The states of all threads of all interpreters.
    fn states(&self) -> Vec<u64> {
        let interpreters = self.list(self.word(self.runtime, self.layout.interpreters), self.layout.next_interpreter);
        interpreters
            .flat_map(|one| self.list(self.word(one, self.layout.threads), self.layout.next_thread))
            .take(MOST)
            .collect()
    }

    /// The members of a list that begins with `first` and goes on at `next` of each.
    fn list(&self, first: Option<u64>, next: u64) -> impl Iterator<Item = u64> {
        let is_one = |address: &u64| *address != 0;
        std::iter::successors(first.filter(is_one), move |one| self.word(*one, next).filter(is_one)).take(MOST)
    }

    fn first(&self, state: u64) -> Option<u64> {
        let frame = self.word(state, self.layout.frame)?;
        match self.layout.within {
            Some(within) if frame != 0 => self.word(frame, within),
            _ => Some(frame),
        }
    }

    /// What the frame says; `None` where it cannot be a frame.
    fn frame(&self, frame: u64) -> Option<Frame> {
        let owner = *self.bytes(frame, self.layout.owner, 1)?.first()?;
        if owner == OF_C {
            return Some(Frame::OfC);
        }
        let code = self.object(self.word(frame, self.layout.code)?, self.types.code)?;
        let function = self.text(self.word(code, self.layout.qualname)?)?;
        let file = self.text(self.word(code, self.layout.filename)?)?;
        let first = self.bytes(code, self.layout.first_line, 4)?;
        let first = i32::from_ne_bytes(first.try_into().ok()?);
        let table = self.data(self.word(code, self.layout.linetable)?)?;
        let instruction = self.word(frame, self.layout.instruction)?;
        // Before its first instruction a frame points at the one before that.
        let bytecode = code.checked_add(self.layout.bytecode)?;
        let at = instruction.max(bytecode).checked_sub(bytecode)? / 2;
        let line = lines::line(&table, first.into(), at)?;
        let at = At::Line { file, line };
        Some(Frame::Of(Place { language: Language::Python, function: Some(function), at }))
    }

    /// `address`, if an object of that type is there.
    fn object(&self, address: u64, kind: u64) -> Option<u64> {
        (self.word(address, self.layout.kind)? == kind).then_some(address)
    }

    /// The bytes of a `bytes` object.
    fn data(&self, address: u64) -> Option<Vec<u8>> {
        let object = self.object(address, self.types.bytes)?;
        let size = self.word(object, self.layout.size).filter(|size| *size <= LONGEST)?;
        self.bytes(object, self.layout.bytes, size)
    }

    /// The text of a `str` object.
    fn text(&self, address: u64) -> Option<String> {
        let object = self.object(address, self.types.text)?;
        let length = self.word(object, self.layout.length).filter(|length| *length <= LONGEST)?;
        let state = *self.bytes(object, self.layout.state, 1)?.first()?;
        // Behind two bits of another meaning: three of the width, is it compact, is it ASCII.
        let (width, is_compact, is_ascii) = (state >> 2 & 7, state >> 5 & 1 == 1, state >> 6 & 1 == 1);
        let start = if is_ascii { self.layout.ascii } else { self.layout.compact };
        if !is_compact {
            return None;
        }
        let bytes = self.bytes(object, start, length.checked_mul(width.into())?)?;
        decoded(&bytes, width)
    }

    fn word(&self, address: u64, offset: u64) -> Option<u64> {
        memory::word(self.process, address.checked_add(offset)?)
    }

    /// All of so many bytes.
    fn bytes(&self, address: u64, offset: u64, len: u64) -> Option<Vec<u8>> {
        let bytes = memory::bytes(self.process, address.checked_add(offset)?, usize::try_from(len).ok()?);
        (bytes.len() as u64 == len).then_some(bytes)
    }
}

/// Text of `width` bytes a character, as Python keeps it.
pub fn decoded(bytes: &[u8], width: u8) -> Option<String> {
    match width {
        1 => Some(bytes.iter().copied().map(char::from).collect()),
        2 => {
            bytes.chunks_exact(2).map(|pair| char::from_u32(u16::from_ne_bytes(pair.try_into().ok()?).into())).collect()
        }
        4 => bytes.chunks_exact(4).map(|four| char::from_u32(u32::from_ne_bytes(four.try_into().ok()?))).collect(),
        _ => None,
    }
}

/// What the thread itself takes its number to be: in a container another than here.
fn inner_number(thread: Pid) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{thread}/status")).unwrap_or_default();
    let inner = status.lines().find_map(|line| line.strip_prefix("NSpid:")?.split_whitespace().last()?.parse().ok());
    inner.unwrap_or_else(|| u64::try_from(thread.as_raw()).unwrap_or(0))
}
