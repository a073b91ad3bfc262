//! The only place where the model changes.

pub mod findings;
mod lab;
mod menu;
mod page;
mod story;

use crate::source::lab::message::Message as Told;

use super::keys::{Action, Context, Meaning, meaning};
use super::menu::Entry;
use super::message::{Effect, Message};
use super::model::{Asking, Ended, Model, Overlay, Pace, Page, StoryScreen};

/// Changes `model` by `message`, and says what has to be done outside.
pub fn update(model: &mut Model, message: Message) -> Vec<Effect> {
    // Events are taken in together, before anything else that may look at them.
    let looks =
        !matches!(message, Message::Lab { message: Told::Event(_), .. } | Message::Printed(_) | Message::Resized);
    if looks {
        catch_up(model);
    }
    match message {
        Message::Key(key) => match meaning(model.context(), key) {
            Meaning::Interrupt => end(model, Ended::Interrupted),
            Meaning::Action(Action::Quit) => end(model, Ended::Quit),
            Meaning::Action(action) => act(model, action),
            Meaning::Typed(c) => menu::typed(model, c),
            Meaning::Nothing => Vec::new(),
        },
        Message::InputLost | Message::Interrupted => end(model, Ended::Interrupted),
        Message::Panicked => end(model, Ended::Panicked),
        Message::Lab { play, message } if play == model.play => lab::told(model, message),
        // Another size only wants another draw; what an earlier play still tells, nobody asked for.
        Message::Resized | Message::Lab { .. } => Vec::new(),
        Message::Printed(bytes) => {
            page::printed(model, &bytes);
            Vec::new()
        }
        Message::Opened { title, story } => {
            let entry = model.menu.menu.entry(&story.journal().run().name).cloned();
            model.story = Some(StoryScreen::replay(title, *story, entry));
            Vec::new()
        }
        Message::Refused { message, help } => {
            let help = help.map(|help| format!("help: {help}"));
            let lines = std::iter::once(message).chain(help).collect();
            show(model, "This could not be done", lines)
        }
        Message::Doctor(lines) => show(model, "This machine", lines),
    }
}

/// Has the story take in what happened since the last time.
pub fn catch_up(model: &mut Model) {
    let Some(Err(error)) = model.story.as_mut().map(StoryScreen::catch_up) else { return };
    show(model, "The story cannot go on", vec![error]);
}

fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match model.context() {
        Context::Menu | Context::Line => menu::act(model, action),
        Context::Live | Context::Replay => story::act(model, action),
        Context::Quiz => lab::answer(model, action),
        Context::Page => page::act(model, action),
        Context::List => findings::act(model, action),
    }
}

fn end(model: &mut Model, ended: Ended) -> Vec<Effect> {
    model.ended = Some(ended);
    Vec::new()
}

/// Begins to play `entry` at `pace`: the story's screen is there at once, and the effects start it.
pub fn begin(model: &mut Model, entry: Entry, asking: Asking, pace: Pace) -> Vec<Effect> {
    let effects = lab::start(model, entry, asking);
    if let Some(story) = &mut model.story {
        story.pace = pace;
    }
    effects
}

/// Lays a page over the screen.
fn show(model: &mut Model, title: &str, lines: Vec<String>) -> Vec<Effect> {
    model.overlay = Some(Overlay::Page(Page { title: title.to_owned(), lines, ..Page::default() }));
    Vec::new()
}

/// Lays the help for the screen below over it.
fn show_help(model: &mut Model) -> Vec<Effect> {
    let lines = super::keys::help(model.context(), |action| model.acts(action))
        .into_iter()
        .map(|(keys, help)| format!("{keys:<6} {help}"));
    let mut lines: Vec<String> = lines.collect();
    if let Some(story) = &model.story {
        lines.extend(super::view::legend::LINES.iter().map(|line| (*line).to_owned()));
        let facts = &story.scene.facts;
        if !facts.is_empty() {
            lines.extend([String::new(), "This run:".to_owned()]);
        }
        lines.extend(facts.iter().map(|(label, fact)| format!("{label:<8} {fact}")));
    }
    show(model, "Help", lines)
}

#[cfg(test)]
pub mod tests;
