//! What a survey found, as text for people and as JSON for programs.

pub mod json;
pub mod overview;
pub mod shape;
mod tally;
pub mod text;
mod turns;
mod value;
