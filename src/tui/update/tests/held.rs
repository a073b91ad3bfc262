//! A program that is held before its calls, as keys and words change the model.

use crate::event::{Actor, Event, EventId, Run, Time, What};
use crate::socket::call::{Arg, Call, CallName, Outcome, Payload};
use crate::source::lab::message::{Command, NextCall};
use crate::tui::held::Breaks;
use crate::tui::model::{Overlay, Progress};

use super::*;

fn held(breaks: Breaks) -> Model {
    let mut model = Model { story: Some(StoryScreen::held("program".to_owned(), breaks)), ..Model::default() };
    tell(&mut model, Told::Run(Run::default()));
    model
}

fn tell(model: &mut Model, message: Told) -> Vec<Effect> {
    let play = model.play;
    update(model, Message::Lab { play, message })
}

fn call(name: CallName, args: Vec<Arg>) -> NextCall {
    NextCall::held(Actor::new("python3/7"), Call::new(name, args))
}

fn socket() -> NextCall {
    call(CallName::Socket, vec![Arg::Word("AF_INET".into()), Arg::Word("SOCK_STREAM".into()), Arg::Int(0)])
}

fn send() -> NextCall {
    call(CallName::Send, vec![Arg::Int(3), Arg::Bytes(Payload::whole(*b"hello")), Arg::Int(5), Arg::Int(0)])
}

/// The call is made and has returned.
fn made(model: &mut Model, first: u64, next: NextCall, outcome: Outcome) {
    let begun = EventId(first);
    for (id, what) in [(first, What::Begun(next.call)), (first + 1, What::Ended { begun, outcome })] {
        let time = Time(i64::try_from(id).unwrap());
        tell(model, Told::Event(Event { id: EventId(id), time, actor: Some(next.actor.clone()), late: false, what }));
    }
}

const GO: [Effect; 1] = [Effect::Lab(Command::Go)];

#[test]
fn each_call_waits_for_enter_and_is_judged() {
    let mut model = held(Breaks::default());
    assert_eq!(tell(&mut model, Told::Settled(Some(socket()))), []);
    assert_eq!(press(&mut model, ' '), GO);
    made(&mut model, 1, socket(), Outcome::success(3));
    assert_eq!(tell(&mut model, Told::Settled(Some(send()))), []);
    // Of a socket without a connection the model knows what a send comes to.
    let foretold = model.story.as_ref().unwrap().held.as_ref().unwrap().ahead.answer.unwrap();
    assert_eq!(foretold.to_string(), "EPIPE+SIGPIPE");
    assert_eq!(press(&mut model, ' '), GO);
    made(&mut model, 3, send(), Outcome::success(5));
    tell(&mut model, Told::Settled(None));
    let story = model.story.as_ref().unwrap();
    assert_eq!(story.judged.as_deref(), Some("foretold EPIPE+SIGPIPE: it came otherwise"));
    assert!(story.held.as_ref().unwrap().idle);
}

#[test]
fn only_the_calls_and_errors_that_were_named_are_asked_about() {
    for (name, asked) in [("EPIPE", true), ("ECONNRESET", false)] {
        let mut model = held(Breaks { calls: Vec::new(), errors: vec![name.parse().unwrap()] });
        assert_eq!(tell(&mut model, Told::Settled(Some(socket()))), GO);
        made(&mut model, 1, socket(), Outcome::success(3));
        assert_eq!(tell(&mut model, Told::Settled(Some(send()))), if asked { Vec::new() } else { GO.to_vec() });
    }
    let mut model = held(Breaks { calls: vec!["send".parse().unwrap()], errors: Vec::new() });
    assert_eq!(tell(&mut model, Told::Settled(Some(socket()))), GO);
    assert_eq!(tell(&mut model, Told::Settled(Some(send()))), []);
}

#[test]
fn another_is_asked_for_only_where_there_is_one() {
    let mut model = held(Breaks::default());
    tell(&mut model, Told::Settled(Some(socket())));
    assert_eq!(press(&mut model, 'n'), []);
    tell(&mut model, Told::Settled(Some(NextCall { beside: 1, ..socket() })));
    assert_eq!(press(&mut model, 'n'), [Effect::Lab(Command::Other)]);
    assert_eq!(model.story.as_ref().unwrap().progress, Progress::Busy);
}

#[test]
fn the_page_of_what_it_prints_grows() {
    let mut model = held(Breaks::default());
    press(&mut model, 'o');
    update(&mut model, Message::Printed(b"one\ntwo\n".to_vec()));
    let Some(Overlay::Page(page)) = &model.overlay else { panic!("no page") };
    assert_eq!(page.lines, ["one", "two"]);
}
