//! What the capture brings.

use std::sync::mpsc::{RecvTimeoutError, TryRecvError};
use std::time::Instant;

use super::{Director, StageError};
use crate::decode::{self, Decoded};
use crate::event::{Frame, Gap, Time, What};
use crate::source::clock;
use crate::source::live::Item;

impl Director<'_> {
    /// Takes what the capture has, without waiting.
    pub(super) fn take_frames(&mut self) -> Result<(), StageError> {
        loop {
            let Some(items) = self.instruments.capture.as_ref().and_then(|capture| capture.items()) else {
                return Ok(());
            };
            match items.try_recv() {
                Ok(item) => self.take_item(item).map(|_| ())?,
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => {
                    return Err(StageError::CaptureEnded("its thread is gone".to_owned()));
                }
            }
        }
    }

    /// Takes what the capture has until all of `markers` have come back, `until` at most. False where they did not.
    pub(super) fn take_frames_up_to(&mut self, mut markers: Vec<u64>, until: Instant) -> Result<bool, StageError> {
        while !markers.is_empty() {
            let Some(items) = self.instruments.capture.as_ref().and_then(|capture| capture.items()) else {
                return Ok(true);
            };
            match items.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(item) => {
                    let seen = self.take_item(item)?;
                    markers.retain(|marker| Some(*marker) != seen);
                }
                Err(RecvTimeoutError::Timeout) => return Ok(false),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(StageError::CaptureEnded("its thread is gone".to_owned()));
                }
            }
        }
        Ok(true)
    }

    /// Takes one item, and returns the number of the marker if it is one.
    fn take_item(&mut self, item: Item) -> Result<Option<u64>, StageError> {
        match item {
            Item::Failed(why) => Err(StageError::CaptureEnded(why)),
            Item::Marker { number, dropped } => {
                let new = dropped.saturating_sub(self.dropped);
                if new > 0 {
                    self.dropped = dropped;
                    self.merge.push(clock::now(), None, What::Gap(Gap::Dropped(new)));
                }
                Ok(Some(number))
            }
            Item::Frame { time, original_len, data } => {
                self.take_frame(time, original_len, data);
                Ok(None)
            }
        }
    }

    fn take_frame(&mut self, time: Time, original_len: u32, data: std::sync::Arc<[u8]>) {
        let Some(link_type) = self.instruments.capture.as_ref().map(crate::source::live::Capture::link_type) else {
            return;
        };
        let number = self.next_frame();
        let what = match decode::decode(link_type, &data, original_len) {
            Decoded::Tcp(segment) => {
                let frame = Frame { number, link_type, original_len, data, comments: Vec::new() };
                What::Segment { frame, segment }
            }
            Decoded::Other(name) => {
                What::Gap(Gap::Malformed { frame: number, why: format!("{name} where TCP was asked for") })
            }
            Decoded::Malformed(why) => What::Gap(Gap::Malformed { frame: number, why }),
        };
        self.merge.push(time, None, what);
    }
}
