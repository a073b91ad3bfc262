//! Wireshark's sequence analysis, by Wireshark's rules: what each segment of a connection is called in `tcp.analysis.*`, and
//! `tcp.completeness`.
//!
//! The rules and their order are those of the user's guide (`wsug_advanced.adoc`, "TCP Analysis") and of tshark 4.0, whose
//! `tcp_analyze_sequence_number()` says what the guide leaves open. They are kept where we judge otherwise, for these names
//! mean what Wireshark means by them. Like Wireshark, a number of 0 stands for "not known yet" in a few places: a stream whose
//! numbers wrap to exactly 0 is misjudged alike.

mod completeness;
mod facts;
mod finding;
mod flight;
mod flow;
mod in_order;
mod repeat;
mod rules;

pub use completeness::Completeness;
pub use finding::{Finding, Findings};

use self::facts::Facts;
use self::flow::{Flow, Seen};
use super::head::{Head, Sack};

/// The analysis of one connection: give it the segments in the order of their capture.
#[derive(Clone, Debug, Default)]
pub struct Analysis {
    client: Flow,
    server: Flow,
    completeness: Completeness,
    /// Whether a segment was seen.
    begun: bool,
    /// Whether another connection had these addresses and ports before.
    reuses_ports: bool,
    /// In nanoseconds: when the latest SYN was sent; once the round trip is over, how long it took.
    syn: i64,
    round_trip: RoundTrip,
    /// Whether a SYN carried data and a Fast Open cookie.
    fast_open_data: bool,
}

/// A survey keeps one for each connection that goes on.
const _: () = assert!(size_of::<Analysis>() <= 128, "an analysis has grown");

/// From the SYN to the first segment with ACK and without SYN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum RoundTrip {
    #[default]
    NotBegun,
    Begun,
    Over,
}

impl Analysis {
    /// The analysis of a connection. `reuses_ports` where an earlier one in the capture had the same addresses and ports.
    pub fn new(reuses_ports: bool) -> Self {
        Self { reuses_ports, ..Self::default() }
    }

    /// The same, in the memory of one that is not needed any more.
    pub fn renew(&mut self, reuses_ports: bool) {
        let (mut client, mut server) = (std::mem::take(&mut self.client), std::mem::take(&mut self.server));
        client.renew();
        server.renew();
        *self = Self { client, server, reuses_ports, ..Self::default() };
    }

    /// What Wireshark calls the next segment, sent at `time` (nanoseconds, from any moment on) by the client or the server.
    pub fn observe(&mut self, segment: &Head, sack: Option<&Sack>, from_client: bool, time: i64) -> Findings {
        if sack.is_none() && self.in_order(segment, from_client, time) {
            return Findings::default();
        }
        self.by_the_rules(segment, sack, from_client, time)
    }

    /// The same, with no short way.
    fn by_the_rules(&mut self, segment: &Head, sack: Option<&Sack>, from_client: bool, time: i64) -> Findings {
        let seen = Seen::new(segment, time);
        let mut found = self.opening(&seen, from_client);
        let initial_rtt = self.initial_rtt();
        let (fwd, rev) = self.flows(from_client);
        let forward = rules::forward(&seen, fwd, rev);
        if seen.ack != fwd.last_ack {
            fwd.duplicate_acks = 0;
        }
        let acked = rules::acknowledged_unseen(&seen, fwd, rev);
        let sequence = forward.with(acked);
        let repeat = repeat::repeat(&seen, fwd, rev, sequence, initial_rtt);
        found = found.with(sequence).with(repeat);
        fwd.remember(&seen, found);
        rev.flight.acknowledge(seen.ack);
        found = found.with(self.fast_open(segment, from_client));
        self.after(segment, sack, from_client, time);
        self.completeness.add(segment, !self.begun);
        self.begun = true;
        found
    }

    /// `tcp.completeness` of what was seen so far.
    pub fn completeness(&self) -> Completeness {
        self.completeness
    }

    /// In nanoseconds; 0 while not known.
    fn initial_rtt(&self) -> i64 {
        if self.round_trip == RoundTrip::Over { self.syn } else { 0 }
    }

    /// The sender's flow and the other.
    fn flows(&mut self, from_client: bool) -> (&mut Flow, &mut Flow) {
        if from_client { (&mut self.client, &mut self.server) } else { (&mut self.server, &mut self.client) }
    }

    /// Ports used again, and the numbers from which each direction counts.
    fn opening(&mut self, seen: &Seen, from_client: bool) -> Findings {
        let first = !self.begun && self.reuses_ports;
        let (fwd, rev) = self.flows(from_client);
        let known = fwd.base().is_some();
        let same = fwd.base() == Some(seen.seq);
        let mut found = Findings::default();
        if seen.flags.syn() && (first || (known && !same && seen.flags.ack())) {
            found = found.with(Finding::ReusedPorts.into());
            fwd.begin_at(seen.seq);
        } else if seen.flags.opens() && same {
            // A reset may have moved it: its number can be the one that it answers.
            fwd.next = fwd.seen_until;
        }
        fwd.begin_once_at(if seen.flags.syn() { seen.seq } else { seen.seq + u32::MAX });
        if seen.flags.ack() {
            rev.begin_once_at(seen.ack + u32::MAX);
        }
        found
    }

    /// What Fast Open did to the handshake (RFC 7413).
    fn fast_open(&mut self, segment: &Head, from_client: bool) -> Findings {
        let mut found = Findings::default();
        if segment.flags.syn() && segment.flags.ack() {
            let fast_open_data = self.fast_open_data;
            let (_, rev) = self.flows(from_client);
            if rev.base().is_some_and(|base| segment.ack.relative_to(base) > 1) {
                found = found.with(Finding::FastOpenAck.into());
            } else if fast_open_data {
                found = found.with(Finding::FastOpenIgnored.into());
            }
        } else if segment.flags.syn() && segment.has_cookie {
            self.fast_open_data |= segment.payload_len > 0;
            found = found.with(Finding::FastOpenSyn.into());
        }
        found
    }

    /// What the segment says that counts only for those behind it: round trip, window scale, SACK.
    fn after(&mut self, segment: &Head, sack: Option<&Sack>, from_client: bool, time: i64) {
        let flags = segment.flags;
        if flags.opens() && self.round_trip != RoundTrip::Over {
            (self.syn, self.round_trip) = (time, RoundTrip::Begun);
        }
        let took = time.saturating_sub(self.syn);
        if flags.ack() && !flags.syn() && self.round_trip == RoundTrip::Begun && took != 0 {
            (self.syn, self.round_trip) = (took, RoundTrip::Over);
        }
        let (fwd, rev) = self.flows(from_client);
        fwd.offer(segment);
        if let Some(sack) = sack {
            rev.flight.acknowledge_selectively(sack);
        }
        if flags.syn() {
            fwd.scale.agree(&mut rev.scale, flags.ack());
            fwd.facts.set(Facts::AWAITS_FIRST_ACK, true);
        } else if flags.ack() {
            fwd.facts.set(Facts::AWAITS_FIRST_ACK, false);
        }
    }
}

#[cfg(test)]
mod tests;
