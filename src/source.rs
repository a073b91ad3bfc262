//! Where events come from: captures, the lab, files. No source knows of stories or views.

pub mod clock;
pub mod lab;
pub mod merge;
pub mod sockdiag;
