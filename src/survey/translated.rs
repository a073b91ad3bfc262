//! Connections that are one, seen on both sides of an address translation.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use super::Found;
use crate::story::side::Side;

/// The connections that are an earlier one under other addresses, each with that one. Both ends' initial sequence numbers,
/// 64 bits together, are the same, and the later begins before the earlier is over. Of one that nothing answered the client's
/// number is the same, and one of the ends.
///
/// Only a capture of several interfaces can hold such; and what rewrites the numbers too (some proxies and firewalls) is not
/// recognised.
pub fn translated(found: &Found) -> BTreeMap<u64, u64> {
    let mut translated = BTreeMap::new();
    if !found.counted.has_copies() {
        return translated;
    }
    let mut known = HashMap::new();
    for connection in found.connections() {
        let isns = Side::BOTH.map(|side| connection.end(side).isn());
        let [Some(client), server] = isns else { continue };
        let (start, end) = connection.times();
        let ends = Side::BOTH.map(|side| connection.end(side).endpoint);
        // Most translations leave one end as it is.
        let has_end = |others: &[SocketAddr; 2]| ends[0] == others[0] || ends[1] == others[1];
        match known.get(&(client, server)) {
            Some((id, until, others)) if start <= *until && (server.is_some() || has_end(others)) => {
                translated.insert(connection.id(), *id);
            }
            _ => {
                known.insert((client, server), (connection.id(), end, ends));
            }
        }
    }
    translated
}
