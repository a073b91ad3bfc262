//! Fragments put together to packets, within bounds.
//!
//! Where fragments overlap, the byte that came first stands, as BSD did it; Linux throws such packets away, and Wireshark
//! shows them. Nothing tells which the receiver took.

use std::collections::VecDeque;

use super::{Decoded, LinkType, Whole, decode_payload, fragment};

/// How many packets may be incomplete at a time.
const MOST_PACKETS: usize = 1024;
/// How many bytes of incomplete packets are kept.
const MOST_BYTES: usize = 4 << 20;
/// The longest payload of an IP packet in bytes.
const LONGEST: usize = 65_535;

/// Packets of which fragments came.
#[derive(Default)]
pub struct Fragments {
    /// The oldest first.
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// How many packets were given up for newer ones.
    pub given_up: u64,
}

struct Waiting {
    whole: Whole,
    payload: Vec<u8>,
    there: Vec<bool>,
    end: Option<usize>,
}

impl Fragments {
    /// Takes a fragment, and returns what its packet is if that is whole now. One that was not captured whole is of no use.
    pub fn add(&mut self, link_type: LinkType, data: &[u8]) -> Option<Decoded> {
        let fragment = fragment(link_type, data)?;
        let end = fragment.offset + fragment.len;
        if fragment.payload.len() != fragment.len || end > LONGEST {
            return None;
        }
        let at = self.waiting.iter().position(|waiting| waiting.whole == fragment.whole);
        let mut waiting = at.and_then(|at| self.waiting.remove(at)).unwrap_or_else(|| Waiting::new(fragment.whole));
        self.bytes -= waiting.payload.len();
        waiting.take(&fragment);
        if waiting.is_whole() {
            return decode_payload(&waiting.whole, &waiting.payload);
        }
        self.bytes += waiting.payload.len();
        self.waiting.insert(at.unwrap_or(self.waiting.len()), waiting);
        self.give_up();
        None
    }

    fn give_up(&mut self) {
        while self.waiting.len() > MOST_PACKETS || self.bytes > MOST_BYTES {
            let Some(oldest) = self.waiting.pop_front() else { return };
            self.bytes -= oldest.payload.len();
            self.given_up += 1;
        }
    }
}

impl Waiting {
    fn new(whole: Whole) -> Self {
        Self { whole, payload: Vec::new(), there: Vec::new(), end: None }
    }

    fn take(&mut self, fragment: &super::Fragment<'_>) {
        let end = fragment.offset + fragment.len;
        if self.payload.len() < end {
            self.payload.resize(end, 0);
            self.there.resize(end, false);
        }
        for (at, &byte) in (fragment.offset..).zip(fragment.payload) {
            if !std::mem::replace(&mut self.there[at], true) {
                self.payload[at] = byte;
            }
        }
        if !fragment.more {
            self.end.get_or_insert(end);
        }
    }

    fn is_whole(&self) -> bool {
        self.end == Some(self.payload.len()) && self.there.iter().all(|there| *there)
    }
}

#[cfg(test)]
mod tests;
