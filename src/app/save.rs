//! Saves a story as pcapng.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use super::Failure;
use crate::cli;
use crate::event::{EventId, Frame, FrameNo};
use crate::report::payload::{self, Keep};
use crate::report::pcapng::{OtherPacket, Saving};
use crate::story::Story;

/// Saves `story` to `path`, with packets and comments of a capture that are none of its events, and with as much data as
/// `payload` says; `None` keeps what there is.
pub fn save(
    story: &Story,
    path: &Path,
    payload: Option<cli::Payload>,
    others: &[OtherPacket<'_>],
) -> Result<(), Failure> {
    let name = path.display().to_string();
    let failed = |why: &dyn std::fmt::Display, help| Failure { message: format!("cannot save {name:?}: {why}"), help };
    let keep = payload.map(keep);
    let cut = keep.map(|keep| payload::cut(story.journal(), keep)).transpose().map_err(|error| failed(&error, None))?;
    let frames: Vec<Frame> =
        others.iter().map(|other| payload::cut_other(other.frame, keep.unwrap_or(Keep::All))).collect();
    let others: Vec<OtherPacket<'_>> =
        others.iter().zip(&frames).map(|(other, frame)| OtherPacket { frame, time: other.time }).collect();
    let saving = Saving {
        caused: &|event| caused(story, event),
        connection: &|event| story.record(event)?.connection,
        others: &others,
        ..Saving::new(cut.as_ref().unwrap_or(story.journal()))
    };
    saving.check().map_err(|error| failed(&error, error.help()))?;
    let file = File::create(path).map_err(|error| Failure::new(format!("cannot create {name:?}: {error}")))?;
    saving.write(&mut BufWriter::new(file)).map_err(|error| failed(&error, error.help()))
}

const fn keep(payload: cli::Payload) -> Keep {
    match payload {
        cli::Payload::None => Keep::None,
        cli::Payload::Head => Keep::Head,
        cli::Payload::All => Keep::All,
    }
}

/// The first frame that the event caused.
fn caused(story: &Story, event: EventId) -> Option<FrameNo> {
    let segment = story.segments_of(event).first()?;
    story.journal().get(*segment)?.segment().map(|(frame, _)| frame.number)
}
