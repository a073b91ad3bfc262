//! The lab: two small programs on a private loopback, making one socket call at a time.

pub mod message;
