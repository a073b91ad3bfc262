use super::*;
use crate::event::{EventId, FrameNo};
use crate::story::side::Both;

fn row(number: Number, client: &str, wire: Wire, server: &str) -> Row {
    Row {
        event: EventId(1),
        events: vec![EventId(1)],
        connection: None,
        number,
        text: Both { client: client.into(), server: server.into() },
        wire,
        failed: false,
    }
}

fn arrow_from(from: Side, label: &str, acknowledged_by: Option<u64>, heard: bool) -> Wire {
    Wire::Arrow { from, label: label.into(), acknowledged_by: acknowledged_by.map(FrameNo), heard }
}

fn drawn(row: &Row, mark: Mark) -> String {
    draw(row, mark, Columns::EIGHTY).line(false)
}

#[test]
fn eighty_columns_are_the_drawing() {
    assert_eq!(Columns::fit(80, 3), Columns::EIGHTY);
    assert_eq!(Columns::EIGHTY.width(), 80);
    assert_eq!(
        Columns::EIGHTY.rule(),
        "─────────────────────────────┬────────────────────────┬─────────────────────────"
    );
}

#[test]
fn columns_fill_every_width_that_holds_them() {
    for width in 8..300 {
        for number in [3, 8] {
            if width >= number + 5 {
                assert_eq!(Columns::fit(width, number).width(), width, "{width} with a number of {number}");
            }
        }
    }
}

#[test]
fn a_segment_stands_between_its_cause_and_its_effect() {
    let data = row(
        Number::Frame(FrameNo(4)),
        "send(\"hello\") = 5",
        arrow_from(Side::Client, "DATA 1:6", Some(5), true),
        "recv(1024) = \"hello\"",
    );
    assert_eq!(
        drawn(&data, Mark::None).trim_end(),
        "   4 send(\"hello\") = 5       │──DATA 1:6───────────▶✓5│recv(1024) = \"hello\""
    );
    let fin =
        row(Number::Frame(FrameNo(6)), "▸ CLOSE-WAIT", arrow_from(Side::Server, "FIN", None, true), "close() = 0");
    assert_eq!(
        drawn(&fin, Mark::Cause).trim_end(),
        "◆  6 ▸ CLOSE-WAIT            │◀──────────────────FIN──│close() = 0"
    );
}

#[test]
fn every_kind_of_wire_is_drawn_as_on_paper() {
    let cases = [
        (Wire::Handshake(None), "◀═════ handshake ══════▶"),
        (Wire::Handshake(Some(ConnectionId(2))), "◀════ #2 handshake ════▶"),
        (arrow_from(Side::Server, "DATA 1:14, ACK 26", Some(8), true), "8✓◀──DATA 1:14, ACK 26──"),
        (arrow_from(Side::Client, "DATA 6:11", None, false), "──DATA 6:11──────✗      "),
        (arrow_from(Side::Client, "again 6:11", None, false), "──again 6:11─────✗      "),
        (arrow_from(Side::Client, "again 6:11", Some(11), true), "──again 6:11────────▶✓11"),
        (arrow_from(Side::Server, "again 6:11", None, false), "      ✗─────again 6:11──"),
        (Wire::Pause(1_000_000_000), "┄┄┄┄┄┄pause 1.0 s┄┄┄┄┄┄┄"),
        (Wire::NothingSent, "      nothing sent      "),
        (Wire::Note("[+] 13 bytes".into()), "      [+] 13 bytes      "),
        (Wire::Empty, "                        "),
    ];
    for (kind, expected) in cases {
        assert_eq!(wire(&kind, 24), expected);
    }
}

#[test]
fn a_wire_is_as_wide_as_its_column_at_any_width() {
    let kinds = [
        Wire::Handshake(None),
        arrow_from(Side::Server, "DATA 1:14, ACK 26", Some(1_000_008), true),
        arrow_from(Side::Client, "DATA 4294967290:4294967295, ACK 26", None, true),
        arrow_from(Side::Client, "again 6:11", None, false),
        arrow_from(Side::Server, "again 6:11", None, false),
        Wire::Pause(u64::MAX),
        Wire::NothingSent,
        Wire::Note("漢字 and more of it than fits".into()),
        Wire::Empty,
    ];
    for width in 0..60 {
        for kind in &kinds {
            assert_eq!(wire(kind, width).width(), width, "{kind:?} at {width}");
        }
    }
}

#[test]
fn later_rows_have_broken_borders() {
    let row = row(Number::Dot, "close() = 0", Wire::NothingSent, "");
    let line = draw(&row, Mark::None, Columns::EIGHTY).line(true);
    assert_eq!(line.trim_end(), "   · close() = 0             ┊      nothing sent      ┊");
}

#[test]
fn a_long_text_is_clipped_at_its_quotation_first() {
    assert_eq!(clip_quoted("send(\"ERROR:no end!\") = 13", 24), "send(\"ERROR:no e…\") = 13");
    assert_eq!(clip_quoted("send(\"ERROR:no end!\") = 13", 40), "send(\"ERROR:no end!\") = 13");
    assert_eq!(clip_quoted("▸ CLOSED, error ECONNRESET", 10), "▸ CLOSED,…");
    assert_eq!(clip_quoted("getsockopt(SO_ERROR) = ECONNRESET", 24), "getsockopt… = ECONNRESET");
    assert_eq!(clip_quoted("send(\"0123456789…\") = 32768 of 100000", 24), "send… = 32768 of 100000");
    assert_eq!(clip_quoted("setsockopt(SO_KEEPALIVE) = 0  4 calls", 24), "setsockopt(SO_KEEPALIVE…");
    assert_eq!(clip("漢字漢字", 5), "漢字…");
    assert_eq!(clip("漢字漢字", 4), "漢…");
    assert_eq!(clip("abc", 0), "");
}

#[test]
fn nothing_that_moves_the_cursor_gets_through() {
    let nasty = row(Number::Dot, "send(\"\u{1b}[2J\u{202e}\r\nhello\")", Wire::Note("\u{7}ring\u{9b}".into()), "\u{0}");
    let line = drawn(&nasty, Mark::None);
    assert!(line.chars().all(|c| !c.is_control() && c != '\u{202e}'), "{line:?}");
    assert_eq!(line.width(), 80);
}

#[test]
fn ascii_keeps_every_width() {
    let row = row(
        Number::Frame(FrameNo(6)),
        "▸ CLOSE-WAIT",
        arrow_from(Side::Server, "FIN", Some(7), true),
        "send(\"…\") = 5 · ✗",
    );
    let plain: String = drawn(&row, Mark::Cursor).chars().map(ascii).collect();
    assert!(plain.is_ascii());
    assert_eq!(plain.trim_end(), ">  6 > CLOSE-WAIT            |7v<----------------FIN--|send(\"~\") = 5 . x");
    assert_eq!(plain.len(), 80);
}

#[test]
fn times_are_said_in_the_unit_that_fits() {
    let cases = [
        (999, "999 ns"),
        (40_000, "40 µs"),
        (207_000_000, "207 ms"),
        (1_000_000_000, "1.0 s"),
        (61_250_000_000, "61.2 s"),
    ];
    for (nanos, expected) in cases {
        assert_eq!(duration(nanos), expected);
    }
}

#[test]
fn a_handshake_keeps_its_frames_where_their_column_is_too_narrow() {
    let row = row(Number::Frames(FrameNo(12), FrameNo(14)), "", Wire::Handshake(Some(ConnectionId(2))), "");
    let drawn = draw(&row, Mark::None, Columns::EIGHTY);
    assert_eq!((drawn.number.as_str(), drawn.network.as_str()), (" 12", "◀═ #2 handshake 12-14 ═▶"));
    let drawn = draw(&row, Mark::None, Columns { number: 5, ..Columns::EIGHTY });
    assert_eq!((drawn.number.as_str(), drawn.network.as_str()), ("12-14", "◀════ #2 handshake ════▶"));
}
