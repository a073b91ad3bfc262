//! Connections that are one, seen on both sides of an address translation.

use std::collections::{BTreeMap, HashMap};

use super::Found;
use crate::story::side::Side;

/// The connections that are an earlier one under other addresses, each with that one. Both ends' initial sequence numbers,
/// 64 bits together, are the same, and the later begins before the earlier is over.
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
        let [Some(client), Some(server)] = isns else { continue };
        let (start, end) = connection.times();
        match known.get(&(client, server)) {
            Some((id, until)) if start <= *until => {
                translated.insert(connection.id(), *id);
            }
            _ => {
                known.insert((client, server), (connection.id(), end));
            }
        }
    }
    translated
}
