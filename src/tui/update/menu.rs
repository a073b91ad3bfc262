//! Keys on the first screen, and in the lines that are typed over it.

use std::path::PathBuf;

use crate::tui::keys::Action;
use crate::tui::line::Line;
use crate::tui::message::Effect;
use crate::tui::model::{Asking, Model, Overlay};

use super::{lab, show_help};

/// A character typed into the line.
pub fn typed(model: &mut Model, c: char) -> Vec<Effect> {
    edit(model, |line| line.push(c))
}

/// Does what a key asks of the menu or of the line over it.
pub fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Accept => return accept(model),
        Action::PlayAsking => return play(model, Asking::Each),
        Action::Doctor => return vec![Effect::Doctor],
        Action::Help => return show_help(model),
        Action::Erase => return edit(model, Line::backspace),
        Action::Back => never_mind(model),
        Action::Up => model.menu.up(),
        Action::Down => model.menu.down(),
        Action::First => model.menu.entry = 0,
        Action::Last => model.menu.entry = model.menu.listed().len().saturating_sub(1),
        Action::NextGroup => model.menu.turn(true),
        Action::PreviousGroup => model.menu.turn(false),
        Action::Search => {
            model.menu.look_for(Some(String::new()));
            model.overlay = Some(Overlay::Search(Line::default()));
        }
        Action::Open => model.overlay = Some(Overlay::Path(Line::default())),
        _ => {}
    }
    Vec::new()
}

fn edit(model: &mut Model, change: impl FnOnce(&mut Line)) -> Vec<Effect> {
    match &mut model.overlay {
        Some(Overlay::Path(line)) => change(line),
        Some(Overlay::Search(line)) => {
            change(line);
            let text = line.text().to_owned();
            model.menu.look_for(Some(text));
        }
        _ => {}
    }
    Vec::new()
}

fn never_mind(model: &mut Model) {
    model.overlay = None;
    model.menu.look_for(None);
}

fn accept(model: &mut Model) -> Vec<Effect> {
    match model.overlay.take() {
        Some(Overlay::Path(line)) if line.text().is_empty() => Vec::new(),
        Some(Overlay::Path(line)) => vec![Effect::Open(PathBuf::from(line.text()))],
        // What was found stays listed; the next Enter plays it.
        Some(Overlay::Search(line)) => {
            if line.text().trim().is_empty() {
                model.menu.look_for(None);
            }
            Vec::new()
        }
        _ => play(model, Asking::Once),
    }
}

fn play(model: &mut Model, asking: Asking) -> Vec<Effect> {
    match model.menu.selected().cloned() {
        Some(entry) => lab::start(model, entry, asking),
        None => Vec::new(),
    }
}
