//! RFC 9293, pure: numbers, segments, states and the step from one state to the next.
//!
//! Nothing here does I/O, and nothing here imports another part of this crate: a segment goes in, a reasoned step comes out.

pub mod analysis;
pub mod head;
pub mod machine;
pub mod rule;
pub mod segment;
pub mod seq;
pub mod state;
pub mod transition;
pub mod zeek;
