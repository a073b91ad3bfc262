//! The dashboard in a real terminal: whatever ends it, the terminal is as it was.
//!
//! The program under test is this file's own binary, started again inside a pseudo-terminal with a role to play; hence no
//! test harness.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::exit;
use std::thread;

use epipe::tui::menu::{Entry, Group, Menu};
use epipe::tui::message::Effect;
use epipe::tui::model::{Ended, Model};
use epipe::tui::theme::Theme;
use epipe::tui::{run, terminal};
use nix::sys::signal::{Signal, kill};
use portable_pty::PtySize;
use pty::Session;

mod pty;

/// The role's name, for the program under test.
const ROLE: &str = "EPIPE_TERMINAL_ROLE";

fn main() {
    if let Ok(role) = std::env::var(ROLE) {
        exit(play(&role));
    }
    let tests: [(&str, fn()); 7] = [
        ("quitting gives the terminal back", quitting),
        ("Ctrl-C gives it back and is said by the exit code", control_c),
        ("signals give it back", signals),
        ("a panic in the drawing thread gives it back before its message", panic_in_the_loop),
        ("a panic in another thread gives it back and ends the dashboard", panic_in_a_thread),
        ("another size is drawn anew", resize),
        ("keys reach the menu", keys),
    ];
    for (name, test) in tests {
        test();
        println!("terminal: {name} ... ok");
    }
}

/// The program under test: a menu whose `d` does what `role` says.
fn play(role: &str) -> i32 {
    let (sender, receiver) = terminal::channel();
    let (mut screen, guard) = terminal::take(&sender).expect("a terminal");
    let model = Model::with_menu(Theme::default(), menu());
    let ended = run(&mut screen, model, &receiver, |effect| {
        match (role, effect) {
            ("panic-in-the-loop", Effect::Doctor) => panic!("the loop fell over"),
            ("panic-in-a-thread", Effect::Doctor) => {
                thread::spawn(|| panic!("a thread fell over"));
            }
            _ => {}
        }
        Vec::new()
    });
    drop(guard);
    match ended {
        Ok(Ended::Quit) => 0,
        Ok(Ended::Interrupted) => 130,
        Ok(Ended::Panicked) | Err(_) => 2,
    }
}

fn menu() -> Menu {
    let entry = |name: &str, question: &str| Entry { name: name.into(), question: question.into(), ..Entry::default() };
    let entries = vec![entry("broken-pipe", "Why the second?"), entry("ping-pang", "Why a third?")];
    Menu::new("private lo", vec![Group { title: "Broken pipe".into(), line: String::new(), entries }])
}

fn start(role: &str) -> Session {
    Session::start(&std::env::current_exe().unwrap(), &[], &[(ROLE, role)], "What did you see?")
}

fn quitting() {
    let mut session = start("plain");
    session.press("q");
    assert_eq!(session.end(), (0, String::new()));
}

fn control_c() {
    let mut session = start("plain");
    session.press("\x03");
    assert_eq!(session.end(), (130, String::new()));
}

fn signals() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let session = start("plain");
        kill(session.pid(), signal).unwrap();
        assert_eq!(session.end(), (130, String::new()), "{signal}");
    }
}

fn panic_in_the_loop() {
    let mut session = start("panic-in-the-loop");
    session.press("d");
    let (code, screen) = session.end();
    assert_eq!(code, 101);
    assert!(screen.contains("the loop fell over"), "{screen}");
    assert!(!screen.contains("What did you see?"), "{screen}");
}

fn panic_in_a_thread() {
    let mut session = start("panic-in-a-thread");
    session.press("d");
    let (code, screen) = session.end();
    assert_eq!(code, 2);
    assert!(screen.contains("a thread fell over"), "{screen}");
    assert!(!screen.contains("What did you see?"), "{screen}");
}

fn resize() {
    let mut session = start("plain");
    session.master.resize(PtySize { rows: 5, cols: 30, pixel_width: 0, pixel_height: 0 }).unwrap();
    session.wait_for("30×5");
    session.press("q");
    assert_eq!(session.end().0, 0);
}

fn keys() {
    let mut session = start("plain");
    session.press("\x1b[B");
    session.wait_for("▶ ping-pang");
    session.press("?");
    session.wait_for("─ Help");
    session.press("q");
    assert_eq!(session.end().0, 0);
}
