//! Where events come from: captures, the lab, files. No source knows of stories or views.

pub mod file;
pub mod lab;
