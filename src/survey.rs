//! All connections of a capture in one pass: a record of fixed size for each, whatever the number of packets.
//!
//! The same state machine, the same facts and the same verdicts as a story's; only, a story keeps every event and a survey
//! none. A connection that goes on has in addition what its rules need to go on (`open`); once it is over that is given
//! back, when some thousands of others are over too, so that strays still find it.
//!
//! An [`Intake`] decodes the packets, puts fragments together and counts; what it makes of a segment, a [`Sighting`], goes to
//! the [`Survey`] that has its connection. There may be several, each in a thread of its own: a connection's segments all
//! go to the same ([`Sighting::share`]), and what they find together is the same whatever their number. Pure: packets go
//! in, [`Found`] comes out.

mod chunks;
mod counted;
mod hasher;
mod intake;
mod open;
mod opinions;
pub mod patterns;
mod record;
mod sent;
mod summary;
mod table;
mod translated;
mod wide;

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::ops::Range;

pub use self::counted::Counted;
pub use self::intake::Intake;
pub use self::summary::{End, Summary};

use self::record::Record;
use self::table::{Going, Table};
use crate::decode::{Glance, LinkType};
use crate::event::{FrameNo, Time};

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

/// A segment as a survey takes it.
#[derive(Clone, Debug, Default)]
#[repr(align(64))]
pub struct Sighting {
    hash: u64,
    place: u64,
    frame: FrameNo,
    time: Time,
    glance: Glance,
    /// What its copies have too, where there can be some.
    fingerprint: Option<NonZeroU64>,
}

impl Sighting {
    /// Which of `of` surveys it falls to, from 0: all of a connection's to the same.
    #[inline]
    pub fn share(&self, of: usize) -> usize {
        // The low bits choose the place in a table.
        if of == 1 { 0 } else { (self.hash >> 40) as usize % of }
    }
}

/// How much is asked of a survey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Endings, bytes and patterns.
    Endings,
    /// And Wireshark's flags and Zeek's words.
    Everything,
}

/// A survey under way.
pub struct Survey {
    table: Table,
    /// Segments that came so long after the end of their connection that they were only counted.
    strays: u64,
}

/// What surveys found.
#[derive(Default)]
pub struct Found {
    /// The capture as a whole.
    pub counted: Counted,
    /// The connections, in the order of their first packets.
    tables: Vec<Table>,
    /// Where each connection stands: its table, and its place there.
    order: Vec<(u32, u32)>,
    /// The connections that are others seen again behind an address translation, with those others.
    translated: BTreeMap<u64, u64>,
}

impl Survey {
    /// A survey of which nothing is known yet.
    pub fn new(detail: Detail) -> Self {
        Self { table: Table::new(detail), strays: 0 }
    }

    /// Takes the next segment in.
    #[inline]
    pub fn take(&mut self, sighting: &Sighting) {
        let at = self.connection(sighting);
        self.table.found(sighting, at);
        let Some((record, going)) = self.table.parts(at) else { return };
        let side = record.side(sighting.glance.from_low);
        record.last_seen(sighting);
        let Some(going) = going.filter(|going| !going.open.is_long_over(sighting.place)) else {
            record.count(&sighting.glance.head, side);
            self.strays += 1;
            self.table.forget(at);
            return;
        };
        let Going { open, mut opinions } = going;
        if sighting.fingerprint.is_some_and(|copy| open.copies(side).seen(copy, sighting.time)) {
            record.copies = record.copies.saturating_add(1);
        } else {
            record.count(&sighting.glance.head, side);
            open.take(record, sighting, side);
        }
        if let Some(opinions) = &mut opinions {
            opinions.take(record, sighting, side);
        }
        if !open.is_over() {
            open.over_since = None;
            return;
        }
        let ends_now = open.over_since.is_none();
        Going { open, opinions }.close(record);
        if ends_now {
            self.table.settle(at, sighting);
        }
    }

    /// What was found by surveys that shared a capture, of which `counted` was counted.
    pub fn finish(counted: Counted, surveys: Vec<Self>) -> Found {
        let mut found = Found { counted, ..Found::default() };
        for mut survey in surveys {
            found.counted.strays += survey.strays;
            survey.table.close_all();
            found.tables.push(survey.table);
        }
        found.order = order(&found.tables);
        found.translated = translated::translated(&found);
        found
    }

    /// The connection that a segment belongs to; a new one where it opens one or is the first of its addresses.
    #[inline]
    fn connection(&mut self, sighting: &Sighting) -> u32 {
        let opens = sighting.glance.head.flags.opens();
        let is_another = |at: u32| opens && self.table.slot(at).is_some_and(|(_, record)| record.is_another(sighting));
        match self.table.find(sighting) {
            table::Found::At(at) if !is_another(at) => at,
            table::Found::None => self.open(sighting, false),
            _ => self.open(sighting, true),
        }
    }

    #[inline(never)]
    fn open(&mut self, sighting: &Sighting, reuses_ports: bool) -> u32 {
        self.table.add(sighting, Record::new(sighting), reuses_ports)
    }
}

/// Where each connection stands, in the order of their first packets, which each table has for its own.
fn order(tables: &[Table]) -> Vec<(u32, u32)> {
    let mut order = Vec::with_capacity(tables.iter().map(Table::len).sum());
    // The next of each table: where it begins, and where it stands.
    let mut nexts: Vec<(Option<u64>, (u32, u32))> =
        (0..).zip(tables).map(|(table, connections)| (connections.begin(0), (table, 0))).collect();
    while let Some((begin, (table, at))) = nexts.iter_mut().filter(|(begin, _)| begin.is_some()).min() {
        order.push((*table, *at));
        *at += 1;
        *begin = tables.get(*table as usize).and_then(|connections| connections.begin(*at));
    }
    order
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
        self.part(0..self.len())
    }

    /// The connections with the numbers `ids`.
    pub fn part(&self, ids: Range<usize>) -> impl Iterator<Item = Summary<'_>> {
        ids.filter_map(|id| self.connection(id))
    }

    /// The connection with the number `id`.
    pub fn connection(&self, id: usize) -> Option<Summary<'_>> {
        let (table, place) = *self.order.get(id)?;
        let table = self.tables.get(table as usize)?;
        let id = id as u64;
        Some(Summary::new(id, self.translated.get(&id).copied(), table.begin(place)?, table.slot(place)?))
    }
}
