//! Which socket of the log is which end of which connection of the capture.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use super::scene::Scene;
use super::wire::Flow;
use crate::socket::call::CallName;

/// An end of a connection: its place among the connections, and 0 for the client, 1 for the server.
pub type EndOf = (usize, usize);

/// The ends, by their sockets. Whose addresses are known is found by them; of the others the first that is left takes the first
/// connection that is.
pub fn matched(scene: &Scene, flows: &[Flow]) -> HashMap<usize, EndOf> {
    let mut found = HashMap::new();
    let mut taken = HashSet::new();
    for by_both in [true, false] {
        for (socket, is_client) in opened(scene) {
            if found.contains_key(&socket) || scene.sockets[socket].local.is_some_and(is_specific) != by_both {
                continue;
            }
            let side = usize::from(!is_client);
            let fits =
                |(place, flow): &(usize, &Flow)| is_of(scene, socket, side, flow) && !taken.contains(&(*place, side));
            if let Some((place, _)) = flows.iter().enumerate().find(fits) {
                taken.insert((place, side));
                found.insert(socket, (place, side));
            }
        }
    }
    found
}

/// The sockets that were connected or accepted, in that order, and whether they were connected.
fn opened(scene: &Scene) -> Vec<(usize, bool)> {
    let opens = |name: CallName| name == CallName::Connect || name.accepts();
    let opened = scene.deeds.iter().filter(|deed| opens(deed.call.name));
    opened
        .filter_map(|deed| Some((deed.socket?, deed.call.name == CallName::Connect)))
        .filter(|(socket, _)| scene.sockets[*socket].is_whole)
        .collect()
}

fn is_specific(addr: SocketAddr) -> bool {
    !addr.ip().is_unspecified() && addr.port() != 0
}

fn is_of(scene: &Scene, socket: usize, side: usize, flow: &Flow) -> bool {
    let (local, remote) = if side == 0 { (flow.client, flow.server) } else { (flow.server, flow.client) };
    let socket = &scene.sockets[socket];
    let is_local = socket.local.is_none_or(|known| {
        (known.ip().is_unspecified() || known.ip() == local.ip()) && (known.port() == 0 || known.port() == local.port())
    });
    socket.remote == Some(remote) && is_local
}
