//! Several things done at once, and told in their order.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Does `work` for each of `items`, `at_once` of them at a time, and hands what came of it to `tell`, in the order of the
/// items and as soon as all before it are told. Once `tell` breaks no more is begun. Fails if no thread can be started.
pub fn in_order<'a, T: Sync, R: Send>(
    items: &'a [T],
    at_once: usize,
    work: impl Fn(&'a T) -> R + Sync,
    tell: impl FnMut(R) -> ControlFlow<()>,
) -> io::Result<()> {
    let (next, work) = (AtomicUsize::new(0), &work);
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(at_once);
        for _ in 0..at_once.min(items.len()) {
            let (sender, next) = (sender.clone(), &next);
            let worker = move || take_and_do(items, next, work, &sender);
            thread::Builder::new().name("check".to_owned()).spawn_scoped(scope, worker)?;
        }
        drop(sender);
        tell_in_order(receiver, tell);
        Ok(())
    })
}

/// Takes one item after the other, until none is left or nobody hears any more.
fn take_and_do<'a, T, R>(
    items: &'a [T],
    next: &AtomicUsize,
    work: impl Fn(&'a T) -> R,
    sender: &SyncSender<(usize, R)>,
) {
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(item) = items.get(index) else { return };
        if sender.send((index, work(item))).is_err() {
            return;
        }
    }
}

fn tell_in_order<R>(receiver: Receiver<(usize, R)>, mut tell: impl FnMut(R) -> ControlFlow<()>) {
    let mut early = BTreeMap::new();
    let mut told = 0;
    for (index, result) in receiver {
        early.insert(index, result);
        while let Some(result) = early.remove(&told) {
            if tell(result).is_break() {
                return;
            }
            told += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// What is told of 0 to 19, up to `last`.
    fn told(at_once: usize, last: usize) -> Vec<usize> {
        let items: Vec<usize> = (0..20).collect();
        let mut told = Vec::new();
        let tell = |item| {
            told.push(item);
            if item == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        in_order(&items, at_once, |item| *item, tell).unwrap();
        told
    }

    #[test]
    fn what_is_done_at_once_is_told_in_order() {
        for at_once in [1, 2, 7, 40] {
            assert_eq!(told(at_once, 99), (0..20).collect::<Vec<_>>());
        }
    }

    #[test]
    fn after_a_break_nothing_is_told_and_soon_nothing_is_done() {
        assert_eq!(told(3, 4), [0, 1, 2, 3, 4]);
        let done = Mutex::new(0);
        let work = |(): &()| *done.lock().unwrap() += 1;
        in_order(&[(); 1000], 2, work, |()| ControlFlow::Break(())).unwrap();
        assert!(*done.lock().unwrap() <= 10);
    }

    #[test]
    fn no_more_than_that_many_at_once() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = |(): &()| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::yield_now();
            now.fetch_sub(1, Ordering::SeqCst);
        };
        in_order(&[(); 200], 3, work, |()| ControlFlow::Continue(())).unwrap();
        assert!((1..=3).contains(&most.load(Ordering::SeqCst)));
    }
}
