//! What a survey found, as text for people and as JSON for programs.

pub mod json;
pub mod shape;
pub mod text;
mod value;
