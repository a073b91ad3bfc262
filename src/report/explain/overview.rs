//! What is said of many connections at once, from one look at each.

use std::ops::Range;
use std::thread;

use super::tally::Tally;
use crate::survey::patterns::{Gathered, Pattern};
use crate::survey::{Found, Summary};

/// Which connections are meant.
pub type Selected<'a> = &'a (dyn Fn(&Summary<'_>) -> bool + Sync);

/// What all connections amount to.
pub struct Overview {
    /// What many have in common, the weightiest first: of all connections, whichever are meant.
    pub patterns: Vec<Pattern>,
    /// How those that are meant ended.
    pub tally: Tally,
}

impl Overview {
    /// Looks at all connections of `found`, each of `threads` threads at a part of them. Where the `selected` ones are `chosen`,
    /// all of them are worth telling of, the `top` worst at the most. `None` where a thread panicked.
    pub fn of(found: &Found, selected: Selected<'_>, chosen: bool, top: usize, threads: usize) -> Option<Self> {
        let part = |ids: Range<usize>| {
            let (mut gathered, mut tally) = (Gathered::new(found), Tally::new(chosen, top));
            for connection in found.part(ids) {
                gathered.take(&connection);
                if selected(&connection) {
                    tally.take(&connection);
                }
            }
            (gathered, tally)
        };
        let len = found.len().div_ceil(threads.max(1)).max(1);
        let starts = (len..found.len()).step_by(len);
        thread::scope(|scope| {
            let end = |start: usize| (start + len).min(found.len());
            let later: Vec<_> = starts.map(|start| scope.spawn(move || part(start..end(start)))).collect();
            let (mut gathered, mut tally) = part(0..end(0));
            for thread in later {
                let (more_gathered, more_counted) = thread.join().ok()?;
                gathered.append(more_gathered);
                tally.append(more_counted);
            }
            Some(Self { patterns: gathered.patterns(), tally })
        })
    }
}
