//! A story saved: pcapng that Wireshark opens as it is, with every event that is not a packet as a line in a packet comment.
//!
//! Wireshark numbers rows as this program numbers frames, if the frames' numbers have no holes. Comments alone are used:
//! interface statistics lose theirs in editcap, custom blocks would shift Wireshark's numbers, and custom options need a
//! registered number.

mod block;
mod comments;

use std::collections::HashMap;
use std::io::{self, Write};

use self::comments::Comments;
use crate::event::{ConnectionId, Event, EventId, Frame, FrameNo, LinkType, Time};
use crate::notation::{SavedLine, event_lines, run_lines};
use crate::story::journal::Journal;

/// Why a story could not be saved. Who names the file says that it could not be.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] io::Error),
    /// pcapng counts time from 1970 without a sign.
    #[error("the time of frame {0} lies before 1970")]
    BeforeEpoch(FrameNo),
    /// A block's length has 32 bits.
    #[error("a block with its comments would be longer than pcapng allows")]
    TooLong,
    /// The story was read from a transcript, which tells what segments say but has no packets.
    #[error("frame {0} has no bytes: a transcript tells of segments, and has no packets")]
    NoPacket(FrameNo),
}

impl SaveError {
    /// What the user can do.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::TooLong => Some("keep less of each call's data: --payload head".to_owned()),
            Self::NoPacket(_) => Some("the transcript itself can be kept, and read again".to_owned()),
            Self::Write(_) | Self::BeforeEpoch(_) => None,
        }
    }
}

/// A packet that is no segment but stood in the capture, and is to stand in the saved one.
#[derive(Clone, Copy, Debug)]
pub struct OtherPacket<'a> {
    /// The packet.
    pub frame: &'a Frame,
    /// When it was captured.
    pub time: Time,
}

/// What is saved.
#[derive(Clone, Copy)]
pub struct Saving<'a> {
    /// The story's events.
    pub journal: &'a Journal,
    /// The frame that an event caused, where one is known: its line will stand there.
    pub caused: &'a dyn Fn(EventId) -> Option<FrameNo>,
    /// The connection that an event belongs to, where it does to one.
    pub connection: &'a dyn Fn(EventId) -> Option<ConnectionId>,
    /// Packets that are no segments.
    pub others: &'a [OtherPacket<'a>],
}

impl<'a> Saving<'a> {
    /// Saves `journal` and nothing else.
    pub fn new(journal: &'a Journal) -> Self {
        Self { journal, caused: &|_| None, connection: &|_| None, others: &[] }
    }

    /// Whether it can be saved at all: asked before a file is made, so that none is left behind.
    pub fn check(&self) -> Result<(), SaveError> {
        let frames = self.journal.events().iter().filter_map(Event::segment).map(|(frame, _)| frame);
        match frames.into_iter().find(|frame| frame.data.is_empty()) {
            Some(frame) => Err(SaveError::NoPacket(frame.number)),
            None => Ok(()),
        }
    }

    /// Writes the file to `out`.
    pub fn write(&self, out: &mut impl Write) -> Result<(), SaveError> {
        self.check()?;
        let packets = self.packets();
        let comments = self.comments(&packets);
        let link_types = link_types(&packets);
        block::section_header(&comments.section).write(out)?;
        for link_type in &link_types {
            block::interface_description(*link_type).write(out)?;
        }
        for (packet, lines) in packets.iter().zip(&comments.packets) {
            let time = u64::try_from(packet.time.0).map_err(|_| SaveError::BeforeEpoch(packet.frame.number))?;
            let interface = link_types.iter().position(|known| *known == packet.frame.link_type).unwrap_or(0);
            block::enhanced_packet(packet.frame, interface, time, lines).write(out)?;
        }
        Ok(out.flush()?)
    }

    /// All packets in the order of their numbers.
    fn packets(&self) -> Vec<Packet<'a>> {
        let segments = self.journal.events().iter().filter_map(|event| {
            let (frame, _) = event.segment()?;
            Some(Packet { frame, time: event.time, event: Some(event) })
        });
        let others = self.others.iter().map(|other| Packet { frame: other.frame, time: other.time, event: None });
        let mut packets: Vec<Packet<'_>> = segments.chain(others).collect();
        packets.sort_by_key(|packet| packet.frame.number);
        packets
    }

    /// Every line in its place.
    fn comments(&self, packets: &[Packet<'_>]) -> Comments {
        let mut comments = Comments::new(packets.len());
        comments.section.extend_from_slice(&self.journal.run().comments);
        comments.section.extend(run_lines(self.journal.run()));
        comments.section.push(SavedLine::Events(self.journal.events().len() as u64).to_string());
        comments.number_frames(packets);
        let at: HashMap<FrameNo, usize> =
            packets.iter().enumerate().map(|(index, packet)| (packet.frame.number, index)).collect();
        for (event, later) in self.journal.events().iter().zip(self.nearest_later(&at)) {
            let caused = || (self.caused)(event.id).and_then(|frame| at.get(&frame).copied());
            let lines = event_lines(event, (self.connection)(event.id));
            if !lines.is_empty() {
                comments.put(lines, caused().or(later));
            }
        }
        comments
    }

    /// For each event the place of the nearest later segment's packet, else of the last packet.
    fn nearest_later(&self, at: &HashMap<FrameNo, usize>) -> Vec<Option<usize>> {
        let mut later = at.len().checked_sub(1);
        let events = self.journal.events().iter().rev();
        let mut places: Vec<Option<usize>> = events
            .map(|event| {
                later = event.segment().and_then(|(frame, _)| at.get(&frame.number).copied()).or(later);
                later
            })
            .collect();
        places.reverse();
        places
    }
}

/// A packet to be written.
struct Packet<'a> {
    frame: &'a Frame,
    time: Time,
    /// The segment's event, if it is one.
    event: Option<&'a Event>,
}

/// Every link type that occurs, in the order of first occurrence: each is an interface.
fn link_types(packets: &[Packet<'_>]) -> Vec<LinkType> {
    packets.iter().fold(Vec::new(), |mut known, packet| {
        if !known.contains(&packet.frame.link_type) {
            known.push(packet.frame.link_type);
        }
        known
    })
}
