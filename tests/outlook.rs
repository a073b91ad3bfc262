//! What the outlook said before each call, beside what the call returned: in every recording, and in live runs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "lab/common.rs"]
mod common;
mod wire;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use epipe::event::{Event, EventId, Gap, What};
use epipe::story::Story;
use epipe::story::journal::Journal;
use wire::{journal_of, reread};

/// How many calls were compared, and in what the outlook was wrong.
#[derive(Default)]
struct Held {
    compared: usize,
    wrong: Vec<String>,
}

/// Holds the outlook to every call of `story` that worked on a connection.
fn hold(name: &str, story: &Story, held: &mut Held) {
    for event in story.journal().events() {
        let Some((call, foretold)) = event.begun().zip(story.foretold(event.id)) else { continue };
        let Some(came_so) = foretold.held else { continue };
        held.compared += 1;
        if !came_so {
            let text = epipe::notation::call(call);
            let was = story.call(event.id).and_then(|(_, outcome)| outcome).map(epipe::notation::outcome);
            let said = foretold.text();
            held.wrong.push(format!("{name}: event {} {text}: foretold {said}, was {was:?}", event.id));
        }
    }
}

/// The run without its segments, as one that could not be captured.
fn blind(whole: &Journal) -> Journal {
    let mut journal = Journal::new(whole.run().clone());
    let mut numbers = HashMap::new();
    let gap = What::Gap(Gap::NoCapture("left out".to_owned()));
    let time = whole.events()[0].time;
    journal.append(Event { id: EventId(1), time, actor: None, late: false, what: gap }).unwrap();
    for (id, event) in (2..).zip(whole.events().iter().filter(|event| event.segment().is_none())) {
        numbers.insert(event.id, EventId(id));
        let mut event = Event { id: EventId(id), ..event.clone() };
        if let What::Ended { begun, .. } = &mut event.what {
            *begun = numbers[begun];
        }
        journal.append(event).unwrap();
    }
    journal
}

fn captures() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pcapng"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_call_of_every_recording_returned_what_the_outlook_said() {
    let mut held = Held::default();
    for path in captures() {
        let story = Story::tell(journal_of(&reread(File::open(&path).unwrap())));
        hold(&path.file_stem().unwrap().to_string_lossy(), &story, &mut held);
    }
    assert_eq!(held.wrong, [] as [String; 0]);
    assert!(held.compared > 350, "only {} calls were compared", held.compared);
}

#[test]
fn without_the_segments_the_outlook_still_holds() {
    let mut held = Held::default();
    for path in captures() {
        let story = Story::tell(blind(&journal_of(&reread(File::open(&path).unwrap()))));
        hold(&path.file_stem().unwrap().to_string_lossy(), &story, &mut held);
    }
    assert_eq!(held.wrong, [] as [String; 0]);
    assert!(held.compared > 350, "only {} calls were compared", held.compared);
}

#[test]
fn every_call_of_a_live_run_returns_what_the_outlook_says() {
    let mut held = Held::default();
    for scenario in common::playable() {
        let mut journal = Journal::default();
        for event in common::run(&scenario, &common::options()) {
            journal.append(event).unwrap();
        }
        hold(&scenario.name, &Story::tell(journal), &mut held);
    }
    assert_eq!(held.wrong, [] as [String; 0]);
    assert!(held.compared > 350, "only {} calls were compared", held.compared);
}
