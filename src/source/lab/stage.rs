//! The stage: the process that owns the sandbox and the capture, and in which the director runs.
//!
//! It is started anew for every run, because namespaces can only be entered by a process of one thread, and because one in
//! which a later step was refused is of no more use. It ends with its parent: by signal, and where its standard input or
//! output ends.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsRawFd;
use std::process::ExitCode;

use nix::errno::Errno;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::sys::socket::sockopt::ReuseAddr;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, setsockopt, socket};
use serde::{Deserialize, Serialize};

use super::actor::close_inherited;
use super::director::{Conduct, Director, Instruments};
use super::ground::Ground;
use super::kernel;
use super::link::joined::JoinError;
use super::need::{self, Missing};
use super::scenario::{Scenario, ScenarioError};
use super::teller::{Inbox, Teller};
use crate::event::{Actor, Run};
use crate::source::live::{Capture, CaptureError, Delivery, MarkerError, Markers, Wanted};
use crate::source::sandbox::{self, SandboxError};
use crate::source::sockdiag::SockDiagError;

/// The hidden first argument of the stage's process.
pub const STAGE_ARGUMENT: &str = "__stage";

/// What the stage is to do: the first line that it reads, as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// The scenario's file name, for messages.
    pub file: String,
    /// Its text.
    pub source: String,
    /// Make pauses.
    pub walk: bool,
    /// Wait for a command before each call.
    pub hold: bool,
    /// Why the host's loopback is to be used; `None` for one of its own.
    pub host: Option<HostReason>,
}

/// Why the host's loopback is used.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum HostReason {
    /// It was asked for.
    Asked,
    /// A loopback of its own was refused.
    Refused {
        /// The step and why.
        why: String,
        /// What the user can do.
        help: Option<String>,
    },
}

/// Why a run could not go on.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The parent is gone, or does not read any more. Nobody is left to be told.
    #[error("nobody listens to the lab any more")]
    Alone,
    /// The first line was not a request.
    #[error("cannot read what the lab is to do: {0}")]
    Request(String),
    /// The scenario.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// A loopback of its own was refused.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// Something that the scenario needs is missing.
    #[error("needs {}, but {}", .0.need, .0.why)]
    Missing(Missing),
    /// The two networks of a link.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// Markers cannot be sent.
    #[error(transparent)]
    Marker(MarkerError),
    /// A port of the host's that the scenario needs.
    #[error("cannot use port {port} of the host's loopback: {why}")]
    Port {
        /// Which.
        port: u16,
        /// What bind(2) says.
        why: Errno,
    },
    /// The kernel's table cannot be read.
    #[error(transparent)]
    SockDiag(SockDiagError),
    /// The capture ended in the middle.
    #[error("the capture ended: {0}")]
    CaptureEnded(String),
    /// An actor's process.
    #[error("cannot {verb} the {actor}: {why}")]
    Actor {
        /// What was tried.
        verb: &'static str,
        /// With whom.
        actor: Actor,
        /// Why it failed.
        why: String,
    },
    /// poll(2).
    #[error("cannot wait for the actors: {0}")]
    Watch(#[source] io::Error),
    /// An actor neither runs on nor sleeps.
    #[error("the {0} neither finishes its call nor waits in it; is the machine overloaded?")]
    Stuck(Actor),
    /// Something moved at every look.
    #[error("the lab never came to rest; does something else use these ports?")]
    NeverSettled,
}

impl StageError {
    /// That `verb` failed with `actor`.
    pub fn actor(verb: &'static str, actor: &Actor, error: &io::Error) -> Self {
        Self::Actor { verb, actor: actor.clone(), why: error.to_string() }
    }

    /// What the user can do.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Sandbox(error) => error.help(),
            Self::Join(error) => error.help(),
            Self::Port { why: Errno::EADDRINUSE, .. } => {
                Some("stop what listens there, or let the lab have a loopback of its own (epipe doctor)".to_owned())
            }
            _ => None,
        }
    }
}

/// Whether nobody else listens on `port`: else the lab's client would talk to a stranger. Connections that are only still
/// remembered do not count.
fn try_port(port: u16) -> Result<(), StageError> {
    let tried = || {
        let socket = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
        setsockopt(&socket, ReuseAddr, &true)?;
        bind(socket.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port)))
    };
    tried().map_err(|why| StageError::Port { port, why })
}

/// Runs the scenario that the first line of standard input names, and tells of it on standard output.
pub fn run() -> ExitCode {
    close_inherited();
    let result = set_pdeathsig(Signal::SIGKILL).map_err(|errno| StageError::Watch(errno.into())).and_then(|()| play());
    let told = match result {
        Ok(()) => Ok(()),
        Err(StageError::Alone) => Err(StageError::Alone),
        Err(StageError::Sandbox(error)) => Teller::new().refused(&error),
        Err(StageError::Missing(missing)) => Teller::new().skipped(&missing),
        Err(error) => Teller::new().failed(&error.to_string(), error.help().as_deref()),
    };
    if told.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn play() -> Result<(), StageError> {
    let mut inbox = Inbox::new();
    let request = inbox.request()?;
    let scenario = Scenario::parse(&request.file, &request.source)?;
    need::kernel(&scenario).map_err(StageError::Missing)?;
    let mut teller = Teller::new();
    let (network, ports) = match &request.host {
        None => (sandbox::enter()?.description(), None),
        Some(HostReason::Asked) => ("the host's loopback, as asked".to_owned(), Some(scenario.ports())),
        Some(HostReason::Refused { why, .. }) => {
            (format!("the host's loopback, because epipe {why}"), Some(scenario.ports()))
        }
    };
    need::provide(&scenario, request.host.as_ref()).map_err(StageError::Missing)?;
    ports.iter().flatten().try_for_each(|port| try_port(*port))?;
    let ground = Ground::lay(network, scenario.link.as_ref())?;
    let markers = Markers::open(ground.beyond).map_err(StageError::Marker)?;
    let wanted = ports.clone().map_or(Wanted::AllTcp, Wanted::TcpPorts);
    let capture = Capture::open(ground.device, &wanted, Delivery::AtOnce, markers.port());
    let run = describe(&scenario, &request, &ground, &capture);
    teller.run(&run)?;
    let no_capture = capture.as_ref().err().map(|error| one_line(&error.to_string()));
    let Ground { diags, joined, .. } = ground;
    let instruments = Instruments { capture: capture.ok(), markers, diags, ports, joined };
    let conduct = Conduct { walk: request.walk, hold: request.hold };
    let mut director = Director::new(&scenario, conduct, instruments, inbox, teller)?;
    if let Some(why) = no_capture {
        director.without_capture(why);
    }
    director.run()
}

/// What holds for the whole run.
fn describe(scenario: &Scenario, request: &Request, ground: &Ground, capture: &Result<Capture, CaptureError>) -> Run {
    let mut facts = vec![
        ("kernel".to_owned(), kernel::name()),
        ("network".to_owned(), one_line(&ground.network)),
        ("payload".to_owned(), "all".to_owned()),
        ("pace".to_owned(), if request.walk { "walk" } else { "fast" }.to_owned()),
    ];
    match capture {
        Ok(_) => facts.push(("capture".to_owned(), format!("libpcap on {}", ground.place))),
        Err(error) => {
            facts.push(("capture".to_owned(), one_line(&format!("none: {error}"))));
            facts.extend(remedy(request, error).map(|text| ("remedy".to_owned(), text)));
        }
    }
    Run { name: scenario.name.clone(), facts, comments: Vec::new() }
}

/// How to get the segments: by a loopback of one's own or by a privilege.
fn remedy(request: &Request, error: &CaptureError) -> Option<String> {
    let refused = match &request.host {
        Some(HostReason::Refused { help, .. }) => help.clone(),
        _ => None,
    };
    let both: Vec<String> = refused.into_iter().chain(error.help()).collect();
    if both.is_empty() { None } else { Some(both.join("; or ")) }
}

/// A text of libpcap's may have several lines.
pub fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control()).map(str::trim).collect::<Vec<_>>().join(" ")
}
