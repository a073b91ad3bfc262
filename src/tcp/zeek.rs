//! Zeek's `conn_state` and `history` of one connection, for comparison with a `conn.log`.
//!
//! The rules are Zeek's own: `TCPSessionAdapter.cc` (states, history, retransmissions, zero windows), `TCP_Reassembler.cc`
//! (content gaps) and `scripts/base/protocols/conn/main.zeek` (`conn_state`). What they call originator and responder is what
//! the caller says; where the first segment is the responder's, Zeek has flipped the direction, which `^` says.
//!
//! Left out: `c`, for checksums are not looked at; `x`, for nothing is cut off here; the flip that Zeek guesses from a
//! well-known port; and its timers, which can end a connection early and begin another. A payload that the capture cut short
//! counts as seen, while Zeek, which reassembles bytes, has a gap there.

mod ahead;
mod endpoint;
pub mod history;
mod in_order;
mod known;
mod marks;
mod pair;
mod stream;
mod trouble;

use self::endpoint::{Endpoint, Phase};
use self::history::{Added, is_syn_then_reset};
use self::pair::Pair;
use self::trouble::Trouble;
use super::head::Head;

/// What Zeek makes of one connection's segments, taken in their order, without the history's letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zeek {
    ends: Pair<Endpoint>,
    troubles: Option<Box<Pair<Trouble>>>,
    /// Whether the one whom the caller calls responder is Zeek's originator.
    flipped: bool,
}

/// The bound that a survey keeps for each open connection, in bytes.
const _: () = assert!(size_of::<Zeek>() <= 88);

impl Zeek {
    /// Zeek's words for `segments`, each with whether the originator sent it: `conn_state` and `history`.
    pub fn words(segments: impl IntoIterator<Item = (Head, bool)>) -> (&'static str, String) {
        let (mut zeek, mut history) = (Self::default(), String::new());
        for (segment, from_originator) in segments {
            history.extend(zeek.take(&segment, from_originator).letters().map(char::from));
        }
        (zeek.conn_state(&history), history)
    }

    /// Takes the next segment in: the letters of what happened, in its order, upper case for the originator's.
    #[inline]
    pub fn take(&mut self, segment: &Head, from_originator: bool) -> Added {
        let added = self.goes_in_order(segment, from_originator != self.flipped);
        added.unwrap_or_else(|| self.decide(segment, from_originator))
    }

    /// Takes in a segment that may change something.
    fn decide(&mut self, segment: &Head, from_originator: bool) -> Added {
        let mut added = Added::default();
        if !from_originator && self.is_new() {
            added.add(b'^', true);
        }
        let by_originator = from_originator != self.flipped;
        self.numbers(segment, by_originator, &mut added);
        let (own, peer) = self.ends.split(by_originator);
        if own.moves(peer, segment, by_originator) {
            self.flip();
            added.add(b'^', true);
        }
        self.content(segment, from_originator != self.flipped, &mut added);
        added
    }

    /// Every word that [`Self::conn_state`] can say.
    pub const STATES: [&str; 13] =
        ["REJ", "RSTRH", "RSTR", "RSTOS0", "RSTO", "SF", "SH", "S2", "SHR", "S3", "S0", "S1", "OTH"];

    /// How the connection stands, whose `history` is that, in Zeek's word: `SF`, `RSTR`, `S0`, …
    pub fn conn_state(&self, history: &str) -> &'static str {
        let (originator, responder) = (self.ends.of(true).phase, self.ends.of(false).phase);
        match (originator, responder) {
            (_, Phase::Reset) => self.reset_by_responder(),
            (Phase::Reset, _) if !responder.is_inactive() => "RSTO",
            (Phase::Reset, _) if is_syn_then_reset(history) => "RSTOS0",
            (Phase::Closed, Phase::Closed) => "SF",
            (Phase::Closed, _) => if_inactive(responder, "SH", "S2"),
            (_, Phase::Closed) => if_inactive(originator, "SHR", "S3"),
            (Phase::SynSent, Phase::Inactive) => "S0",
            (Phase::Established, Phase::Established) => "S1",
            _ => "OTH",
        }
    }

    fn reset_by_responder(&self) -> &'static str {
        let (originator, responder) = (self.ends.of(true), self.ends.of(false));
        match originator.phase {
            Phase::SynSent | Phase::SynAckSent => "REJ",
            Phase::Reset if originator.sent_nothing() && responder.sent_nothing() => "REJ",
            originator => if_inactive(originator, "RSTRH", "RSTR"),
        }
    }

    /// Whether no segment was taken in: the first makes at least one end something else than inactive.
    fn is_new(&self) -> bool {
        [true, false].iter().all(|end| self.ends.of(*end).phase == Phase::Inactive)
    }

    /// What went wrong at one end, now that something did.
    fn trouble(&mut self, by_originator: bool) -> &mut Trouble {
        self.troubles.get_or_insert_default().of_mut(by_originator)
    }

    /// What the header shows before the states move: flags, a zero window, a repetition.
    fn numbers(&mut self, segment: &Head, by_originator: bool, added: &mut Added) {
        let (own, peer) = self.ends.split(by_originator);
        own.begins(segment);
        let flag = own.flag(segment);
        let closes_window = own.closes_window(peer, segment);
        own.notes_fin(segment);
        peer.is_acknowledged(segment);
        let repeats = own.repeats(segment);
        if let Some(flag) = flag {
            added.add(flag, by_originator);
        }
        if closes_window && self.trouble(by_originator).zero_windows.rises() {
            added.add(b'w', by_originator);
        }
        if repeats && self.trouble(by_originator).repetitions.rises() {
            added.add(b't', by_originator);
        }
    }

    /// What the segment acknowledges and brings, after the states have moved.
    fn content(&mut self, segment: &Head, by_originator: bool, added: &mut Added) {
        let (own, peer) = self.ends.split(by_originator);
        let mut troubles = self.troubles.as_deref_mut();
        let gaps = peer.misses(troubles.as_mut().map(|both| &mut both.of_mut(!by_originator).ahead), segment);
        let kept = own.brings(troubles.map(|both| &mut both.of_mut(by_originator).ahead), segment);
        let gaps = if own.is_clean() && peer.is_clean() { gaps } else { 0 };
        for _ in 0..gaps {
            if self.trouble(!by_originator).gaps.rises() {
                added.add(b'g', !by_originator);
            }
        }
        if let Some(range) = kept {
            self.trouble(by_originator).ahead.keep(range);
        }
    }

    fn flip(&mut self) {
        self.ends.exchange();
        if let Some(troubles) = &mut self.troubles {
            troubles.exchange();
        }
        self.flipped = !self.flipped;
    }
}

fn if_inactive(phase: Phase, then: &'static str, otherwise: &'static str) -> &'static str {
    if phase.is_inactive() { then } else { otherwise }
}

#[cfg(test)]
mod tests;
