//! What a run stands on: one loopback, or two networks that a link joins; and where to look at it.

use std::net::Ipv4Addr;

use super::link::Link;
use super::link::joined::Joined;
use super::stage::StageError;
use crate::source::live::Device;
use crate::source::sockdiag::SockDiag;

/// What a run stands on.
pub struct Ground {
    /// In words, for the fact `network` of the run.
    pub network: String,
    /// Where it is captured, in this thread's network.
    pub device: Device,
    /// The same in words, for the fact `capture`.
    pub place: String,
    /// An address whose packets pass the capture.
    pub beyond: Ipv4Addr,
    /// The kernel's tables of sockets.
    pub diags: Vec<SockDiag>,
    /// The two networks of a link.
    pub joined: Option<Joined>,
}

impl Ground {
    /// The loopback of the network that this process is in, which `network` describes; with a `link` it is split in two.
    pub fn lay(network: String, link: Option<&Link>) -> Result<Self, StageError> {
        let Some(link) = link else {
            let (device, place, beyond) = (Device::Loopback, "lo".to_owned(), Ipv4Addr::LOCALHOST);
            let diags = vec![SockDiag::open().map_err(StageError::SockDiag)?];
            return Ok(Self { network, device, place, beyond, diags, joined: None });
        };
        let (joined, diags) = Joined::new(link)?;
        let place = format!("the {}'s end of the link", link.side);
        let beyond = link.side.other().address();
        let network = format!("{network}; {}", link.description());
        Ok(Self { network, device: Device::Tun, place, beyond, diags, joined: Some(joined) })
    }
}
