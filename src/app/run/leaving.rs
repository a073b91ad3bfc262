//! A run on processes that run already: Ctrl-C, SIGTERM and SIGHUP let them go, and the story is told.

use std::io;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::signals::SignalsError;
use super::{Traced, listen};
use crate::app::Failure;
use crate::source::trace::{Handle, Trace};

const LETS_GO: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

/// Follows until they have ended or are let go.
pub fn follow(trace: Trace) -> Result<Traced, Failure> {
    // What was ignored from the start, as under nohup(1), is to be ignored.
    let set: SigSet = LETS_GO.into_iter().filter(|signal| !is_ignored(*signal)).collect();
    wait_to_let_go(trace.handle(), set).map_err(|error| Failure::new(error.to_string()))?;
    let traced = listen(trace, |_| {
        eprintln!("epipe: attached; each system call of the program stops it, until it ends or Ctrl-C lets it go");
    });
    // A set that could be blocked can be unblocked.
    let _ = sigprocmask(SigmaskHow::SIG_UNBLOCK, Some(&set), None);
    traced
}

/// Whether this process ignores `signal`, by its line in proc(5).
fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal as i32 - 1) & 1 == 1
}

/// Signals that come so soon after the first are the same wish: timeout(1) sends two, to the process and to its group.
const SAME: Duration = Duration::from_secs(1);

/// Waits for a signal in a thread of its own, which ends with the process. Another one later ends epipe at once, and so lets the
/// processes go too.
fn wait_to_let_go(handle: Handle, set: SigSet) -> Result<(), SignalsError> {
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&set), None).map_err(io::Error::from)?;
    let signals = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC).map_err(io::Error::from)?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        // Whatever ends the wait, nobody could end the run any more.
        let _ = signals.read_signal();
        handle.let_go();
        let first = Instant::now();
        while let Ok(Some(_)) = signals.read_signal() {
            if first.elapsed() >= SAME {
                std::process::exit(130);
            }
        }
    })?;
    Ok(())
}
