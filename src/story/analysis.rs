//! Wireshark's analysis of each connection's segments.

use foldhash::{HashMap, HashSet};

use super::journal::Journal;
use super::side::Side;
use super::track::Track;
use crate::event::{ConnectionId, EventId};
use crate::tcp::analysis::{Analysis, Completeness, Findings};

/// What Wireshark finds of a run's segments.
#[derive(Clone, Debug, Default)]
pub struct Analysed {
    /// Of each segment of which it finds something.
    findings: HashMap<EventId, Findings>,
    /// Of each connection that has segments.
    completeness: HashMap<ConnectionId, Completeness>,
}

impl Analysed {
    /// What it finds of the segment `id`.
    pub fn findings(&self, id: EventId) -> Findings {
        self.findings.get(&id).copied().unwrap_or_default()
    }

    /// The completeness of `connection`; `None` where it has no segments.
    pub fn completeness(&self, connection: ConnectionId) -> Option<Completeness> {
        self.completeness.get(&connection).copied()
    }
}

/// The analysis of all segments of `journal`.
pub(super) fn analyse(journal: &Journal, track: &Track) -> Analysed {
    let mut analysed = Analysed::default();
    let mut used = HashSet::default();
    for connection in track.connections() {
        let (client, server) = (connection.addresses.client, connection.addresses.server);
        let mut analysis = Analysis::new(!used.insert((client.min(server), client.max(server))));
        let events = connection.events.iter().filter_map(|id| journal.get(*id));
        let mut has_segments = false;
        for (event, segment) in events.filter_map(|event| Some((event, event.segment()?.1))) {
            let from_client = connection.side_of(segment.src) != Some(Side::Server);
            let found = analysis.observe(&segment.head(), segment.sack().as_ref(), from_client, event.time.0);
            has_segments = true;
            if found != Findings::default() {
                analysed.findings.insert(event.id, found);
            }
        }
        if has_segments {
            analysed.completeness.insert(connection.id, analysis.completeness());
        }
    }
    analysed
}
