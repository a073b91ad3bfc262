//! `epipe replay`: shows a capture.

use super::{Ending, Failure};
use crate::cli::{Common, Replay};

/// Shows the capture that `replay` names.
pub fn run(_replay: &Replay, _common: &Common) -> Result<Ending, Failure> {
    Err(Failure::new("replay is not built yet"))
}
