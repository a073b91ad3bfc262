//! The rows of the ladder: what stands in the client's, the network's and the server's column, as data.
//!
//! One row is one segment with its cause on the sender's side and its effect on the other, or one call that sent nothing, or
//! a pause. How a row is drawn, and how wide, is `drawing`'s business.

use crate::event::{ConnectionId, EventId, FrameNo};

use super::side::{Both, Side};

/// One row of the ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The event that the row is about, which its why explains and its time is taken from.
    pub event: EventId,
    /// Every event that the row stands for, `event` among them, rising.
    pub events: Vec<EventId>,
    /// The connection that it belongs to.
    pub connection: Option<ConnectionId>,
    /// What stands in the number column.
    pub number: Number,
    /// The text in each end's column, unclipped.
    pub text: Both<String>,
    /// What stands in the network's column.
    pub wire: Wire,
    /// Whether the row shows a failure: an error, a reset, a death, lost bytes.
    pub failed: bool,
}

/// What stands in the number column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// The frame's number.
    Frame(FrameNo),
    /// The first and the last frame's number.
    Frames(FrameNo, FrameNo),
    /// A call without a frame, drawn as a dot.
    Dot,
    /// Nothing.
    Blank,
}

/// What stands in the network's column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wire {
    /// An arrow from one end to the other.
    Arrow {
        /// Who sent it.
        from: Side,
        /// `DATA 1:6`, `FIN`, `RST`, `ACK 2`, `again 6:11`.
        label: String,
        /// The frame whose ACK merely says that this one came; drawn as `✓n` at the head.
        acknowledged_by: Option<FrameNo>,
        /// Whether it was heard; drawn as `✗` at the head where not.
        heard: bool,
    },
    /// The handshake's three segments; of which connection, where the run has several.
    Handshake(Option<ConnectionId>),
    /// A pause of so many nanoseconds.
    Pause(u64),
    /// A call that put nothing on the wire and is expected to by many.
    NothingSent,
    /// Words of its own, such as `[+] 13 bytes`.
    Note(String),
    /// Nothing.
    Empty,
}
