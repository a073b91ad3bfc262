//! By how much the clock of a log differs from that of a capture.
//!
//! A segment that is sent at once is sent while the call lasts that sends it. So each pair of a call and its segment bounds the
//! difference from both sides, and the difference in which most pairs agree is the one.

use std::collections::HashMap;

use super::matched::EndOf;
use super::scene::{Deed, Scene};
use super::wire::Flow;
use crate::event::Time;
use crate::socket::call::CallName;

/// How much later than the log has it a call may have ended, in nanoseconds: what strace takes to print its beginning, for which
/// with -yy it asks the kernel about sockets.
pub const PRINTING: i64 = 1_000_000;

/// What the pairs say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offset {
    /// What is to be put on the log's times, in nanoseconds.
    pub nanos: i64,
    /// How many pairs agree.
    pub agree: usize,
    /// How many pairs there are.
    pub pairs: usize,
}

/// The difference of the clocks.
pub fn offset(scene: &Scene, flows: &[Flow], ends: &HashMap<usize, EndOf>) -> Offset {
    of_bounds(&bounds(scene, flows, ends))
}

/// From where to where the difference lies by each pair.
fn bounds(scene: &Scene, flows: &[Flow], ends: &HashMap<usize, EndOf>) -> Vec<(i64, i64)> {
    let mut sent: HashMap<usize, u64> = HashMap::new();
    let mut bounds = Vec::new();
    for deed in &scene.deeds {
        let Some((socket, &(place, side))) = deed.socket.and_then(|socket| Some((socket, ends.get(&socket)?))) else {
            continue;
        };
        let flow = &flows[place];
        let at = match deed.call.name {
            CallName::Connect if !sent.contains_key(&socket) => {
                sent.insert(socket, 0);
                flow.syn
            }
            name if name.sends() => {
                let count = deed.end.as_ref().and_then(|end| end.outcome.count()).unwrap_or(0);
                let before = sent.entry(socket).or_default();
                let offset = *before;
                *before = before.saturating_add(count);
                flow.streams[side].sent(offset).filter(|_| count > 0)
            }
            _ => None,
        };
        bounds.extend(at.and_then(|at| bound(deed, at)));
    }
    bounds
}

fn bound(deed: &Deed, at: Time) -> Option<(i64, i64)> {
    let end = deed.end.as_ref()?;
    let latest = end.at.0.saturating_add(PRINTING);
    let latest = end.until.map_or(latest, |until| until.0.clamp(end.at.0, latest));
    Some((at.0.saturating_sub(latest), at.since(deed.begun)))
}

/// The middle of where most agree; 0 where nearly as many agree on that.
fn of_bounds(bounds: &[(i64, i64)]) -> Offset {
    let pairs = bounds.len();
    let with = |nanos: i64| bounds.iter().filter(|(low, high)| (*low..=*high).contains(&nanos)).count();
    let mut edges: Vec<(i64, i32)> = bounds.iter().flat_map(|(low, high)| [(*low, -1), (*high, 1)]).collect();
    edges.sort_unstable();
    let (mut open, mut most, mut best) = (0_usize, 0, (0, 0));
    for (index, (at, kind)) in edges.iter().enumerate() {
        if *kind > 0 {
            open = open.saturating_sub(1);
            continue;
        }
        open += 1;
        if open > most {
            most = open;
            best = (*at, edges.get(index + 1).map_or(*at, |(next, _)| *next));
        }
    }
    let same_clock = with(0);
    if same_clock * 10 >= most * 9 {
        return Offset { nanos: 0, agree: same_clock, pairs };
    }
    let nanos = best.0.saturating_add(best.1.saturating_sub(best.0) / 2);
    Offset { nanos, agree: most, pairs }
}

impl Offset {
    /// What is to be said of it, as a fact of the run.
    pub fn fact(self) -> String {
        let Self { nanos, agree, pairs } = self;
        let calls = if pairs == 1 { "call" } else { "calls" };
        match (pairs, nanos) {
            (0, _) => {
                "unknown: no call could be paired with its segment, so that the clocks are taken as one".to_owned()
            }
            (_, 0) => format!("0 s: {agree} of {pairs} {calls} last while their segments are sent"),
            _ => format!(
                "{}{} s put on the calls' times: {agree} of {pairs} {calls} then last while their segments are sent",
                if nanos > 0 { "+" } else { "" },
                Time(nanos)
            ),
        }
    }

    /// Whether there is anything to warn of.
    pub const fn is_worth_telling(self) -> bool {
        self.pairs == 0 || self.nanos != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_pairs_decide_and_one_clock_is_preferred() {
        assert_eq!(of_bounds(&[]), Offset::default());
        let same = [(-10, 20), (-5, 5), (3, 9)];
        assert_eq!(of_bounds(&same).nanos, 4);
        assert_eq!(of_bounds(&[(-10, 20), (-5, 5), (-1, 9)]), Offset { nanos: 0, agree: 3, pairs: 3 });
        let other = [(990, 1010), (995, 1020), (0, 5), (1000, 1004)];
        assert_eq!(of_bounds(&other), Offset { nanos: 1002, agree: 3, pairs: 4 });
    }
}
