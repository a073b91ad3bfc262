//! The rules for a segment in its own direction, in Wireshark's order, and the one for what it acknowledges.

use super::facts::Facts;
use super::finding::{Finding, Findings};
use super::flow::{Flow, Seen};
use crate::tcp::seq::SeqNum;

/// Probe, window, gap and acknowledgement: what a segment is by its place behind `fwd`, its own direction, and by `rev`.
pub fn forward(seen: &Seen, fwd: &mut Flow, rev: &mut Flow) -> Findings {
    if seen.len == 1 && seen.seq == fwd.next && rev.window == 0 {
        return Finding::ZeroWindowProbe.into();
    }
    let found = place(seen, fwd, rev);
    let answers_keep_alive = rev.facts.has(Facts::KEEP_ALIVE);
    let answers_probe = rev.facts.has(Facts::PROBE);
    let is_bare = seen.len == 0 && !seen.is_control() && seen.seq == fwd.next;
    let repeats_window = is_bare && seen.window == fwd.window;
    let repeats_ack = seen.ack == fwd.last_ack;
    if repeats_window && seen.window != 0 && repeats_ack && answers_keep_alive {
        found.with(Finding::KeepAliveAck.into())
    } else if repeats_window && seen.window == 0 && answers_probe && (repeats_ack || takes_probe(seen, fwd)) {
        if !repeats_ack {
            rev.next = seen.ack;
            rev.seen_until = seen.ack;
        }
        found.with(Finding::ZeroWindowProbeAck.into())
    } else if repeats_window && seen.window != 0 && repeats_ack {
        fwd.duplicate_acks = fwd.duplicate_acks.saturating_add(1);
        found.with(Finding::DuplicateAck.into())
    } else {
        found
    }
}

/// The rules that do not exclude each other.
fn place(seen: &Seen, fwd: &Flow, rev: &Flow) -> Findings {
    let next_known = fwd.next != SeqNum::default();
    let is_data_or_ack = !seen.is_control();
    let bare_at_next = seen.len == 0 && seen.seq == fwd.next;
    let rules = [
        (Finding::ZeroWindow, is_data_or_ack && seen.window == 0),
        (Finding::LostSegment, next_known && fwd.next.is_before(seen.seq) && !seen.flags.rst()),
        (Finding::KeepAlive, is_data_or_ack && seen.len <= 1 && seen.seq + 1 == fwd.next),
        (
            Finding::WindowUpdate,
            is_data_or_ack && bare_at_next && seen.window != 0 && seen.window != fwd.window && seen.ack == fwd.last_ack,
        ),
        (Finding::WindowFull, is_data_or_ack && seen.len > 0 && rev.window_end() == Some(seen.end)),
    ];
    let held = rules.into_iter().filter(|(_, holds)| *holds);
    held.fold(Findings::default(), |found, (finding, _)| found.with(finding.into()))
}

/// Whether the receiver has taken the byte of a zero-window probe.
fn takes_probe(seen: &Seen, fwd: &Flow) -> bool {
    seen.ack == fwd.last_ack + 1
}

/// Whether the segment acknowledges what was not captured; the other direction's limit moves to
/// what was captured of it, so that it is said again until a segment that reaches so far is seen.
pub fn acknowledged_unseen(seen: &Seen, fwd: &Flow, rev: &mut Flow) -> Findings {
    let known = rev.seen_until != SeqNum::default();
    if !known || !seen.flags.ack() || !rev.seen_until.is_before(seen.ack) {
        return Findings::default();
    }
    if takes_probe(seen, fwd) && seen.seq == fwd.next && rev.facts.has(Facts::PROBE) {
        rev.next = seen.ack;
        rev.seen_until = seen.ack;
        return Finding::WindowUpdate.into();
    }
    rev.seen_until = rev.next;
    Finding::AckLostSegment.into()
}
