//! Pages that several threads make, written in their order by whoever made them.
//!
//! Each thread writes its own: handing a page to another would have that one's processor fetch it from the first one's cache.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What takes a page's bytes.
pub type Take<'a> = &'a mut (dyn FnMut(&[u8]) -> io::Result<()> + Send);

/// Whose turn it is.
struct Turn<'a> {
    /// The page to be written next.
    page: usize,
    take: Take<'a>,
    /// Nothing is written any more.
    failed: Option<io::Error>,
}

/// The turns of some threads.
struct Turns<'a> {
    turn: Mutex<Turn<'a>>,
    moved: Condvar,
    /// The page to be made next.
    next: AtomicUsize,
}

/// Has `threads` threads make `count` pages by `make`, which is given a page's number and the room to make it in, and gives
/// what each is to `take`, in their order.
pub fn write<P: Default>(
    threads: usize,
    count: usize,
    make: impl Fn(usize, &mut P) -> io::Result<()> + Sync,
    bytes: impl Fn(&mut P) -> &[u8] + Sync,
    take: Take<'_>,
) -> io::Result<()> {
    let turn = Mutex::new(Turn { page: 0, take, failed: None });
    let turns = Turns { turn, moved: Condvar::new(), next: AtomicUsize::new(0) };
    thread::scope(|scope| {
        let work = || turns.work(count, &make, &bytes);
        let others: Vec<_> = (1..threads.max(1)).map(|_| scope.spawn(work)).collect();
        work();
        // One that panicked has said so by its turn.
        for thread in others {
            let _ = thread.join();
        }
    });
    turns.turn.into_inner().unwrap_or_else(PoisonError::into_inner).failed.map_or(Ok(()), Err)
}

impl<'a> Turns<'a> {
    fn work<P: Default>(
        &self,
        count: usize,
        make: &impl Fn(usize, &mut P) -> io::Result<()>,
        bytes: &impl Fn(&mut P) -> &[u8],
    ) {
        let _leaves = Leaves(self);
        let mut room = P::default();
        loop {
            let page = self.next.fetch_add(1, Ordering::Relaxed);
            if page >= count {
                return;
            }
            let done = make(page, &mut room).map(|()| bytes(&mut room));
            if !self.hand_on(page, done) {
                return;
            }
        }
    }

    /// Writes the page with the number `page` when it is its turn; whether there is any use in going on.
    fn hand_on(&self, page: usize, made: io::Result<&[u8]>) -> bool {
        let waits = |turn: &mut Turn<'_>| turn.page != page && turn.failed.is_none();
        let mut turn = self.moved.wait_while(self.lock(), waits).unwrap_or_else(PoisonError::into_inner);
        if turn.failed.is_none() {
            let written = made.and_then(|bytes| (turn.take)(bytes));
            turn.failed = written.err();
        }
        turn.page += 1;
        self.moved.notify_all();
        turn.failed.is_none()
    }

    fn lock(&self) -> MutexGuard<'_, Turn<'a>> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread that panics would leave the others waiting for its turn.
struct Leaves<'t, 'a>(&'t Turns<'a>);

impl Drop for Leaves<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let panicked = || io::Error::other("a thread that puts connections into words panicked");
            self.0.lock().failed.get_or_insert_with(panicked);
            self.0.moved.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pages: usize) -> String {
        (0..pages).map(|page| page.to_string() + " ").collect()
    }

    fn written(threads: usize, fails_at: Option<usize>) -> (String, Option<String>) {
        let mut all = Vec::new();
        let make = |page: usize, room: &mut String| {
            *room = format!("{page} ");
            if Some(page) == fails_at { Err(io::Error::other("no such page")) } else { Ok(()) }
        };
        let mut take = |bytes: &[u8]| {
            all.extend_from_slice(bytes);
            Ok(())
        };
        let result = write(threads, 100, make, |room| room.as_bytes(), &mut take);
        (String::from_utf8(all).unwrap(), result.err().map(|error| error.to_string()))
    }

    #[test]
    fn pages_are_written_in_their_order_by_any_number_of_threads() {
        let all = text(100);
        for threads in [0, 1, 2, 4, 9] {
            assert_eq!(written(threads, None), (all.clone(), None));
        }
    }

    #[test]
    fn what_comes_behind_a_failure_is_not_written() {
        let before = text(7);
        for threads in [1, 3] {
            assert_eq!(written(threads, Some(7)), (before.clone(), Some("no such page".to_owned())));
        }
    }

    #[test]
    fn a_thread_that_panics_does_not_leave_the_others_waiting() {
        // Two threads have a page each before either goes on.
        let (both, own) = (std::sync::Barrier::new(2), thread::current().id());
        let make = |page: usize, _: &mut String| {
            if page < 2 {
                both.wait();
                assert_eq!(thread::current().id(), own, "the other panics");
            }
            Ok(())
        };
        let result = write(2, 100, make, |room| room.as_bytes(), &mut |_| Ok(()));
        assert_eq!(result.unwrap_err().to_string(), "a thread that puts connections into words panicked");
    }
}
