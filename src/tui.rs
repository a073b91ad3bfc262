//! The dashboard: what a terminal shows of a story, and the menu of scenarios before it.
//!
//! The Elm architecture: [`model::Model`] is all that is known, [`message::Message`] all that can happen, [`update::update`]
//! the only place where the one changes by the other; what has to happen outside comes back as [`message::Effect`]s. Views
//! read the model and never change it. No source, file or thread is touched from here: `app` handles the effects.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use ratatui::Terminal;
use ratatui::backend::Backend;

pub mod findings;
pub mod held;
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
const BATCH: usize = 4096;

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
    let mut pause = Pause::default();
    loop {
        let size = terminal.size()?;
        model.size = Size { width: size.width, height: size.height };
        terminal.draw(|frame| view::draw(&model, frame))?;
        let first = match pause.wait(&model, receiver) {
            Ok(first) => Some(first),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return Ok(Ended::Interrupted),
        };
        for message in first.into_iter().chain(receiver.try_iter().take(BATCH)) {
            take(&mut model, message, &mut handle);
        }
        pause.catch_up(&mut model);
        if let Some(ended) = model.ended {
            return Ok(ended);
        }
    }
}

/// A long story takes long to be told anew: no more than half of the time is spent on that.
#[derive(Default)]
struct Pause {
    /// Until then no story is told anew by itself.
    until: Option<Instant>,
}

impl Pause {
    /// The next message; a time-out where it is time to have the story take in what happened.
    fn wait(&self, model: &Model, receiver: &Receiver<Message>) -> Result<Message, RecvTimeoutError> {
        let has_untold = model.story.as_ref().is_some_and(|story| !story.untold.is_empty());
        match self.until.filter(|_| has_untold) {
            Some(until) => receiver.recv_timeout(until.saturating_duration_since(Instant::now())),
            None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    fn catch_up(&mut self, model: &mut Model) {
        let start = Instant::now();
        if self.until.is_none_or(|until| start >= until) {
            update::catch_up(model);
            self.until = Some(Instant::now() + start.elapsed());
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
