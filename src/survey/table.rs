//! Where the connections are kept and found.

use std::collections::VecDeque;

use hashbrown::HashTable;

use super::Sighting;
use crate::decode::Key;
use super::open::Open;
use super::record::Record;
use crate::tcp::seq::SeqNum;

/// So many records are allocated at once, so that growing moves none.
const CHUNK: usize = 65_536;

/// For so many packets of the capture a connection that is over still has what is needed to judge a stray. Counted in packets,
/// it is the same whatever the number of surveys that share the capture.
const KEPT_WHEN_OVER: u64 = 16_384;

/// The connections of one survey.
#[derive(Default)]
pub struct Table {
    latest: HashTable<Latest>,
    /// The connection of the segment before: many come in a row.
    last: (u64, u32),
    chunks: Vec<Vec<(Key, Record)>>,
    open: Vec<Open>,
    /// Places in `open` that are free.
    free: Vec<u32>,
    /// Those that are over, the oldest first, with the packet that showed it.
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
    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.len())
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

    /// Adds the connection of `sighting`, which is now the latest of its key.
    pub fn add(&mut self, sighting: &Sighting, mut record: Record, mut open: Open) -> u32 {
        let at = u32::try_from(self.len()).unwrap_or(u32::MAX);
        open.at = at;
        record.open = self.place(open) + 1;
        if self.chunks.last().is_none_or(|last| last.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        if let Some(last) = self.chunks.last_mut() {
            last.push((sighting.glance.key, record));
        }
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
    pub fn parts(&mut self, at: u32) -> Option<(&mut Record, Option<&mut Open>)> {
        let (chunk, index) = split(at);
        let (_, record) = self.chunks.get_mut(chunk)?.get_mut(index)?;
        let open = (record.open as usize).checked_sub(1).and_then(|place| self.open.get_mut(place));
        Some((record, open))
    }

    /// The connection at `at`.
    pub fn slot(&self, at: u32) -> Option<&(Key, Record)> {
        slot(&self.chunks, at)
    }

    /// Puts the connection at `at`, whose latest segment is `sighting`, among those that are over.
    pub fn settle(&mut self, at: u32, sighting: &Sighting) {
        let Some((record, Some(open))) = self.parts(at) else { return };
        open.over_since = Some(sighting.place);
        let client = record.ends.client.isn().map(|isn| (record.client_is_low, isn));
        if let Some(latest) = self.latest.find_mut(sighting.hash, |latest| latest.at == at) {
            latest.client = client;
        }
        self.over.push_back((sighting.place, at));
        self.close_oldest(sighting.place);
    }

    /// Closes those that have been over for long enough at the packet `place`.
    fn close_oldest(&mut self, place: u64) {
        while let Some((since, at)) = self.over.front().copied().filter(|(since, _)| is_long_over(*since, place)) {
            self.over.pop_front();
            // It may have turned out to go on.
            let is_it = self.parts(at).and_then(|(_, open)| open).is_some_and(|open| open.over_since == Some(since));
            if is_it {
                self.close(at);
            }
        }
    }

    /// Closes every connection: nothing comes any more.
    pub fn close_all(&mut self) {
        for mut open in std::mem::take(&mut self.open) {
            if let Some((record, _)) = self.parts(open.at).filter(|(record, _)| record.open != 0) {
                open.close(record);
                record.open = 0;
            }
        }
        *self = Self { chunks: std::mem::take(&mut self.chunks), ..Self::default() };
    }

    /// Takes down how the connection at `at` stands, and gives back what it needed to go on.
    pub fn close(&mut self, at: u32) {
        let Some((record, Some(open))) = self.parts(at) else { return };
        open.close(record);
        let place = record.open - 1;
        record.open = 0;
        self.free.push(place);
    }

    fn place(&mut self, open: Open) -> u32 {
        if let Some(place) = self.free.pop() {
            if let Some(free) = self.open.get_mut(place as usize) {
                *free = open;
            }
            return place;
        }
        self.open.push(open);
        u32::try_from(self.open.len() - 1).unwrap_or(u32::MAX)
    }
}

/// Whether a connection that is over since the packet `since` has nothing left at the packet `place` to judge a stray with.
pub const fn is_long_over(since: u64, place: u64) -> bool {
    place > since + KEPT_WHEN_OVER
}

const fn split(at: u32) -> (usize, usize) {
    (at as usize / CHUNK, at as usize % CHUNK)
}

fn slot(chunks: &[Vec<(Key, Record)>], at: u32) -> Option<&(Key, Record)> {
    let (chunk, index) = split(at);
    chunks.get(chunk)?.get(index)
}
