//! The stage: the process that owns the sandbox and the capture, and that traces the programs.
//!
//! It is a process of its own because a network of one's own can only be entered by a process of one thread, and because
//! wait(2) takes every child there is. Its standard input, output and error are the programs', so that it is told and tells
//! by two other descriptors. It dies with its parent, and the programs that it started die with it.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigHandler, Signal, signal};
use serde::{Deserialize, Serialize};

use super::conductor::Conductor;
use super::gate;
use super::hold::hold;
use super::launch::{self, Launched};
use super::note::Notes;
use super::ptrace;
use super::recorder::{Instruments, RecordError, Recorder};
use super::stack;
use super::tracer::{Gated, Leave, Tracer};
use super::{TraceFailure, attaching};
use crate::event::{ExitStatus, Run};
use crate::source::lab::kernel;
use crate::source::lab::stage::{HostReason, one_line};
use crate::source::lab::teller::Teller;
use crate::source::live::{Capture, CaptureError, Delivery, Device, Markers, Wanted};
use crate::source::sandbox;
use crate::source::sockdiag::SockDiag;

/// The hidden first argument of the stage's process. Behind it stand the descriptors by which it is told and tells.
pub const TRACE_ARGUMENT: &str = "__trace";

/// How many notes may wait until they are taken down; then the programs wait too.
const NOTES: usize = 8192;

/// What the stage is to do: the first line that it reads, as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// The program and its arguments, in bytes.
    pub command: Vec<Vec<u8>>,
    /// Processes that run already, in the place of a program.
    pub attach: Vec<i32>,
    /// How many bytes of each call's data are kept.
    pub kept: usize,
    /// Why the host's network is to be used; `None` for one of its own.
    pub host: Option<HostReason>,
    /// Before which calls the program is held, by their names: no name is every call. `None` for before none.
    pub hold: Option<Vec<String>>,
    /// Of which calls the stacks are taken, if of any.
    pub stacks: Option<stack::Wanted>,
}

/// Does what the first line of the descriptor `told` says, and tells of it on the descriptor `tells`.
pub fn run(mut descriptors: impl Iterator<Item = OsString>) -> ExitCode {
    let Some((told, tells)) = descriptor(descriptors.next()).zip(descriptor(descriptors.next())) else {
        return ExitCode::FAILURE;
    };
    let tells = File::from(tells);
    let outcome = set_pdeathsig(Signal::SIGKILL).map_err(TraceFailure::DieWithParent).and_then(|()| request(told));
    let traced = outcome.and_then(|(request, told)| {
        if request.attach.is_empty() {
            trace(&request, told, &tells)
        } else {
            attaching::trace(&request, told.get_ref(), &tells)
        }
    });
    let done = match traced {
        Ok(()) => Ok(()),
        Err(TraceFailure::Sandbox(error)) => Teller::to(tells).refused(&error),
        Err(error) => Teller::to(tells).failed(&error.to_string(), error.help().as_deref()),
    };
    if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A descriptor that the parent left open for this process alone.
#[allow(unsafe_code, reason = "its number is all that the parent can hand over")]
fn descriptor(number: Option<OsString>) -> Option<OwnedFd> {
    let number = number?.to_str()?.parse().ok().filter(|number| *number > 2)?;
    // SAFETY: the parent opened it for this process, in which nothing else owns it.
    let owned = unsafe { OwnedFd::from_raw_fd(number) };
    fcntl(&owned, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).ok()?;
    Some(owned)
}

/// The request, and what may be told later.
fn request(told: OwnedFd) -> Result<(Request, BufReader<File>), TraceFailure> {
    let mut told = BufReader::new(File::from(told));
    let mut line = String::new();
    told.read_line(&mut line).map_err(|error| TraceFailure::Request(error.to_string()))?;
    let request = serde_json::from_str(&line).map_err(|error| TraceFailure::Request(error.to_string()))?;
    Ok((request, told))
}

fn trace(request: &Request, told: BufReader<File>, tells: &File) -> Result<(), TraceFailure> {
    let network = match &request.host {
        None => sandbox::enter()?.description(),
        Some(HostReason::Asked) => "the host's, as asked".to_owned(),
        Some(HostReason::Refused { why, .. }) => format!("the host's, because epipe {why}"),
    };
    let command: Vec<OsString> = request.command.iter().cloned().map(OsString::from_vec).collect();
    // Before there is a second thread.
    let launched = launch::launch(&command)?;
    ignore_terminal();
    hear_of_children();
    let held = match &request.hold {
        Some(stops) => {
            gate::keep_stops().map_err(TraceFailure::Hold)?;
            Some(hold(stops, told).map_err(TraceFailure::Hold)?)
        }
        None => None,
    };
    ptrace::seize(launched.pid, ptrace::STARTED).map_err(TraceFailure::Seize)?;
    let markers = Markers::open(std::net::Ipv4Addr::LOCALHOST).map_err(TraceFailure::Marker)?;
    let diag = SockDiag::open().map_err(TraceFailure::SockDiag)?;
    let device = if request.host.is_none() { Device::Loopback } else { Device::All };
    // Where somebody waits for each call to settle, a segment is wanted when it comes.
    let delivery = if held.is_some() { Delivery::AtOnce } else { Delivery::Gathered };
    let capture = Capture::open(device, &Wanted::AllTcp, delivery, markers.port()).map_err(Missing::from);
    let place = if request.host.is_none() { "lo" } else { "all interfaces, what is the program's" };
    let words: Vec<String> = command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let run = describe(&words.join(" "), &network, request.kept, capture.as_ref().map(|_| place));
    let mut teller = Teller::to(tells.try_clone().map_err(TraceFailure::Tell)?);
    teller.run(&run).and_then(|()| teller.root(launched.pid.as_raw())).map_err(|_| TraceFailure::Unheard)?;
    let why = capture.as_ref().err().map(|missing| missing.why.clone());
    let instruments = Instruments { capture: capture.ok(), markers, diag };
    record(request, launched, instruments, why, held, teller)
}

/// Follows the program in this thread, and records in another.
fn record(
    request: &Request,
    mut launched: Launched,
    instruments: Instruments,
    no_capture: Option<String>,
    held: Option<(Gated, Conductor)>,
    teller: Teller,
) -> Result<(), TraceFailure> {
    let (gated, conductor) = held.unzip();
    let mut recorder = Recorder::new(instruments, request.host.is_some(), conductor, teller);
    if let Some(why) = no_capture {
        recorder.without_capture(why);
    }
    let Recording { notes, at_work, thread } = Recording::start(recorder)?;
    let root = launched.pid;
    let mut tracer = Tracer::new(request.kept, notes).gated(gated).with_stacks(request.stacks.as_ref());
    tracer.adopt(root);
    launched.go()?;
    // Their filter would stay, and without a tracer the kernel refuses what it stops (seccomp(2), SECCOMP_RET_TRACE).
    let status = tracer.follow(root, Leave::Killed)?;
    let held_up = tracer.held_up();
    drop((tracer, at_work));
    let mut teller = thread.join().map_err(|_| TraceFailure::Recorder)??;
    if let Some(failure) = launched.failure() {
        return Err(failure.into());
    }
    teller.ended(status.unwrap_or(ExitStatus::Code(0)), held_up).map_err(|_| TraceFailure::Unheard)
}

/// A recorder at work in a thread of its own.
pub(super) struct Recording {
    /// Where it is told.
    pub notes: Notes,
    /// It ends when this does.
    pub at_work: SyncSender<Infallible>,
    /// Its thread.
    pub thread: JoinHandle<Result<Teller, RecordError>>,
}

impl Recording {
    /// Starts it.
    pub fn start(recorder: Recorder) -> Result<Self, TraceFailure> {
        let (sender, notes) = sync_channel(NOTES);
        let (at_work, ended) = sync_channel(0);
        let builder = std::thread::Builder::new().name("recorder".to_owned());
        let thread = builder.spawn(move || recorder.run(&notes, &ended)).map_err(TraceFailure::Thread)?;
        Ok(Self { notes: Notes::new(sender), at_work, thread })
    }
}

/// Ctrl-C is the programs', which get it from the terminal as this process does.
fn ignore_terminal() {
    ignore(&[Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTSTP, Signal::SIGTTOU]);
}

/// Where SIGCHLD was ignored when this program was started, the kernel tells of no stop, and reaps children by itself.
#[allow(unsafe_code, reason = "signal(2)")]
pub(super) fn hear_of_children() {
    // SAFETY: no handler is set, only the kernel's own doing.
    let _ = unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) };
}

/// Does nothing when one of `signals` comes.
#[allow(unsafe_code, reason = "signal(2)")]
pub(super) fn ignore(signals: &[Signal]) {
    for what in signals.iter().copied() {
        // SAFETY: no handler is set, the kernel only drops the signal.
        let _ = unsafe { signal(what, SigHandler::SigIgn) };
    }
}

/// Why there is no capture.
#[derive(Clone, Debug)]
pub(super) struct Missing {
    /// The operation and the reason.
    pub why: String,
    /// What the user can do.
    pub help: Option<String>,
}

impl From<CaptureError> for Missing {
    fn from(error: CaptureError) -> Self {
        Self { why: error.to_string(), help: error.help() }
    }
}

/// What holds for the whole run; `capture` is where there is one, or why there is none.
pub(super) fn describe(name: &str, network: &str, kept: usize, capture: Result<&str, &Missing>) -> Run {
    let payload = match kept {
        0 => "none",
        usize::MAX => "all",
        _ => "head",
    };
    let mut facts = vec![
        ("kernel".to_owned(), kernel::name()),
        ("network".to_owned(), one_line(network)),
        ("payload".to_owned(), payload.to_owned()),
    ];
    match capture {
        Ok(place) => facts.push(("capture".to_owned(), format!("libpcap on {place}"))),
        Err(missing) => {
            facts.push(("capture".to_owned(), one_line(&format!("none: {}", missing.why))));
            facts.extend(missing.help.clone().map(|help| ("remedy".to_owned(), help)));
        }
    }
    Run { name: one_line(name), facts, comments: Vec::new() }
}
