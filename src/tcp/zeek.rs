//! Zeek's `conn_state` and `history` of one connection, for comparison with a `conn.log`.
//!
//! The rules are Zeek's own: `TCPSessionAdapter.cc` (states, history, retransmissions, zero windows), `TCP_Reassembler.cc`
//! (content gaps) and `scripts/base/protocols/conn/main.zeek` (`conn_state`). What they call originator and responder is what
//! the caller says; where the first segment is the responder's, Zeek has flipped the direction, which `^` says.
//!
//! Left out: `c`, for checksums are not looked at; `x`, for nothing is cut off here; the flip that Zeek guesses from a
//! well-known port; and its timers, which can end a connection early and begin another. A payload that the capture cut short
//! counts as seen, while Zeek, which reassembles bytes, has a gap there.

mod endpoint;
mod marks;
mod stream;

use self::endpoint::{Endpoint, Phase};
use super::head::Head;

/// What Zeek makes of one connection's segments, taken in their order.
#[derive(Clone, Debug, Default)]
pub struct Zeek {
    originator: Endpoint,
    responder: Endpoint,
    /// Whether the one whom the caller calls responder is Zeek's originator.
    flipped: bool,
    history: String,
}

impl Zeek {
    /// What Zeek makes of `segments`, each with whether the originator sent it.
    pub fn of(segments: impl IntoIterator<Item = (Head, bool)>) -> Self {
        let mut zeek = Self::default();
        for (segment, from_originator) in segments {
            zeek.take(&segment, from_originator);
        }
        zeek
    }

    /// Nothing yet, in the memory of what is not needed any more.
    pub fn renew(&mut self) {
        let mut history = std::mem::take(&mut self.history);
        history.clear();
        *self = Self { history, ..Self::default() };
    }

    /// Takes the next segment in.
    pub fn take(&mut self, segment: &Head, from_originator: bool) {
        if !from_originator && self.is_new() {
            self.history.push('^');
        }
        let by_originator = from_originator != self.flipped;
        self.numbers(segment, by_originator);
        let (own, peer) = self.pair(by_originator);
        if own.moves(peer, segment, by_originator) {
            self.flip();
        }
        self.content(segment, from_originator != self.flipped);
    }

    /// The letters of what happened, in its order: upper case for the originator's.
    pub fn history(&self) -> &str {
        &self.history
    }

    /// Every word that [`Self::conn_state`] can say.
    pub const STATES: [&str; 13] =
        ["REJ", "RSTRH", "RSTR", "RSTOS0", "RSTO", "SF", "SH", "S2", "SHR", "S3", "S0", "S1", "OTH"];

    /// How the connection stands, in Zeek's word: `SF`, `RSTR`, `S0`, …
    pub fn conn_state(&self) -> &'static str {
        let (originator, responder) = (self.originator.phase, self.responder.phase);
        match (originator, responder) {
            (_, Phase::Reset) => self.reset_by_responder(),
            (Phase::Reset, _) if !responder.is_inactive() => "RSTO",
            (Phase::Reset, _) if self.is_syn_then_reset() => "RSTOS0",
            (Phase::Closed, Phase::Closed) => "SF",
            (Phase::Closed, _) => if_inactive(responder, "SH", "S2"),
            (_, Phase::Closed) => if_inactive(originator, "SHR", "S3"),
            (Phase::SynSent, Phase::Inactive) => "S0",
            (Phase::Established, Phase::Established) => "S1",
            _ => "OTH",
        }
    }

    fn reset_by_responder(&self) -> &'static str {
        match self.originator.phase {
            Phase::SynSent | Phase::SynAckSent => "REJ",
            Phase::Reset if self.originator.sent_nothing() && self.responder.sent_nothing() => "REJ",
            originator => if_inactive(originator, "RSTRH", "RSTR"),
        }
    }

    /// Zeek's pattern `^?S[^HAFGIQ]*R.*` on the whole history.
    fn is_syn_then_reset(&self) -> bool {
        let history = self.history.strip_prefix('^').unwrap_or(&self.history);
        let after_syn = history.strip_prefix('S');
        after_syn.and_then(|rest| rest.chars().find(|letter| "HAFGIQR".contains(*letter))) == Some('R')
    }

    fn is_new(&self) -> bool {
        self.history.is_empty() && [&self.originator, &self.responder].iter().all(|end| end.phase == Phase::Inactive)
    }

    fn pair(&mut self, by_originator: bool) -> (&mut Endpoint, &mut Endpoint) {
        if by_originator {
            (&mut self.originator, &mut self.responder)
        } else {
            (&mut self.responder, &mut self.originator)
        }
    }

    /// What the header shows before the states move: flags, a zero window, a repetition.
    fn numbers(&mut self, segment: &Head, by_originator: bool) {
        let (own, peer) = self.pair(by_originator);
        own.begins(segment);
        let flag = own.flag(segment);
        let zero_window = own.closes_window(peer, segment);
        own.notes_fin(segment);
        peer.is_acknowledged(segment);
        let repeated = own.repeats(segment);
        for letter in [flag, zero_window, repeated].into_iter().flatten() {
            self.add(letter, by_originator);
        }
    }

    /// What the segment acknowledges and brings, after the states have moved.
    fn content(&mut self, segment: &Head, by_originator: bool) {
        let (own, peer) = self.pair(by_originator);
        let gaps = peer.misses(own, segment);
        own.brings(segment);
        for _ in 0..gaps {
            self.add('g', !by_originator);
        }
    }

    fn add(&mut self, letter: char, by_originator: bool) {
        self.history.push(if by_originator { letter.to_ascii_uppercase() } else { letter });
    }

    fn flip(&mut self) {
        std::mem::swap(&mut self.originator, &mut self.responder);
        self.flipped = !self.flipped;
        self.history.push('^');
    }
}

fn if_inactive(phase: Phase, then: &'static str, otherwise: &'static str) -> &'static str {
    if phase.is_inactive() { then } else { otherwise }
}

#[cfg(test)]
mod tests;
