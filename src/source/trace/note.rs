//! What the tracer tells: one thing at a time, stamped while the thread that did it stands still.

use std::sync::mpsc::{SyncSender, TrySendError};

use nix::unistd::Pid;

use super::stack::Snapshot;
use crate::event::{Actor, ExitStatus, Holding, Time};
use crate::socket::call::{Call, Outcome};
use crate::source::sockdiag::Table;

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
    /// A thread stands before a call until it is let through.
    Stands {
        /// Which thread.
        thread: Pid,
        /// Of which process.
        actor: Actor,
        /// The call that it is about to make.
        call: Call,
    },
    /// A thread that stood before a call is gone.
    Fled(Pid),
    /// A process turned out to hold a socket.
    Holds {
        /// When it was as told.
        time: Time,
        /// Which process.
        actor: Actor,
        /// The socket.
        holding: Holding,
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
    Stack {
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
    /// That process, which ran before, is followed from now on, and so are all that are asked for.
    Attached(Pid),
    /// The processes that are still there were let go, and run on: what is sent from now on is not of the story.
    LetGo(Time),
    /// A process is gone.
    Exited {
        /// When.
        time: Time,
        /// Its name.
        actor: Actor,
        /// How.
        status: ExitStatus,
    },
    /// What the kernel's table of sockets showed at this time and a while longer.
    Looked(Time, Table),
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
