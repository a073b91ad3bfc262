//! Idle times that are one time: a limit.

/// So many connections of a kind are needed before a limit is said.
const FEWEST: usize = 5;

/// Times that lie so close together are one, as a share of the time, and in nanoseconds at the least: clocks of seconds
/// tick, and an answer takes its way.
const SPREAD: f64 = 0.02;
const SPREAD_AT_LEAST: i64 = 150_000_000;

/// A limit: how long, in nanoseconds, and which of the connections it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The middle of the times.
    pub idle: i64,
    /// The connections.
    pub connections: Vec<u64>,
}

/// The limit that ended most of `of` connections, if at least half of them lie at one of `times` (nanoseconds of silence, and
/// the connection), which are the longer ones of them.
pub fn limit(times: &[(i64, u64)], of: u64) -> Option<Limit> {
    let mut long = times.to_vec();
    long.sort_unstable();
    let (start, end) = densest(&long)?;
    let together = long.get(start..end)?;
    if together.len() < FEWEST || (together.len() as u64) * 2 < of {
        return None;
    }
    let idle = together.get(together.len() / 2)?.0;
    let mut connections: Vec<u64> = together.iter().map(|(_, id)| *id).collect();
    connections.sort_unstable();
    Some(Limit { idle, connections })
}

/// The run of `sorted` times with the most members that lie close together.
fn densest(sorted: &[(i64, u64)]) -> Option<(usize, usize)> {
    let mut best = (0, 0);
    let mut end = 0;
    for (start, (from, _)) in sorted.iter().enumerate() {
        while sorted.get(end).is_some_and(|(idle, _)| idle - from <= spread(*from)) {
            end += 1;
        }
        if end - start > best.1 - best.0 {
            best = (start, end);
        }
    }
    (best.1 > best.0).then_some(best)
}

fn spread(idle: i64) -> i64 {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a tolerance need not be exact")]
    let share = (idle as f64 * SPREAD) as i64;
    share.max(SPREAD_AT_LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn at(seconds: &[i64]) -> Vec<(i64, u64)> {
        seconds.iter().zip(0..).map(|(seconds, id)| (seconds * SECOND, id)).collect()
    }

    #[test]
    fn equal_times_are_a_limit_and_scattered_ones_are_none() {
        let limit_of = |seconds: &[i64]| {
            limit(&at(seconds), seconds.len() as u64).map(|limit| (limit.idle / SECOND, limit.connections))
        };
        assert_eq!(limit_of(&[60, 3, 60, 60, 61, 60, 0]), Some((60, vec![0, 2, 3, 4, 5])));
        assert_eq!(limit_of(&[60, 60, 60, 60]), None, "too few");
        assert_eq!(limit_of(&[5, 10, 20, 40, 80, 160, 320]), None);
        assert_eq!(limit_of(&[60, 60, 60, 60, 60, 1, 9, 17, 25, 33, 41]), None, "fewer than half");
        assert_eq!(limit_of(&[]), None);
    }
}
