//! `epipe` without a command: the menu in a terminal, else the ladder of broken-pipe.

use super::{Ending, Failure};
use crate::cli::Common;

/// Shows the menu.
pub fn run(_common: &Common) -> Result<Ending, Failure> {
    Err(Failure::new("the menu is not built yet"))
}
