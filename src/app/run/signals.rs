//! Signals while another's program runs: those that the terminal sends to all are the program's alone, and those that somebody
//! sends to this process are handed on to it.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, kill, raise, signal, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

use crate::app::Ending;
use crate::event::ExitStatus;

const HANDED_ON: [Signal; 6] =
    [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGUSR2];

/// Why signals cannot be handed on.
#[derive(Debug, thiserror::Error)]
#[error("cannot watch for signals: {0}")]
pub struct SignalsError(#[from] io::Error);

/// Hands signals on, in a thread of its own, until it is stopped.
pub struct Forwarder {
    shared: Arc<Shared>,
    set: SigSet,
}

#[derive(Default)]
struct Shared(Mutex<State>);

#[derive(Default)]
struct State {
    /// The process that they go to, once it is known.
    target: Option<Pid>,
    /// What came before that.
    early: Vec<Signal>,
    stopped: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn hand_on(&mut self, what: Signal) {
        match self.target {
            // A program that is gone meanwhile has no need of it.
            Some(target) => drop(kill(target, what)),
            None => self.early.push(what),
        }
    }
}

impl Forwarder {
    /// Begins. To be called before other threads are started, as they inherit what is blocked.
    pub fn start() -> Result<Self, SignalsError> {
        let set: SigSet = HANDED_ON.into_iter().collect();
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&set), None).map_err(io::Error::from)?;
        let signals = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC).map_err(io::Error::from)?;
        let shared = Arc::new(Shared::default());
        let its = Arc::clone(&shared);
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || hand_on(&signals, &its))?;
        Ok(Self { shared, set })
    }

    /// From now on they go to the process `pid`, and so does what came before.
    pub fn to(&self, pid: i32) {
        let mut state = self.shared.lock();
        state.target = Some(Pid::from_raw(pid));
        for what in std::mem::take(&mut state.early) {
            state.hand_on(what);
        }
    }

    /// Signals are this process's again. The thread waits for one that does not come, and ends with the process.
    pub fn stop(&self) {
        self.shared.lock().stopped = true;
        // A set that could be blocked can be unblocked.
        let _ = sigprocmask(SigmaskHow::SIG_UNBLOCK, Some(&self.set), None);
    }
}

fn hand_on(signals: &SignalFd, shared: &Shared) {
    while let Ok(Some(info)) = signals.read_signal() {
        let mut state = shared.lock();
        if state.stopped {
            return;
        }
        let from_terminal = info.ssi_code == libc::SI_KERNEL;
        let what = i32::try_from(info.ssi_signo).ok().and_then(|number| Signal::try_from(number).ok());
        if let Some(what) = what.filter(|_| !from_terminal) {
            state.hand_on(what);
        }
    }
}

/// Ends as a program with `status` did: with its code, or by its signal, so that whoever waits sees the same.
pub fn end_as(status: ExitStatus) -> Ending {
    match status {
        ExitStatus::Code(code) => Ending::Code(u8::try_from(code & 0xff).unwrap_or(1)),
        ExitStatus::Killed(crate::socket::errno::Signal(number)) => {
            die_by(number);
            // One that this process cannot die of.
            Ending::Code(u8::try_from(128 + number).unwrap_or(128))
        }
    }
}

#[allow(unsafe_code, reason = "signal(2)")]
fn die_by(number: i32) {
    let Ok(what) = Signal::try_from(number) else { return };
    // The program has left its core, if any; one of ours would only hide that.
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    // SAFETY: no handler is set, only the kernel's own doing.
    let _ = unsafe { signal(what, SigHandler::SigDfl) };
    let _ = raise(what);
}
