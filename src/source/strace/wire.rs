//! What a capture has of each connection, as far as calls are held against it.

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::event::{Event, Time};
use crate::tcp::segment::Segment;
use crate::tcp::seq::SeqNum;

/// How far one end's stream had been sent by when.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// The number of its first byte.
    first: Option<SeqNum>,
    /// How many bytes were seen, and since when; both rising.
    reached: Vec<(u64, Time)>,
    /// When its FIN was first seen.
    pub fin: Option<Time>,
    /// When its first reset was seen.
    pub reset: Option<Time>,
}

impl Stream {
    fn take(&mut self, at: Time, segment: &Segment) {
        if segment.flags.rst() {
            self.reset.get_or_insert(at);
            return;
        }
        let start = segment.payload_range().start;
        let first = *self.first.get_or_insert(start);
        if segment.flags.fin() {
            self.fin.get_or_insert(at);
        }
        let next = self.reached.last().map_or(0, |(reached, _)| *reached);
        // Numbers wrap: how far this one lies from the next is taken as the shorter way.
        let expected = u32::try_from(next & u64::from(u32::MAX)).unwrap_or(0);
        let distance = start.relative_to(first).wrapping_sub(expected).cast_signed();
        let end = next.checked_add_signed(i64::from(distance) + i64::from(segment.payload_len));
        if let Some(end) = end.filter(|end| *end > next) {
            self.reached.push((end, at));
        }
    }

    /// When the byte at `offset` was first seen.
    pub fn sent(&self, offset: u64) -> Option<Time> {
        let at = self.reached.partition_point(|(reached, _)| *reached <= offset);
        self.reached.get(at).map(|(_, time)| *time)
    }
}

/// One connection.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Whose SYN it was, or who was seen first.
    pub client: SocketAddr,
    /// The other end.
    pub server: SocketAddr,
    isn: Option<SeqNum>,
    /// When the SYN was sent.
    pub syn: Option<Time>,
    /// When it was answered.
    pub answered: Option<Time>,
    /// When the client sent the first segment after its SYN.
    pub opened: Option<Time>,
    /// The client's stream, and the server's.
    pub streams: [Stream; 2],
}

impl Flow {
    fn new(client: SocketAddr, server: SocketAddr) -> Self {
        let streams = [Stream::default(), Stream::default()];
        Self { client, server, isn: None, syn: None, answered: None, opened: None, streams }
    }

    fn take(&mut self, at: Time, segment: &Segment) {
        let from_client = segment.src == self.client;
        match (segment.flags.syn(), from_client) {
            (true, true) => {
                self.isn.get_or_insert(segment.seq);
                self.syn.get_or_insert(at);
            }
            (true, false) => {
                self.answered.get_or_insert(at);
            }
            (false, true) if !segment.flags.rst() => {
                self.opened.get_or_insert(at);
            }
            _ => {}
        }
        self.streams[usize::from(!from_client)].take(at, segment);
    }
}

/// The connections of a capture, in the order of their first segments.
pub fn flows(events: &[Event]) -> Vec<Flow> {
    let mut flows: Vec<Flow> = Vec::new();
    let mut latest: HashMap<(SocketAddr, SocketAddr), usize> = HashMap::new();
    for event in events {
        let Some((_, segment)) = event.segment() else { continue };
        let key = (segment.src.min(segment.dst), segment.src.max(segment.dst));
        let known = latest.get(&key).copied();
        let known = known.filter(|place| {
            let isn = flows[*place].isn;
            !(segment.flags.opens() && segment.src == flows[*place].client && isn.is_some_and(|isn| isn != segment.seq))
        });
        let place = known.unwrap_or_else(|| {
            let answers = segment.head().answers_syn();
            let (client, server) = if answers { (segment.dst, segment.src) } else { (segment.src, segment.dst) };
            flows.push(Flow::new(client, server));
            flows.len() - 1
        });
        latest.insert(key, place);
        flows[place].take(event.time, segment);
    }
    flows
}
