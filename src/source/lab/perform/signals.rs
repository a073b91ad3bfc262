//! Calls on SIGPIPE, and the counting of those that were delivered.

use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno as NixErrno;
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal as NixSignal, sigaction, sigprocmask,
};

use super::super::action::Disposition;
use crate::socket::call::{Arg, Outcome};

/// How many SIGPIPEs were delivered. A signal handler can reach nothing but a static.
static PIPE_SIGNALS: AtomicU32 = AtomicU32::new(0);

extern "C" fn count_pipe_signal(_: libc::c_int) {
    PIPE_SIGNALS.fetch_add(1, Ordering::Relaxed);
}

/// Sets what SIGPIPE does to this process.
#[allow(unsafe_code, reason = "a signal handler can do harm")]
pub fn dispose_pipe_signal(disposition: Disposition) -> nix::Result<()> {
    let handler = match disposition {
        Disposition::Default => SigHandler::SigDfl,
        Disposition::Ignored => SigHandler::SigIgn,
        Disposition::Counted => SigHandler::Handler(count_pipe_signal),
    };
    let action = SigAction::new(handler, SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler does nothing but an atomic addition, which is async-signal-safe.
    unsafe { sigaction(NixSignal::SIGPIPE, &action) }.map(|_| ())
}

/// How many were delivered so far.
pub(super) fn delivered() -> u32 {
    PIPE_SIGNALS.load(Ordering::Relaxed)
}

pub(super) fn mask_pipe_signal(how: SigmaskHow) -> nix::Result<Outcome> {
    let mut signals = SigSet::empty();
    signals.add(NixSignal::SIGPIPE);
    sigprocmask(how, Some(&signals), None).map(|()| Outcome::success(0))
}

#[allow(unsafe_code, reason = "nix has no sigpending")]
pub(super) fn pending_signals() -> nix::Result<Outcome> {
    // SAFETY: a sigset_t is plain data, for which all zeroes are valid.
    let mut signals: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: sigpending(2) writes one sigset_t, which outlives the call.
    NixErrno::result(unsafe { libc::sigpending(&raw mut signals) })?;
    // SAFETY: the set was just written.
    let pending = unsafe { libc::sigismember(&raw const signals, libc::SIGPIPE) } == 1;
    let word = if pending { "SIGPIPE" } else { "none" };
    Ok(Outcome::success(0).with(Arg::Word(word.to_owned())))
}
