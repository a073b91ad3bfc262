//! One run told as what it was: connections with both ends' states, causes with their evidence, what became of each byte,
//! the verdict, a why for every row, and what each call would return next.
//!
//! A story is a function of its events alone: live, replayed and scrubbed back it is made by the same code, by applying the
//! same events in the same order. Nothing here does I/O.

pub mod account;
pub mod alone;
mod analysis;
mod because;
mod beside;
pub mod cause;
pub mod connection;
pub mod copies;
mod correlate;
mod descriptors;
pub mod drawing;
pub mod end;
pub mod ending;
mod explain;
pub mod findings;
pub mod foretold;
pub mod journal;
mod ladder;
pub mod leak;
mod lookups;
pub mod marks;
mod next;
pub mod origin;
pub mod rows;
pub mod side;
mod spans;
pub mod stack;
mod standing;
pub mod telling;
mod text;
pub mod track;
pub mod verdict;

use std::sync::OnceLock;

use foldhash::{HashMap, HashSet};

use account::{Counts, Direction, Fate};
use analysis::Analysed;
use cause::Cause;
use connection::Connection;
use findings::Found;
use foretold::{Ahead, Foretold};
use journal::{Journal, OutOfOrder};
use lookups::{refused, repeats, samples, segments_by_cause};
use rows::Row;
use side::{Both, Side};
use telling::{Next, Standing, Verdict, Why};
use track::{Connects, Record, Track};

use crate::event::{Actor, ConnectionId, Event, EventId, FrameNo, Gap, Run, What};
use crate::socket::call::{Call, CallName, Outcome};
use crate::tcp::analysis::{Completeness, Finding, Findings};
use crate::tcp::rule::Rule;
use crate::tcp::state::State;

/// A run, told.
#[derive(Clone, Debug)]
pub struct Story {
    journal: Journal,
    track: Track,
    causes: HashMap<EventId, Cause>,
    /// The segments that each event caused, rising.
    segments: HashMap<EventId, Vec<EventId>>,
    /// The end of each call, by its beginning.
    ends: HashMap<EventId, EventId>,
    /// What the bytes account of each event's connection rests on, just after it.
    counts: Vec<Both<Counts>>,
    /// The earlier segment whose bytes a segment repeats.
    repeats: HashMap<EventId, EventId>,
    /// The segments that were sent again later, and so are presumed not to have arrived.
    repeated: HashSet<EventId>,
    /// The data that a reset answered: no program could take it.
    refused: HashSet<EventId>,
    /// What the kernel said of each end, rising.
    samples: HashMap<(ConnectionId, Side), Vec<EventId>>,
    /// What Wireshark finds of the segments.
    analysed: Analysed,
    /// Whether the run has no capture.
    blind: bool,
    /// Without one: the call after which nothing is foretold.
    dark_from: Option<EventId>,
    /// What the programs did wrong, once it was asked for.
    found: OnceLock<Found>,
}

impl Story {
    /// The story of a whole journal.
    pub fn tell(journal: Journal) -> Self {
        let blind = journal.events().iter().any(|event| matches!(event.what, What::Gap(Gap::NoCapture(_))));
        let mut track = Track::new(blind, Connects::of(&journal), journal.events().len());
        let mut ends = HashMap::default();
        for event in journal.events() {
            track.apply(&journal, event);
            if let Some((begun, _)) = event.ended() {
                ends.insert(begun, event.id);
            }
        }
        let causes = correlate::correlate(&journal, &track).into_iter().map(|cause| (cause.effect, cause)).collect();
        let segments = segments_by_cause(&journal, &causes);
        let counts = account::after_each(&journal, &track, &ends);
        let repeats = repeats(&journal, &causes);
        let repeated = repeats.values().copied().collect();
        let refused = refused(&journal, &causes);
        let samples = samples(&journal, &track);
        let analysed = analysis::analyse(&journal, &track);
        let dark_from = if blind { foretold::dark_from(&journal) } else { None };
        Self {
            journal,
            track,
            causes,
            segments,
            ends,
            counts,
            repeats,
            repeated,
            refused,
            samples,
            analysed,
            blind,
            dark_from,
            found: OnceLock::new(),
        }
    }

    /// A story of `run` in which nothing has happened yet.
    pub fn new(run: Run) -> Self {
        Self::tell(Journal::new(run))
    }

    /// The story with these events more. A later event can settle what caused an earlier one, so the causes are drawn anew.
    pub fn extend(&mut self, events: impl IntoIterator<Item = Event>) -> Result<(), OutOfOrder> {
        let mut journal = std::mem::take(&mut self.journal);
        let result = events.into_iter().try_for_each(|event| journal.append(event));
        *self = Self::tell(journal);
        result
    }

    /// The events.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The connections, in the order of their numbers.
    pub fn connections(&self) -> &[Connection] {
        self.track.connections()
    }

    /// The connection called `id`.
    pub fn connection(&self, id: ConnectionId) -> Option<&Connection> {
        self.track.connection(id)
    }

    /// What is known of the event `id` beside itself.
    pub fn record(&self, id: EventId) -> Option<&Record> {
        self.track.record(id)
    }

    /// What the event `id` came from.
    pub fn cause(&self, id: EventId) -> Option<&Cause> {
        self.causes.get(&id)
    }

    /// What the outlook said of the call that began with the event `id`, and whether it came so.
    pub fn foretold(&self, id: EventId) -> Option<Foretold> {
        self.journal.get(id).and_then(|begun| foretold::foretold(self, begun))
    }

    /// What the outlook says of `call` if `actor` made it now, and at which end that would be, where this is known.
    pub fn ahead(&self, actor: &Actor, call: &Call) -> Ahead {
        foretold::ahead(self, actor, call)
    }

    /// What the programs did wrong, in the order of connections and kinds; looked for when it is first asked for.
    pub fn findings(&self) -> &[findings::Finding] {
        &self.found().all
    }

    fn found(&self) -> &Found {
        self.found.get_or_init(|| Found::of(self))
    }

    /// The segments that the event `id` caused, rising.
    pub fn segments_of(&self, id: EventId) -> &[EventId] {
        self.segments.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The call that began at `begun`, with its outcome if it has ended.
    pub fn call(&self, begun: EventId) -> Option<(&Call, Option<&Outcome>)> {
        let call = self.journal.get(begun)?.begun()?;
        let end = self.ends.get(&begun).and_then(|end| self.journal.get(*end)?.ended());
        Some((call, end.map(|(_, outcome)| outcome)))
    }

    /// The event in which the call that began at `begun` ended.
    pub fn end_of(&self, begun: EventId) -> Option<EventId> {
        self.ends.get(&begun).copied()
    }

    /// The last event of `connection` at or before `at`.
    fn latest(&self, connection: ConnectionId, at: EventId) -> Option<EventId> {
        let events = &self.connection(connection)?.events;
        let after = events.partition_point(|event| *event <= at);
        events.get(after.checked_sub(1)?).copied()
    }

    /// The bytes account of `connection` just after the event `at`.
    pub fn account(&self, connection: ConnectionId, at: EventId) -> Both<Direction> {
        let account = || {
            let id = self.latest(connection, at)?;
            let counts = self.counts.get(usize::try_from(id.0).ok()?.checked_sub(1)?)?;
            Some(account::both(self.connection(connection)?, *counts, self.record(id)?))
        };
        account().unwrap_or_default()
    }

    /// What became, in the end, of the bytes that the send which began at `begun` took.
    pub fn fate(&self, begun: EventId) -> Option<Fate> {
        let record = self.record(begun)?;
        let (id, side) = record.connection.zip(record.side)?;
        let taken = self.call(begun).and_then(|(_, outcome)| outcome?.count()).unwrap_or(0);
        // A send counts from its beginning on, so that the account there ends with it.
        let start = self.account(id, begun)[side].sent.saturating_sub(taken);
        let last = *self.connection(id)?.events.last()?;
        Some(account::fate(start, taken, self.account(id, last)[side]))
    }

    /// The states of both ends of `connection` just after the event `at`.
    pub fn states(&self, connection: ConnectionId, at: EventId) -> Both<State> {
        let record = self.latest(connection, at).and_then(|id| self.record(id));
        record.map_or_else(Both::default, |record| Both {
            client: record.ends.client.tcp.state,
            server: record.ends.server.tcp.state,
        })
    }

    /// How both ends of `connection` stand just after the event `at`.
    pub fn standing(&self, connection: ConnectionId, at: EventId) -> Both<Standing> {
        let standing = |side| self.standing_of(connection, at, side);
        Both { client: standing(Side::Client), server: standing(Side::Server) }
    }

    fn standing_of(&self, connection: ConnectionId, at: EventId, side: Side) -> Standing {
        let ends = standing::ends(self, connection, at);
        let end = &ends[side];
        let lost = self.account(connection, at)[side].lost;
        let words = if lost == 0 && standing::is_disconnected(self, connection, at, side) {
            "disconnected by connect(AF_UNSPEC)".to_owned()
        } else {
            standing::words(side, end, &ends[side.peer()], lost)
        };
        let sample = self.sample(connection, at, side, end.tcp.state);
        let kernel = sample.map(|(asked, sample)| {
            let is_fresh = !self.went_on(connection, asked, at);
            standing::kernel(sample.socket, end, is_fresh)
        });
        Standing {
            endpoint: self.connection(connection).map(|known| known.addresses[side]),
            state: end.tcp.state,
            words,
            differs: kernel.as_ref().is_some_and(|kernel| kernel.differs),
            remark: kernel.as_ref().map_or_else(String::new, |kernel| kernel.remark.clone()),
            kernel: kernel.map(|kernel| kernel.words),
        }
    }

    /// The rows of the ladder; with `all_acks` every segment has one of its own.
    pub fn rows(&self, all_acks: bool) -> Vec<Row> {
        ladder::rows(self, all_acks)
    }

    /// Why `row` is as it is.
    pub fn why(&self, row: &Row) -> Why {
        explain::why(self, row)
    }

    /// What each call would return next, just after the event `at`.
    pub fn next(&self, connection: ConnectionId, at: EventId) -> Next {
        next::next(self, connection, at)
    }

    /// How `connection` ended.
    pub fn verdict(&self, connection: ConnectionId) -> Option<Verdict> {
        verdict::verdict(self, connection)
    }

    /// The read that `side` of `connection` waits in at the event `at`, if it does.
    fn reader(&self, connection: ConnectionId, side: Side, at: EventId) -> Option<EventId> {
        let events = &self.connection(connection)?.events;
        let before = &events[..events.partition_point(|id| *id < at)];
        let is_own = |id: &EventId| self.record(*id).is_some_and(|record| record.side == Some(side));
        let latest = before.iter().rev().copied().find(|id| is_own(id) && self.call(*id).is_some())?;
        let waits = self.end_of(latest).is_none_or(|end| end > at);
        (waits && self.call(latest)?.0.name.receives()).then_some(latest)
    }

    /// Whether the program of `side` of `connection` is in close(2) at the event `at`: then nobody is left to be told.
    fn is_closing(&self, connection: ConnectionId, side: Side, at: EventId) -> bool {
        let Some(connection) = self.connection(connection) else { return false };
        let before = connection.events.iter().rev().filter(|id| **id < at);
        let own = |id: &&EventId| self.record(**id).is_some_and(|record| record.side == Some(side));
        let latest = before.filter(own).find_map(|id| Some((*id, self.call(*id)?.0)));
        latest.is_some_and(|(id, call)| call.name == CallName::Close && self.end_of(id).is_none_or(|end| end > at))
    }

    /// Whether a reset answered the segment `id`.
    fn was_refused(&self, id: EventId) -> bool {
        self.refused.contains(&id)
    }

    /// How an event is named in a chain: its frame's number and the call or the flag that it is.
    pub fn name(&self, id: EventId) -> String {
        because::name(self, id)
    }

    /// Who sent the first FIN (`both` if the FINs crossed), and who sent the reset that ended `connection`, in which frame.
    pub fn closers(&self, connection: &Connection) -> (Option<&'static str>, Option<(Side, FrameNo)>) {
        verdict::closers(self, connection)
    }

    /// What Wireshark finds of the segment `id`.
    pub fn analysis(&self, id: EventId) -> Findings {
        self.analysed.findings(id)
    }

    /// Wireshark's completeness of `connection`; `None` where it has no segments.
    pub fn completeness(&self, connection: ConnectionId) -> Option<Completeness> {
        self.analysed.completeness(connection)
    }

    /// Whether the run has no capture.
    pub fn is_blind(&self) -> bool {
        self.blind
    }

    /// Whether the segment `id` carries bytes that were sent before.
    fn is_repeated(&self, id: EventId) -> bool {
        self.repeats.contains_key(&id)
    }

    /// What the first of all copies of the segment `id`, which repeats it, was presumed to do before it was known to be lost.
    fn first_of(&self, id: EventId) -> Option<&Record> {
        let first = std::iter::successors(self.repeats.get(&id), |earlier| self.repeats.get(earlier)).last()?;
        self.record(*first)
    }

    /// Nanoseconds since the same bytes were sent the last time.
    fn silence_before(&self, id: EventId) -> Option<i64> {
        let earlier = self.journal.get(*self.repeats.get(&id)?)?.time;
        Some(self.journal.get(id)?.time.since(earlier))
    }

    /// Whether the segment `id` did not arrive: a filter dropped it, or it was sent again later and is presumed lost.
    fn was_lost(&self, id: EventId) -> bool {
        self.was_filtered(id) || self.repeated.contains(&id)
    }

    /// Whether a filter on the socket that the segment `id` was for dropped it.
    fn was_filtered(&self, id: EventId) -> bool {
        self.record(id).is_some_and(|record| record.changes.iter().any(|change| change.rule == Rule::Filtered))
    }

    /// Whether the segment `id` only asks whether its peer is there.
    fn is_probe(&self, id: EventId) -> bool {
        self.analysis(id).has(Finding::KeepAlive)
    }
}

#[cfg(test)]
mod tests;
