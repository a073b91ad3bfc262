//! The whole story of one connection of a capture: only its frames are kept.

use crate::app::filter::Filter;
use crate::app::{Failure, replay};
use crate::cli::Explain;
use crate::decode::{Decoded, Fragments, decode};
use crate::event::{Event, EventId, Frame, Run, Time, What, without_controls};
use crate::source::file::{FileError, Seen, Watch};
use crate::story::Story;
use crate::story::journal::Journal;
use crate::survey::Summary;

/// Reads the captures again and tells the story of `connection`.
pub fn story(explain: &Explain, connection: &Summary<'_>) -> Result<Story, Failure> {
    let (mut captures, _) = super::pass::open(&explain.files, false, &Watch::default())?;
    let several = captures.captures().len() > 1;
    let mut gathering = Gathering::new(explain, connection)?;
    let mut filter = explain.filter.as_deref().map(Filter::new).transpose()?;
    let (mut now, mut place) = (Time(0), 0);
    while let Some(seen) = captures.advance() {
        match seen {
            Ok(Seen::Packet(view)) => {
                now = view.time.unwrap_or(now);
                place += 1;
                let frame = super::pass::packet(several, now, view, true).frame;
                if filter.as_mut().map_or(Ok(true), |filter| filter.passes(view.link_type, view.data()))? {
                    gathering.packet(place, now, Frame { number: frame, ..view.to_record().frame })?;
                }
                if frame == connection.frames().1 {
                    break;
                }
            }
            Err(FileError::Stopped { .. }) => break,
            // What ended the reading of a file early was told when the connection was found.
            Ok(_) | Err(_) => {}
        }
    }
    Ok(Story::tell(gathering.journal))
}

struct Gathering<'a> {
    connection: &'a Summary<'a>,
    fragments: Fragments,
    journal: Journal,
}

impl<'a> Gathering<'a> {
    fn new(explain: &Explain, connection: &'a Summary<'a>) -> Result<Self, Failure> {
        let file = explain.files.first().ok_or_else(|| Failure::new("no capture was named"))?;
        let name = format!("{} #{}", replay::title(file), connection.id());
        let capture = ("capture".to_owned(), without_controls(&file.display().to_string()));
        let run = Run { name: without_controls(&name), facts: vec![capture], comments: Vec::new() };
        Ok(Self { connection, fragments: Fragments::default(), journal: Journal::new(run) })
    }

    fn packet(&mut self, place: u64, time: Time, frame: Frame) -> Result<(), Failure> {
        let decoded = match decode(frame.link_type, &frame.data, frame.original_len) {
            other @ Decoded::Other(_) => self.fragments.add(frame.link_type, &frame.data).unwrap_or(other),
            decoded => decoded,
        };
        let Decoded::Tcp(segment) = decoded else { return Ok(()) };
        if !self.connection.has(place, segment.src, segment.dst) {
            return Ok(());
        }
        let id = EventId(self.journal.events().len() as u64 + 1);
        let event = Event { id, time, actor: None, late: false, what: What::Segment { frame, segment } };
        self.journal.append(event).map_err(|error| Failure::new(error.to_string()))
    }
}
