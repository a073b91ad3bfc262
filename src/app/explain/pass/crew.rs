//! Several threads that judge what one thread reads.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, ScopedJoinHandle};

use crate::app::Failure;
use crate::survey::{Detail, Sighting, Survey};

/// How many sightings are handed over at a time.
const BATCH: usize = 512;

/// How many batches may wait for a thread: a reader that is faster waits for it.
const WAITING: usize = 4;

/// The threads that judge, as the reading thread sees them.
pub struct Judges {
    /// What is gathered for each.
    batches: Vec<Vec<Sighting>>,
    senders: Vec<SyncSender<Vec<Sighting>>>,
    /// Batches that were judged, to be filled again.
    judged: Receiver<Vec<Sighting>>,
}

impl Judges {
    /// Gives a sighting to the thread that has its connection.
    #[inline]
    pub fn give(&mut self, sighting: Sighting) {
        let share = sighting.share(self.batches.len());
        let Some(batch) = self.batches.get_mut(share) else { return };
        batch.push(sighting);
        if batch.len() == BATCH {
            self.send(share);
        }
    }

    fn send(&mut self, share: usize) {
        let (Some(batch), Some(sender)) = (self.batches.get_mut(share), self.senders.get(share)) else { return };
        let empty = self.judged.try_recv().unwrap_or_else(|_| Vec::with_capacity(BATCH));
        // A thread that panicked takes nothing any more: that shows when it is joined.
        let _ = sender.send(std::mem::replace(batch, empty));
    }
}

/// What `count` threads make of what `read` gives them, and what `read` returns.
pub fn judged<T>(
    count: usize,
    detail: Detail,
    read: impl FnOnce(&mut Judges) -> Result<T, Failure>,
) -> Result<(Vec<Survey>, T), Failure> {
    thread::scope(|scope| {
        let (give_back, judged) = sync_channel(count * (WAITING + 1));
        let mut senders = Vec::new();
        let mut threads: Vec<ScopedJoinHandle<'_, Survey>> = Vec::new();
        for _ in 0..count {
            let (sender, receiver) = sync_channel(WAITING);
            let give_back = give_back.clone();
            threads.push(scope.spawn(move || judge(detail, &receiver, &give_back)));
            senders.push(sender);
        }
        let batches = (0..count).map(|_| Vec::with_capacity(BATCH)).collect();
        let mut judges = Judges { batches, senders, judged };
        let read = read(&mut judges);
        for share in 0..count {
            judges.send(share);
        }
        drop(judges);
        let surveys: Result<Vec<Survey>, Failure> =
            threads.into_iter().map(|thread| thread.join().map_err(|_| panicked())).collect();
        Ok((surveys?, read?))
    })
}

fn judge(detail: Detail, receiver: &Receiver<Vec<Sighting>>, give_back: &SyncSender<Vec<Sighting>>) -> Survey {
    let mut survey = Survey::new(detail);
    for mut batch in receiver {
        batch.iter().for_each(|sighting| survey.take(sighting));
        batch.clear();
        // Where nobody wants it any more, it is dropped.
        let _ = give_back.try_send(batch);
    }
    survey
}

fn panicked() -> Failure {
    Failure::new("a thread of this program panicked; its message stands above")
}
