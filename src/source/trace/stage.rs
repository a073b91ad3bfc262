//! The stage: the process that owns the sandbox and the capture, and that traces the programs.
//!
//! It is a process of its own because a network of one's own can only be entered by a process of one thread, and because
//! wait(2) takes every child there is. Its standard input, output and error are the programs', so that it is told and tells
//! by two other descriptors. It dies with its parent, and the programs die with it.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;
use std::sync::mpsc::sync_channel;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigHandler, Signal, signal};
use serde::{Deserialize, Serialize};

use super::TraceFailure;
use super::launch::{self, Launched};
use super::note::Notes;
use super::ptrace;
use super::recorder::{Instruments, Recorder};
use super::tracer::{Leave, Tracer};
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
    /// How many bytes of each call's data are kept.
    pub kept: usize,
    /// Why the host's network is to be used; `None` for one of its own.
    pub host: Option<HostReason>,
}

/// Does what the first line of the descriptor `told` says, and tells of it on the descriptor `tells`.
pub fn run(mut descriptors: impl Iterator<Item = OsString>) -> ExitCode {
    let Some((told, tells)) = descriptor(descriptors.next()).zip(descriptor(descriptors.next())) else {
        return ExitCode::FAILURE;
    };
    let tells = File::from(tells);
    let outcome = set_pdeathsig(Signal::SIGKILL).map_err(TraceFailure::DieWithParent).and_then(|()| request(told));
    let done = match outcome.and_then(|request| trace(&request, &tells)) {
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

fn request(told: OwnedFd) -> Result<Request, TraceFailure> {
    let mut line = String::new();
    BufReader::new(File::from(told)).read_line(&mut line).map_err(|error| TraceFailure::Request(error.to_string()))?;
    serde_json::from_str(&line).map_err(|error| TraceFailure::Request(error.to_string()))
}

fn trace(request: &Request, tells: &File) -> Result<(), TraceFailure> {
    let network = match &request.host {
        None => sandbox::enter()?.description(),
        Some(HostReason::Asked) => "the host's, as asked".to_owned(),
        Some(HostReason::Refused { why, .. }) => format!("the host's, because epipe {why}"),
    };
    let command: Vec<OsString> = request.command.iter().cloned().map(OsString::from_vec).collect();
    // Before there is a second thread.
    let launched = launch::launch(&command)?;
    ignore_terminal();
    ptrace::seize(launched.pid, ptrace::STARTED).map_err(TraceFailure::Seize)?;
    let markers = Markers::open(std::net::Ipv4Addr::LOCALHOST).map_err(TraceFailure::Marker)?;
    let diag = SockDiag::open().map_err(TraceFailure::SockDiag)?;
    let device = if request.host.is_none() { Device::Loopback } else { Device::All };
    let capture = Capture::open(device, &Wanted::AllTcp, Delivery::Gathered, markers.port());
    let run = describe(&command, &network, request, &capture);
    let mut teller = Teller::to(tells.try_clone().map_err(TraceFailure::Tell)?);
    teller.run(&run).and_then(|()| teller.root(launched.pid.as_raw())).map_err(|_| TraceFailure::Unheard)?;
    let why = capture.as_ref().err().map(ToString::to_string);
    let instruments = Instruments { capture: capture.ok(), markers, diag };
    record(request, launched, instruments, why, teller)
}

/// Follows the program in this thread, and records in another.
fn record(
    request: &Request,
    mut launched: Launched,
    instruments: Instruments,
    no_capture: Option<String>,
    teller: Teller,
) -> Result<(), TraceFailure> {
    let (sender, notes) = sync_channel(NOTES);
    let mut recorder = Recorder::new(instruments, request.host.is_some(), teller);
    if let Some(why) = no_capture {
        recorder.without_capture(why);
    }
    let (at_work, ended) = sync_channel(0);
    let thread = std::thread::Builder::new()
        .name("recorder".to_owned())
        .spawn(move || recorder.run(&notes, &ended))
        .map_err(TraceFailure::Thread)?;
    let root = launched.pid;
    let mut tracer = Tracer::new(request.kept, Notes::new(sender));
    tracer.adopt(root);
    launched.go()?;
    let leave = if request.host.is_none() { Leave::Killed } else { Leave::Running };
    let status = tracer.follow(root, leave)?;
    let held_up = tracer.held_up();
    drop((tracer, at_work));
    let mut teller = thread.join().map_err(|_| TraceFailure::Recorder)??;
    if let Some(failure) = launched.failure() {
        return Err(failure.into());
    }
    teller.ended(status.unwrap_or(ExitStatus::Code(0)), held_up).map_err(|_| TraceFailure::Unheard)
}

/// Ctrl-C is the programs', which get it from the terminal as this process does.
#[allow(unsafe_code, reason = "signal(2)")]
fn ignore_terminal() {
    for what in [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTSTP, Signal::SIGTTOU] {
        // SAFETY: no handler is set, the kernel only drops the signal.
        let _ = unsafe { signal(what, SigHandler::SigIgn) };
    }
}

/// What holds for the whole run.
fn describe(command: &[OsString], network: &str, request: &Request, capture: &Result<Capture, CaptureError>) -> Run {
    let words: Vec<String> = command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let payload = match request.kept {
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
        Ok(_) => {
            let place = if request.host.is_none() { "lo" } else { "all interfaces, what is the program's" };
            facts.push(("capture".to_owned(), format!("libpcap on {place}")));
        }
        Err(error) => {
            facts.push(("capture".to_owned(), one_line(&format!("none: {error}"))));
            facts.extend(error.help().map(|help| ("remedy".to_owned(), help)));
        }
    }
    Run { name: one_line(&words.join(" ")), facts, comments: Vec::new() }
}
