//! How much of the data that programs exchanged a saved story keeps.
//!
//! Cutting happens to events as they are written down, in calls and frames alike: lengths, numbers and all headers stay, so
//! that the story is told as from the whole.

use std::sync::Arc;

use crate::decode::{beyond_network, layout};
use crate::event::{Event, Frame, Run, What};
use crate::socket::call::{Arg, Call, Outcome, Payload};
use crate::story::journal::{Journal, OutOfOrder};

/// How many bytes `head` keeps of each call's and of each segment's data.
pub const HEAD: usize = 16;

/// How many bytes are kept of a packet in which no IP header is found. An ARP packet on Ethernet is shorter.
const UNKNOWN: usize = 64;

/// The fact of a run that says what was kept.
const FACT: &str = "payload";

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keep {
    /// No data at all.
    None,
    /// The first [`HEAD`] bytes.
    Head,
    /// Everything.
    All,
}

impl Keep {
    /// The word on the command line and in a story's facts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Head => "head",
            Self::All => "all",
        }
    }

    /// How many bytes that is at most.
    const fn bytes(self) -> usize {
        match self {
            Self::None => 0,
            Self::Head => HEAD,
            Self::All => usize::MAX,
        }
    }
}

/// `journal` with as much of its data as `keep` says, and that in its facts; what was cut before stays cut.
///
/// # Errors
/// None for a journal that [`Journal::append`] made: the ids stay.
pub fn cut(journal: &Journal, keep: Keep) -> Result<Journal, OutOfOrder> {
    let mut kept = Journal::new(run(journal.run(), keep));
    for event in journal.events() {
        kept.append(Event { what: what(&event.what, keep), ..event.clone() })?;
    }
    Ok(kept)
}

/// A packet that is no segment, cut alike. Behind its IP header, or where it has none, nothing tells what is a program's
/// data, so all of it counts as data but the ports of UDP.
pub fn cut_other(frame: &Frame, keep: Keep) -> Frame {
    let headers = beyond_network(frame.link_type, &frame.data);
    let len = headers.map_or(UNKNOWN, |len| len.saturating_add(keep.bytes()));
    if keep == Keep::All { frame.clone() } else { shortened(frame, len) }
}

fn run(run: &Run, keep: Keep) -> Run {
    let before = [Keep::None, Keep::Head].into_iter().find(|less| run.fact(FACT) == Some(less.name()));
    let keep = before.map_or(keep, |before| before.min(keep));
    let mut run = run.clone();
    match run.facts.iter_mut().find(|(name, _)| name == FACT) {
        Some((_, value)) => keep.name().clone_into(value),
        None => run.facts.push((FACT.to_owned(), keep.name().to_owned())),
    }
    run
}

fn what(what: &What, keep: Keep) -> What {
    match what {
        What::Segment { frame, segment } => {
            let headers = layout(frame.link_type, &frame.data, frame.original_len).map(|layout| layout.payload);
            // A segment put together from fragments stands on the last of them, which begins with data.
            let headers = headers.or_else(|| beyond_network(frame.link_type, &frame.data));
            let mut segment = segment.clone();
            segment.payload.truncate(keep.bytes());
            let len = headers.map_or(usize::MAX, |headers| headers.saturating_add(keep.bytes()));
            What::Segment { frame: shortened(frame, len), segment }
        }
        What::Begun(call) => What::Begun(Call { args: args(&call.args, keep), ..call.clone() }),
        What::Ended { begun, outcome } => {
            let outcome = Outcome { values: args(&outcome.values, keep), ..outcome.clone() };
            What::Ended { begun: *begun, outcome }
        }
        other => other.clone(),
    }
}

fn shortened(frame: &Frame, len: usize) -> Frame {
    match frame.data.get(..len) {
        Some(data) => Frame { data: Arc::from(data), ..frame.clone() },
        None => frame.clone(),
    }
}

fn args(args: &[Arg], keep: Keep) -> Vec<Arg> {
    args.iter()
        .map(|arg| match arg {
            Arg::Bytes(payload) if payload.bytes.len() > keep.bytes() => {
                let bytes = payload.bytes.iter().copied().take(keep.bytes()).collect();
                Arg::Bytes(Payload { bytes, cut: true })
            }
            other => other.clone(),
        })
        .collect()
}
