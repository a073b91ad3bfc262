//! The real loop, on a terminal of memory, with pushed messages.

use std::sync::mpsc::sync_channel;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::menu::{Entry, Group, Menu};
use super::theme::Theme;
use super::*;

fn model() -> Model {
    let entry = Entry { name: "broken-pipe".into(), ..Entry::default() };
    let group = Group { title: "Broken pipe".into(), entries: vec![entry], ..Group::default() };
    Model::with_menu(Theme::default(), Menu::new("", vec![group]))
}

fn key(code: KeyCode) -> Message {
    Message::Key(KeyEvent::from(code))
}

/// Runs the loop over `messages` and returns how it ended, the effects it asked for and the last screen.
fn run_over(messages: Vec<Message>) -> (Ended, Vec<Effect>, String) {
    let (sender, receiver) = sync_channel(messages.len().max(1));
    for message in messages {
        sender.send(message).unwrap();
    }
    drop(sender);
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let mut effects = Vec::new();
    let ended = run(&mut terminal, model(), &receiver, |effect| {
        let doctor = effect == Effect::Doctor;
        effects.push(effect);
        if doctor { vec![Message::Doctor(vec!["capture: allowed".into()])] } else { Vec::new() }
    })
    .unwrap();
    (ended, effects, terminal.backend().to_string())
}

#[test]
fn q_ends_it() {
    assert_eq!(run_over(vec![key(KeyCode::Char('q'))]).0, Ended::Quit);
}

#[test]
fn control_c_and_signals_interrupt_it() {
    let control_c = Message::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
    for message in [control_c, Message::Interrupted, Message::InputLost] {
        assert_eq!(run_over(vec![message]).0, Ended::Interrupted);
    }
}

#[test]
fn a_panic_elsewhere_ends_it() {
    assert_eq!(run_over(vec![Message::Panicked]).0, Ended::Panicked);
}

#[test]
fn no_sender_left_is_an_interruption() {
    assert_eq!(run_over(Vec::new()).0, Ended::Interrupted);
}

#[test]
fn enter_asks_for_the_scenario_and_an_effects_answer_is_shown() {
    let (_, effects, screen) = run_over(vec![key(KeyCode::Char('d'))]);
    assert_eq!(effects, [Effect::Doctor]);
    assert!(screen.contains("capture: allowed"), "{screen}");
    let (_, effects, _) = run_over(vec![key(KeyCode::Enter)]);
    assert_eq!(effects, [Effect::StartLab { play: message::Play(1), name: "broken-pipe".into() }]);
}
