//! A scenario as it is played: what it tells, and when its next call is let go.

use crate::event::{Event, What};
use crate::socket::call::{Call, CallName};
use crate::source::lab::message::{Command, Message, Mismatch, NextCall};
use crate::source::lab::need::Missing;
use crate::tui::keys::Action;
use crate::tui::menu::Entry;
use crate::tui::message::{Effect, Play};
use crate::tui::model::{Asking, Model, Overlay, Pace, Progress, StoryScreen, Telling};
use crate::tui::quiz::Quiz;

use super::show;

/// Starts to play `entry`.
pub fn start(model: &mut Model, entry: Entry, asking: Asking) -> Vec<Effect> {
    model.play = Play(model.play.0 + 1);
    model.overlay = None;
    let name = entry.name.clone();
    model.story = Some(StoryScreen::live(entry, asking));
    vec![Effect::StartLab { play: model.play, name }]
}

/// Takes in what the scenario tells.
pub fn told(model: &mut Model, message: Message) -> Vec<Effect> {
    let Some(story) = &mut model.story else { return Vec::new() };
    match message {
        Message::Run(run) => story.begin(run),
        Message::Event(event) => {
            note_the_telling_call(story, &event);
            story.untold.push(event);
        }
        Message::Settled(next) => return settled(model, next),
        Message::Mismatch(mismatch) => {
            let (title, lines) = mismatch_page(&mismatch, story.waited);
            return show(model, title, lines);
        }
        Message::Finished => {
            stop_at_the_telling_call(story);
            judge_what_was_foretold(story);
            story.progress = Progress::Finished;
        }
        Message::Skipped(Missing { need, why, help }) => {
            story.progress = Progress::Finished;
            let lines = with_help(format!("It needs {need}, but {why}."), help);
            return show(model, "The scenario cannot run here", lines);
        }
        Message::Failed { message, help } => {
            story.progress = Progress::Finished;
            let what = if story.held.is_some() { "The run" } else { "The scenario" };
            return show(model, &format!("{what} could not go on"), with_help(message, help));
        }
    }
    Vec::new()
}

fn with_help(message: String, help: Option<String>) -> Vec<String> {
    let help = help.map(|help| format!("help: {help}"));
    std::iter::once(message).chain(help).collect()
}

/// A run that was held back may differ by that alone: the kernel's timers run on.
fn mismatch_page(mismatch: &Mismatch, waited: bool) -> (&'static str, Vec<String>) {
    let mut lines = vec![
        format!("The scenario's line {} expects   {}", mismatch.line, mismatch.expected),
        format!("What happened is   {}", mismatch.happened),
    ];
    if !waited {
        return ("This kernel does otherwise", lines);
    }
    lines.push(String::new());
    lines.push(
        "The kernel's timers ran on between the keys: perhaps you waited longer than this scenario allows. Play it again and \
         press r at once to see it without waiting; if it still differs, this kernel does otherwise."
            .to_owned(),
    );
    ("It went otherwise", lines)
}

fn note_the_telling_call(story: &mut StoryScreen, event: &Event) {
    let What::Begun(made) = &event.what else { return };
    let is_it =
        |actor: &str, call: &Call| event.actor.as_ref().is_some_and(|known| known.name() == actor) && made == call;
    if let Some(telling) = story.telling.as_mut().filter(|telling| telling.begun.is_none())
        && is_it(&telling.actor, &telling.call)
    {
        telling.begun = Some(event.id);
    }
    let made = story.held.as_mut().and_then(|held| held.made.as_mut());
    if let Some(made) = made.filter(|made| made.begun.is_none())
        && is_it(&made.actor, &made.call)
    {
        made.begun = Some(event.id);
    }
    if let Some(asked) = story.asked.as_mut().filter(|asked| asked.begun.is_none())
        && is_it(&asked.actor, &asked.made)
    {
        asked.begun = Some(event.id);
    }
}

/// All that the last call caused has been told.
fn settled(model: &mut Model, next: Option<NextCall>) -> Vec<Effect> {
    let Some(story) = &mut model.story else { return Vec::new() };
    stop_at_the_telling_call(story);
    judge_what_was_foretold(story);
    let stops = foretell(story, next.as_ref());
    let Some(next) = next else { return Vec::new() };
    let telling = next.telling;
    story.progress = Progress::Waiting(Box::new(next));
    match story.pace {
        Pace::Run => {
            story.progress = Progress::Busy;
            vec![Effect::Lab(Command::Run)]
        }
        Pace::Walk if !telling => let_go(story, Command::Walk),
        Pace::Walk => {
            story.pace = Pace::Step;
            if story.asking == Asking::Never { Vec::new() } else { ask(model) }
        }
        Pace::Step if !stops => go(story),
        Pace::Step if std::mem::take(&mut story.ahead) && !telling => go(story),
        Pace::Step if !story.sleeping => Vec::new(),
        Pace::Step if telling && story.asking == Asking::Each => ask(model),
        Pace::Step => go(story),
    }
}

/// Says of the call that a held program is to make next what will come of it, and whether the user is to be asked.
fn foretell(story: &mut StoryScreen, next: Option<&NextCall>) -> bool {
    let ahead = next.zip(story.story.as_ref()).map(|(next, story)| story.ahead(&next.actor, &next.call));
    let Some(held) = &mut story.held else { return true };
    held.idle = next.is_none();
    held.ahead = ahead.unwrap_or_default();
    next.is_none_or(|next| held.breaks.are_before(next, &held.ahead))
}

/// Says whether the last call of a held program came as it was foretold.
fn judge_what_was_foretold(story: &mut StoryScreen) {
    let Some((held, told)) = story.held.as_ref().zip(story.story.as_ref()) else { return };
    story.judged = held.judgement(told);
}

/// Judges the answer, and puts the cursor on the telling call's own row: what came of it is shown by the next key.
fn stop_at_the_telling_call(story: &mut StoryScreen) {
    if let Some(asked) = story.asked.take() {
        let outcome = asked.begun.and_then(|begun| story.outcome_of(begun));
        story.judged = Some(asked.judge(outcome.as_ref(), &mut story.score));
    }
    let Some(begun) = story.telling.take().and_then(|telling| telling.begun) else { return };
    if let Some(row) = story.scene.lines.iter().position(|line| line.row.events.contains(&begun)) {
        story.look_at(row);
    }
}

/// Enter: lets the next call go, asking first where that is wanted.
pub fn next_call(model: &mut Model) -> Vec<Effect> {
    let Some(story) = &mut model.story else { return Vec::new() };
    match &story.progress {
        Progress::Waiting(next) if next.telling && story.asking == Asking::Each => ask(model),
        Progress::Waiting(_) => go(story),
        Progress::Busy => {
            story.ahead = story.pace == Pace::Step;
            Vec::new()
        }
        Progress::Finished => {
            story.look_at(story.scene.lines.len().saturating_sub(1));
            Vec::new()
        }
    }
}

fn ask(model: &mut Model) -> Vec<Effect> {
    let Some(story) = &model.story else { return Vec::new() };
    if let Progress::Waiting(next) = &story.progress {
        model.overlay = Some(Overlay::Quiz(Quiz::before(next)));
    }
    Vec::new()
}

/// A key at the question: the call goes, whatever was answered.
pub fn answer(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Overlay::Quiz(mut quiz)) = model.overlay.take() else { return Vec::new() };
    if let Action::Answer(index) = action {
        quiz.chosen = Some(usize::from(index));
    }
    let Some(story) = &mut model.story else { return Vec::new() };
    story.asked = Some(quiz);
    go(story)
}

/// Another of those that stand before a call is to be the next.
pub fn another(story: &mut StoryScreen) -> Vec<Effect> {
    match &story.progress {
        Progress::Waiting(next) if next.beside > 0 => {
            story.progress = Progress::Busy;
            vec![Effect::Lab(Command::Other)]
        }
        _ => Vec::new(),
    }
}

fn go(story: &mut StoryScreen) -> Vec<Effect> {
    let_go(story, Command::Go)
}

fn let_go(story: &mut StoryScreen, command: Command) -> Vec<Effect> {
    let Progress::Waiting(next) = std::mem::take(&mut story.progress) else { return Vec::new() };
    let telling = || Telling { actor: next.actor.name().to_owned(), call: next.call.clone(), begun: None };
    story.telling = next.telling.then(telling);
    if let Some(held) = &mut story.held {
        (held.made, held.idle) = (Some(telling()), false);
    }
    story.waited = true;
    story.judged = None;
    story.sleeping = next.call.name == CallName::Nanosleep;
    story.follow();
    vec![Effect::Lab(command)]
}
