//! The processes that the program starts of itself.

use std::ffi::OsString;
use std::process::ExitCode;

use super::{actor, cast, stage, storm};
use crate::source::{probe, trace};

/// Whether this process was started as a stage, as an actor, as a storm's, to trace or for a try, by its arguments after the program's name. If so,
/// it does its part and returns its exit code. To be called before anything else: a stage needs to be of one thread.
pub fn take_part(mut arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    match arguments.next()?.to_str()? {
        stage::STAGE_ARGUMENT => Some(stage::run()),
        cast::ACTOR_ARGUMENT => Some(actor::run()),
        storm::STORM_ARGUMENT => Some(storm::take_part()),
        trace::stage::TRACE_ARGUMENT => Some(trace::stage::run(arguments)),
        probe::PROBE_ARGUMENT => Some(probe::take_part(arguments.next().as_deref())),
        _ => None,
    }
}
