//! The processes that the program starts of itself.

use std::ffi::OsStr;
use std::process::ExitCode;

use super::{actor, cast, stage};

/// Whether this process was started as a stage or as an actor, by its first argument. If so, it does its part and returns
/// its exit code. To be called before anything else: a stage needs to be of one thread.
pub fn take_part(argument: Option<&OsStr>) -> Option<ExitCode> {
    match argument?.to_str()? {
        stage::STAGE_ARGUMENT => Some(stage::run()),
        cast::ACTOR_ARGUMENT => Some(actor::run()),
        _ => None,
    }
}
