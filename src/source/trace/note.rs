//! What the tracer tells: one thing at a time, stamped while the thread that did it stands still.

use std::sync::mpsc::{SyncSender, TrySendError};

use nix::unistd::Pid;

use super::stack::Snapshot;
use crate::event::{Actor, ExitStatus, Time};
use crate::socket::call::{Call, Outcome};

/// One thing.
#[derive(Clone, Debug)]
pub enum Note {
    /// A process is first told of.
    Started {
        /// When.
        time: Time,
        /// Its name.
        actor: Actor,
        /// Its number.
        pid: Pid,
    },
    /// A thread begins a call.
    Begun {
        /// When.
        time: Time,
        /// Which thread.
        thread: Pid,
        /// Of which process.
        actor: Actor,
        /// The call.
        call: Call,
    },
    /// How a thread stood as its call returned; told before that.
    Stood {
        /// When.
        time: Time,
        /// Which thread.
        thread: Pid,
        /// Of which process.
        actor: Actor,
        /// Its stack.
        stack: Box<Snapshot>,
    },
    /// The call of a thread has returned.
    Ended {
        /// When.
        time: Time,
        /// Which thread.
        thread: Pid,
        /// Of which process.
        actor: Actor,
        /// What came of it.
        outcome: Outcome,
    },
    /// A process is gone.
    Exited {
        /// When.
        time: Time,
        /// Its name.
        actor: Actor,
        /// How.
        status: ExitStatus,
    },
    /// Something that is not followed.
    Untraced(Time, String),
}

/// Where notes go. A full channel holds the traced programs up, and loses nothing.
pub struct Notes {
    sender: SyncSender<Note>,
    /// How often a program had to wait for that.
    pub held_up: u64,
}

/// Nobody takes notes any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unheard;

impl Notes {
    /// To that channel.
    pub const fn new(sender: SyncSender<Note>) -> Self {
        Self { sender, held_up: 0 }
    }

    /// Tells `note`.
    pub fn tell(&mut self, note: Note) -> Result<(), Unheard> {
        match self.sender.try_send(note) {
            Ok(()) => Ok(()),
            Err(TrySendError::Disconnected(_)) => Err(Unheard),
            Err(TrySendError::Full(note)) => {
                self.held_up += 1;
                self.sender.send(note).map_err(|_| Unheard)
            }
        }
    }
}
