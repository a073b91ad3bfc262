//! What is held of each connection for the whole run.

use super::Sighting;
use super::sent::Sent;
use super::wide::Wide;
use crate::event::{FrameNo, Time};
use crate::story::ending::Ending;
use crate::story::side::{Both, Side};
use crate::tcp::analysis::{Completeness, Findings};
use crate::tcp::head::Head;
use crate::tcp::zeek::Zeek;
use crate::tcp::zeek::history::{Added, Beginning};

/// One connection.
#[derive(Clone, Debug)]
pub struct Record {
    pub first: FrameNo,
    pub last: FrameNo,
    pub start: Time,
    pub end: Time,
    pub ending: Ending,
    pub ends: Both<Sent>,
    /// What does not fit elsewhere.
    pub wide: Option<Box<Wide>>,
    /// Where its [`Open`](super::open::Open) is, until that was given back.
    pub open: u32,
    letters: Beginning,
    /// Packets that were seen before at another interface.
    pub copies: u16,
    pub completeness: Completeness,
    /// The place of Zeek's word in its list, once the connection is closed.
    conn_state: u8,
    /// Whether the client is the lower end of the key.
    pub client_is_low: bool,
}

/// The bound that a survey keeps for each connection for the whole run, in bytes.
const _: () = assert!(size_of::<Record>() <= 256);

impl Record {
    /// A connection whose first segment is `sighting`.
    pub fn new(sighting: &Sighting) -> Self {
        let Sighting { frame, time, .. } = *sighting;
        // An answer to a SYN comes from the server, whoever was seen first; what a socket sends itself is the client's.
        let from_client = sighting.glance.key.is_with_itself() || !sighting.glance.head.answers_syn();
        Self {
            first: frame,
            last: frame,
            start: time,
            end: time,
            ending: Ending::default(),
            ends: Both::default(),
            wide: None,
            open: 0,
            letters: Beginning::default(),
            copies: 0,
            completeness: Completeness::default(),
            conn_state: 0,
            client_is_low: sighting.glance.from_low == from_client,
        }
    }

    /// The side of the lower end's packets, or of the higher's.
    #[inline]
    pub fn side(&self, from_low: bool) -> Side {
        if from_low == self.client_is_low { Side::Client } else { Side::Server }
    }

    /// Takes down that `sighting` is its latest.
    #[inline]
    pub fn last_seen(&mut self, sighting: &Sighting) {
        self.last = sighting.frame;
        self.end = sighting.time;
    }

    /// Counts a segment of `side`.
    #[inline]
    pub fn count(&mut self, head: &Head, side: Side) {
        let overflows = self.ends[side].count(head);
        if overflows != [false; 4] {
            let wide = self.wide.get_or_insert_default();
            for (count, over) in wide.flags[side].iter_mut().zip(overflows) {
                *count = count.saturating_add(u32::from(over));
            }
        }
    }

    /// Counts what Wireshark finds of a segment of `side`.
    #[inline]
    pub fn found(&mut self, findings: Findings, side: Side) {
        for finding in findings.iter() {
            if self.ends[side].find(finding) {
                let wide = self.wide.get_or_insert_default();
                if let Some(count) = wide.findings[side].get_mut(finding as usize) {
                    *count = count.saturating_add(1);
                }
            }
        }
    }

    /// Takes down what a segment adds to Zeek's history.
    #[inline]
    pub fn add_to_history(&mut self, added: Added) {
        if added.is_empty() {
            return;
        }
        let is_long = self.wide.as_ref().is_some_and(|wide| wide.history.is_some());
        if is_long || !self.letters.append(added) {
            let history = self.wide.get_or_insert_default().history.get_or_insert_with(|| self.letters.as_str().into());
            history.extend(added.letters().map(char::from));
        }
    }

    /// Takes down Zeek's word, now that no more letters come.
    pub fn zeek(&mut self, zeek: &Zeek) {
        let word = zeek.conn_state(self.history());
        let place = Zeek::STATES.iter().position(|known| *known == word);
        self.conn_state = place.and_then(|place| u8::try_from(place).ok()).unwrap_or(0);
        if let Some(history) = self.wide.as_mut().and_then(|wide| wide.history.as_mut()) {
            history.shrink_to_fit();
        }
    }

    /// Zeek's words: `conn_state` and `history`.
    pub fn in_zeeks_words(&self) -> (&'static str, &str) {
        let state = Zeek::STATES.get(usize::from(self.conn_state)).copied().unwrap_or_default();
        (state, self.history())
    }

    fn history(&self) -> &str {
        let all = self.wide.as_ref().and_then(|wide| wide.history.as_deref());
        all.unwrap_or_else(|| self.letters.as_str())
    }

    /// Whether a SYN without ACK asks for another connection: its number is not the one that opened this one (a SYN sent again
    /// has the same, and in a simultaneous open the other end has not been seen yet).
    pub fn is_another(&self, syn: &Sighting) -> bool {
        self.ends[self.side(syn.glance.from_low)].isn().is_some_and(|isn| isn != syn.glance.head.seq)
    }
}
