//! Segments and a story's lines → one sequence of events.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use super::Entry;
use super::lines::Told;
use crate::event::{Event, EventId, FrameNo, Gap, What};

/// Puts what the file tells and what its lines tell into one sequence, whose ids count from 1.
pub fn assemble(mut entries: Vec<Entry>, told: &mut Told) -> Vec<Event> {
    told.unread.retain(|id| !told.events.contains_key(id));
    drop_told_gaps(&mut entries, told);
    let order = Order::of(&mut entries, told);
    let mut numbering = Numbering::default();
    let mut entries = VecDeque::from(entries);
    let lines = std::mem::take(&mut told.events);
    let mut lines: VecDeque<(EventId, Event)> = lines.into_iter().collect();
    while !(entries.is_empty() && lines.is_empty()) {
        let line_is_next = match (lines.front(), entries.front()) {
            (Some((id, event)), Some(entry)) => order.line_first(*id, event, entry),
            (line, _) => line.is_some(),
        };
        if line_is_next {
            if let Some((_, event)) = lines.pop_front() {
                numbering.line(event, &mut told.complaints);
            }
        } else if let Some(entry) = entries.pop_front() {
            numbering.entry(entry);
        }
    }
    numbering.events
}

/// A story tells of the frames that could not be decoded itself; they are not told twice.
fn drop_told_gaps(entries: &mut Vec<Entry>, told: &Told) {
    let gap_frame = |what: &What| match what {
        What::Gap(Gap::Malformed { frame, .. }) => Some(*frame),
        _ => None,
    };
    let named: HashSet<FrameNo> = told.events.values().filter_map(|event| gap_frame(&event.what)).collect();
    entries.retain(|entry| gap_frame(&entry.what).is_none_or(|frame| !named.contains(&frame)));
}

/// What decides whether a line or an entry comes first.
#[derive(Clone, Copy)]
enum Order {
    /// Their ids.
    Ids,
    /// Their times.
    Times,
}

impl Order {
    /// Ids decide if they fit together; then every entry is given its id.
    fn of(entries: &mut [Entry], told: &mut Told) -> Self {
        let segments = entries.iter().filter(|entry| entry.is_segment()).count();
        let found = (segments + told.events.len() + told.unread.len()) as u64;
        let last_event = told.events.last_key_value().map_or(0, |(id, _)| id.0);
        let last = told.unread.last().map_or(0, |id| id.0).max(last_event);
        let count = told.count.unwrap_or(found);
        if count == found && last <= count {
            give_ids(entries, told, count);
            return Self::Ids;
        }
        told.complaints.push(format!(
            "the story had {} events or more, and {found} are left: they are put in order by their times",
            count.max(last)
        ));
        Self::Times
    }

    fn line_first(self, line: EventId, event: &Event, entry: &Entry) -> bool {
        match self {
            Self::Ids => entry.id.is_none_or(|id| line < id),
            Self::Times => event.time <= entry.time,
        }
    }
}

/// Gives the ids that no line has to the segments in the order of their frames, except for those that say theirs. What is no
/// segment stays behind the one before it.
fn give_ids(entries: &mut [Entry], told: &Told, count: u64) {
    let said: BTreeSet<EventId> = entries.iter().filter_map(|entry| entry.id).collect();
    let is_free = |id: &EventId| !(told.events.contains_key(id) || told.unread.contains(id) || said.contains(id));
    let mut free = (1..=count).map(EventId).filter(is_free);
    let mut before = EventId(0);
    for entry in entries.iter_mut() {
        let own = if entry.is_segment() { entry.id.or_else(|| free.next()) } else { None };
        before = own.unwrap_or(before);
        entry.id = Some(before);
    }
    entries.sort_by_key(|entry| entry.id);
}

/// Gives ids, and sees to it that what points at an event points at one that is there.
#[derive(Default)]
struct Numbering {
    events: Vec<Event>,
    /// The new ids of calls begun and not yet ended, by their old ones.
    begun: HashMap<EventId, EventId>,
}

impl Numbering {
    fn next_id(&self) -> EventId {
        EventId(self.events.len() as u64 + 1)
    }

    fn entry(&mut self, entry: Entry) {
        if entry.kept {
            let Entry { time, what, late, .. } = entry;
            self.events.push(Event { id: self.next_id(), time, actor: None, late, what });
        }
    }

    fn line(&mut self, mut event: Event, complaints: &mut Vec<String>) {
        let old = event.id;
        event.id = self.next_id();
        match &mut event.what {
            What::Begun(_) => {
                self.begun.insert(old, event.id);
            }
            What::Ended { begun, .. } => {
                let Some(new) = self.begun.remove(begun) else {
                    let why = format!("event {old} ends a call that event {begun} did not begin: it is left out");
                    complaints.push(why);
                    return;
                };
                *begun = new;
            }
            What::Stack(stack) => {
                let Some(new) = self.begun.get(&stack.begun) else {
                    let why = format!(
                        "event {old} is the stack of a call that event {} did not begin: it is left out",
                        stack.begun
                    );
                    complaints.push(why);
                    return;
                };
                stack.begun = *new;
            }
            _ => {}
        }
        self.events.push(event);
    }
}
