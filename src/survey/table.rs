//! Where the connections are kept and found.

use std::collections::VecDeque;
use std::num::NonZeroU64;

use hashbrown::HashTable;

use super::chunks::Chunks;
use super::open::Open;
use super::opinions::Opinions;
use super::record::Record;
use super::{Detail, Sighting};
use crate::decode::Key;
use crate::tcp::seq::SeqNum;

/// For so many packets of the capture a connection that is over still has what is needed to judge a stray. Counted in packets,
/// it is the same whatever the number of surveys that share the capture.
const KEPT_WHEN_OVER: u64 = 16_384;

/// The place of no connection.
const NOBODY: u32 = u32::MAX;

/// The connections of one survey.
pub struct Table {
    latest: HashTable<Latest>,
    /// The connection of the segment before: many come in a row.
    last: (u64, u32),
    records: Chunks<(Key, Record)>,
    /// The place of each connection's first packet in the capture; never less than the one before.
    begins: Vec<u64>,
    open: Chunks<Open>,
    /// At the same places as in `open`; none where they are not asked for.
    opinions: Option<Chunks<Opinions>>,
    /// Places in `open` that are free.
    free: Vec<u32>,
    /// Places in `open` of those that are over, the oldest first, with the packet that showed it.
    over: VecDeque<(u64, u32)>,
}

/// The latest connection of a key. Most keys of a busy client come again when its ports do, long after the record of the
/// connection before has left the processor's caches; so what a SYN has to be compared with stands here too.
#[derive(Clone, Copy, Debug)]
struct Latest {
    /// The key's hash, which two keys share once in 2⁶⁴ times.
    hash: u64,
    at: u32,
    /// Of a connection that is over, how a SYN of its client would have to begin to be one of its own.
    client: Option<(bool, SeqNum)>,
}

/// What a connection needs to go on.
pub struct Going<'a> {
    /// For its ending.
    pub open: &'a mut Open,
    /// For what others say of it, where that is asked for.
    pub opinions: Option<&'a mut Opinions>,
}

impl Going<'_> {
    /// Takes down in `record` how it stands.
    pub fn close(self, record: &mut Record) {
        self.open.close(record);
        if let Some(opinions) = self.opinions {
            opinions.close(record);
        }
    }
}

/// What a table knows of a segment's connection.
pub enum Found {
    /// Nothing.
    None,
    /// It may be the one at this place.
    At(u32),
    /// One of the same key is over, and this is another.
    Another,
}

impl Table {
    /// No connections yet.
    pub fn new(detail: Detail) -> Self {
        Self {
            opinions: (detail == Detail::Everything).then(Chunks::new),
            latest: HashTable::new(),
            last: (0, NOBODY),
            records: Chunks::new(),
            begins: Vec::new(),
            open: Chunks::new(),
            free: Vec::new(),
            over: VecDeque::new(),
        }
    }

    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.begins.len()
    }

    /// The latest connection of the key that `sighting` has.
    #[inline]
    pub fn find(&self, sighting: &Sighting) -> Found {
        let opens = sighting.glance.head.flags.opens();
        let (hash, at) = self.last;
        if !opens && hash == sighting.hash && self.slot(at).is_some_and(|(key, _)| *key == sighting.glance.key) {
            return Found::At(at);
        }
        let mut is_another = false;
        let is_it = |latest: &Latest| {
            if latest.hash != sighting.hash {
                return false;
            }
            let client = (sighting.glance.from_low, sighting.glance.head.seq);
            is_another = opens && latest.client.is_some_and(|known| known.0 == client.0 && known.1 != client.1);
            is_another || self.slot(latest.at).is_some_and(|(known, _)| *known == sighting.glance.key)
        };
        match self.latest.find(sighting.hash, is_it) {
            None => Found::None,
            Some(_) if is_another => Found::Another,
            Some(latest) => Found::At(latest.at),
        }
    }

    /// Adds the connection of `sighting`, which is now the latest of its key; it may reuse the ports of
    /// an earlier one.
    pub fn add(&mut self, sighting: &Sighting, mut record: Record, reuses_ports: bool) -> u32 {
        let at = u32::try_from(self.len()).unwrap_or(u32::MAX);
        record.open = self.place();
        if let Some(open) = self.open.get_mut(record.open) {
            let with_itself = sighting.glance.key.is_with_itself();
            *open = Open::new(at, with_itself);
        }
        if let Some(opinions) = self.opinions.as_mut().and_then(|opinions| opinions.get_mut(record.open)) {
            opinions.renew(reuses_ports);
        }
        self.records.push((sighting.glance.key, record));
        self.begins.push(sighting.place);
        let hash = sighting.hash;
        let added = Latest { hash, at, client: None };
        match self.latest.find_mut(hash, |latest| latest.hash == hash) {
            Some(known) => *known = added,
            None => drop(self.latest.insert_unique(hash, added, |latest| latest.hash)),
        }
        at
    }

    /// The connection of `sighting` is the one at `at`.
    #[inline]
    pub fn found(&mut self, sighting: &Sighting, at: u32) {
        self.last = (sighting.hash, at);
    }

    /// The connection at `at`, and what it needs to go on if it still has it.
    #[inline]
    pub fn parts(&mut self, at: u32) -> Option<(&mut Record, Option<Going<'_>>)> {
        let (_, record) = self.records.get_mut(at)?;
        // What a connection gave back is another's by now, or nobody's.
        let open = self.open.get_mut(record.open).filter(|open| open.at == at);
        let opinions = self.opinions.as_mut();
        let going = open.map(|open| Going { open, opinions: opinions.and_then(|all| all.get_mut(record.open)) });
        Some((record, going))
    }

    /// The place in the capture of the first packet of the connection at `at`.
    pub fn begin(&self, at: u32) -> Option<u64> {
        self.begins.get(at as usize).copied()
    }

    /// The connection at `at`.
    pub fn slot(&self, at: u32) -> Option<&(Key, Record)> {
        self.records.get(at)
    }

    /// Puts the connection at `at`, whose latest segment is `sighting`, among those that are over.
    pub fn settle(&mut self, at: u32, sighting: &Sighting) {
        let Some((record, Some(Going { open, .. }))) = self.parts(at) else { return };
        open.over_since = NonZeroU64::new(sighting.place);
        let (place, client) = (record.open, record.ends.client.isn().map(|isn| (record.client_is_low, isn)));
        if let Some(latest) = self.latest.find_mut(sighting.hash, |latest| latest.at == at) {
            latest.client = client;
        }
        self.over.push_back((sighting.place, place));
        self.forget_oldest(sighting.place);
    }

    /// Gives back what those needed to go on that have been over for long enough at the packet `place`. Their records were
    /// closed when they ended, so that none of them has to be fetched into the processor's caches again.
    fn forget_oldest(&mut self, place: u64) {
        while let Some((since, open)) = self.over.front().copied().filter(|(since, _)| is_long_over(*since, place)) {
            self.over.pop_front();
            // It may have turned out to go on.
            let is_it = |known: &&mut Open| known.over_since == NonZeroU64::new(since);
            if let Some(known) = self.open.get_mut(open).filter(is_it) {
                (known.at, known.over_since) = (NOBODY, None);
                self.free.push(open);
            }
        }
    }

    /// Closes every connection: nothing comes any more.
    pub fn close_all(&mut self) {
        let open = std::mem::replace(&mut self.open, Chunks::new());
        let mut opinions = self.opinions.take().map(IntoIterator::into_iter);
        for mut open in open {
            let mut opinions = opinions.as_mut().and_then(Iterator::next);
            if open.over_since.is_none()
                && let Some((_, record)) = self.records.get_mut(open.at)
            {
                Going { open: &mut open, opinions: opinions.as_mut() }.close(record);
            }
        }
        (self.latest, self.free, self.over) = (HashTable::new(), Vec::new(), VecDeque::new());
    }

    /// Gives back what the connection at `at` needed to go on, if it still has that.
    pub fn forget(&mut self, at: u32) {
        let Some((record, Some(Going { open, .. }))) = self.parts(at) else { return };
        (open.at, open.over_since) = (NOBODY, None);
        let place = record.open;
        self.free.push(place);
    }

    /// A place in `open` that is free.
    fn place(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.open.push(Open::default());
            if let Some(opinions) = &mut self.opinions {
                opinions.push(Opinions::default());
            }
            u32::try_from(self.open.len() - 1).unwrap_or(u32::MAX)
        })
    }
}

/// Whether a connection that is over since the packet `since` has nothing left at the packet `place` to judge a stray with.
pub const fn is_long_over(since: u64, place: u64) -> bool {
    place > since + KEPT_WHEN_OVER
}
