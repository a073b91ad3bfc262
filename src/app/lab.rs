//! `epipe lab`: runs a scenario.

use super::{Ending, Failure};
use crate::cli::{Common, Lab};

/// Runs what `lab` names.
pub fn run(_lab: &Lab, _common: &Common) -> Result<Ending, Failure> {
    Err(Failure::new("the lab is not built yet"))
}
