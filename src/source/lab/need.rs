//! What a scenario needs of the machine beside sockets: tried for real, in the run's own network, before its actors start.
//! No try leaves anything behind.

use std::io;
use std::str::FromStr;

use nix::unistd::geteuid;

use super::ambient;
use super::kernel::{self, Kernel};
use super::link::Side;
use super::scenario::Scenario;
use super::stage::HostReason;
use crate::source::{sandbox, tun};

/// What a scenario can need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// `CAP_NET_ADMIN` in a network of the run's own.
    NetAdmin,
    /// `CAP_NET_RAW`.
    NetRaw,
    /// A TUN interface in a network of the run's own.
    Tun,
}

const NAMES: [(Need, &str); 3] = [(Need::NetAdmin, "CAP_NET_ADMIN"), (Need::NetRaw, "CAP_NET_RAW"), (Need::Tun, "TUN")];

impl Need {
    /// As a scenario's file has it.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(need, _)| *need == self).map_or("?", |(_, name)| name)
    }

    /// The number of the capability that actors must have (linux/capability.h).
    pub const fn capability(self) -> Option<u32> {
        match self {
            Self::NetAdmin => Some(12),
            Self::NetRaw => Some(13),
            Self::Tun => None,
        }
    }
}

impl FromStr for Need {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        NAMES.iter().find(|(_, name)| *name == text).map(|(need, _)| *need).ok_or_else(|| {
            let names: Vec<&str> = NAMES.iter().map(|(_, name)| *name).collect();
            format!("a scenario can need {}, not {text:?}", names.join(", "))
        })
    }
}

/// What is missing for a scenario to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What it needs: one of the file's names, or a kernel's version.
    pub need: String,
    /// What is there instead.
    pub why: String,
    /// What the user can do.
    pub help: Option<String>,
}

/// Whether the running kernel is one for which the expectations of `scenario` hold. One that does not say its version is.
pub fn kernel(scenario: &Scenario) -> Result<(), Missing> {
    let Some(since) = scenario.since.filter(|since| Kernel::running().is_some_and(|running| running < *since)) else {
        return Ok(());
    };
    Err(Missing { need: format!("Linux {since}"), why: format!("this is {}", kernel::name()), help: None })
}

/// Tries what `scenario` needs, and sees to it that the actors will have it. `host` is why the run is on the host's loopback.
pub fn provide(scenario: &Scenario, host: Option<&HostReason>) -> Result<(), Missing> {
    for need in &scenario.needs {
        let tried = match need {
            Need::NetAdmin => own_network(host).and_then(|()| net_admin()),
            Need::NetRaw => net_raw(),
            Need::Tun => own_network(host).and_then(|()| tun()),
        };
        // Root has at exec what it had before.
        let lasts = || match need.capability() {
            Some(capability) if !geteuid().is_root() => {
                ambient::raise(capability).map_err(|error| not_handed_on(&error))
            }
            _ => Ok(()),
        };
        tried.and_then(|()| lasts()).map_err(|(why, help)| Missing { need: need.name().to_owned(), why, help })?;
    }
    Ok(())
}

/// Why not, and what the user can do.
type Refusal = (String, Option<String>);

fn refusal(what: &str, error: &io::Error, help: &str) -> Refusal {
    (format!("{what}: {error}"), Some(help.to_owned()))
}

fn not_handed_on(error: &io::Error) -> Refusal {
    refusal("it cannot be handed on to the actors", error, "run as root")
}

/// The host's network is not changed for a lesson.
fn own_network(host: Option<&HostReason>) -> Result<(), Refusal> {
    let help = match host {
        None => return Ok(()),
        Some(HostReason::Asked) => Some("leave --host away".to_owned()),
        Some(HostReason::Refused { help, .. }) => help.clone(),
    };
    Err(("on the host's loopback nothing may be changed, and the run has no other".to_owned(), help))
}

/// Sets the flags of `lo` to what they are.
fn net_admin() -> Result<(), Refusal> {
    sandbox::loopback_up().map_err(|error| refusal("the flags of \"lo\" cannot be set", &error, "run as root"))
}

/// Opens a raw socket, and closes it.
fn net_raw() -> Result<(), Refusal> {
    use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};
    let opened = socket(AddressFamily::Inet, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::Tcp);
    let help = "run as root, or let the lab have a loopback of its own (epipe doctor)";
    opened.map(drop).map_err(|errno| refusal("a raw socket cannot be opened", &errno.into(), help))
}

/// Sets up the interface of a link, which ends with its descriptor.
fn tun() -> Result<(), Refusal> {
    let made = tun::create(Side::Client.address(), Side::Server.address());
    made.map(drop).map_err(|error| (error.to_string(), Some(error.help().to_owned())))
}

#[cfg(test)]
mod tests {
    use nix::sched::{CloneFlags, unshare};

    use super::*;

    /// The interfaces of this thread's network.
    fn interfaces() -> Vec<String> {
        let table = std::fs::read_to_string("/proc/thread-self/net/dev").unwrap();
        table.lines().filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned())).collect()
    }

    #[test]
    #[ignore = "needs root, for a network of its own"]
    fn no_try_leaves_anything_behind() {
        let tries = || {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            sandbox::loopback_up().unwrap();
            let before = (interfaces(), std::fs::read_dir("/proc/thread-self/fd").unwrap().count());
            assert_eq!((net_admin(), net_raw(), tun()), (Ok(()), Ok(()), Ok(())));
            assert_eq!((interfaces(), std::fs::read_dir("/proc/thread-self/fd").unwrap().count()), before);
        };
        std::thread::spawn(tries).join().unwrap();
    }
}
