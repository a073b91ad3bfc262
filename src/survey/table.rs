//! Where the connections are kept and found.

use std::collections::VecDeque;

use hashbrown::HashTable;

use super::key::Key;
use super::open::Open;
use super::record::Record;

/// So many records are allocated at once, so that growing moves none.
const CHUNK: usize = 1024;

/// So many connections that are over still have what is needed to judge a stray.
const KEPT_WHEN_OVER: usize = 2048;

/// The connections of one survey.
#[derive(Default)]
pub struct Table {
    /// The latest connection of each key, with the key's hash.
    latest: HashTable<(u64, u32)>,
    chunks: Vec<Vec<(Key, Record)>>,
    open: Vec<Open>,
    /// Places in `open` that are free.
    free: Vec<u32>,
    /// Those that are over, the oldest first.
    over: VecDeque<u32>,
}

impl Table {
    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.len())
    }

    /// The latest connection of `key`.
    #[inline]
    pub fn find(&self, hash: u64, key: &Key) -> Option<u32> {
        let is_it = |(known, at): &(u64, u32)| *known == hash && self.slot(*at).is_some_and(|(known, _)| known == key);
        self.latest.find(hash, is_it).map(|(_, at)| *at)
    }

    /// Adds a connection, which is now the latest of its key.
    pub fn add(&mut self, hash: u64, key: Key, mut record: Record, open: Open) -> u32 {
        let at = u32::try_from(self.len()).unwrap_or(u32::MAX);
        record.open = self.place(open) + 1;
        match self.chunks.last_mut().filter(|last| last.len() < CHUNK) {
            Some(last) => last.push((key, record)),
            None => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push((key, record));
                self.chunks.push(chunk);
            }
        }
        let Self { latest, chunks, .. } = self;
        let is_it =
            |(known, at): &(u64, u32)| *known == hash && slot(chunks, *at).is_some_and(|(known, _)| *known == key);
        match latest.find_mut(hash, is_it) {
            Some((_, known)) => *known = at,
            None => drop(latest.insert_unique(hash, (hash, at), |(hash, _)| *hash)),
        }
        at
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

    /// Puts the connection at `at` among those that are over, and closes the oldest of too many.
    pub fn settle(&mut self, at: u32) {
        let Some((_, Some(open))) = self.parts(at) else { return };
        open.waits = true;
        self.over.push_back(at);
        if self.over.len() > KEPT_WHEN_OVER {
            self.close_oldest();
        }
    }

    /// Closes every connection: nothing comes any more.
    pub fn close_all(&mut self) {
        let all = u32::try_from(self.len()).unwrap_or(u32::MAX);
        for at in 0..all {
            self.close(at);
        }
        (self.open, self.free, self.over) = (Vec::new(), Vec::new(), VecDeque::new());
        self.latest = HashTable::new();
    }

    fn close_oldest(&mut self) {
        let Some(at) = self.over.pop_front() else { return };
        let Some((_, Some(open))) = self.parts(at) else { return };
        open.waits = false;
        // It may have turned out to go on.
        if open.is_over() {
            self.close(at);
        }
    }

    fn close(&mut self, at: u32) {
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

const fn split(at: u32) -> (usize, usize) {
    (at as usize / CHUNK, at as usize % CHUNK)
}

fn slot(chunks: &[Vec<(Key, Record)>], at: u32) -> Option<&(Key, Record)> {
    let (chunk, index) = split(at);
    chunks.get(chunk)?.get(index)
}
