//! Saves a story as pcapng.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use super::Failure;
use crate::event::{EventId, FrameNo};
use crate::report::pcapng::{OtherPacket, Saving};
use crate::story::Story;

/// Saves `story` to `path`, with the packets of a capture that are none of its events.
pub fn save(story: &Story, path: &Path, others: &[OtherPacket<'_>]) -> Result<(), Failure> {
    let name = path.display().to_string();
    let file = File::create(path).map_err(|error| Failure::new(format!("cannot create {name:?}: {error}")))?;
    let saving = Saving {
        caused: &|event| caused(story, event),
        connection: &|event| story.record(event)?.connection,
        others,
        ..Saving::new(story.journal())
    };
    saving
        .write(&mut BufWriter::new(file))
        .map_err(|error| Failure { message: format!("cannot save {name:?}: {error}"), help: error.help() })
}

/// The first frame that the event caused.
fn caused(story: &Story, event: EventId) -> Option<FrameNo> {
    story.effects(event).find_map(|id| story.journal().get(id)?.segment()).map(|(frame, _)| frame.number)
}
