//! All connections of a capture in one pass: a record of fixed size for each, whatever the number of packets.
//!
//! The same state machine, the same facts and the same verdicts as a story's; only, a story keeps every event and a survey
//! none. A connection that goes on has in addition what its rules need to go on ([`open`]); once it is over that is given
//! back, when some thousands of others are over too, so that strays still find it.
//!
//! Several surveys may share a capture: each reads all packets and keeps the connections whose key falls to it
//! ([`Share`]), so that nothing has to be handed from one to another, and what they find together is the same whatever
//! their number. Pure: packets go in, [`Found`] comes out.

mod copies;
mod counted;
mod key;
mod open;
pub mod patterns;
mod record;
mod sent;
mod summary;
mod table;
mod translated;
mod wide;

pub use self::counted::Counted;
pub use self::summary::{End, Summary};

use std::collections::BTreeMap;

use self::copies::fingerprint;
use self::key::{Hasher, Key};
use self::open::Open;
use self::record::Record;
use self::table::Table;
use crate::decode::{Decoded, Fragments, Glance, LinkType, glance, of_segment};
use crate::event::{FrameNo, Gap, Time};

/// One packet of a capture.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Its name.
    pub frame: FrameNo,
    /// When it was captured.
    pub time: Time,
    /// How its first bytes are to be read.
    pub link_type: LinkType,
    /// Which of the capture's interfaces saw it.
    pub interface: u32,
    /// Its length on the wire in bytes.
    pub original_len: u32,
    /// Its bytes, as far as they were captured.
    pub data: &'a [u8],
    /// Whether a filter let it pass. One that did not counts as a place in the capture, and as nothing else.
    pub passes: bool,
}

/// How much is asked of a survey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Endings, bytes and patterns.
    Endings,
    /// And Wireshark's flags and Zeek's words.
    Everything,
}

/// Which connections a survey keeps: those whose key's hash, divided by `of`, leaves `index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Which share, from 0.
    index: u32,
    /// Of how many.
    of: u32,
    /// What hashes begin with: shares of one capture have the same, and nobody can foresee it.
    seed: u64,
}

impl Share {
    /// All shares, of which there are `of`, with hashes by `seed`.
    pub fn split(of: u32, seed: u64) -> impl Iterator<Item = Self> {
        (0..of.max(1)).map(move |index| Self { index, of: of.max(1), seed })
    }

    /// Whether it is the first, which tells what all know.
    pub const fn is_first(self) -> bool {
        self.index == 0
    }

    const fn has(self, hash: u64) -> bool {
        // The low bits choose the place in the table.
        self.of == 1 || (hash >> 40) as u32 % self.of == self.index
    }
}

/// A survey under way.
pub struct Survey {
    detail: Detail,
    share: Share,
    table: Table,
    fragments: Fragments,
    counted: Counted,
    /// The packet's place in the capture, from 0.
    place: u64,
}

/// What a survey found.
#[derive(Default)]
pub struct Found {
    /// The capture as a whole.
    pub counted: Counted,
    /// The connections, in the order of their first packets.
    table: Vec<Table>,
    /// Where each connection stands: its table, and its place there.
    order: Vec<(u32, u32)>,
    /// The connections that are others seen again behind an address translation, with those others.
    translated: BTreeMap<u64, u64>,
}

impl Survey {
    /// A survey of which nothing is known yet.
    pub fn new(detail: Detail, share: Share) -> Self {
        Self {
            detail,
            share,
            table: Table::new(Hasher::new(share.seed)),
            fragments: Fragments::default(),
            counted: Counted::default(),
            place: 0,
        }
    }

    /// Takes the next packet in.
    pub fn packet(&mut self, packet: &Packet<'_>) {
        self.place += 1;
        if !packet.passes {
            return;
        }
        self.counted.packet(packet);
        match glance(packet.link_type, packet.data, packet.original_len) {
            Ok(glance) => self.segment(packet, &glance),
            Err(decoded) => self.other(packet, decoded),
        }
    }

    /// Something in the capture that is no packet, but has a number.
    pub fn row(&mut self, name: &'static str) {
        self.counted.passed_over(name);
    }

    /// Something is missing or damaged.
    pub fn gap(&mut self, gap: &Gap) {
        self.counted.gap(gap);
    }

    /// How many packets bear an earlier time than the one before them in their file.
    pub fn steps_back(&mut self, count: u64) {
        self.counted.steps_back = count;
    }

    /// What was found, by one survey or by several that shared a capture.
    pub fn finish(shares: Vec<Self>) -> Found {
        let mut found = Found::default();
        for (index, mut survey) in (0..).zip(shares) {
            survey.counted.fragments(survey.fragments.given_up);
            found.counted.add(&survey.counted, index == 0);
            survey.table.close_all();
            let places = u32::try_from(survey.table.len()).unwrap_or(u32::MAX);
            found.order.extend((0..places).map(|place| (index, place)));
            found.table.push(survey.table);
        }
        found.order.sort_by_key(|(index, place)| {
            found.table.get(*index as usize).and_then(|table| table.slot(*place)).map(|(_, record)| record.place)
        });
        found.translated = translated::translated(&found);
        found
    }

    fn other(&mut self, packet: &Packet<'_>, decoded: Decoded) {
        let whole = match decoded {
            Decoded::Other("IP fragment") => self.fragments.add(packet.link_type, packet.data),
            _ => None,
        };
        match whole.unwrap_or(decoded) {
            Decoded::Tcp(segment) => self.segment(packet, &of_segment(&segment)),
            Decoded::Other(name) => self.counted.passed_over(name),
            Decoded::Malformed(why) => self.counted.malformed(packet.frame, why),
        }
    }

    fn segment(&mut self, packet: &Packet<'_>, glance: &Glance) {
        self.counted.tcp_packets += 1;
        let (key, from_low) = Key::of(glance);
        let hash = self.table.hash(&key);
        if !self.share.has(hash) {
            return;
        }
        let at = self.connection(packet, glance, hash, key, from_low);
        let Some((record, open)) = self.table.parts(at) else { return };
        let side = record.side(from_low);
        record.last_seen(packet);
        let Some(open) = open else {
            record.count(&glance.head, side);
            self.counted.strays += 1;
            return;
        };
        // At one interface alone, what looks like a copy is counted as Wireshark counts it.
        let copy = if self.counted.has_copies() { fingerprint(glance) } else { None };
        if copy.is_some_and(|copy| open.copies[side].seen(copy, packet.time)) {
            record.copies = record.copies.saturating_add(1);
            open.judge(record, packet.time, &glance.head, side);
            return;
        }
        record.count(&glance.head, side);
        open.take(record, packet, glance, side);
        if !open.waits && open.is_over() {
            self.table.settle(at);
        }
    }
}

impl Survey {
    /// The connection that a segment belongs to; a new one where it opens one or is the first of its addresses.
    #[inline]
    fn connection(&mut self, packet: &Packet<'_>, glance: &Glance, hash: u64, key: Key, from_low: bool) -> u32 {
        let known = self.table.find(hash, &key);
        let is_another = |at: u32| self.table.slot(at).is_some_and(|(_, record)| record.is_another(glance, from_low));
        match known {
            Some(at) if !is_another(at) => at,
            _ => {
                let record = Record::new(self.place, packet, glance, from_low, known.is_some());
                let open = Open::new(self.detail, known.is_some(), key.is_with_itself());
                self.table.add(hash, key, record, open)
            }
        }
    }
}

impl Found {
    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is no connection.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The connections, in the order of their first packets; their numbers count from 0.
    pub fn connections(&self) -> impl Iterator<Item = Summary<'_>> {
        (0..self.len()).filter_map(|id| self.connection(id))
    }

    /// The connection with the number `id`.
    pub fn connection(&self, id: usize) -> Option<Summary<'_>> {
        let (table, place) = *self.order.get(id)?;
        let table = self.table.get(table as usize)?;
        let id = id as u64;
        Some(Summary::new(id, self.translated.get(&id).copied(), table.slot(place)?))
    }
}
