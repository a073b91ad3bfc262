//! A capture as a whole: what was counted, and what was not understood, by name.

use std::collections::BTreeMap;

use super::Packet;
use crate::event::{FrameNo, Gap, Time};
use crate::story::copies::is_any;

/// How many packets that could not be decoded are told of one by one.
const TOLD: usize = 8;

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Packets.
    pub packets: u64,
    /// Packets that are TCP segments.
    pub tcp_packets: u64,
    /// Packets that could not be decoded.
    pub malformed: u64,
    /// The first of these, and why.
    pub first_malformed: Vec<(FrameNo, String)>,
    /// What was passed over, by name.
    pub passed_over: BTreeMap<&'static str, u64>,
    /// Packets that the capture says it lost.
    pub dropped: u64,
    /// In how many bytes of a record the file ended.
    pub cut_short: Option<u64>,
    /// Segments that came so long after the end of their connection that they were only counted.
    pub strays: u64,
    /// How many packets bear an earlier time than the one before them in their file.
    pub steps_back: u64,
    /// The first packet's time and the latest of all.
    pub span: Option<(Time, Time)>,
    interfaces: Interfaces,
}

/// Whether a packet can have been seen at several interfaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Interfaces {
    #[default]
    None,
    One(u32),
    Several,
}

impl Counted {
    /// Nothing yet. Where there are `several_files`, a packet may have been captured several times.
    pub fn new(several_files: bool) -> Self {
        let interfaces = if several_files { Interfaces::Several } else { Interfaces::None };
        Self { interfaces, ..Self::default() }
    }

    /// Counts a packet.
    #[inline]
    pub fn packet(&mut self, packet: &Packet<'_>) {
        self.packets += 1;
        match &mut self.span {
            Some((_, latest)) => *latest = packet.time.max(*latest),
            None => self.span = Some((packet.time, packet.time)),
        }
        if self.interfaces != Interfaces::One(packet.interface) && self.interfaces != Interfaces::Several {
            self.interface(packet);
        }
    }

    fn interface(&mut self, packet: &Packet<'_>) {
        let is_first = self.interfaces == Interfaces::None;
        self.interfaces =
            if is_first && !is_any(packet.link_type) { Interfaces::One(packet.interface) } else { Interfaces::Several };
    }

    /// Whether a packet may have been captured at several interfaces.
    pub fn has_copies(&self) -> bool {
        self.interfaces == Interfaces::Several
    }

    /// Something was passed over because it is not TCP.
    pub fn passed_over(&mut self, name: &'static str) {
        *self.passed_over.entry(name).or_default() += 1;
    }

    /// A packet could not be decoded.
    pub fn malformed(&mut self, frame: FrameNo, why: String) {
        self.malformed += 1;
        if self.first_malformed.len() < TOLD {
            self.first_malformed.push((frame, why));
        }
    }

    /// Something is missing.
    pub fn gap(&mut self, gap: &Gap) {
        match gap {
            Gap::Dropped(packets) => self.dropped += packets,
            Gap::Malformed { frame, why } => self.malformed(*frame, why.clone()),
            Gap::CutShort { bytes } => self.cut_short = Some(*bytes),
            Gap::NoCapture(_) | Gap::Unsettled(_) | Gap::ClockStep(_) | Gap::Untraced(_) => {}
        }
    }

    /// IP packets whose fragments did not all come in time.
    pub fn fragments(&mut self, given_up: u64) {
        if given_up > 0 {
            self.passed_over.insert("IP packet given up with fragments missing", given_up);
        }
    }
}
