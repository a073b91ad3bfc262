//! Several threads that judge what one thread reads.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, ScopedJoinHandle};

use super::{Judge, panicked};
use crate::app::Failure;
use crate::survey::{Detail, Sighting, Survey};

/// How many sightings are handed over at a time. Where both threads are as fast, one may wait for the other at each
/// batch, and has to be woken: 512 were measured to be slower by a fifth than 2,048, and 16,384 no faster than these.
const BATCH: usize = 8192;

/// How finely the work is divided between the thread that reads and the only other one.
const SHARES: usize = 256;

/// How many batches may wait for a thread: a reader that is faster waits for it.
const WAITING: usize = 4;

/// Sightings that are handed over together. All places are always there, so that each is filled where it stands.
struct Batch {
    places: Vec<Sighting>,
    filled: usize,
}

impl Batch {
    fn new() -> Self {
        Self { places: vec![Sighting::default(); BATCH], filled: 0 }
    }
}

/// The threads that judge, as the reading thread sees them.
pub struct Judges {
    /// What the reading thread judges itself, so that it has as much to do as the others: so many of the [`SHARES`].
    own: Survey,
    own_part: usize,
    /// The sighting at hand: only its key tells whose it is.
    sighting: Sighting,
    /// What is gathered for each.
    batches: Vec<Batch>,
    senders: Vec<SyncSender<Batch>>,
    /// Batches that were judged, to be filled again.
    judged: Receiver<Batch>,
}

impl Judges {
    fn send(&mut self, share: usize) {
        let (Some(batch), Some(sender)) = (self.batches.get_mut(share), self.senders.get(share)) else { return };
        let empty = self.judged.try_recv().unwrap_or_else(|_| Batch::new());
        // A thread that panicked takes nothing any more: that shows when it is joined.
        let _ = sender.send(std::mem::replace(batch, empty));
    }
}

impl Judge for Judges {
    #[inline]
    fn place(&mut self) -> &mut Sighting {
        let Self { sighting, batches, .. } = self;
        match batches.as_mut_slice() {
            [Batch { places, filled }] => places.get_mut(*filled).unwrap_or(sighting),
            _ => sighting,
        }
    }

    #[inline]
    fn take(&mut self) {
        let Self { own, own_part, sighting, batches, .. } = self;
        let count = batches.len();
        let share = if let [Batch { places, filled }] = batches.as_mut_slice() {
            let Some(place) = places.get(*filled) else { return };
            if place.share(SHARES) < *own_part {
                return own.take(place);
            }
            0
        } else {
            let share = sighting.share(count);
            let Some(Batch { places, filled }) = batches.get_mut(share) else { return };
            if let Some(place) = places.get_mut(*filled) {
                std::mem::swap(place, sighting);
            }
            share
        };
        let Some(batch) = batches.get_mut(share) else { return };
        batch.filled += 1;
        if batch.filled == BATCH {
            self.send(share);
        }
    }
}

/// How many of the [`SHARES`] the reading thread judges beside `count` others: by measurement, so that none waits long for the
/// other. It makes no difference to what is found.
const fn own_part(detail: Detail, count: usize) -> usize {
    match (count, detail) {
        (1, Detail::Endings) => 50,
        (1, Detail::Everything) => 70,
        _ => 0,
    }
}

/// What `count` threads make of what `read` gives them, and what `read` returns.
pub fn judged<T>(
    count: usize,
    detail: Detail,
    read: impl FnOnce(&mut Judges) -> Result<T, Failure>,
) -> Result<(Vec<Survey>, T), Failure> {
    thread::scope(|scope| {
        let (give_back, done) = sync_channel(count * (WAITING + 1));
        let mut senders = Vec::new();
        let mut threads: Vec<ScopedJoinHandle<'_, Survey>> = Vec::new();
        for _ in 0..count {
            let (sender, receiver) = sync_channel(WAITING);
            let give_back = give_back.clone();
            threads.push(scope.spawn(move || judge(detail, &receiver, &give_back)));
            senders.push(sender);
        }
        let batches = (0..count).map(|_| Batch::new()).collect();
        let own = Survey::new(detail);
        let mut judges = Judges {
            own,
            own_part: own_part(detail, count),
            sighting: Sighting::default(),
            batches,
            senders,
            judged: done,
        };
        let read = read(&mut judges);
        let Judges { own, batches, senders, .. } = judges;
        for (batch, sender) in batches.into_iter().zip(senders) {
            // As in `send`; nothing comes behind it.
            let _ = sender.send(batch);
        }
        let mut surveys = vec![own];
        for thread in threads {
            surveys.push(thread.join().map_err(|_| panicked())?);
        }
        Ok((surveys, read?))
    })
}

fn judge(detail: Detail, receiver: &Receiver<Batch>, give_back: &SyncSender<Batch>) -> Survey {
    let mut survey = Survey::new(detail);
    for mut batch in receiver {
        batch.places.iter().take(batch.filled).for_each(|sighting| survey.take(sighting));
        batch.filled = 0;
        // Where nobody wants it any more, it is dropped.
        let _ = give_back.try_send(batch);
    }
    survey
}
