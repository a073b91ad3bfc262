//! Keys on the list of what the programs did wrong.

use crate::tui::findings::FindingList;
use crate::tui::keys::Action;
use crate::tui::message::Effect;
use crate::tui::model::{Model, Overlay};

/// How far a page key goes.
const LEAP: isize = 10;

/// Lays the list over the story, if there is anything to list.
pub fn open(model: &mut Model) -> Vec<Effect> {
    let Some(story) = model.story.as_ref().filter(|story| !story.findings().is_empty()) else { return Vec::new() };
    let list = FindingList::new(story.findings(), &story.scene.lines, story.cursor);
    model.overlay = Some(Overlay::Findings(list));
    Vec::new()
}

/// Does what a key asks of the list.
pub fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Overlay::Findings(list)) = &mut model.overlay else { return Vec::new() };
    match action {
        Action::Up => list.step(-1),
        Action::Down => list.step(1),
        Action::PageUp => list.step(-LEAP),
        Action::PageDown => list.step(LEAP),
        Action::First => list.step(isize::MIN),
        Action::Last => list.step(isize::MAX),
        Action::Accept => {
            let row = list.row();
            model.overlay = None;
            if let Some((story, row)) = model.story.as_mut().zip(row) {
                story.look_at(row);
            }
        }
        Action::Back => model.overlay = None,
        _ => {}
    }
    Vec::new()
}

#[cfg(test)]
pub mod tests;
