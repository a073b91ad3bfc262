//! The screens, compared with the drawings line by line.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;
use unicode_width::UnicodeWidthStr;

use super::draw;
use crate::tui::model::{Model, Overlay, Page, Pane, StoryScreen};
use crate::tui::theme::Theme;
use crate::tui::update::findings::tests::recording;
use crate::tui::update::tests::{press, type_in};

pub mod samples;

use samples::{broken_pipe_at_epipe, broken_pipe_at_the_send, deaf_then_hears, last_word, menu, with_story};

const SIZES: [(u16, u16); 12] = [
    (1, 1),
    (2, 1),
    (1, 30),
    (200, 1),
    (39, 9),
    (40, 10),
    (40, 12),
    (60, 15),
    (80, 24),
    (100, 28),
    (120, 40),
    (250, 90),
];

/// The screen's lines, without the blanks at their ends.
fn screen(model: &Model, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(model, frame)).unwrap();
    let buffer = terminal.backend().buffer().clone();
    let mut lines = Vec::new();
    for y in 0..height {
        let mut line = String::new();
        let mut x = 0;
        while x < width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(symbol.width().max(1)).unwrap();
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// Fails with both drawings in full.
fn assert_drawn(model: &Model, width: u16, height: u16, expected: &str) {
    let drawn = screen(model, width, height);
    let expected: Vec<&str> = expected.lines().map(str::trim_end).collect();
    assert!(drawn == expected, "drawn:\n{}\n\nexpected:\n{}\n", drawn.join("\n"), expected.join("\n"));
}

#[test]
fn the_first_screen_is_the_drawing() {
    assert_drawn(&Model::with_menu(Theme::default(), menu()), 80, 22, include_str!("tests/menu.txt"));
}

#[test]
fn the_send_after_the_fin_is_the_drawing() {
    assert_drawn(&with_story(broken_pipe_at_the_send()), 80, 24, include_str!("tests/broken-pipe-send.txt"));
}

#[test]
fn the_epipe_is_the_drawing() {
    assert_drawn(&with_story(broken_pipe_at_epipe()), 80, 24, include_str!("tests/broken-pipe-epipe.txt"));
}

#[test]
fn the_last_word_scrubbed_back_is_the_drawing() {
    assert_drawn(&with_story(last_word()), 80, 24, include_str!("tests/last-word.txt"));
}

#[test]
fn the_findings_are_the_drawing() {
    let mut model = with_story(recording("stale-pool"));
    press(&mut model, 'f');
    assert_drawn(&model, 80, 24, include_str!("tests/findings.txt"));
}

#[test]
fn a_row_that_a_finding_rests_on_says_so() {
    let mut model = with_story(recording("close-wait-leak"));
    press(&mut model, 'f');
    crate::tui::update::tests::hit(&mut model, crossterm::event::KeyCode::Enter);
    let drawn = screen(&model, 80, 24).join("\n");
    assert!(drawn.contains("\n finding: the server read the end at 0."), "{drawn}");
}

#[test]
fn the_repeats_are_the_drawing() {
    assert_drawn(&with_story(deaf_then_hears()), 80, 24, include_str!("tests/deaf-then-hears.txt"));
}

#[test]
fn a_wide_screen_adds_times_states_and_the_packet() {
    assert_drawn(&with_story(broken_pipe_at_the_send()), 120, 40, include_str!("tests/broken-pipe-wide.txt"));
}

#[test]
fn a_small_screen_keeps_rows_why_and_keys() {
    assert_drawn(&with_story(broken_pipe_at_epipe()), 40, 12, include_str!("tests/broken-pipe-small.txt"));
}

#[test]
fn ascii_is_the_same_drawing_in_ascii() {
    let mut model = with_story(last_word());
    let drawn = screen(&model, 80, 24);
    model.theme.ascii = true;
    let plain = screen(&model, 80, 24);
    assert!(plain.iter().all(|line| line.is_ascii()), "{}", plain.join("\n"));
    let widths = |lines: &[String]| lines.iter().map(|line| line.width()).collect::<Vec<_>>();
    assert_eq!(widths(&plain), widths(&drawn));
    assert_eq!(plain[8], ">  7 > FIN-WAIT-2            |8v<--DATA 1:14, ACK 26--|send(\"ERROR:no en~\") = 13");
    assert!(!plain.join("\n").contains('?'.to_string().repeat(2).as_str()));
}

#[test]
fn without_colour_no_cell_has_one_and_the_text_is_the_same() {
    let mut coloured = with_story(broken_pipe_at_epipe());
    coloured.theme.colour = true;
    let plain = with_story(broken_pipe_at_epipe());
    assert_eq!(screen(&coloured, 80, 24), screen(&plain, 80, 24));
    let colours = |model: &Model| {
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        terminal.draw(|frame| draw(model, frame)).unwrap();
        terminal
            .backend()
            .buffer()
            .content()
            .iter()
            .filter(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
            .count()
    };
    assert_eq!(colours(&plain), 0);
    assert!(colours(&coloured) > 0);
}

#[test]
fn every_screen_is_drawn_at_every_size_without_a_panic() {
    let page = Page {
        title: "Help".into(),
        lines: vec!["a line that is long enough to be wrapped ".repeat(9)],
        ..Page::default()
    };
    let mut models = vec![Model::with_menu(Theme::default(), menu()), Model::default()];
    for overlay in
        [Overlay::Page(page), Overlay::Path("x".repeat(300).chars().fold(crate::tui::line::Line::default(), typed))]
    {
        let mut model = Model::with_menu(Theme::default(), menu());
        model.overlay = Some(overlay);
        models.push(model);
    }
    for story in
        [broken_pipe_at_the_send(), broken_pipe_at_epipe(), last_word(), deaf_then_hears(), StoryScreen::default()]
    {
        for pane in [Pane::Why, Pane::Bytes, Pane::Packet] {
            for times in [false, true] {
                let mut story = story.clone();
                story.pane = pane;
                story.times = times;
                models.push(with_story(story));
            }
        }
    }
    models.push(samples::with_quiz());
    for model in &models {
        for (width, height) in SIZES {
            screen(model, width, height);
        }
        for size in 1..60 {
            screen(model, size, 60 - size);
        }
    }
}

fn typed(mut line: crate::tui::line::Line, c: char) -> crate::tui::line::Line {
    line.push(c);
    line
}

#[test]
fn a_terminal_that_is_too_small_says_so() {
    let drawn = screen(&with_story(last_word()), 30, 6);
    assert!(drawn.join(" ").contains("epipe needs 40×10, this is 30×6."), "{drawn:?}");
}

#[test]
fn the_bytes_pane_says_what_the_kernel_says() {
    let mut story = broken_pipe_at_the_send();
    story.pane = Pane::Bytes;
    let drawn = screen(&with_story(story), 80, 24).join("\n");
    assert!(drawn.contains(" client  CLOSE-WAIT at 127.0.0.1:47414: server will send no more"), "{drawn}");
    assert!(drawn.contains(" kernel  says so too: FIN-WAIT-2, no process"), "{drawn}");
}

#[test]
fn a_kernel_that_says_otherwise_is_in_the_header() {
    let mut story = broken_pipe_at_the_send();
    if let Some(standing) = &mut story.scene.moment.standing {
        standing.server.kernel = Some("no socket".into());
        standing.server.differs = true;
    }
    assert_eq!(&screen(&with_story(story), 80, 24)[2][55..], "≠ kernel: no socket");
}

#[test]
fn the_packet_pane_names_the_fields() {
    let mut story = broken_pipe_at_the_send();
    story.pane = Pane::Packet;
    let drawn = screen(&with_story(story), 80, 24).join("\n");
    for part in ["─ frame 8  71 of 71 bytes", "  34 b936     source port 47414", "flags PSH ACK", "5 bytes: hello"] {
        assert!(drawn.contains(part), "{part} is not in\n{drawn}");
    }
}

#[test]
fn a_question_leaves_the_rows_in_sight() {
    let drawn = screen(&samples::with_quiz(), 80, 24).join("\n");
    for part in ["◆  6 ▸ CLOSE-WAIT", "What will the client's send() return?", "1 5    2 EPIPE    3 ECONNRESET"] {
        assert!(drawn.contains(part), "{part} is not in\n{drawn}");
    }
}

#[test]
fn times_take_the_numbers_place() {
    let mut model = with_story(broken_pipe_at_the_send());
    press(&mut model, 't');
    let drawn = screen(&model, 80, 24);
    assert!(drawn[9].starts_with("▶ 1.000530 send(\"hello\") = 5"), "{}", drawn[9]);
}

#[test]
fn a_search_lists_what_it_finds() {
    let mut model = Model::with_menu(Theme::default(), menu());
    press(&mut model, '/');
    type_in(&mut model, "shot down");
    let drawn = screen(&model, 80, 22).join("\n");
    assert!(drawn.contains(" / shot down▏"), "{drawn}");
    assert!(drawn.contains("▶ broken-pipe/killed"), "{drawn}");
    assert!(!drawn.contains("ping-pang "), "{drawn}");
}

#[test]
fn the_facts_of_the_run_stand_under_tab_and_in_the_help() {
    let mut story = broken_pipe_at_the_send();
    let fact = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let facts = vec![
        fact("network", "private loopback, net.ipv4.tcp_early_retrans=0"),
        fact("capture", "none: permission denied"),
        fact("remedy", "setcap cap_net_raw+ep epipe"),
        fact("payload", "all"),
    ];
    story.scene.facts = crate::tui::scene::facts(&crate::event::Run { facts, ..Default::default() });
    story.pane = Pane::Bytes;
    let mut model = with_story(story);
    let drawn = screen(&model, 80, 30).join("\n");
    let capture = drawn.find(" capture none: permission denied").unwrap();
    assert!(drawn[capture..].contains(" remedy  setcap cap_net_raw+ep epipe"), "{drawn}");
    assert!(
        drawn[capture..].contains(" network private loopback, net.ipv4.tcp_early_retrans=0 (no loss probes)"),
        "{drawn}"
    );
    press(&mut model, '?');
    let drawn = screen(&model, 80, 60).join("\n");
    assert!(drawn.contains("This run:") && drawn.contains("payload  all bytes of each call are kept"), "{drawn}");
}
