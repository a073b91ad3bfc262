//! Which connect(2) is whose SYN, where several go to one address at a time: its end tells its own address.

use foldhash::HashMap;
use std::net::SocketAddr;

use crate::event::{Actor, EventId};
use crate::socket::call::{CallName, Fd};
use crate::story::journal::Journal;
use crate::tcp::segment::Segment;

/// A connect(2): when it began, whose it is, on which descriptor.
pub type Connect = (EventId, (Actor, Fd));

/// The connect(2) calls of a journal whose own address their end tells, by that and by where they go; in the order of their
/// beginnings, for a port may be used again.
#[derive(Clone, Debug, Default)]
pub struct Connects(HashMap<(SocketAddr, SocketAddr), Vec<Connect>>);

impl Connects {
    /// Those of `journal`.
    pub fn of(journal: &Journal) -> Self {
        let mut connects = Self::default();
        for (begun, outcome) in journal.events().iter().filter_map(|event| event.ended()) {
            let Some(begun) = journal.get(begun) else { continue };
            let Some(call) = begun.begun().filter(|call| call.name == CallName::Connect) else { continue };
            let ends = outcome.addr().zip(call.addr());
            if let Some((ends, (actor, fd))) = ends.zip(begun.actor.clone().zip(call.fd())) {
                connects.0.entry(ends).or_default().push((begun.id, (actor, fd)));
            }
        }
        connects.0.values_mut().for_each(|made| made.sort_by_key(|(id, _)| *id));
        connects
    }

    /// The one whose SYN `segment` is, which was captured as the event `at`.
    pub fn of_syn(&self, segment: &Segment, at: EventId) -> Option<&Connect> {
        let made = self.0.get(&(segment.src, segment.dst))?;
        let begun_before = made.partition_point(|(id, _)| *id < at);
        made.get(begun_before.checked_sub(1)?)
    }
}
