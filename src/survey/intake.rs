//! From packets to sightings: what is decoded, and what is counted of the capture as a whole.

use super::copies::fingerprint;
use super::counted::Counted;
use super::key::{Hasher, Key};
use super::{Packet, Sighting};
use crate::decode::{Decoded, Fragments, Glance, glance, of_segment};
use crate::event::Gap;

/// Takes the packets of a capture in.
pub struct Intake {
    hasher: Hasher,
    fragments: Fragments,
    counted: Counted,
    /// How many packets there were, those included that a filter held back.
    place: u64,
}

impl Intake {
    /// An intake that hashes keys by `seed`, which the capture's author should not foresee.
    pub fn new(seed: u64) -> Self {
        Self { hasher: Hasher::new(seed), fragments: Fragments::default(), counted: Counted::default(), place: 0 }
    }

    /// Takes the next packet in; what there is to judge of it, if it is a segment.
    #[inline]
    pub fn packet(&mut self, packet: &Packet<'_>) -> Option<Sighting> {
        self.place += 1;
        if !packet.passes {
            return None;
        }
        self.counted.packet(packet);
        match glance(packet.link_type, packet.data, packet.original_len) {
            Ok(glance) => Some(self.sighting(packet, glance)),
            Err(decoded) => self.other(packet, decoded),
        }
    }

    /// Something in the capture that is no packet, but has a number.
    pub fn row(&mut self, name: &'static str) {
        self.counted.passed_over(name);
    }

    /// Something is missing or damaged.
    pub fn gap(&mut self, gap: &Gap) {
        self.counted.gap(gap);
    }

    /// What was counted; `steps_back` packets bear an earlier time than the one before them in their file.
    pub fn finish(mut self, steps_back: u64) -> Counted {
        self.counted.steps_back = steps_back;
        self.counted.fragments(self.fragments.given_up);
        self.counted
    }

    #[cold]
    fn other(&mut self, packet: &Packet<'_>, decoded: Decoded) -> Option<Sighting> {
        let whole = match decoded {
            Decoded::Other("IP fragment") => self.fragments.add(packet.link_type, packet.data),
            _ => None,
        };
        match whole.unwrap_or(decoded) {
            Decoded::Tcp(segment) => return Some(self.sighting(packet, of_segment(&segment))),
            Decoded::Other(name) => self.counted.passed_over(name),
            Decoded::Malformed(why) => self.counted.malformed(packet.frame, why),
        }
        None
    }

    #[inline]
    fn sighting(&mut self, packet: &Packet<'_>, glance: Glance) -> Sighting {
        self.counted.tcp_packets += 1;
        let (key, from_low) = Key::of(&glance);
        Sighting {
            hash: self.hasher.hash(&key),
            key,
            from_low,
            place: self.place,
            frame: packet.frame,
            time: packet.time,
            head: glance.head,
            hop: glance.hop,
            // At one interface alone, what looks like a copy is counted as Wireshark counts it.
            fingerprint: if self.counted.has_copies() { fingerprint(&glance) } else { None },
            sack: glance.sack,
        }
    }
}
