//! Two networks of their own, one for each end of a link, joined by it.

use std::fs::File;
use std::io;

use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};

use super::carrier::Carrier;
use super::{Link, Side};
use crate::source::sandbox::{self, SandboxError};
use crate::source::sockdiag::{SockDiag, SockDiagError};
use crate::source::tun::{self, TunError};

/// Why two networks could not be joined.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The second network.
    #[error(transparent)]
    Second(#[from] SandboxError),
    /// An interface at one of the ends.
    #[error(transparent)]
    Tun(#[from] TunError),
    /// The kernel's table of an end.
    #[error(transparent)]
    SockDiag(#[from] SockDiagError),
    /// A way back to a network.
    #[error("cannot hold on to a network namespace: {0}")]
    Hold(#[source] io::Error),
    /// The way to one of them.
    #[error("cannot go to the network namespace of the {side}: {why}")]
    Go {
        /// Whose.
        side: Side,
        /// Why not.
        why: Errno,
    },
    /// The link.
    #[error("the link carries nothing any more: {0}")]
    Carrier(#[source] io::Error),
}

impl JoinError {
    /// What the user can do.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Second(error) => error.help(),
            Self::Tun(error) => Some(error.help().to_owned()),
            _ => None,
        }
    }
}

/// The two networks.
pub struct Joined {
    client: File,
    server: File,
    carrier: Carrier,
}

impl Joined {
    /// Joins the network that this process has entered, which becomes the client's, with another one, and leaves the process
    /// in the one that is to be captured. Each end's table of sockets comes with it. The process must have one thread.
    pub fn new(link: &Link) -> Result<(Self, Vec<SockDiag>), JoinError> {
        let here = |side: Side| -> Result<_, JoinError> {
            let namespace = File::open("/proc/thread-self/ns/net").map_err(JoinError::Hold)?;
            Ok((namespace, tun::create(side.address(), side.other().address())?, SockDiag::open()?))
        };
        let (client, client_device, client_table) = here(Side::Client)?;
        sandbox::enter_second()?;
        let (server, server_device, server_table) = here(Side::Server)?;
        let carrier = Carrier::start(link, client_device, server_device).map_err(JoinError::Carrier)?;
        let joined = Self { client, server, carrier };
        joined.go_to(link.side)?;
        Ok((joined, vec![client_table, server_table]))
    }

    /// Moves this thread to the network of `side`. What it opens and starts from then on is there.
    pub fn go_to(&self, side: Side) -> Result<(), JoinError> {
        let namespace = match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        };
        setns(namespace, CloneFlags::CLONE_NEWNET).map_err(|why| JoinError::Go { side, why })
    }

    /// Whether nothing is on its way between them.
    pub fn is_idle(&self) -> Result<bool, JoinError> {
        self.carrier.is_idle().map_err(JoinError::Carrier)
    }
}
