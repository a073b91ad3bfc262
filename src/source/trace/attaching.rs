//! The stage of a run on processes that run already: their network, a capture there, and the tracer.
//!
//! No filter can be put on them, so that each of their system calls stops them while they are traced. They are let go when the
//! parent closes the pipe by which the stage was told; where the stage is killed, the kernel lets them go.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::Ipv4Addr;

use nix::sched::{CloneFlags, setns};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::attach::{self, AttachError};
use super::recorder::{Instruments, Recorder};
use super::stage::{Missing, Recording, Request, describe, hear_of_children, ignore};
use super::tracer::Tracer;
use super::{TraceFailure, bell};
use crate::event::ExitStatus;
use crate::source::lab::teller::Teller;
use crate::source::live::{Capture, Delivery, Device, Markers, Wanted};
use crate::source::sockdiag::SockDiag;

/// Signals that may be sent to all processes of epipe, and that are the parent's: this process ends after it was told to, or
/// with the parent.
const PARENTS: [Signal; 6] =
    [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGTSTP, Signal::SIGTTOU];

/// Traces what `request` names until it has ended or `told` ends.
pub fn trace(request: &Request, told: &File, tells: &File) -> Result<(), TraceFailure> {
    let pids: Result<BTreeSet<Pid>, AttachError> = request.attach.iter().map(|pid| attach::process(*pid)).collect();
    let pids: Vec<Pid> = pids?.into_iter().collect();
    let network = Network::of(&pids)?;
    ignore(&PARENTS);
    hear_of_children();
    // Before there is a second thread.
    let bell = bell::hang(told).map_err(TraceFailure::Bell)?;
    let missing = network.enter().err();
    let markers = Markers::open(Ipv4Addr::LOCALHOST).map_err(TraceFailure::Marker)?;
    let diag = SockDiag::open().map_err(TraceFailure::SockDiag)?;
    let capture = missing.map_or_else(
        || Capture::open(Device::All, &Wanted::AllTcp, Delivery::Gathered, markers.port()).map_err(Missing::from),
        Err,
    );
    let seized: Result<Vec<_>, AttachError> = pids.iter().map(|pid| Ok((*pid, attach::seize(*pid)?))).collect();
    let seized = seized?;
    let place = capture.as_ref().map(|_| "all interfaces, what is the program's");
    let run = describe(&name(&pids), network.words(), request.kept, place);
    let mut teller = Teller::to(tells.try_clone().map_err(TraceFailure::Tell)?);
    teller.run(&run).map_err(|_| TraceFailure::Unheard)?;
    let why = capture.as_ref().err().map(|missing| missing.why.clone());
    let mut recorder = Recorder::new(Instruments { capture: capture.ok(), markers, diag }, true, None, teller);
    if let Some(why) = why {
        recorder.without_capture(why);
    }
    follow(request, &seized, bell, Recording::start(recorder)?)
}

fn follow(
    request: &Request,
    seized: &[(Pid, BTreeSet<Pid>)],
    bell: Pid,
    recording: Recording,
) -> Result<(), TraceFailure> {
    let Recording { notes, at_work, thread } = recording;
    let mut tracer = Tracer::new(request.kept, notes).with_stacks(request.stacks.as_ref());
    let wanted = tracer.attach(seized, bell)?;
    let pids: Vec<Pid> = seized.iter().map(|(pid, _)| *pid).collect();
    tracer.follow_attached(&pids, bell, wanted)?;
    let held_up = tracer.held_up();
    drop((tracer, at_work));
    let mut teller = thread.join().map_err(|_| TraceFailure::Recorder)??;
    // How others' programs end is not how this run ends.
    teller.ended(ExitStatus::Code(0), held_up).map_err(|_| TraceFailure::Unheard)
}

/// What the run is called: `-p 4711 (python3) -p 4712 (nginx)`.
fn name(pids: &[Pid]) -> String {
    let named: Vec<String> = pids.iter().map(|pid| format!("-p {pid} ({})", attach::name(*pid))).collect();
    named.join(" ")
}

/// The network that processes are in.
struct Network {
    /// One of them, where it is not this one's.
    other: Option<Pid>,
}

impl Network {
    fn of(pids: &[Pid]) -> Result<Self, AttachError> {
        let own = std::fs::read_link("/proc/self/ns/net").ok();
        let place = |pid: &Pid| std::fs::read_link(format!("/proc/{pid}/ns/net")).ok();
        let first = pids.first().and_then(place);
        // Whose network may not be looked at, ptrace(2) refuses too.
        let differs = |pid: &&Pid| place(pid).zip(first.as_ref()).is_some_and(|(its, first)| its != *first);
        match (pids.first(), pids.iter().find(differs)) {
            (Some(one), Some(other)) => Err(AttachError::Networks(*one, *other)),
            _ => Ok(Self { other: pids.first().copied().filter(|_| first.is_some() && first != own) }),
        }
    }

    /// Moves this process, which must have one thread, into that network. The error says why there is no capture then.
    fn enter(&self) -> Result<(), Missing> {
        let Some(pid) = self.other else { return Ok(()) };
        let refused = |why: String| Missing {
            why: format!("cannot enter the network of process {pid}: {why}"),
            help: Some("run epipe as root, or in the container that the process is in".to_owned()),
        };
        let place = File::open(format!("/proc/{pid}/ns/net")).map_err(|error| refused(error.to_string()))?;
        setns(place, CloneFlags::CLONE_NEWNET).map_err(|errno| refused(errno.to_string()))
    }

    const fn words(&self) -> &'static str {
        if self.other.is_some() {
            "the programs', which is not the host's"
        } else {
            "the host's, where the programs are"
        }
    }
}
