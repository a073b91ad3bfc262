//! One run told as what it was: connections with both ends' states, causes with their evidence, what became of each byte,
//! the verdict, a why for every row, and what each call would return next.
//!
//! A story is a function of its events alone: live, replayed and scrubbed back it is made by the same code, by applying the
//! same events in the same order. Nothing here does I/O.

pub mod account;
pub mod cause;
pub mod connection;
mod correlate;
mod descriptors;
pub mod drawing;
pub mod journal;
pub mod rows;
pub mod side;
mod spans;
mod standing;
pub mod telling;
mod text;
pub mod track;
