//! Where events come from: captures, the lab, traced programs, files. No source knows of stories or views.

pub mod clock;
pub mod file;
pub mod lab;
pub mod live;
pub mod merge;
pub mod probe;
pub mod sandbox;
pub mod sockdiag;
mod stat;
pub mod strace;
pub mod trace;
pub mod transcript;
pub mod tun;
pub mod words;
