//! From what was gathered of a server to what is said of it.

use std::net::SocketAddr;

use super::gather::{Ended, Few, Seen};
use super::idle::{Limit, limit};
use super::{EXAMPLES, Kind, Pattern};
use crate::story::side::Side;

/// So many are needed before something that a single connection shows too is called a pattern.
const FEWEST: u64 = 3;
/// So many resets are needed before it means something that all come from one side.
const FEWEST_RESETS: u64 = 10;

/// What is said of `server`.
pub fn patterns(server: SocketAddr, seen: &Seen) -> Vec<Pattern> {
    let limits: Vec<Pattern> = Side::BOTH.into_iter().flat_map(|side| limits(server, seen, side)).collect();
    let one_sided = if limits.is_empty() { one_sided(server, seen) } else { None };
    let others = [stale(server, seen), forgotten(server, seen), bystander(server, seen), lost(server, seen), one_sided];
    let connects = [refusals(server, seen), silent(server, seen)];
    let waiting = Side::BOTH.into_iter().filter_map(|side| waiting(server, seen, side));
    limits
        .into_iter()
        .chain(others.into_iter().flatten())
        .chain(connects.into_iter().flatten())
        .chain(waiting)
        .collect()
}

fn pattern(kind: Kind, server: SocketAddr, some: &Few, of: u64, sentence: String) -> Pattern {
    let examples = some.examples.clone();
    Pattern { kind, count: some.count, of, server, side: None, idle: None, lost: 0, examples, sentence }
}

/// `212 of 300`.
fn share(count: u64, of: u64) -> String {
    format!("{count} of {of}")
}

/// Resets, and ends in order, at one time after the last byte.
fn limits(server: SocketAddr, seen: &Seen, side: Side) -> Vec<Pattern> {
    let whose = if side == Side::Server { format!("at {server}") } else { format!("at clients of {server}") };
    let said = |limit: Limit, of: u64, what: &str| {
        let count = limit.connections.len() as u64;
        let seconds = seconds(limit.idle);
        Pattern {
            kind: Kind::IdleLimit,
            count,
            of,
            server,
            side: Some(side),
            idle: Some(limit.idle),
            lost: 0,
            examples: limit.connections.into_iter().take(EXAMPLES).collect(),
            sentence: format!(
                "{} {what} come {seconds} s after the last byte: an idle limit of {} s {whose}",
                share(count, of),
                rounded(limit.idle)
            ),
        }
    };
    let of = |ended: &Ended, what| limit(&ended.idle, ended.all.count).map(|limit| said(limit, ended.all.count, what));
    let by_reset = of(&seen.resets[side], "resets");
    let by_fin = of(&seen.fins[side], "FINs");
    by_reset.into_iter().chain(by_fin).collect()
}

/// Seconds with one decimal.
fn seconds(nanos: i64) -> String {
    let tenths = nanos.saturating_add(50_000_000) / 100_000_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Seconds, whole where they nearly are: a limit is usually set so.
fn rounded(nanos: i64) -> String {
    let whole = nanos.saturating_add(500_000_000) / 1_000_000_000;
    let off = (nanos - whole * 1_000_000_000).abs();
    if whole > 0 && off <= nanos / 50 { whole.to_string() } else { seconds(nanos) }
}

fn stale(server: SocketAddr, seen: &Seen) -> Option<Pattern> {
    let sentence = format!(
        "{} connections to {server} were used again after the server had closed them: the first send succeeds, the next fails",
        share(seen.stale.count, seen.all)
    );
    (seen.stale.count >= FEWEST).then(|| pattern(Kind::StaleReuse, server, &seen.stale, seen.all, sentence))
}

fn forgotten(server: SocketAddr, seen: &Seen) -> Option<Pattern> {
    let sentence = format!(
        "{} connections to {server} were answered, after a silence, by a host that knew nothing of them",
        share(seen.forgotten.count, seen.all)
    );
    (seen.forgotten.count >= FEWEST).then(|| pattern(Kind::Forgotten, server, &seen.forgotten, seen.all, sentence))
}

fn bystander(server: SocketAddr, seen: &Seen) -> Option<Pattern> {
    let resets = seen.resets.client.all.count + seen.resets.server.all.count;
    let sentence = format!(
        "{} resets in connections to {server} have another hop limit or IP identification than their sender's other packets: a \
         box between may have sent them",
        share(seen.bystander.count, resets.max(seen.bystander.count))
    );
    (seen.bystander.count >= FEWEST).then(|| pattern(Kind::BystanderResets, server, &seen.bystander, resets, sentence))
}

fn lost(server: SocketAddr, seen: &Seen) -> Option<Pattern> {
    let sentence = format!(
        "{} bytes were lost in {} connections to {server}: sent, and never acknowledged",
        seen.lost,
        share(seen.losing.count, seen.all)
    );
    (seen.losing.count >= FEWEST)
        .then(|| Pattern { lost: seen.lost, ..pattern(Kind::LostBytes, server, &seen.losing, seen.all, sentence) })
}

fn one_sided(server: SocketAddr, seen: &Seen) -> Option<Pattern> {
    let (client, its) = (&seen.resets.client.all, &seen.resets.server.all);
    let (side, some) = match (client.count, its.count) {
        (0, count) if count >= FEWEST_RESETS => (Side::Server, its),
        (count, 0) if count >= FEWEST_RESETS => (Side::Client, client),
        _ => return None,
    };
    let by = if side == Side::Server { "by the server" } else { "by its clients" };
    let sentence = format!("all {} resets in connections to {server} are sent {by}", some.count);
    Some(Pattern { side: Some(side), ..pattern(Kind::OneSidedResets, server, some, some.count, sentence) })
}

fn refusals(server: SocketAddr, seen: &Seen) -> Option<Pattern> {
    let sentence = format!("{} connects to {server} were refused", share(seen.refused.count, seen.all));
    (seen.refused.count >= FEWEST).then(|| pattern(Kind::Refusals, server, &seen.refused, seen.all, sentence))
}

fn silent(server: SocketAddr, seen: &Seen) -> Option<Pattern> {
    let sentence = format!("{} connects to {server} were never answered", share(seen.unanswered.count, seen.all));
    (seen.unanswered.count >= FEWEST).then(|| pattern(Kind::SilentSyns, server, &seen.unanswered, seen.all, sentence))
}

fn waiting(server: SocketAddr, seen: &Seen, side: Side) -> Option<Pattern> {
    let some = &seen.waiting[side];
    let whose = if side == Side::Server { format!("{server}") } else { format!("clients of {server}") };
    let sentence = format!(
        "{} connections wait in CLOSE-WAIT at {whose}, for up to {} s when the capture ended: their peer has closed, and nobody \
         closed them",
        share(some.count, seen.all),
        seconds(seen.waits[side])
    );
    (some.count >= FEWEST).then(|| Pattern {
        side: Some(side),
        idle: Some(seen.waits[side]),
        ..pattern(Kind::CloseWait, server, some, seen.all, sentence)
    })
}
