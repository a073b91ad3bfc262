//! What can happen to the dashboard, and what it asks for.

use std::path::PathBuf;

use crossterm::event::KeyEvent;

use crate::source::lab;
use crate::story::Story;

/// Which play of a scenario: what an earlier one still tells must not be taken for the present one's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Play(pub u64);

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Message {
    /// A key was pressed.
    Key(KeyEvent),
    /// The terminal has another size and wants to be drawn again.
    Resized,
    /// The terminal gives no more keys.
    InputLost,
    /// SIGINT, SIGTERM or SIGHUP came.
    Interrupted,
    /// A thread of this program panicked; the terminal is already given back.
    Panicked,
    /// A scenario told something.
    Lab {
        /// Which play of it.
        play: Play,
        /// What.
        message: lab::message::Message,
    },
    /// A held program printed something.
    Printed(Vec<u8>),
    /// A capture was read.
    Opened {
        /// The file's name, to be shown.
        title: String,
        /// What is in it.
        story: Box<Story>,
    },
    /// Something that was asked for could not be done.
    Refused {
        /// The operation and the object, in lower case.
        message: String,
        /// What the user can do.
        help: Option<String>,
    },
    /// What this machine allows, line by line.
    Doctor(Vec<String>),
}

/// Something to be done outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Start the scenario called `name`, stopping the one that runs, and tell what it tells under `play`.
    StartLab {
        /// Which play of it.
        play: Play,
        /// Its name.
        name: String,
    },
    /// End the running scenario and its processes, if there is one.
    StopLab,
    /// Tell the running scenario something. Without one, nothing.
    Lab(lab::message::Command),
    /// Read a capture.
    Open(PathBuf),
    /// Find out what this machine allows.
    Doctor,
}
