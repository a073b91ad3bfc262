//! Looks at the kernel's own table of sockets while programs run.
//!
//! A program that runs does not hold still for a look, so that one alone may show what a segment beside it has just changed. A
//! connection never comes back to a state that it has left: one that two looks show has held all the time between them. Only
//! what two show alike is told, with a time between the two. A queue may have grown and shrunk meanwhile.

use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

use crate::event::{Sample, Time};
use crate::source::clock;
use crate::source::sockdiag::{Ends, SockDiag, SockDiagError, Table};

/// How long it is from one look to the next at least.
const PAUSE: Duration = Duration::from_millis(250);

/// All looks together take at most this part of a processor's time: the table may be long.
const SHARE: u32 = 200;

/// How far before the second look the time of what both show is at most, in nanoseconds. Events are held back for longer.
const BACK: i64 = 100_000_000;

/// How long [`steady`] waits between its looks, and for how long in all.
const STEP: Duration = Duration::from_millis(5);
const STEADY: Duration = Duration::from_millis(50);

/// A look, and when it was over.
#[derive(Clone, Debug)]
struct Look {
    over: Time,
    table: Table,
}

/// The looks so far.
#[derive(Debug)]
pub struct Looks {
    /// What was told last of each end that was found.
    told: Table,
    last: Option<Look>,
    /// Whether the next look may show something new.
    stirred: bool,
    due: Instant,
}

impl Looks {
    /// None so far.
    pub fn new() -> Self {
        Self { told: Table::new(), last: None, stirred: false, due: Instant::now() }
    }

    /// Something has happened, after which the table may be another.
    pub const fn stir(&mut self) {
        self.stirred = true;
    }

    /// Whether something has happened since the last look, and whether it is time for another.
    pub fn is_due(&self) -> bool {
        self.stirred && Instant::now() >= self.due
    }

    /// Looks now; what is to be told of the ends that `is_ours` wants.
    pub fn look(
        &mut self,
        diag: &mut SockDiag,
        is_ours: impl Fn(&Ends) -> bool,
    ) -> Result<Vec<(Time, Sample)>, SockDiagError> {
        let (began, start) = (clock::now(), own_time());
        let mut table = diag.dump_both()?;
        self.due = Instant::now() + PAUSE.max(own_time().saturating_sub(start) * SHARE);
        table.retain(|ends, _| is_ours(ends));
        Ok(self.take(began, clock::now(), table))
    }

    /// Takes in a look that lasted from `began` to `over`.
    fn take(&mut self, began: Time, over: Time, table: Table) -> Vec<(Time, Sample)> {
        let Some(last) = self.last.take() else {
            self.last = Some(Look { over, table });
            return Vec::new();
        };
        self.stirred = last.table != table;
        let gone = |ends: &Ends| !last.table.contains_key(ends) && !table.contains_key(ends);
        let gone: Vec<Ends> = self.told.keys().copied().filter(gone).collect();
        let alike = common(&last.table, &table);
        self.last = Some(Look { over, table });
        self.tell(between(last.over, began), &alike, &gone)
    }

    /// What is to be told of a table that was steady at `time`, and was looked at by somebody else.
    pub fn take_steady(&mut self, time: Time, table: &Table, is_ours: impl Fn(&Ends) -> bool) -> Vec<(Time, Sample)> {
        let mut ours = table.clone();
        ours.retain(|ends, _| is_ours(ends));
        let samples = self.tell(time, &ours, &[]);
        // What an earlier look showed is older than this.
        self.last = Some(Look { over: time, table: ours });
        samples
    }

    fn tell(&mut self, time: Time, found: &Table, gone: &[Ends]) -> Vec<(Time, Sample)> {
        let changed = found.iter().filter(|(ends, sample)| self.told.get(ends) != Some(sample));
        let changed = changed.map(|(ends, sample)| (*ends, Some(*sample)));
        let samples: Vec<_> = gone.iter().map(|ends| (*ends, None)).chain(changed).collect();
        for (ends, socket) in &samples {
            match socket {
                Some(socket) => self.told.insert(*ends, *socket),
                None => self.told.remove(ends),
            };
        }
        let sample = |(Ends { local, remote }, socket)| (time, Sample { local, remote, socket });
        samples.into_iter().map(sample).collect()
    }
}

/// What the table shows in two looks in a row, once both are the same or it has gone on changing for a while, and a time
/// between the two.
pub fn steady() -> Result<(Time, Table), SockDiagError> {
    let mut diag = SockDiag::open()?;
    let until = Instant::now() + STEADY;
    let mut table = diag.dump_both()?;
    loop {
        let over = clock::now();
        // There is no event to wait for.
        std::thread::sleep(STEP);
        let began = clock::now();
        let next = diag.dump_both()?;
        if next == table || Instant::now() >= until {
            return Ok((between(over, began), common(&table, &next)));
        }
        table = next;
    }
}

fn common(one: &Table, other: &Table) -> Table {
    other.iter().filter(|(ends, sample)| one.get(ends) == Some(sample)).map(|(ends, sample)| (*ends, *sample)).collect()
}

/// The time that this thread has had of a processor: a look that waits for one costs nobody anything.
fn own_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// A time between the end of a look and the beginning of the next.
fn between(over: Time, began: Time) -> Time {
    Time(began.0 - (began.since(over) / 2).clamp(0, BACK))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::SocketSample;
    use crate::tcp::state::State;

    fn ends(port: u16) -> Ends {
        Ends { local: ([127, 0, 0, 1], port).into(), remote: ([127, 0, 0, 1], 80).into() }
    }

    fn table(sockets: &[(u16, State, u32)]) -> Table {
        let sample = |(port, state, unread): &(u16, State, u32)| {
            (ends(*port), SocketSample { state: *state, unread: *unread, unacknowledged: 0, orphan: false })
        };
        sockets.iter().map(sample).collect()
    }

    /// What is told of looks that take a nanosecond each, a hundred apart.
    fn told(looks: &mut Looks, tables: &[Table]) -> Vec<(i64, u16, Option<State>)> {
        let mut told = Vec::new();
        for (index, table) in (0_i64..).zip(tables) {
            let samples = looks.take(Time(index * 100), Time(index * 100 + 1), table.clone());
            let short = |(time, sample): (Time, Sample)| {
                (time.0, sample.local.port(), sample.socket.map(|socket| socket.state))
            };
            told.extend(samples.into_iter().map(short));
        }
        told
    }

    #[test]
    fn what_one_look_shows_is_not_told_and_what_two_show_alike_is() {
        let established = table(&[(1, State::Established, 0)]);
        let waits = table(&[(1, State::CloseWait, 1)]);
        let mut looks = Looks::new();
        let seen = [established.clone(), waits.clone(), established.clone(), waits.clone(), waits.clone(), waits];
        assert_eq!(told(&mut looks, &seen), [(351, 1, Some(State::CloseWait))]);
        assert!(!looks.stirred);
    }

    #[test]
    fn queues_that_change_are_not_told_before_they_rest() {
        let unread = |unread| table(&[(1, State::Established, unread)]);
        let seen = [unread(1), unread(2), unread(3), unread(3)];
        assert_eq!(told(&mut Looks::new(), &seen), [(251, 1, Some(State::Established))]);
    }

    #[test]
    fn what_was_told_and_is_in_neither_of_two_looks_is_gone() {
        let (there, empty) = (table(&[(1, State::Established, 0)]), Table::new());
        let seen = [there.clone(), there.clone(), empty.clone(), there, empty.clone(), empty.clone(), empty];
        assert_eq!(told(&mut Looks::new(), &seen), [(51, 1, Some(State::Established)), (451, 1, None)]);
    }

    #[test]
    fn what_somebody_else_saw_is_told_once() {
        let waits = table(&[(1, State::CloseWait, 0), (2, State::CloseWait, 0)]);
        let mut looks = Looks::new();
        let ours = |one: &Ends| *one == ends(1);
        assert_eq!(looks.take_steady(Time(7), &waits, ours).len(), 1);
        assert_eq!(looks.take_steady(Time(8), &waits, ours), []);
        assert_eq!(
            told(&mut looks, &[table(&[(1, State::CloseWait, 0)]), Table::new(), Table::new()]),
            [(151, 1, None)]
        );
    }

    #[test]
    fn an_earlier_look_that_did_not_show_it_does_not_make_it_gone() {
        let mut looks = Looks::new();
        assert_eq!(told(&mut looks, &[Table::new()]), []);
        looks.take_steady(Time(90), &table(&[(1, State::CloseWait, 0)]), |_| true);
        let samples = looks.take(Time(100), Time(101), Table::new());
        assert_eq!(samples, []);
        assert_eq!(looks.take(Time(200), Time(201), Table::new()).len(), 1);
    }

    #[test]
    fn a_look_is_told_with_a_time_that_events_are_still_held_back_for() {
        assert_eq!(between(Time(0), Time(10)), Time(5));
        assert_eq!(between(Time(0), Time(1_000_000_000)), Time(900_000_000));
        assert_eq!(between(Time(10), Time(0)), Time(0));
    }
}
