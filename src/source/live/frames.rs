//! Captured items as events, numbered.

use super::Item;
use crate::decode::{self, Decoded};
use crate::event::{Frame, FrameNo, Gap, LinkType, Time, What};
use crate::source::clock;

/// Numbers the frames of one capture, and counts what it lost.
#[derive(Clone, Copy, Debug)]
pub struct Frames {
    link_type: LinkType,
    last: u64,
    dropped: u64,
}

/// What an item is.
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// Something that happened then.
    Event(Time, What),
    /// The marker of this number; with it frames may have been lost.
    Marker(u64, Option<(Time, What)>),
    /// The capture ended, and why.
    Ended(String),
}

impl Frames {
    /// Of a capture whose frames are to be read so.
    pub const fn new(link_type: LinkType) -> Self {
        Self { link_type, last: 0, dropped: 0 }
    }

    /// What `item` is.
    pub fn take(&mut self, item: Item) -> Taken {
        match item {
            Item::Failed(why) => Taken::Ended(why),
            Item::Marker { number, dropped } => {
                let new = dropped.saturating_sub(self.dropped);
                self.dropped = self.dropped.max(dropped);
                let lost = (new > 0).then(|| (clock::now(), What::Gap(Gap::Dropped(new))));
                Taken::Marker(number, lost)
            }
            Item::Frame { time, original_len, data } => Taken::Event(time, self.frame(original_len, data)),
        }
    }

    fn frame(&mut self, original_len: u32, data: std::sync::Arc<[u8]>) -> What {
        self.last += 1;
        let (number, link_type) = (FrameNo(self.last), self.link_type);
        match decode::decode(link_type, &data, original_len) {
            Decoded::Tcp(segment) => {
                let frame = Frame { number, link_type, original_len, data, comments: Vec::new() };
                What::Segment { frame, segment }
            }
            Decoded::Other(name) => {
                What::Gap(Gap::Malformed { frame: number, why: format!("{name} where TCP was asked for") })
            }
            Decoded::Malformed(why) => What::Gap(Gap::Malformed { frame: number, why }),
        }
    }
}
