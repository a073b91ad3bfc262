//! Wireshark's sequence analysis, by Wireshark's rules: what each segment of a connection is called in `tcp.analysis.*`, and
//! `tcp.completeness`.
//!
//! The rules and their order are those of the user's guide (`wsug_advanced.adoc`, "TCP Analysis") and of tshark 4.0, whose
//! `tcp_analyze_sequence_number()` says what the guide leaves open. They are kept where we judge otherwise, for these names
//! mean what Wireshark means by them. Like Wireshark, a number of 0 stands for "not known yet" in a few places: a stream whose
//! numbers wrap to exactly 0 is misjudged alike.

mod completeness;
mod finding;
mod flow;
mod repeat;
mod rules;
mod unacked;

pub use completeness::Completeness;
pub use finding::{Finding, Findings};

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
    /// When the latest SYN was sent, in nanoseconds.
    syn_time: Option<i64>,
    /// From the SYN to the first segment with ACK and without SYN, in nanoseconds; 0 while not known.
    initial_rtt: i64,
    /// Whether a SYN carried data and a Fast Open cookie.
    fast_open_data: bool,
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
        let seen = Seen::new(segment, time);
        let mut found = self.opening(&seen, from_client);
        let initial_rtt = self.initial_rtt;
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
        rev.unacked.acknowledge(seen.ack);
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

    /// The sender's flow and the other.
    fn flows(&mut self, from_client: bool) -> (&mut Flow, &mut Flow) {
        if from_client { (&mut self.client, &mut self.server) } else { (&mut self.server, &mut self.client) }
    }

    /// Ports used again, and the numbers from which each direction counts.
    fn opening(&mut self, seen: &Seen, from_client: bool) -> Findings {
        let first = !self.begun && self.reuses_ports;
        let (fwd, rev) = self.flows(from_client);
        let known = fwd.base.is_some();
        let same = fwd.base == Some(seen.seq);
        let mut found = Findings::default();
        if seen.flags.syn() && (first || (known && !same && seen.flags.ack())) {
            found = found.with(Finding::ReusedPorts.into());
            fwd.base = Some(seen.seq);
        } else if seen.flags.opens() && same {
            // A reset may have moved it: its number can be the one that it answers.
            fwd.next = fwd.seen_until;
        }
        fwd.base.get_or_insert(if seen.flags.syn() { seen.seq } else { seen.seq + u32::MAX });
        if seen.flags.ack() {
            rev.base.get_or_insert(seen.ack + u32::MAX);
        }
        found
    }

    /// What Fast Open did to the handshake (RFC 7413).
    fn fast_open(&mut self, segment: &Head, from_client: bool) -> Findings {
        let mut found = Findings::default();
        if segment.flags.syn() && segment.flags.ack() {
            let fast_open_data = self.fast_open_data;
            let (_, rev) = self.flows(from_client);
            if rev.base.is_some_and(|base| segment.ack.relative_to(base) > 1) {
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
        if flags.opens() {
            self.syn_time = Some(time);
        }
        if let Some(syn_time) = self.syn_time.filter(|_| flags.ack() && !flags.syn() && self.initial_rtt == 0) {
            self.initial_rtt = time.saturating_sub(syn_time);
        }
        let (fwd, rev) = self.flows(from_client);
        fwd.options(segment, sack);
        if flags.syn() {
            fwd.scale.agree(&mut rev.scale, flags.ack());
            fwd.awaits_first_ack = true;
        } else if flags.ack() {
            fwd.awaits_first_ack = false;
        }
    }
}

#[cfg(test)]
mod tests;
