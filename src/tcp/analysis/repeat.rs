//! The rules for a segment that does not move its direction on: sent again, or overtaken.

use super::facts::Facts;
use super::finding::{Finding, Findings};
use super::flow::{Flow, Seen};
use crate::tcp::seq::SeqNum;

/// How soon after the last acknowledgement a repetition counts as fast, in nanoseconds.
const FAST: i64 = 20_000_000;
/// How late a segment may be that was overtaken, in nanoseconds, where the round-trip time is not known.
const OVERTAKEN: i64 = 3_000_000;

/// What a segment is that repeats numbers. `found` is what was found before, `initial_rtt` in nanoseconds, 0 where not known.
pub fn repeat(seen: &Seen, fwd: &Flow, rev: &Flow, found: Findings, initial_rtt: i64) -> Findings {
    if seen.len + seen.control_len() == 0 || found.has(Finding::KeepAlive) {
        return Findings::default();
    }
    let unknown = SeqNum::default();
    if seen.len > 0 && rev.last_ack != unknown && seen.end.is_at_or_before(rev.last_ack) {
        return Findings::from(Finding::SpuriousRetransmission).with(Finding::Retransmission.into());
    }
    // New data that begins one number early takes a zero-window probe's byte along.
    let follows_probe = seen.len > 1 && seen.seq + 1 == fwd.next;
    if fwd.next == unknown || !seen.seq.is_before(fwd.next) || follows_probe {
        return Findings::default();
    }
    let since_ack = seen.time.saturating_sub(rev.last_ack_time).max(0);
    if since_ack < FAST && was_asked_for(seen, fwd, rev) {
        return Findings::from(Finding::FastRetransmission).with(Finding::Retransmission.into());
    }
    let limit = if initial_rtt == 0 { OVERTAKEN } else { initial_rtt };
    let since_next = seen.time.saturating_sub(fwd.next_time).max(0);
    if since_next < limit && was_overtaken(seen, fwd) {
        return Finding::OutOfOrder.into();
    }
    Finding::Retransmission.into()
}

/// Whether duplicate acknowledgements ask for the segment: by their number, or by a SACK option that leaves it out.
fn was_asked_for(seen: &Seen, fwd: &Flow, rev: &Flow) -> bool {
    rev.duplicate_acks >= 2 && (rev.last_ack == seen.seq || fwd.flight.is_left_out(seen.seq, seen.end))
}

/// Whether the segment was not seen before, and does not end where all that was sent ends (unless a bare ACK came last).
fn was_overtaken(seen: &Seen, fwd: &Flow) -> bool {
    let is_new = !fwd.flight.holds(seen.seq, seen.end + seen.control_len());
    is_new && (fwd.next != seen.end + seen.control_len() || !fwd.facts.has(Facts::MOVED_BY_DATA))
}
