//! Whose line a line is, where it does not say so itself.
//!
//! On its standard error strace puts `[pid 12]` before a line only while it follows several threads.

use std::collections::BTreeSet;

use super::returned::Returned;

/// The threads that a log has shown so far.
#[derive(Debug, Default)]
pub struct Threads {
    alive: BTreeSet<u32>,
    /// Threads that another one made.
    made: BTreeSet<u32>,
    /// The id of the thread whose lines had none at first.
    nobody: Option<u32>,
    /// Whether there were such lines.
    without: bool,
}

impl Threads {
    /// The thread of a line with the id `named`; 0 where nobody can say.
    pub fn thread(&mut self, named: Option<u32>) -> u32 {
        let Some(thread) = named else { return self.of_no_name() };
        if self.without && self.nobody.is_none() && !self.made.contains(&thread) && !self.alive.contains(&thread) {
            self.nobody = Some(thread);
            self.alive.remove(&0);
        }
        self.alive.insert(thread);
        thread
    }

    /// Only one thread can be left when no line names one.
    fn of_no_name(&mut self) -> u32 {
        let thread = match (self.alive.len(), self.alive.first()) {
            (1, Some(only)) => *only,
            _ => self.nobody.unwrap_or(0),
        };
        self.without |= thread == 0;
        self.alive.insert(thread);
        thread
    }

    /// strace said that it follows `thread`.
    pub fn attached(&mut self, thread: u32) {
        self.made.insert(thread);
    }

    /// The call `name` returned; it may have made a thread.
    pub fn made(&mut self, name: &str, returned: &Returned) {
        let child = returned.value.and_then(|value| u32::try_from(value).ok());
        if matches!(name, "clone" | "clone3" | "fork" | "vfork") {
            self.made.extend(child);
        }
    }

    /// The thread ended.
    pub fn died(&mut self, thread: u32) {
        self.alive.remove(&thread);
        self.made.remove(&thread);
    }

    /// The id that the thread got whose lines had none at first.
    pub fn of_nobody(&self) -> Option<u32> {
        self.nobody
    }
}
