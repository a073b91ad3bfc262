//! The two clocks, read together.
//!
//! Captured frames carry `CLOCK_REALTIME`, so calls are stamped with it too. A step of that clock would put calls and
//! frames in a wrong order; it shows as a change of its distance to `CLOCK_MONOTONIC`. (A slew shows in both alike.)

use nix::time::{ClockId, clock_gettime};

use crate::event::Time;

/// The clocks at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// `CLOCK_REALTIME`.
    pub real: Time,
    /// `CLOCK_MONOTONIC` in nanoseconds.
    pub monotonic: i64,
}

/// How far the distance of the clocks may seem to move without a step, in nanoseconds. Reading one after the other
/// takes 0.05 µs, and up to 70 µs where the reader is preempted in between; the narrowest of [`READS`] reads stays below
/// this in practice.
const TOLERANCE: i64 = 5_000;

/// How often the clocks are read for one reading.
const READS: usize = 5;

/// Reads both clocks: of several reads the one whose two monotonic readings lie closest together.
pub fn read() -> Reading {
    let mut best = read_once();
    for _ in 1..READS {
        let next = read_once();
        if next.1 < best.1 {
            best = next;
        }
    }
    best.0
}

/// One reading, and how long it took.
fn read_once() -> (Reading, i64) {
    let before = nanoseconds(ClockId::CLOCK_MONOTONIC);
    let real = nanoseconds(ClockId::CLOCK_REALTIME);
    let width = nanoseconds(ClockId::CLOCK_MONOTONIC) - before;
    (Reading { real: Time(real), monotonic: before + width / 2 }, width)
}

/// The wall clock alone.
pub fn now() -> Time {
    Time(nanoseconds(ClockId::CLOCK_REALTIME))
}

/// Both clocks exist on every Linux, so that reading them cannot fail; were it to, 0 would show as a step.
fn nanoseconds(clock: ClockId) -> i64 {
    clock_gettime(clock).map_or(0, |time| time.tv_sec() * 1_000_000_000 + time.tv_nsec())
}

/// Watches for steps of the wall clock.
#[derive(Clone, Copy, Debug)]
pub struct StepWatch {
    distance: i64,
}

impl StepWatch {
    /// A watch that starts at `reading`.
    pub const fn new(reading: Reading) -> Self {
        Self { distance: reading.real.0 - reading.monotonic }
    }

    /// By how many nanoseconds the wall clock was stepped since the last reading, if it was.
    pub const fn step(&mut self, reading: Reading) -> Option<i64> {
        let distance = reading.real.0 - reading.monotonic;
        let moved = distance - self.distance;
        if moved.abs() <= TOLERANCE {
            return None;
        }
        self.distance = distance;
        Some(moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_told_once() {
        let at = |real, monotonic| Reading { real: Time(real), monotonic };
        let mut watch = StepWatch::new(at(1_000_000, 0));
        assert_eq!(watch.step(at(1_100_000, 99_000)), None);
        assert_eq!(watch.step(at(2_000_000, 200_000)), Some(800_000));
        assert_eq!(watch.step(at(2_100_000, 300_000)), None);
    }

    #[test]
    fn readings_go_forward() {
        let first = read();
        let second = read();
        assert!(second.monotonic >= first.monotonic);
    }
}
