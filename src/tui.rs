//! The dashboard: what a terminal shows of a story, and the menu of scenarios before it.
//!
//! The Elm architecture: [`model::Model`] is all that is known, [`message::Message`] all that can happen, [`update::update`]
//! the only place where the one changes by the other; what has to happen outside comes back as [`message::Effect`]s. Views
//! read the model and never change it. No source, file or thread is touched from here: `app` handles the effects.

use std::sync::mpsc::Receiver;

use ratatui::Terminal;
use ratatui::backend::Backend;

pub mod findings;
pub mod keys;
pub mod line;
pub mod menu;
pub mod message;
pub mod model;
mod playback;
pub mod quiz;
pub mod scene;

pub mod terminal;
pub mod theme;
pub mod update;
pub mod view;

use message::{Effect, Message};
use model::{Ended, Model, Size};

/// As many messages are taken in before the next draw, so that a flood of events still shows something.
const BATCH: usize = 256;

/// Draws `model` after each batch of messages from `receiver` until it has ended. `handle` does what an effect asks for and
/// returns what came of it at once; what comes later it sends by the channel's other end, from a thread of its own.
///
/// Fails if the terminal cannot be written to. A channel without senders ends the loop as an interruption.
pub fn run<B: Backend>(
    terminal: &mut Terminal<B>,
    mut model: Model,
    receiver: &Receiver<Message>,
    mut handle: impl FnMut(Effect) -> Vec<Message>,
) -> Result<Ended, B::Error> {
    loop {
        let size = terminal.size()?;
        model.size = Size { width: size.width, height: size.height };
        terminal.draw(|frame| view::draw(&model, frame))?;
        let Ok(first) = receiver.recv() else { return Ok(Ended::Interrupted) };
        take(&mut model, first, &mut handle);
        for message in receiver.try_iter().take(BATCH) {
            take(&mut model, message, &mut handle);
        }
        if let Some(ended) = model.ended {
            return Ok(ended);
        }
    }
}

fn take(model: &mut Model, message: Message, handle: &mut impl FnMut(Effect) -> Vec<Message>) {
    let mut messages = vec![message];
    while let Some(message) = messages.pop() {
        for effect in update::update(model, message) {
            messages.extend(handle(effect));
        }
    }
}

#[cfg(test)]
mod tests;
