//! Where the connections are kept and found.

use std::collections::VecDeque;

use hashbrown::HashTable;

use super::Sighting;
use super::open::Open;
use super::record::Record;
use crate::decode::Key;
use crate::tcp::seq::SeqNum;

/// So many records the first chunk has room for, and each further one for twice as many as the one before it: growing moves
/// none, and chunks are soon long enough for large pages.
const FIRST_CHUNK: usize = 1024;

/// For so many packets of the capture a connection that is over still has what is needed to judge a stray. Counted in packets,
/// it is the same whatever the number of surveys that share the capture.
const KEPT_WHEN_OVER: u64 = 16_384;

/// The place of no connection.
const NOBODY: u32 = u32::MAX;

/// The connections of one survey.
#[derive(Default)]
pub struct Table {
    latest: HashTable<Latest>,
    /// The connection of the segment before: many come in a row.
    last: (u64, u32),
    chunks: Vec<Vec<(Key, Record)>>,
    /// The place of each connection's first packet in the capture; never less than the one before.
    begins: Vec<u64>,
    open: Vec<Open>,
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

    /// Adds the connection of `sighting`, which is now the latest of its key; `begin` begins what it needs to go on, in the
    /// place of one that does not any more.
    pub fn add(&mut self, sighting: &Sighting, mut record: Record, begin: impl FnOnce(&mut Open)) -> u32 {
        let at = u32::try_from(self.len()).unwrap_or(u32::MAX);
        record.open = self.place();
        if let Some(open) = self.open.get_mut(record.open as usize) {
            begin(open);
            open.at = at;
        }
        let (chunk, _) = split(at);
        if chunk == self.chunks.len() {
            self.chunks.push(Vec::with_capacity(FIRST_CHUNK << chunk));
        }
        if let Some(last) = self.chunks.last_mut() {
            last.push((sighting.glance.key, record));
        }
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
    pub fn parts(&mut self, at: u32) -> Option<(&mut Record, Option<&mut Open>)> {
        let (chunk, index) = split(at);
        let (_, record) = self.chunks.get_mut(chunk)?.get_mut(index)?;
        // What a connection gave back is another's by now, or nobody's.
        let open = self.open.get_mut(record.open as usize).filter(|open| open.at == at);
        Some((record, open))
    }

    /// The place in the capture of the first packet of the connection at `at`.
    pub fn begin(&self, at: u32) -> Option<u64> {
        self.begins.get(at as usize).copied()
    }

    /// The connection at `at`.
    pub fn slot(&self, at: u32) -> Option<&(Key, Record)> {
        slot(&self.chunks, at)
    }

    /// Puts the connection at `at`, whose latest segment is `sighting`, among those that are over.
    pub fn settle(&mut self, at: u32, sighting: &Sighting) {
        let Some((record, Some(open))) = self.parts(at) else { return };
        open.over_since = Some(sighting.place);
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
            let is_it = |known: &&mut Open| known.over_since == Some(since);
            if let Some(known) = self.open.get_mut(open as usize).filter(is_it) {
                (known.at, known.over_since) = (NOBODY, None);
                self.free.push(open);
            }
        }
    }

    /// Closes every connection: nothing comes any more.
    pub fn close_all(&mut self) {
        for mut open in std::mem::take(&mut self.open) {
            let is_over = open.over_since.is_some();
            if let Some(record) = self.record(open.at).filter(|_| !is_over) {
                open.close(record);
            }
        }
        let (chunks, begins) = (std::mem::take(&mut self.chunks), std::mem::take(&mut self.begins));
        *self = Self { chunks, begins, ..Self::default() };
    }

    /// Gives back what the connection at `at` needed to go on, if it still has that.
    pub fn forget(&mut self, at: u32) {
        let Some((record, Some(open))) = self.parts(at) else { return };
        (open.at, open.over_since) = (NOBODY, None);
        let place = record.open;
        self.free.push(place);
    }

    fn record(&mut self, at: u32) -> Option<&mut Record> {
        let (chunk, index) = split(at);
        self.chunks.get_mut(chunk)?.get_mut(index).map(|(_, record)| record)
    }

    /// A place in `open` that is free.
    fn place(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.open.push(Open::default());
            u32::try_from(self.open.len() - 1).unwrap_or(u32::MAX)
        })
    }
}

/// Whether a connection that is over since the packet `since` has nothing left at the packet `place` to judge a stray with.
pub const fn is_long_over(since: u64, place: u64) -> bool {
    place > since + KEPT_WHEN_OVER
}

/// In which chunk the record at `at` is, and where in it.
#[inline]
const fn split(at: u32) -> (usize, usize) {
    let chunk = (at as usize / FIRST_CHUNK + 1).ilog2() as usize;
    (chunk, at as usize + FIRST_CHUNK - (FIRST_CHUNK << chunk))
}

fn slot(chunks: &[Vec<(Key, Record)>], at: u32) -> Option<&(Key, Record)> {
    let (chunk, index) = split(at);
    chunks.get(chunk)?.get(index)
}

#[cfg(test)]
mod tests {
    use super::{FIRST_CHUNK, split};

    #[test]
    fn each_chunk_holds_twice_what_the_one_before_holds() {
        let first = u32::try_from(FIRST_CHUNK).unwrap();
        for (at, place) in [
            (0, (0, 0)),
            (first - 1, (0, FIRST_CHUNK - 1)),
            (first, (1, 0)),
            (3 * first - 1, (1, 2 * FIRST_CHUNK - 1)),
            (3 * first, (2, 0)),
        ] {
            assert_eq!(split(at), place, "{at}");
        }
        assert_eq!(split(u32::MAX).0, 22);
    }
}
