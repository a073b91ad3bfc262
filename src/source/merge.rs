//! Events from several sources, brought into one order.
//!
//! Each source is in order by itself and learns of things at its own pace. What comes is held back until somebody knows
//! that nothing earlier can come any more; then it is released in the order of time, with ids. What comes later than that
//! all the same stands behind and is marked late. At equal times the order of arrival decides, which keeps the capture's
//! own order.

use std::collections::HashMap;

use crate::event::{Actor, Event, EventId, Place, Stack, Time, What};
use crate::socket::call::{Call, Outcome};
use crate::tcp::segment::Segment;

/// A call whose end is still to come, as [`Merge::begun`] named it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(u64);

enum Held {
    Begun(Ticket, Call),
    Ended(Ticket, Outcome),
    Stack(Ticket, Vec<Place>, Option<String>),
    Other(What),
}

/// The events that are held back.
#[derive(Default)]
pub struct Merge {
    held: Vec<(Time, Option<Actor>, Held)>,
    tickets: u64,
    begun: HashMap<Ticket, EventId>,
    last_id: u64,
    released_up_to: Option<Time>,
}

impl Merge {
    /// Nothing held back, and no id given yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the beginning of a call.
    pub fn begun(&mut self, time: Time, actor: Actor, call: Call) -> Ticket {
        let ticket = Ticket(self.tickets);
        self.tickets += 1;
        self.held.push((time, Some(actor), Held::Begun(ticket, call)));
        ticket
    }

    /// Takes the end of the call that `ticket` names.
    pub fn ended(&mut self, time: Time, actor: Actor, ticket: Ticket, outcome: Outcome) {
        self.held.push((time, Some(actor), Held::Ended(ticket, outcome)));
    }

    /// Takes where the call that `ticket` names was made, and what of that is missing. To be told before its end.
    pub fn stood(&mut self, time: Time, actor: Actor, ticket: Ticket, places: Vec<Place>, missing: Option<String>) {
        self.held.push((time, Some(actor), Held::Stack(ticket, places, missing)));
    }

    /// Takes anything but a call.
    pub fn push(&mut self, time: Time, actor: Option<Actor>, what: What) {
        self.held.push((time, actor, Held::Other(what)));
    }

    /// Forgets the segments older than `time` that `is_wanted` does not want.
    pub fn forget_segments(&mut self, time: Time, mut is_wanted: impl FnMut(Time, &Segment) -> bool) {
        self.held.retain(|(at, _, held)| match held {
            Held::Other(What::Segment { segment, .. }) => *at >= time || is_wanted(*at, segment),
            _ => true,
        });
    }

    /// Gives out all that is held, in order.
    pub fn release(&mut self) -> Vec<Event> {
        let held = std::mem::take(&mut self.held);
        self.give_out(held)
    }

    /// Gives out what is held and older than `time`, in order.
    pub fn release_before(&mut self, time: Time) -> Vec<Event> {
        let (old, young) = std::mem::take(&mut self.held).into_iter().partition(|(at, ..)| *at < time);
        self.held = young;
        self.give_out(old)
    }

    fn give_out(&mut self, mut held: Vec<(Time, Option<Actor>, Held)>) -> Vec<Event> {
        held.sort_by_key(|(time, ..)| *time);
        let bound = self.released_up_to;
        self.released_up_to = held.last().map(|(time, ..)| *time).max(bound);
        held.into_iter()
            .filter_map(|(time, actor, held)| {
                let late = bound.is_some_and(|bound| time < bound);
                self.event(time, actor, late, held)
            })
            .collect()
    }

    /// An end without its beginning cannot be: a ticket exists only once the beginning was taken, and an end is never
    /// released before it, since both carry times of one process. Were the clock stepped back between them, the end
    /// waits for the next release.
    fn event(&mut self, time: Time, actor: Option<Actor>, late: bool, held: Held) -> Option<Event> {
        let id = EventId(self.last_id + 1);
        let what = match held {
            Held::Begun(ticket, call) => {
                self.begun.insert(ticket, id);
                What::Begun(call)
            }
            Held::Ended(ticket, outcome) => {
                let Some(begun) = self.begun.remove(&ticket) else {
                    self.held.push((time, actor, Held::Ended(ticket, outcome)));
                    return None;
                };
                What::Ended { begun, outcome }
            }
            Held::Stack(ticket, places, missing) => {
                let begun = *self.begun.get(&ticket)?;
                What::Stack(Stack { begun, places, missing })
            }
            Held::Other(what) => what,
        };
        self.last_id = id.0;
        Some(Event { id, time, actor, late, what })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::Gap;
    use crate::socket::call::CallName;

    fn gap(number: u64) -> What {
        What::Gap(Gap::Dropped(number))
    }

    #[test]
    fn a_recv_stands_after_the_send_that_woke_it() {
        let mut merge = Merge::new();
        let call = |name| Call::new(name, Vec::new());
        let recv = merge.begun(Time(1), Actor::new("server"), call(CallName::Recv));
        let send = merge.begun(Time(5), Actor::new("client"), call(CallName::Send));
        merge.ended(Time(9), Actor::new("client"), send, Outcome::success(5));
        merge.ended(Time(8), Actor::new("server"), recv, Outcome::success(5));
        merge.push(Time(6), None, gap(1));
        let events = merge.release();
        let times: Vec<i64> = events.iter().map(|event| event.time.0).collect();
        assert_eq!(times, [1, 5, 6, 8, 9]);
        let ends: Vec<u64> = events.iter().filter_map(|event| event.ended().map(|(begun, _)| begun.0)).collect();
        assert_eq!(ends, [1, 2]);
        assert!(events.iter().all(|event| !event.late));
    }

    #[test]
    fn what_comes_after_its_time_is_late() {
        let mut merge = Merge::new();
        merge.push(Time(5), None, gap(1));
        merge.release();
        merge.push(Time(7), None, gap(2));
        merge.push(Time(3), None, gap(3));
        let events = merge.release();
        assert_eq!(events.iter().map(|event| (event.time.0, event.late)).collect::<Vec<_>>(), [(3, true), (7, false)]);
    }

    #[test]
    fn what_is_young_is_held_back() {
        let mut merge = Merge::new();
        for time in [7, 3, 5] {
            merge.push(Time(time), None, gap(1));
        }
        let times = |events: Vec<Event>| events.iter().map(|event| event.time.0).collect::<Vec<_>>();
        assert_eq!(times(merge.release_before(Time(5))), [3]);
        merge.push(Time(6), None, gap(2));
        let rest = merge.release();
        assert!(rest.iter().all(|event| !event.late));
        assert_eq!(times(rest), [5, 6, 7]);
    }

    #[test]
    fn a_call_that_a_stepped_clock_ends_before_its_beginning_keeps_both() {
        let mut merge = Merge::new();
        let ticket = merge.begun(Time(9), Actor::new("client"), Call::new(CallName::Close, Vec::new()));
        merge.ended(Time(2), Actor::new("client"), ticket, Outcome::success(0));
        let mut events = merge.release();
        events.extend(merge.release());
        assert_eq!(events.len(), 2);
        assert_eq!(events[1].ended().map(|(begun, _)| begun), Some(EventId(1)));
        assert!(events[1].late);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_only_what_is_late_stands_out_of_order(
            batches in prop::collection::vec(prop::collection::vec(0_i64..50, 0..20), 0..6)
        ) {
            let mut merge = Merge::new();
            let mut number = 0;
            let mut events = Vec::new();
            for batch in &batches {
                for time in batch {
                    number += 1;
                    merge.push(Time(*time), None, gap(number));
                }
                events.extend(merge.release());
            }
            prop_assert_eq!(events.len() as u64, number);
            let ids: Vec<u64> = events.iter().map(|event| event.id.0).collect();
            prop_assert_eq!(ids, (1..=number).collect::<Vec<_>>());
            let mut newest = None;
            for event in &events {
                prop_assert_eq!(event.late, newest.is_some_and(|newest| event.time < newest) );
                newest = newest.max(Some(event.time));
            }
            let in_batch = |event: &Event| match event.what { What::Gap(Gap::Dropped(number)) => number, _ => 0 };
            for pair in events.windows(2) {
                if pair[0].time == pair[1].time && !pair[0].late && !pair[1].late {
                    prop_assert!(in_batch(&pair[0]) < in_batch(&pair[1]));
                }
            }
        }
    }
}
