//! Where in a program a call was made: the functions that were running, as its stack told.

use super::EventId;

/// The stack of a thread as one of its calls returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The event of the call's beginning.
    pub begun: EventId,
    /// The function that called the kernel, then its caller, and so on; as many as could be had.
    pub places: Vec<Place>,
    /// What is not there that one would look for, and why, in lower case.
    pub missing: Option<String>,
}

/// What a function is written in, as far as that decides how it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// Machine code, found by return addresses.
    Native,
    /// Python, found in the interpreter's memory.
    Python,
}

/// One function that was running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What it is written in.
    pub language: Language,
    /// Its name, where it is known.
    pub function: Option<String>,
    /// Which part of it ran.
    pub at: At,
}

/// Where a function was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// In a line of a source file, counted from 1.
    Line {
        /// The file, as the compiler names it.
        file: String,
        /// The line.
        line: u32,
    },
    /// In a program or library of which no lines are known.
    Module {
        /// The file.
        file: String,
        /// The address in it, as its symbols count.
        offset: u64,
    },
    /// At an address that belongs to no file.
    Address(u64),
}
