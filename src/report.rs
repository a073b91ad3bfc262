//! Stories written down: one file a format.

pub mod check;
pub mod explain;
pub mod failures;
pub mod frame;
pub mod json;
pub mod ladder;
pub mod lean;
pub mod payload;
pub mod pcapng;
pub mod schema;
pub mod storm;
pub mod summary;
pub mod tcpdump;
pub mod transcript;
pub mod wrap;
