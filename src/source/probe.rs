//! What this machine allows: each step of the sandbox and of the capture, tried for real.
//!
//! Entering a namespace cannot be undone and needs a process of one thread, so each try is a process of its own.

use std::ffi::OsStr;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use serde::{Deserialize, Serialize};

use super::live::{Capture, CaptureError, Delivery, Device, Markers, Wanted};
use super::sandbox::{self, SandboxError};
use super::sockdiag::SockDiag;
use super::trace::{Options, Told, Trace};

/// The hidden first argument of a try's process; the second says which try.
pub const PROBE_ARGUMENT: &str = "__probe";

const PRIVATE: &str = "private";
const HOST: &str = "host";

/// What one try came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was tried.
    pub what: String,
    /// Whether it works.
    pub works: bool,
    /// How, or why not.
    pub detail: String,
    /// What the user can do where it does not.
    pub remedy: Option<String>,
}

impl Finding {
    fn works(what: &str, detail: impl Into<String>) -> Self {
        Self { what: what.to_owned(), works: true, detail: detail.into(), remedy: None }
    }

    fn fails(what: &str, why: impl Into<String>, remedy: Option<String>) -> Self {
        let detail = why.into().split(char::is_control).collect::<Vec<_>>().join(" ");
        Self { what: what.to_owned(), works: false, detail, remedy }
    }
}

/// What is tried, in the order in which it is told.
pub const NAMESPACE: &str = "network namespace";
/// The ids in a user namespace.
pub const IDS: &str = "own id in it";
/// Bringing up the namespace's loopback, and using it.
pub const LOOPBACK: &str = "its loopback";
/// Capturing there.
pub const CAPTURE: &str = "capture on it";
/// Capturing on the host's loopback.
pub const HOST_CAPTURE: &str = "capture on the host's lo";
/// The kernel's table of sockets.
pub const SOCK_DIAG: &str = "sock_diag";

/// Tracing another program.
pub const TRACE: &str = "trace a program";

/// Makes every try, with `program` (this one, unless a test says otherwise).
pub fn findings(program: &Path) -> Vec<Finding> {
    let mut findings = run(program, PRIVATE, CAPTURE);
    findings.extend(run(program, HOST, HOST_CAPTURE));
    findings.push(match SockDiag::open().and_then(|mut diag| diag.dump()) {
        Ok(table) => Finding::works(SOCK_DIAG, format!("{} ends of TCP connections on this host", table.len())),
        Err(error) => Finding::fails(SOCK_DIAG, error.to_string(), None),
    });
    findings.push(trace(program));
    findings
}

/// Traces true(1), on the host's network: whether there can be one of its own is another try.
fn trace(program: &Path) -> Finding {
    let options = Options {
        command: vec!["true".into()],
        attach: Vec::new(),
        kept: 0,
        host: true,
        hold: None,
        stacks: None,
        standard: None,
        program: program.to_owned(),
    };
    let mut told = match Trace::start(options) {
        Ok(trace) => trace,
        Err(error) => return Finding::fails(TRACE, error.to_string(), error.help()),
    };
    let last = told.find(|told| matches!(told, Told::Ended(..) | Told::Failed { .. }));
    match last {
        Some(Told::Ended(..)) => Finding::works(TRACE, "ptrace and seccomp"),
        Some(Told::Failed { message, help }) => Finding::fails(TRACE, message, help),
        _ => Finding::fails(TRACE, "the try ended without a word", None),
    }
}

fn run(program: &Path, part: &str, last: &str) -> Vec<Finding> {
    let output = Command::new(program).args([PROBE_ARGUMENT, part]).stdin(Stdio::null()).stderr(Stdio::null()).output();
    let failed = |why: String| vec![Finding::fails(last, why, None)];
    match output {
        Err(error) => failed(format!("cannot start {}: {error}", program.display())),
        Ok(output) => serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| failed(format!("the try ended without a word ({})", output.status))),
    }
}

/// The part of a try's process.
pub fn take_part(part: Option<&OsStr>) -> ExitCode {
    let findings = match part.and_then(OsStr::to_str) {
        Some(PRIVATE) => private(),
        Some(HOST) => vec![capture(HOST_CAPTURE)],
        _ => return ExitCode::FAILURE,
    };
    match serde_json::to_writer(std::io::stdout(), &findings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Every step up to a capture on a loopback of one's own.
fn private() -> Vec<Finding> {
    let entered = sandbox::enter();
    let mut findings = steps(&entered);
    findings.push(match entered {
        Ok(_) => capture(CAPTURE),
        Err(_) => not_tried(CAPTURE),
    });
    findings
}

fn not_tried(what: &str) -> Finding {
    Finding::fails(what, "not tried, because the step before failed", None)
}

/// What entering the sandbox says of each of its steps.
fn steps(entered: &Result<sandbox::Sandbox, SandboxError>) -> Vec<Finding> {
    let failing = match entered {
        Ok(_) => None,
        Err(SandboxError::Unshare(_)) => Some(0),
        Err(SandboxError::Map { .. } | SandboxError::DieWithParent(_)) => Some(1),
        Err(SandboxError::LoopbackUp(_) | SandboxError::LoopbackUse(_)) => Some(2),
    };
    let by_user = entered.as_ref().map_or(true, |sandbox| sandbox.user_namespace);
    let namespace = if by_user { "in a user namespace, without privilege" } else { "with CAP_SYS_ADMIN" };
    let ids = if by_user { "mapped" } else { "not needed" };
    let all = [(NAMESPACE, namespace), (IDS, ids), (LOOPBACK, "up, and carries datagrams")];
    let finding = |(index, (what, detail)): (usize, (&str, &str))| match (failing, entered) {
        (Some(failing), Err(error)) if index == failing => Finding::fails(what, error.to_string(), error.help()),
        (Some(failing), _) if index > failing => not_tried(what),
        _ => Finding::works(what, detail),
    };
    all.into_iter().enumerate().map(finding).collect()
}

fn capture(what: &str) -> Finding {
    let markers = match Markers::open(Ipv4Addr::LOCALHOST) {
        Ok(markers) => markers,
        Err(error) => return Finding::fails(what, error.to_string(), None),
    };
    match Capture::open(Device::Loopback, &Wanted::AllTcp, Delivery::AtOnce, markers.port()) {
        Ok(_) => Finding::works(what, "libpcap, nanosecond stamps"),
        Err(error) => Finding::fails(what, error.to_string(), CaptureError::help(&error)),
    }
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::*;

    #[test]
    fn steps_before_the_failing_one_worked_and_those_after_it_were_not_tried() {
        let error = SandboxError::LoopbackUp(std::io::Error::from(Errno::EPERM));
        let findings = steps(&Err(error));
        let works: Vec<bool> = findings.iter().map(|finding| finding.works).collect();
        assert_eq!(works, [true, true, false]);
        assert!(findings[2].remedy.is_some());
        let findings = steps(&Err(SandboxError::Unshare(Errno::EPERM)));
        assert!(findings.iter().all(|finding| !finding.works));
        assert!(findings[2].detail.contains("not tried"));
    }
}
