//! Where each line of a story stands.

use super::Packet;
use crate::notation::SavedLine;

/// How many bytes of lines a packet carries at most, if another has room: Wireshark 4 reads no block beyond 16 MiB.
const ROOM: usize = 12 << 20;

/// The comments of a file.
pub struct Comments {
    /// On the section.
    pub section: Vec<String>,
    /// On each packet: lines of the story. Others' comments stand on the frames themselves.
    pub packets: Vec<Vec<String>>,
    sizes: Vec<usize>,
}

impl Comments {
    pub fn new(packets: usize) -> Self {
        Self { section: Vec::new(), packets: vec![Vec::new(); packets], sizes: vec![0; packets] }
    }

    /// Writes on the frames which events they are, where that does not follow from their order.
    pub fn number_frames(&mut self, packets: &[Packet<'_>]) {
        let in_order = packets.iter().filter_map(|packet| packet.event).is_sorted_by_key(|event| event.id);
        for (index, packet) in packets.iter().enumerate() {
            if let Some(event) = packet.event.filter(|event| event.late || !in_order) {
                self.packets[index].push(SavedLine::Frame { id: event.id, late: event.late }.to_string());
            }
        }
    }

    /// Puts the lines of one event on the packet at `wanted`, or on the nearest one that has room, or on the section where
    /// there is no packet. They stay together, so that pieces of one line follow each other.
    pub fn put(&mut self, lines: Vec<String>, wanted: Option<usize>) {
        let Some(wanted) = wanted else {
            self.section.extend(lines);
            return;
        };
        let size = lines.iter().map(String::len).sum::<usize>();
        let has_room = |index: &usize| self.sizes[*index] == 0 || self.sizes[*index] + size <= ROOM;
        let index = (wanted..self.sizes.len()).chain((0..wanted).rev()).find(has_room).unwrap_or(wanted);
        self.sizes[index] += size;
        self.packets[index].extend(lines);
    }
}
