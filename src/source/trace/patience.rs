//! How long a tracer looks for the next stop before it sleeps until there is one.
//!
//! Between two stops most programs run for some microseconds. To be put to sleep and woken again costs more than that where
//! the processor has gone idle meanwhile, and it costs the program, which does the waking. So it pays to stay awake for a
//! moment; but not where that is in vain: where the program waits for something, or needs the very CPU that is looked on.

use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

/// How long is looked: about what it costs to sleep and be woken, so that at worst a wait costs twice as much
/// (benches/README.md).
const LOOK: Duration = Duration::from_micros(50);

/// After so many waits at most it is tried again whether looking pays.
const MOST: u32 = 256;

/// What looking has brought so far.
#[derive(Debug)]
pub struct Patience {
    /// Whether there is a CPU beside the one that is looked on.
    has_room: bool,
    /// Waits that go by without a look after one in vain.
    pause: u32,
    /// How many of them are left.
    left: u32,
}

impl Patience {
    /// Of a tracer that has waited for nothing yet.
    pub fn new() -> Self {
        let has_room = available_parallelism().map_or(1, NonZero::get) > 1;
        Self { has_room, pause: 0, left: 0 }
    }

    /// What `look` finds in a while; `None` where it finds nothing, or where there is no sense in looking now.
    pub fn look_for<T>(&mut self, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        if !self.has_room || self.left > 0 {
            self.left = self.left.saturating_sub(1);
            return None;
        }
        let until = Instant::now() + LOOK;
        let found = loop {
            let found = look();
            if found.is_some() || Instant::now() >= until {
                break found;
            }
        };
        self.learn(found.is_some());
        found
    }

    /// Each look in vain doubles the pause, and each that is not halves it.
    fn learn(&mut self, found: bool) {
        self.pause = if found { self.pause / 2 } else { (self.pause * 2 + 1).min(MOST) };
        self.left = if found { 0 } else { self.pause };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_in_vain_become_rare_and_one_that_finds_something_ends_that() {
        let mut patience = Patience { has_room: true, pause: 0, left: 0 };
        let mut looks = 0;
        for _ in 0..2000 {
            let mut is_first = true;
            patience.look_for(|| {
                looks += u32::from(std::mem::take(&mut is_first));
                None::<()>
            });
        }
        assert!((8..20).contains(&looks), "{looks} looks");
        let mut waits = 0;
        while patience.look_for(|| Some(())).is_none() || patience.left > 0 {
            waits += 1;
        }
        assert!(waits <= MOST);
        (0..10).for_each(|_| patience.learn(true));
        assert_eq!(patience.pause, 0);
    }

    #[test]
    fn with_one_cpu_nothing_is_looked_for() {
        let mut patience = Patience { has_room: false, pause: 0, left: 0 };
        assert_eq!(patience.look_for(|| Some(())), None);
    }
}
