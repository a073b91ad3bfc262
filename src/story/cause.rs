//! Where an event came from, and how sure that is.

use super::telling::Certainty;
use crate::event::EventId;

/// A cause: a record of its own, written when it is known, that points to earlier events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What was caused.
    pub effect: EventId,
    /// What it came from, nearest first; empty where nothing that is known caused it.
    pub causes: Vec<EventId>,
    /// How sure that is.
    pub certainty: Certainty,
    /// What it rests on: `bytes 6 to 10 are this call's`, and what else was considered and why it is out.
    pub evidence: String,
}

impl Cause {
    /// The only candidate left.
    pub fn proven(effect: EventId, causes: Vec<EventId>, evidence: impl Into<String>) -> Self {
        Self { effect, causes, certainty: Certainty::Proven, evidence: evidence.into() }
    }

    /// One of several, chosen by order or time.
    pub fn likely(effect: EventId, causes: Vec<EventId>, evidence: impl Into<String>) -> Self {
        Self { effect, causes, certainty: Certainty::Likely, evidence: evidence.into() }
    }

    /// No candidate.
    pub fn unknown(effect: EventId, evidence: impl Into<String>) -> Self {
        Self { effect, causes: Vec::new(), certainty: Certainty::Unknown, evidence: evidence.into() }
    }
}
