//! Where calls were made: the stacks of threads as they stood when a call of theirs returned (`--stack`).
//!
//! While the thread stands only its registers, its stack and what is mapped are read, and what Python runs in it; then it
//! goes on. The recorder's thread walks the copy and looks up functions and lines.

mod elf;
mod image;
mod lines;
mod maps;
mod python;
mod resolve;
mod snapshot;
mod walk;

use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use self::image::Images;
pub use self::resolve::Resolver;
pub use self::snapshot::Snapshot;
use crate::socket::call::{Call, CallName, Outcome};
use crate::socket::errno::Errno;

/// How many stacks of a run are taken: a program that fails a million times does it in a few places.
const MOST: u64 = 1000;

/// Of which calls the stack is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wanted {
    /// Of those that failed with one of these errors, by name.
    Failed(Vec<String>),
    /// Of all that failed but those that would have had to wait, and of those that end a connection.
    Telling,
}

/// Takes stacks, as many as there are to be.
pub struct Stacks {
    /// Errors; `None` for all that tell something.
    errors: Option<Vec<Errno>>,
    images: Images,
    taken: u64,
}

/// What came of looking.
pub enum Taken {
    /// The stack.
    Stack(Box<Snapshot>),
    /// Why it could not be had.
    Not(String),
    /// There are enough; said once.
    Enough(String),
}

impl Stacks {
    /// For calls that are `wanted`.
    pub fn new(wanted: &Wanted) -> Self {
        let errors = match wanted {
            Wanted::Failed(names) => Some(names.iter().filter_map(|name| name.parse().ok()).collect()),
            Wanted::Telling => None,
        };
        Self { errors, images: Images::default(), taken: 0 }
    }

    /// The stack of `thread` of `process`, which stands at the exit of `call`; `None` where it is not wanted.
    pub fn take(&mut self, thread: Pid, process: Pid, call: &Call, outcome: &Outcome) -> Option<Taken> {
        if !self.wants(call, outcome) || self.taken > MOST {
            return None;
        }
        self.taken += 1;
        if self.taken > MOST {
            return Some(Taken::Enough(format!(
                "where calls were made after the first {MOST} whose stacks were taken"
            )));
        }
        Some(match Snapshot::of(thread, process, &mut self.images) {
            Ok(snapshot) => Taken::Stack(Box::new(snapshot)),
            Err(why) => Taken::Not(why),
        })
    }

    fn wants(&self, call: &Call, outcome: &Outcome) -> bool {
        match (&self.errors, outcome.errno) {
            (Some(errors), errno) => errno.is_some_and(|errno| errors.contains(&errno)),
            (None, Some(errno)) => !waits(errno),
            (None, None) => ends(call.name),
        }
    }
}

/// Whether it is no failure but a call to be made again.
fn waits(errno: Errno) -> bool {
    [Errno::EAGAIN, Errno::EINPROGRESS, Errno::EALREADY, Errno::EINTR].contains(&errno)
}

/// Whether what it does is what findings rest on.
fn ends(name: CallName) -> bool {
    matches!(name, CallName::Close | CallName::CloseRange | CallName::Shutdown)
}
