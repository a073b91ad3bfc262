//! Keys on a story.

use crate::source::lab::message::Command;
use crate::story::drawing::clean;
use crate::tui::keys::Action;
use crate::tui::message::Effect;
use crate::tui::model::{Asking, Model, Origin, Overlay, Pace, Page, Pane, Progress, StoryScreen};

use super::{findings, lab, show, show_help};

/// How far a page key goes, in rows.
const LEAP: usize = 10;

/// Does what a key asks of the story.
pub fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Help => return show_help(model),
        Action::Back => return leave(model),
        Action::Variant => return variant(model),
        Action::Advice => return advice(model),
        Action::Printed => return printed(model),
        Action::Findings => return findings::open(model),
        _ => {}
    }
    let Some(story) = &mut model.story else { return Vec::new() };
    let last = story.scene.lines.len().saturating_sub(1);
    match action {
        Action::Accept if story.origin == Origin::Live => return lab::next_call(model),
        Action::Accept => story.look_at(next_call_row(story)),
        Action::Up => story.look_at(story.cursor.saturating_sub(1)),
        Action::Down => story.look_at((story.cursor + 1).min(last)),
        Action::Cause => story.look_at(story.cause_row().unwrap_or(story.cursor.saturating_sub(1))),
        Action::Effect => story.look_at(story.effect_row().unwrap_or(story.cursor + 1).min(last)),
        Action::PageUp => story.look_at(story.cursor.saturating_sub(LEAP)),
        Action::PageDown => story.look_at((story.cursor + LEAP).min(last)),
        Action::First => story.look_at(0),
        Action::Last => story.look_at(last),
        Action::Acks => {
            story.all_acks = !story.all_acks;
            story.refresh();
        }
        Action::Times => story.times = !story.times,
        Action::Pane => story.pane = after(story.pane),
        Action::Asking => story.asking = if story.asking == Asking::Each { Asking::Never } else { Asking::Each },
        Action::Rest => return rest(story),
        Action::Another => return lab::another(story),
        _ => {}
    }
    Vec::new()
}

const fn after(pane: Pane) -> Pane {
    match pane {
        Pane::Why => Pane::Bytes,
        Pane::Bytes => Pane::Packet,
        Pane::Packet => Pane::Why,
    }
}

/// The next row below the cursor that has a call, or else the last row.
fn next_call_row(story: &StoryScreen) -> usize {
    let below = story.scene.lines.iter().enumerate().skip(story.cursor + 1);
    let next = below.into_iter().find(|(_, line)| line.has_call).map(|(index, _)| index);
    next.unwrap_or_else(|| story.scene.lines.len().saturating_sub(1))
}

/// Makes all calls that are left. A scenario that has not yet asked is told when it asks.
fn rest(story: &mut StoryScreen) -> Vec<Effect> {
    story.pace = Pace::Run;
    story.following = true;
    match std::mem::take(&mut story.progress) {
        Progress::Waiting(_) => vec![Effect::Lab(Command::Run)],
        Progress::Busy => Vec::new(),
        Progress::Finished => {
            story.progress = Progress::Finished;
            Vec::new()
        }
    }
}

/// Back to the menu, or out where there is none.
fn leave(model: &mut Model) -> Vec<Effect> {
    if model.menu.menu.groups.is_empty() {
        return super::end(model, crate::tui::model::Ended::Quit);
    }
    let running = model.story.take().is_some_and(|story| story.hides_later());
    model.play.0 += 1;
    if running { vec![Effect::StopLab] } else { Vec::new() }
}

fn variant(model: &mut Model) -> Vec<Effect> {
    let here = model.story.as_ref().and_then(|story| story.entry.as_ref());
    let asking = model.story.as_ref().map_or(Asking::Once, |story| story.asking);
    match here.and_then(|entry| model.menu.menu.variant_after(&entry.name)).cloned() {
        Some(entry) => lab::start(model, entry, asking),
        None => Vec::new(),
    }
}

/// What a held program has printed.
fn printed(model: &mut Model) -> Vec<Effect> {
    let Some(held) = model.story.as_ref().and_then(|story| story.held.as_ref()) else { return Vec::new() };
    let lines = held.printed.lines();
    let lines = if lines.is_empty() { vec!["Nothing so far.".to_owned()] } else { lines };
    let mut page = Page { title: "Output".to_owned(), lines, grows: true, ..Page::default() };
    page.offset = page.last_offset(model.size);
    model.overlay = Some(Overlay::Page(page));
    Vec::new()
}

/// How it ended, once it has; what is to be learnt; what is usually done about it.
fn advice(model: &mut Model) -> Vec<Effect> {
    let Some(story) = &model.story else { return Vec::new() };
    let mut lines = Vec::new();
    if story.hides_later() {
        lines.push("How it ends is said once it has ended.".to_owned());
    } else {
        for verdict in &story.scene.verdicts {
            lines.push(format!("{} ({})", verdict.name, verdict.certainty.name()));
            lines.extend(verdict.sentences.iter().cloned());
            lines.push(String::new());
        }
    }
    if let Some(entry) = story.entry.as_ref().filter(|_| !story.hides_later()) {
        lines.extend(entry.lesson.iter().cloned());
        if !entry.fix.is_empty() {
            lines.push(String::new());
            lines.push(format!("What is usually done: {}", entry.fix));
        }
        if !entry.sources.is_empty() {
            lines.push(String::new());
            lines.push(format!("Sources: {}.", entry.sources.join("; ")));
        }
    }
    if !story.findings().is_empty() {
        lines.extend([String::new(), "What the programs did wrong, call by call: f.".to_owned()]);
    }
    let comments = story.story.iter().flat_map(|story| &story.journal().run().comments);
    for comment in comments {
        lines.extend([String::new(), "Written on the file:".to_owned()]);
        lines.extend(comment.lines().map(clean));
    }
    show(model, "Advice", lines)
}
