//! The list of findings: what opens it, where it leads, and when there is none.

use crossterm::event::KeyCode;

use crate::source::file::{Capture, read};
use crate::source::lab::message::Message as Told;
use crate::story::Story;
use crate::story::journal::Journal;
use crate::tui::keys::Action;
use crate::tui::message::Message;
use crate::tui::model::{Model, Origin, Overlay, Progress, StoryScreen};
use crate::tui::update::tests::{hit, press};
use crate::tui::update::update;

/// The screen of the recording called `name`.
///
/// # Panics
/// Where there is none.
pub fn recording(name: &str) -> StoryScreen {
    let path = format!("{}/captures/{name}.pcapng", env!("CARGO_MANIFEST_DIR"));
    let capture = Capture::new(name.to_owned(), std::fs::File::open(path).unwrap()).unwrap();
    let recorded = read(capture, &mut |_| true).unwrap();
    let mut journal = Journal::new(recorded.run);
    for event in recorded.events {
        journal.append(event).unwrap();
    }
    StoryScreen::replay(name.to_owned(), Story::tell(journal), None)
}

fn showing(story: StoryScreen) -> Model {
    Model { story: Some(story), ..Model::default() }
}

fn here(model: &Model) -> &str {
    let story = model.story.as_ref().unwrap();
    &story.scene.lines[story.cursor].row.text.client
}

#[test]
fn the_list_leads_to_the_row_of_the_call_that_tells() {
    let mut model = showing(recording("shutdown-both"));
    assert!(model.story.as_ref().unwrap().mode().ends_with(" · 2 findings (f)"));
    press(&mut model, 'f');
    let Some(Overlay::Findings(list)) = &model.overlay else { panic!("no list") };
    assert_eq!((list.entries.len(), list.chosen), (2, 0));
    let titles: Vec<&str> = list.entries.iter().map(|entry| entry.finding.kind.title()).collect();
    assert_eq!(titles, ["sent after the own shutdown", "bytes were lost after a send that succeeded"]);
    for key in [KeyCode::Down, KeyCode::Down, KeyCode::Enter] {
        hit(&mut model, key);
    }
    assert_eq!((here(&model), model.overlay.is_some()), ("send(\"hello\") = 5", false));
    let why = model.story.as_ref().unwrap().scene.moment.why.clone().unwrap();
    let said: Vec<&str> = why.findings.iter().map(|finding| finding.text.as_str()).collect();
    assert_eq!(said, ["5 bytes that the client's send() had reported as taken never reached a program."]);
    // It opens at the next one from the row on.
    press(&mut model, 'f');
    let Some(Overlay::Findings(list)) = &model.overlay else { panic!("no list") };
    assert_eq!(list.chosen, 1);
    hit(&mut model, KeyCode::Esc);
    assert_eq!((here(&model), model.overlay.is_some()), ("send(\"hello\") = 5", false));
}

#[test]
fn where_nothing_was_found_there_is_no_list() {
    let mut model = showing(recording("client-closes-first"));
    assert!(!model.acts(Action::Findings) && !model.story.as_ref().unwrap().mode().contains("finding"));
    press(&mut model, 'f');
    assert!(model.overlay.is_none());
}

#[test]
fn what_is_still_happening_keeps_its_findings_to_itself() {
    let mut model = showing(StoryScreen { origin: Origin::Live, progress: Progress::Busy, ..recording("broken-pipe") });
    assert!(model.story.as_ref().unwrap().findings().is_empty());
    press(&mut model, 'f');
    assert!(model.overlay.is_none() && !model.acts(Action::Findings));
    let play = model.play;
    update(&mut model, Message::Lab { play, message: Told::Finished });
    press(&mut model, 'f');
    assert!(matches!(model.overlay, Some(Overlay::Findings(_))));
}

#[test]
fn every_finding_of_a_recording_has_a_row() {
    let folder = std::fs::read_dir(format!("{}/captures", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let paths = folder.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    for path in paths.filter(|path| path.extension().is_some_and(|extension| extension == "pcapng")) {
        let mut model = showing(recording(path.file_stem().unwrap().to_str().unwrap()));
        press(&mut model, 'f');
        let Some(Overlay::Findings(list)) = model.overlay else { continue };
        assert!(list.entries.iter().all(|entry| entry.row.is_some()), "{}: {list:?}", path.display());
    }
}
