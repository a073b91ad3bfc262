//! `epipe` shows why a TCP connection ended as it did.
//!
//! ```text
//!  lab ─┐                                                      ┌─ tui
//!  live ┤                                                      ├─ report: ladder, transcript, tcpdump, json
//!  file ┴─► merge ─► events ─► story: apply() ─► journal, causes ┤
//!  transcript ────────┘                                        └─ save: pcapng with calls
//!
//!  file ────► survey: one pass over all connections, a record of fixed size each ──► explain
//! ```
//!
//! Imports go one way only: [`tcp`] ← {[`socket`], `decode`} ← [`event`] ← `notation` ← {`source`, `story`} ← `survey` ←
//! {`report`, `tui`} ← `app` ← `main`.

pub mod app;
pub mod cli;
pub mod decode;
pub mod event;
pub mod memory;
pub mod notation;
pub mod report;
pub mod socket;
pub mod source;
pub mod story;
pub mod survey;
pub mod tcp;
pub mod tui;
