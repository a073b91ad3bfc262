//! The bytes account: what was sent, acknowledged and read in each direction, and what was lost.

use foldhash::HashMap;

use super::connection::Connection;
use super::end::End;
use super::journal::Journal;
use super::origin::Origin;
use super::side::{Both, Side};
use super::track::{Record, Track};
use crate::event::{ConnectionId, Event, EventId, What};
use crate::tcp::seq::SeqNum;
use crate::tcp::state::State;

/// One direction's bytes, named after its sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Direction {
    /// What the sender's calls returned; without calls, the bytes seen.
    pub sent: u64,
    /// What the peer's kernel acknowledged.
    pub acknowledged: u64,
    /// What the peer's program read, where its calls are known.
    pub read: Option<u64>,
    /// What was handed over as sent and can no longer be read by anyone.
    pub lost: u64,
    /// What may still arrive.
    pub on_the_way: u64,
}

/// What the fold counts for one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The sum of what the sender's calls returned.
    pub returned: u64,
    /// The sum of what the reader's calls returned, of this direction's bytes.
    pub read: u64,
}

/// What makes counts of calls and counts of numbers begin at the same byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shift {
    returned: i64,
    read: i64,
    seen: i64,
}

impl Shift {
    /// That of what `from` sends. Both count from the first byte that either end's known calls handed over or took; where the
    /// stream was known before, from its beginning.
    fn of(connection: &Connection, from: Side, sender: &End) -> Self {
        let peer = connection.peer_of(from);
        let (writer, reader) = (connection.origins[from].as_ref(), connection.origins[peer].as_ref());
        let Some(known) = writer.or(reader) else { return Self::default() };
        let Some(first) = sender.tcp.isn.map(|isn| isn + 1) else {
            let is_whole = sender.has_calls && writer.is_none();
            let unread = reader.filter(|_| !is_whole).map_or(0, |reader| i64::from(reader.unread));
            return Self { returned: unread, read: 0, seen: unread };
        };
        let after = |number: SeqNum| i64::from(first.distance_to(number));
        let written = writer.and_then(Origin::written_from).map(after);
        // Where nothing has come since, what was unread ends where the stream does.
        let last = |reader: &Origin| after(sender.tcp.snd_nxt) - i64::from(reader.unread);
        let unread = reader.map(|reader| reader.unread_from().map_or_else(|| last(reader), after));
        if known.is_in_a_known_stream {
            return Self { returned: written.unwrap_or(0), read: unread.unwrap_or(0), seen: 0 };
        }
        let nothing_yet = writer.map_or(0, |_| after(sender.tcp.snd_nxt));
        let zero = written.into_iter().chain(unread).min().unwrap_or(nothing_yet);
        Self { returned: written.unwrap_or(zero) - zero, read: unread.unwrap_or(zero) - zero, seen: -zero }
    }
}

fn shifted(count: u64, by: i64) -> u64 {
    count.saturating_add_signed(by)
}

/// What is counted of each event's connection just after it, in the order of ids. What a send took counts from its beginning
/// on, since its segments go out before it returns; what a read took counts from its end. `ends` has the end of each call.
pub(super) fn after_each(journal: &Journal, track: &Track, ends: &HashMap<EventId, EventId>) -> Vec<Both<Counts>> {
    let returned = |begun: &EventId| journal.get(*ends.get(begun)?)?.ended()?.1.count();
    let mut counts: HashMap<ConnectionId, Both<Counts>> = HashMap::default();
    let after = |(event, record): (&Event, &Record)| {
        let Some((id, connection)) = record.connection.and_then(|id| Some((id, track.connection(id)?))) else {
            return Both::default();
        };
        let counts = counts.entry(id).or_default();
        if let Some(side) = record.side.filter(|_| event.begun().is_some_and(|call| call.name.sends())) {
            counts[side].returned += returned(&event.id).unwrap_or(0);
        }
        let ended = event.ended().and_then(|(begun, outcome)| Some((journal.get(begun)?.begun()?, outcome)));
        if let Some(((call, outcome), side)) = ended.zip(record.side)
            && call.name.receives()
            && !call.has_flag("MSG_PEEK")
        {
            counts[connection.peer_of(side)].read += outcome.count().unwrap_or(0);
        }
        if let (What::Holds(_), Some(side)) = (&event.what, record.side) {
            let way = &mut counts[connection.peer_of(side)];
            let origin = connection.origins[side].as_ref().filter(|origin| origin.at == event.id);
            // Where no segments are seen, what others read before is what the peer's calls sent.
            let unseen = origin.filter(|origin| origin.unread_from().is_none());
            way.read += unseen.map_or(0, |origin| way.returned.saturating_sub(origin.unread.into()));
        }
        *counts
    };
    journal.events().iter().zip(track.records()).map(after).collect()
}

/// Both directions' account just after an event of `connection` with this `record`.
pub(super) fn both(connection: &Connection, counts: Both<Counts>, record: &Record) -> Both<Direction> {
    let way = |from: Side| {
        let (sender, reader) = (&record.ends[from], &record.ends[from.peer()]);
        direction(counts[from], Shift::of(connection, from, sender), sender, reader)
    };
    let server = if connection.is_with_itself() { Direction::default() } else { way(Side::Server) };
    Both { client: way(Side::Client), server }
}

/// One direction's account at a moment: `counts` by calls, what has to be added to them where an end's calls are known only
/// from a later moment on, and the two ends as they stood.
pub fn direction(counts: Counts, shift: Shift, sender: &End, reader: &End) -> Direction {
    let isn = sender.tcp.isn;
    let payload_before = |next: SeqNum| {
        let numbers = isn.map_or(0, |isn| u64::from(next.relative_to(isn)));
        let fin = u64::from(sender.tcp.fin().is_some_and(|fin| fin.is_before(next)));
        shifted(numbers.saturating_sub(1 + fin), shift.seen)
    };
    let seen = payload_before(sender.tcp.snd_nxt);
    let sent = if sender.has_calls { shifted(counts.returned, shift.returned) } else { seen };
    let acknowledged = payload_before(sender.tcp.snd_una).min(seen);
    let all_read = shifted(counts.read, shift.read);
    let read = reader.has_calls.then_some(all_read);
    let lost = lost(sent, acknowledged, read, sender, reader);
    // Without segments nothing is known to be acknowledged, and what was read has certainly come.
    let arrived = acknowledged.max(all_read);
    let on_the_way = sent.saturating_sub(arrived).saturating_sub(lost);
    Direction { sent, acknowledged: arrived.min(sent), read, lost, on_the_way }
}

/// What can no longer be read: what the reader's kernel had taken and its program left unread, once that program is gone; and
/// what was still under way, once the connection is. What a reader's kernel has acknowledged stays readable after a reset.
fn lost(sent: u64, acknowledged: u64, read: Option<u64>, sender: &End, reader: &End) -> u64 {
    let arrived = acknowledged.max(read.unwrap_or(0));
    let unread = read.filter(|_| !reader.has_program()).map_or(0, |read| arrived - read);
    // Of a reader whose acknowledgements were not captured, nobody knows what has arrived.
    let is_silent = !reader.tcp.was_seen() && sender.tcp.rcv_nxt.is_some();
    let is_known = !sender.tcp.was_seen() || !(is_silent || sender.tcp.is_flags_only());
    let under_way = if is_known && (died(sender) || died(reader)) { sent.saturating_sub(arrived) } else { 0 };
    unread + under_way
}

/// Whether the end's connection was reset. An orderly end closes without an error and without a reset's marks.
fn died(end: &End) -> bool {
    end.socket.state == State::Closed && end.socket.receive_shut && end.socket.send_shut
}

/// What became of the bytes of one send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fate {
    /// How many the kernel took.
    pub taken: u64,
    /// How many of them were acknowledged.
    pub acknowledged: u64,
    /// How many of them the peer's program read, where its calls are known.
    pub read: Option<u64>,
    /// How many of them nobody can read any more.
    pub lost: u64,
}

/// The fate of the `taken` bytes from offset `start` on, in a direction whose account is `way`: bytes are acknowledged and
/// read in order, so those lost are the last.
pub fn fate(start: u64, taken: u64, way: Direction) -> Fate {
    let before = |end: u64| end.saturating_sub(start).min(taken);
    let lost_from = way.sent.saturating_sub(way.lost);
    Fate {
        taken,
        acknowledged: before(way.acknowledged),
        read: way.read.map(before),
        lost: if way.lost > 0 { taken - before(lost_from) } else { 0 },
    }
}

/// Both directions in one line: `sent 10 · acknowledged 5 · read 5 · LOST 5 (send() said 5)`; one with nothing is left out.
pub fn line(both: &Both<Direction>) -> String {
    let one_way = both.server.sent == 0 || both.client.sent == 0;
    let parts = [("client", both.client), ("server", both.server)].into_iter().filter(|(_, way)| way.sent > 0);
    let text: Vec<String> =
        parts.map(|(name, way)| words(if one_way && name == "client" { "" } else { name }, way)).collect();
    if text.is_empty() { "none sent".to_owned() } else { text.join(" · ") }
}

fn words(name: &str, way: Direction) -> String {
    let mut parts = vec![format!("sent {}", way.sent)];
    // Where both directions share the line, what was read says what had to be acknowledged for it.
    let implied = way.on_the_way == way.sent || (!name.is_empty() && way.read == Some(way.acknowledged));
    if !implied && (way.acknowledged != way.sent || way.read.is_none()) {
        parts.push(format!("acknowledged {}", way.acknowledged));
    }
    // Where nothing has arrived, nothing can have been read.
    let read = way.read.filter(|_| way.acknowledged > 0);
    parts.extend(read.map(|read| format!("read {read}")));
    if way.on_the_way > 0 {
        parts.push(format!("on the way {}", way.on_the_way));
    }
    if way.lost > 0 {
        parts.push(format!("LOST {}", way.lost));
    }
    let name = if name.is_empty() { String::new() } else { format!("{name} ") };
    name + &parts.join(" · ")
}
