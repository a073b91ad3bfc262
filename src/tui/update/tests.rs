//! Keys and words, and what becomes of the model.

use crossterm::event::{KeyCode, KeyEvent};

use super::*;

mod held;

/// Presses the key of `c`.
pub fn press(model: &mut Model, c: char) -> Vec<Effect> {
    hit(model, KeyCode::Char(c))
}

/// Hits `key`.
pub fn hit(model: &mut Model, key: KeyCode) -> Vec<Effect> {
    update(model, Message::Key(KeyEvent::from(key)))
}

/// Types `text`.
pub fn type_in(model: &mut Model, text: &str) {
    for c in text.chars() {
        press(model, c);
    }
}

use crate::event::{Actor, EventId, Run, Time};
use crate::socket::call::{Arg, Call, CallName, Outcome, Payload};
use crate::source::lab::message::{Command, Message as Told, NextCall};
use crate::source::lab::need::Missing;
use crate::tui::menu::{Group, Menu};
use crate::tui::message::Play;
use crate::tui::model::{Origin, Progress};
use crate::tui::theme::Theme;

fn model() -> Model {
    let entry = |name: &str, error: &str| Entry { name: name.into(), errors: vec![error.into()], ..Entry::default() };
    let group = |title: &str, entries| Group { title: title.into(), line: String::new(), entries };
    let broken =
        vec![entry("broken-pipe", "Broken pipe"), entry("broken-pipe/killed", ""), entry("ping-pang", "EPIPE")];
    let reset = vec![entry("reset-unread", "Connection reset by peer")];
    let groups =
        vec![group("Broken pipe", broken), group("Connection reset by peer", reset), group("Empty", Vec::new())];
    Model::with_menu(Theme::default(), Menu::new("", groups))
}

fn send(telling: bool) -> NextCall {
    let args = vec![Arg::Int(3), Arg::Bytes(Payload::whole(*b"hello")), Arg::Int(5), Arg::Word("0".into())];
    let call = Call::new(CallName::Send, args);
    NextCall {
        actor: Actor::new("client"),
        call,
        expected: Some(Outcome::success(5)),
        telling,
        together: 1,
        beside: 0,
        line: 1,
    }
}

fn sleep() -> NextCall {
    NextCall { call: Call::new(CallName::Nanosleep, vec![Arg::Int(1)]), ..send(false) }
}

fn tell(model: &mut Model, message: Told) -> Vec<Effect> {
    let play = model.play;
    update(model, Message::Lab { play, message })
}

fn event(id: u64, what: crate::event::What) -> Told {
    let time = Time(i64::try_from(id).unwrap());
    Told::Event(crate::event::Event { id: EventId(id), time, actor: Some(Actor::new("client")), late: false, what })
}

const GO: [Effect; 1] = [Effect::Lab(Command::Go)];

/// A model in which broken-pipe has been started from the menu.
fn playing(key: KeyCode) -> Model {
    let mut model = model();
    let effects = hit(&mut model, key);
    assert_eq!(effects, [Effect::StartLab { play: Play(1), name: "broken-pipe".into() }]);
    tell(&mut model, Told::Run(Run::default()));
    model
}

/// Makes the call that waits: tells its beginning and that it returned 5.
fn make_the_call(model: &mut Model, first_id: u64) {
    tell(model, event(first_id, crate::event::What::Begun(send(true).call)));
    let outcome = Outcome::success(5);
    tell(model, event(first_id + 1, crate::event::What::Ended { begun: EventId(first_id), outcome }));
}

#[test]
fn groups_without_a_scenario_are_not_shown() {
    assert_eq!(model().menu.menu.groups.len(), 2);
}

#[test]
fn arrows_go_through_entries_and_groups() {
    let mut model = model();
    for key in [KeyCode::Down, KeyCode::Down, KeyCode::Down] {
        hit(&mut model, key);
    }
    assert_eq!(model.menu.selected().unwrap().name, "reset-unread");
    hit(&mut model, KeyCode::Down);
    assert_eq!(model.menu.selected().unwrap().name, "reset-unread");
    hit(&mut model, KeyCode::Up);
    assert_eq!(model.menu.selected().unwrap().name, "ping-pang");
    hit(&mut model, KeyCode::Tab);
    assert_eq!(model.menu.selected().unwrap().name, "reset-unread");
    hit(&mut model, KeyCode::Right);
    assert_eq!(model.menu.selected().unwrap().name, "broken-pipe");
}

#[test]
fn a_search_finds_by_error_text_whatever_its_case_and_enter_plays_it() {
    let mut model = model();
    press(&mut model, '/');
    type_in(&mut model, "recv: CONNECTION RESET");
    assert_eq!(model.menu.selected().unwrap().name, "reset-unread");
    assert_eq!(hit(&mut model, KeyCode::Enter), []);
    assert_eq!(hit(&mut model, KeyCode::Enter), [Effect::StartLab { play: Play(1), name: "reset-unread".into() }]);
}

#[test]
fn a_search_that_finds_nothing_plays_nothing() {
    let mut model = model();
    press(&mut model, '/');
    type_in(&mut model, "zzz");
    hit(&mut model, KeyCode::Enter);
    assert_eq!(hit(&mut model, KeyCode::Enter), []);
    hit(&mut model, KeyCode::Esc);
    assert_eq!(model.menu.listed().len(), 3);
}

#[test]
fn a_path_is_typed_and_opened() {
    let mut model = model();
    press(&mut model, 'o');
    type_in(&mut model, "/tmp/qq.pcap");
    hit(&mut model, KeyCode::Backspace);
    assert_eq!(hit(&mut model, KeyCode::Enter), [Effect::Open("/tmp/qq.pca".into())]);
}

#[test]
fn the_first_play_walks_to_the_first_telling_call_and_asks_once() {
    let mut model = playing(KeyCode::Enter);
    assert_eq!(tell(&mut model, Told::Settled(Some(send(false)))), [Effect::Lab(Command::Walk)]);
    assert_eq!(tell(&mut model, Told::Settled(Some(send(true)))), []);
    assert_eq!(model.context(), Context::Quiz);
    assert_eq!(press(&mut model, '2'), GO);
    make_the_call(&mut model, 1);
    assert_eq!(tell(&mut model, Told::Settled(Some(sleep()))), []);
    assert_eq!(model.story.as_ref().unwrap().judged.as_deref(), Some("you said EPIPE: no, 5 · 0 of 1"));
    // One Enter more: the sleep and the telling call after it, without a question.
    assert_eq!(hit(&mut model, KeyCode::Enter), GO);
    assert_eq!(tell(&mut model, Told::Settled(Some(send(true)))), GO);
    assert_eq!(model.context(), Context::Live);
}

#[test]
fn asked_first_means_before_each_telling_call() {
    let mut model = playing(KeyCode::Char('p'));
    tell(&mut model, Told::Settled(Some(send(true))));
    assert_eq!(press(&mut model, '1'), GO);
    make_the_call(&mut model, 1);
    assert_eq!(tell(&mut model, Told::Settled(Some(send(true)))), []);
    assert_eq!(model.story.as_ref().unwrap().judged.as_deref(), Some("you said 5: right · 1 of 1"));
    assert_eq!(hit(&mut model, KeyCode::Enter), []);
    assert_eq!(model.context(), Context::Quiz);
    assert_eq!(hit(&mut model, KeyCode::Enter), GO);
}

#[test]
fn the_cursor_stops_at_the_telling_call_and_the_rest_is_kept_back() {
    let mut model = playing(KeyCode::Enter);
    tell(&mut model, Told::Settled(Some(send(true))));
    hit(&mut model, KeyCode::Enter);
    make_the_call(&mut model, 1);
    tell(&mut model, event(3, crate::event::What::Gap(crate::event::Gap::Dropped(1))));
    tell(&mut model, Told::Settled(Some(send(true))));
    let story = model.story.as_ref().unwrap();
    assert!(story.scene.lines.len() > 1, "{:?}", story.scene.lines);
    assert_eq!((story.cursor, story.drawn()), (0, 1));
    hit(&mut model, KeyCode::Right);
    assert_eq!(model.story.as_ref().unwrap().drawn(), 2);
}

#[test]
fn the_rest_runs_without_questions() {
    let mut model = playing(KeyCode::Char('p'));
    press(&mut model, 'r');
    assert_eq!(tell(&mut model, Told::Settled(Some(send(true)))), [Effect::Lab(Command::Run)]);
    tell(&mut model, Told::Finished);
    assert_eq!(model.story.as_ref().unwrap().progress, Progress::Finished);
}

#[test]
fn leaving_ends_the_scenario_and_its_last_words_are_not_heard() {
    let mut model = playing(KeyCode::Enter);
    let play = model.play;
    assert_eq!(hit(&mut model, KeyCode::Esc), [Effect::StopLab]);
    assert_eq!(hit(&mut model, KeyCode::Enter), [Effect::StartLab { play: Play(3), name: "broken-pipe".into() }]);
    assert_eq!(update(&mut model, Message::Lab { play, message: Told::Settled(Some(send(false))) }), []);
}

#[test]
fn v_plays_the_next_variant() {
    let mut model = playing(KeyCode::Enter);
    assert_eq!(press(&mut model, 'v'), [Effect::StartLab { play: Play(2), name: "broken-pipe/killed".into() }]);
    assert_eq!(press(&mut model, 'v'), [Effect::StartLab { play: Play(3), name: "broken-pipe".into() }]);
}

#[test]
fn what_fails_is_said_with_its_help() {
    let mut model = playing(KeyCode::Enter);
    tell(&mut model, Told::Failed { message: "cannot bind".into(), help: Some("free the port".into()) });
    let Some(Overlay::Page(page)) = &model.overlay else { panic!("{:?}", model.overlay) };
    assert_eq!(page.lines, ["cannot bind", "help: free the port"]);
}

#[test]
fn advice_does_not_tell_the_end_before_it_has_come() {
    let mut model = playing(KeyCode::Enter);
    press(&mut model, 'e');
    let Some(Overlay::Page(page)) = &model.overlay else { panic!("{:?}", model.overlay) };
    assert_eq!(page.lines, ["How it ends is said once it has ended."]);
}

#[test]
fn advice_after_the_end_is_the_lesson_the_fix_and_the_sources() {
    let entry = Entry {
        name: "broken-pipe".into(),
        lesson: vec!["A FIN ends one direction.".into()],
        fix: "Read before you write.".into(),
        sources: vec!["send(2): EPIPE".into(), "tcp_reset()".into()],
        ..Entry::default()
    };
    let mut model = Model::default();
    begin(&mut model, entry, Asking::Never, Pace::Run);
    tell(&mut model, Told::Run(Run::default()));
    tell(&mut model, Told::Finished);
    press(&mut model, 'e');
    let Some(Overlay::Page(page)) = &model.overlay else { panic!("{:?}", model.overlay) };
    let advice = ["A FIN ends one direction.", "", "What is usually done: Read before you write.", ""];
    assert_eq!(page.lines, [&advice[..], &["Sources: send(2): EPIPE; tcp_reset()."]].concat());
}

#[test]
fn what_is_missing_for_a_scenario_is_shown() {
    let mut model = playing(KeyCode::Enter);
    let missing = Missing { need: "TUN".into(), why: "there is none".into(), help: Some("load it".into()) };
    tell(&mut model, Told::Skipped(missing));
    let Some(Overlay::Page(page)) = &model.overlay else { panic!("{:?}", model.overlay) };
    assert_eq!(page.lines, ["It needs TUN, but there is none.", "help: load it"]);
}

#[test]
fn enter_in_a_replay_goes_on_to_the_next_call() {
    let story = crate::tui::view::tests::samples::last_word();
    let mut model = Model { story: Some(story), ..Model::default() };
    assert_eq!(model.story.as_ref().unwrap().origin, Origin::Replay);
    hit(&mut model, KeyCode::Enter);
    assert_eq!(model.story.as_ref().unwrap().cursor, 5);
    hit(&mut model, KeyCode::End);
    assert_eq!(model.story.as_ref().unwrap().cursor, 9);
}

#[test]
fn what_a_file_is_and_what_is_written_on_it_is_shown() {
    let mut model = model();
    let run = Run {
        name: "article".into(),
        facts: vec![("origin".into(), "reconstruction".into())],
        comments: vec!["built by hand\nthe date is \u{1b}made up".into()],
    };
    update(
        &mut model,
        Message::Opened { title: "article.pcapng".into(), story: Box::new(crate::story::Story::new(run)) },
    );
    assert_eq!(model.story.as_ref().unwrap().scene.about, "a reconstruction, not a recording");
    press(&mut model, 'e');
    let Some(Overlay::Page(page)) = &model.overlay else { panic!("{:?}", model.overlay) };
    assert_eq!(page.lines, ["", "Written on the file:", "built by hand", "the date is made up"]);
}

#[test]
fn one_enter_that_comes_too_early_is_kept_but_not_for_a_telling_call() {
    let mut model = playing(KeyCode::Enter);
    model.story.as_mut().unwrap().pace = Pace::Step;
    assert_eq!(tell(&mut model, Told::Settled(Some(send(false)))), []);
    assert_eq!(hit(&mut model, KeyCode::Enter), GO);
    assert_eq!(hit(&mut model, KeyCode::Enter), []);
    assert_eq!(hit(&mut model, KeyCode::Enter), []);
    make_the_call(&mut model, 1);
    assert_eq!(tell(&mut model, Told::Settled(Some(send(false)))), GO);
    make_the_call(&mut model, 3);
    assert_eq!(tell(&mut model, Told::Settled(Some(send(false)))), [], "two were one too many");
    assert_eq!(hit(&mut model, KeyCode::Enter), GO);
    assert_eq!(hit(&mut model, KeyCode::Enter), []);
    make_the_call(&mut model, 5);
    assert_eq!(tell(&mut model, Told::Settled(Some(send(true)))), [], "a telling call is let go by a key that saw it");
}

#[test]
fn left_goes_to_the_cause_and_right_to_what_came_of_it() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/broken-pipe.pcapng");
    let (name, input) = crate::source::file::open(&path).unwrap();
    let capture = crate::source::file::Capture::new(name, input).unwrap();
    let recording = crate::source::file::read(capture, &mut |_| true).unwrap();
    let mut journal = crate::story::journal::Journal::new(recording.run);
    recording.events.into_iter().for_each(|event| journal.append(event).unwrap());
    let mut model = model();
    let story = Box::new(crate::story::Story::tell(journal));
    update(&mut model, Message::Opened { title: "broken-pipe.pcapng".into(), story });
    let here = |model: &Model| {
        let story = model.story.as_ref().unwrap();
        let row = &story.scene.lines[story.cursor].row;
        crate::story::drawing::number(row.number) + " " + &row.text.client
    };
    while !here(&model).contains("EPIPE ✗") {
        hit(&mut model, KeyCode::Up);
    }
    let mut seen = Vec::new();
    for _ in 0..2 {
        hit(&mut model, KeyCode::Left);
        seen.push(here(&model));
    }
    assert_eq!(seen, ["9 ▸ CLOSED, error EPIPE", "8 send(\"hello\") = 5"]);
    hit(&mut model, KeyCode::Right);
    hit(&mut model, KeyCode::Right);
    assert_eq!(here(&model), "· send(\"hello\") = EPIPE ✗");
}

/// Every row of a page comes into sight, key by key, although its lines are longer than the screen is wide.
#[test]
fn a_page_is_scrolled_by_rows_and_skips_none() {
    let mut model = model();
    let lines: Vec<String> = (0..12).map(|line| format!("{line} {}", "words ".repeat(60))).collect();
    model.overlay = Some(Overlay::Page(Page { lines, ..Page::default() }));
    let offset = |model: &Model| {
        let Some(Overlay::Page(page)) = &model.overlay else { panic!("{:?}", model.overlay) };
        (page.offset, page.last_offset(model.size), Page::seen(model.size))
    };
    let (_, last, seen) = offset(&model);
    assert_eq!((last, seen), (12 * 5 - 20, 20));
    hit(&mut model, KeyCode::PageDown);
    assert_eq!(offset(&model).0, seen - 1);
    for _ in 0..9 {
        hit(&mut model, KeyCode::PageDown);
    }
    assert_eq!(offset(&model).0, last);
    hit(&mut model, KeyCode::Home);
    assert_eq!(offset(&model).0, 0);
    hit(&mut model, KeyCode::End);
    assert_eq!(offset(&model).0, last);
}

#[test]
fn only_keys_that_act_are_shown() {
    let shown = |model: &mut Model| {
        press(model, '?');
        let Some(Overlay::Page(page)) = model.overlay.take() else { panic!("no help") };
        page.lines.join("\n")
    };
    let mut named = Model { story: Some(StoryScreen::live(Entry::default(), Asking::Never)), ..Model::default() };
    let help = shown(&mut named);
    assert!(!help.contains("next variant") && !help.contains("back to the menu"), "{help}");
    assert!(help.contains("let the next call go") && help.contains("make all calls that are left"), "{help}");
    tell(&mut named, Told::Finished);
    let help = shown(&mut named);
    assert!(!help.contains("let the next call go") && !help.contains("make all calls that are left"), "{help}");
    let mut chosen = playing(KeyCode::Enter);
    let help = shown(&mut chosen);
    assert!(help.contains("next variant") && help.contains("back to the menu"), "{help}");
}
