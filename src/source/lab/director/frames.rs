//! What the capture brings.

use std::sync::mpsc::{RecvTimeoutError, TryRecvError};
use std::time::Instant;

use super::{Director, StageError};
use crate::source::live::{Item, Taken};

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
        let (number, happened) = match self.frames.take(item) {
            Taken::Ended(why) => return Err(StageError::CaptureEnded(why)),
            Taken::Marker(number, lost) => (Some(number), lost),
            Taken::Event(time, what) => (None, Some((time, what))),
        };
        if let Some((time, what)) = happened {
            self.merge.push(time, None, what);
        }
        Ok(number)
    }
}
