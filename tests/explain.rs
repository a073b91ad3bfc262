//! `epipe explain` on captures that are made here: what its text and its JSON say, and how it ends.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

mod capture;
mod explain {
    pub mod common;
    mod odd_captures;
    mod options;
    mod patterns;
    mod several_files;
}
