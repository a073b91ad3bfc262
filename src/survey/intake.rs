//! From packets to sightings: what is decoded, and what is counted of the capture as a whole.

use super::counted::Counted;
use super::hasher::Hasher;
use super::{Packet, Sighting};
use crate::decode::{Decoded, Fragments, Glance, Refusal, glance, of_segment};
use crate::event::Gap;
use crate::story::copies::fingerprint;

/// Takes the packets of a capture in.
pub struct Intake {
    hasher: Hasher,
    fragments: Fragments,
    counted: Counted,
    /// How many packets there were, those included that a filter held back.
    place: u64,
}

impl Intake {
    /// An intake that hashes keys by `seed`, which the capture's author should not foresee. Where there are `several_files`, a
    /// packet may be in each.
    pub fn new(seed: u64, several_files: bool) -> Self {
        let (fragments, counted) = (Fragments::default(), Counted::new(several_files));
        Self { hasher: Hasher::new(seed), fragments, counted, place: 0 }
    }

    /// Takes the next packet in. Whether it is a segment, and there is something to judge: then that is `into`.
    #[inline]
    pub fn packet(&mut self, packet: &Packet<'_>, into: &mut Sighting) -> bool {
        self.place += 1;
        if !packet.passes {
            return false;
        }
        self.counted.packet(packet);
        if let Err(refusal) = glance(packet.link_type, packet.data, packet.original_len, &mut into.glance)
            && !self.is_whole(packet, refusal, &mut into.glance)
        {
            return false;
        }
        self.sighting(packet, into);
        true
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

    /// Whether a fragment makes a segment whole, which is then the glance; counts what it is else.
    #[cold]
    fn is_whole(&mut self, packet: &Packet<'_>, refusal: Refusal, into: &mut Glance) -> bool {
        let whole = match refusal {
            Refusal::Other("IP fragment") => self.fragments.add(packet.link_type, packet.data),
            _ => None,
        };
        match (whole, refusal) {
            (Some(Decoded::Tcp(segment)), _) => {
                *into = of_segment(&segment);
                return true;
            }
            (Some(Decoded::Other(name)), _) | (None, Refusal::Other(name)) => self.counted.passed_over(name),
            (Some(Decoded::Malformed(why)), _) | (None, Refusal::Malformed(why)) => {
                self.counted.malformed(packet.frame, why);
            }
        }
        false
    }

    #[inline]
    fn sighting(&mut self, packet: &Packet<'_>, into: &mut Sighting) {
        self.counted.tcp_packets += 1;
        into.hash = self.hasher.hash(&into.glance.key);
        into.place = self.place;
        into.frame = packet.frame;
        into.time = packet.time;
        // At one interface alone, what looks like a copy is counted as Wireshark counts it.
        into.fingerprint = if self.counted.has_copies() { Some(fingerprint(&into.glance)) } else { None };
    }
}
