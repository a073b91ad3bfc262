//! Stories written down: one file a format.

pub mod pcapng;
pub mod tcpdump;
