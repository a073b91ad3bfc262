//! The stories of the drawings, made by hand.

use std::sync::Arc;

use etherparse::PacketBuilder;

use crate::event::{Actor, ConnectionId, EventId, Frame, FrameNo, LinkType};
use crate::socket::call::{Arg, Call, CallName, Outcome, Payload};
use crate::source::lab::message::NextCall;
use crate::story::rows::{Number, Row, Wire};
use crate::story::side::{Both, Side};
use crate::story::telling::{Next, Standing, Why};
use crate::tcp::state::State;
use crate::tui::menu::{Entry, Group, Menu};
use crate::tui::model::{Model, Origin, Overlay, Progress, StoryScreen};
use crate::tui::quiz::Quiz;
use crate::tui::scene::{Line, Moment, Scene};
use crate::tui::theme::Theme;

/// A row with its place as its event.
struct Rows(Vec<Line>);

impl Rows {
    fn add(&mut self, number: Number, client: &str, wire: Wire, server: &str) -> &mut Self {
        let event = EventId(self.0.len() as u64 + 1);
        let row = Row {
            event,
            events: vec![event],
            connection: Some(ConnectionId(1)),
            number,
            text: Both { client: client.into(), server: server.into() },
            wire,
            failed: client.contains('✗') || server.contains('✗'),
        };
        self.0.push(Line {
            row,
            since_start: None,
            states: None,
            has_call: client.contains('(') || server.contains('('),
        });
        self
    }
}

fn frame(number: u64) -> Number {
    Number::Frame(FrameNo(number))
}

fn arrow(from: Side, label: &str) -> Wire {
    Wire::Arrow { from, label: label.into(), acknowledged_by: None, heard: true }
}

fn answered(from: Side, label: &str, by: u64) -> Wire {
    Wire::Arrow { from, label: label.into(), acknowledged_by: Some(FrameNo(by)), heard: true }
}

fn unheard(label: &str) -> Wire {
    Wire::Arrow { from: Side::Client, label: label.into(), acknowledged_by: None, heard: false }
}

fn standing(port: u16, state: State, words: &str, kernel: &str) -> Standing {
    Standing {
        endpoint: Some(([127, 0, 0, 1], port).into()),
        state,
        words: words.into(),
        kernel: Some(kernel.into()),
        differs: false,
        remark: String::new(),
    }
}

fn why(title: &str, sentences: &[&str], because: &str, evidence: &str, chain: &[u64]) -> Why {
    Why {
        title: title.into(),
        sentences: sentences.iter().map(|sentence| (*sentence).to_owned()).collect(),
        later: None,
        because: because.into(),
        evidence: evidence.into(),
        chain: chain.iter().map(|id| EventId(*id)).collect(),
        findings: Vec::new(),
    }
}

fn next(client: &str, server: &str, bytes: &str) -> Next {
    let lines: Both<String> = Both { client: client.into(), server: server.into() };
    Next { whole: lines.clone(), lines, bytes: bytes.into() }
}

/// Frame 8 of the article: `hello`, from the client.
fn hello() -> Frame {
    let builder = PacketBuilder::ethernet2([0; 6], [0; 6])
        .ipv4([127, 0, 0, 1], [127, 0, 0, 1], 64)
        .tcp(47414, 2222, 225_088_834, 64)
        .ack(3_298_188_615)
        .psh()
        .options_raw(&[1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9])
        .unwrap();
    let mut bytes = Vec::new();
    builder.write(&mut bytes, b"hello").unwrap();
    Frame {
        number: FrameNo(8),
        link_type: LinkType::ETHERNET,
        original_len: u32::try_from(bytes.len()).unwrap(),
        data: Arc::from(bytes),
        comments: Vec::new(),
    }
}

fn broken_pipe_rows() -> Vec<Line> {
    use Side::{Client, Server};
    let mut rows = Rows(Vec::new());
    rows.add(Number::Frames(FrameNo(1), FrameNo(3)), "connect() = 0", Wire::Handshake(None), "accept() = 4")
        .add(frame(4), "send(\"hello\") = 5", answered(Client, "DATA 1:6", 5), "recv(1024) = \"hello\"")
        .add(frame(6), "▸ CLOSE-WAIT", arrow(Server, "FIN"), "close() = 0")
        .add(frame(7), "", arrow(Client, "ACK 2"), "▸ FIN-WAIT-2, no program")
        .add(Number::Blank, "sleep", Wire::Pause(1_000_000_000), "")
        .add(frame(8), "send(\"hello\") = 5", arrow(Client, "DATA 6:11"), "✗ no program to read it")
        .add(frame(9), "▸ CLOSED, error EPIPE", arrow(Server, "RST"), "kernel ▸ CLOSED")
        .add(Number::Dot, "send(\"hello\") = EPIPE ✗", Wire::NothingSent, "");
    let established = Both { client: State::Established, server: State::Established };
    let waiting = Both { client: State::CloseWait, server: State::FinWait1 };
    let orphaned = Both { server: State::FinWait2, ..waiting };
    let closed = Both { client: State::Closed, server: State::Closed };
    let states = [established, established, waiting, orphaned, orphaned, orphaned, closed, closed];
    let times = [41_000, 90_000, 260_000, 310_000, 320_000, 1_000_530_000, 1_000_544_000, 1_000_601_000];
    for (line, (states, time)) in rows.0.iter_mut().zip(states.into_iter().zip(times)) {
        line.states = Some(states);
        line.since_start = Some(time);
    }
    rows.0
}

fn story(title: &str, lines: Vec<Line>, cursor: usize, origin: Origin, moment: Moment) -> StoryScreen {
    let (name, about) = title.split_once("  ").unwrap();
    let scene = Scene { name: name.into(), about: about.into(), lines, moment, ..Scene::default() };
    StoryScreen { scene, cursor, origin, following: true, ..StoryScreen::default() }
}

/// `broken-pipe` at the first send after the FIN.
pub fn broken_pipe_at_the_send() -> StoryScreen {
    let moment = Moment {
        standing: Some(Both {
            client: standing(47414, State::CloseWait, "server will send no more", "CLOSE-WAIT"),
            server: standing(2222, State::FinWait2, "no program, kernel only", "FIN-WAIT-2, no process"),
        }),
        why: Some(why(
            "send(\"hello\") = 5",
            &[
                "Sending is allowed in CLOSE-WAIT: the FIN (6) ended only the other direction.",
                "5 means that the kernel took 5 bytes, not that anyone got them.",
            ],
            "the call itself",
            "proven: bytes 6 to 10 are this call's",
            &[3],
        )),
        next: Some(next(
            "send 5, or EPIPE once an answer is here · recv 0 · poll IN OUT RDHUP",
            "kernel answers data with RST; FIN-WAIT-2 for 60 s at most",
            "sent 10 · acknowledged 5 · read 5 · on the way 5",
        )),
        frame: Some(hello()),
    };
    story("broken-pipe  close, then two sends", broken_pipe_rows(), 5, Origin::Live, moment)
}

/// `broken-pipe` at the EPIPE.
pub fn broken_pipe_at_epipe() -> StoryScreen {
    let moment = Moment {
        standing: Some(Both {
            client: standing(47414, State::Closed, "5 bytes lost", "CLOSED"),
            server: standing(2222, State::Closed, "its program ended", "no socket"),
        }),
        why: Some(why(
            "send(\"hello\") = EPIPE",
            &["Nothing was sent: the RST (9) had already closed this socket. Because the \
               server's FIN (6) came before it, the error is EPIPE and not ECONNRESET."],
            "9 RST ◀ 8 send ◀ 6 close",
            "proven: seq 2 = ack of 8; 7 drew none",
            &[7, 6, 3],
        )),
        next: Some(next(
            "send EPIPE+SIGPIPE · recv 0 · shutdown ENOTCONN · close 0, no segment",
            "no socket: only a new connection",
            "sent 10 · acknowledged 5 · read 5 · LOST 5 (send() said 5)",
        )),
        frame: None,
    };
    story("broken-pipe  close, then two sends", broken_pipe_rows(), 7, Origin::Live, moment)
}

/// `last-word`, scrubbed back to the server's last word.
pub fn last_word() -> StoryScreen {
    use Side::{Client, Server};
    let mut rows = Rows(Vec::new());
    rows.add(Number::Frames(FrameNo(1), FrameNo(3)), "connect() = 0", Wire::Handshake(None), "accept() = 4")
        .add(frame(4), "sendall(24 bytes) = 0", answered(Client, "DATA 1:25", 5), "recv(8192) = 24 bytes")
        .add(frame(6), "shutdown(WR) = 0", arrow(Client, "FIN"), "▸ CLOSE-WAIT")
        .add(Number::Dot, "▸ FIN-WAIT-1", Wire::Empty, "recv(8192) = 0, the end")
        .add(frame(7), "▸ FIN-WAIT-2", answered(Server, "DATA 1:14, ACK 26", 8), "send(\"ERROR:no end!\") = 13")
        .add(Number::Dot, "recv(2) = \"ER\"  7 reads", Wire::Note("[+] 13 bytes".into()), "")
        .add(frame(9), "▸ TIME-WAIT", arrow(Server, "FIN"), "shutdown(WR) = 0")
        .add(frame(10), "", arrow(Client, "ACK 15"), "▸ LAST-ACK ▸ CLOSED")
        .add(Number::Dot, "recv(2) = 0, the end", Wire::Empty, "")
        .add(Number::Dot, "close() = 0", Wire::NothingSent, "close() = 0");
    let moment = Moment {
        standing: Some(Both {
            client: standing(48088, State::FinWait2, "may read, may not send", "FIN-WAIT-2"),
            server: standing(4444, State::CloseWait, "may send, has read all", "CLOSE-WAIT"),
        }),
        why: Some(why(
            "send(\"ERROR:no end!\") = 13",
            &["The client ended only its own direction (6), so the server may speak: this \
               is its last word. The segment's ACK 26 also acknowledges the FIN."],
            "",
            "had the client closed: same FIN, send() = 13 too, but a RST in place of ACK 8",
            &[],
        )),
        next: Some(next(
            "recv \"ER\" · send EPIPE, nothing sent · close 0, with RST: 13 unread",
            "send ok · recv 0 · shutdown 0 and FIN · close 0 and FIN",
            "client 24 sent, 24 read · server 13 sent, 0 read yet",
        )),
        frame: None,
    };
    let mut story = story("last-word/differ  the markers differ", rows.0, 4, Origin::Replay, moment);
    story.progress = Progress::Finished;
    story
}

/// `deaf-then-hears` at the copy that arrived.
pub fn deaf_then_hears() -> StoryScreen {
    use Side::{Client, Server};
    let mut rows = Rows(Vec::new());
    rows.add(Number::Frames(FrameNo(1), FrameNo(3)), "…", Wire::Handshake(None), "")
        .add(
            Number::Frames(FrameNo(4), FrameNo(5)),
            "send(\"hello\") = 5",
            answered(Client, "DATA 1:6", 5),
            "recv(9) = \"hello\"",
        )
        .add(frame(6), "send(\"world\") = 5", unheard("DATA 6:11"), "not heard (deaf)")
        .add(frame(7), "no ACK for 207 ms", unheard("again 6:11"), "")
        .add(frame(8), "no ACK for 208 ms", unheard("again 6:11"), "")
        .add(frame(9), "no ACK for 432 ms", unheard("again 6:11"), "")
        .add(frame(10), "no ACK for 832 ms", answered(Client, "again 6:11", 11), "recv(9) = \"world\"")
        .add(frame(12), "close() = 0", answered(Client, "FIN", 13), "▸ CLOSE-WAIT")
        .add(frame(14), "▸ TIME-WAIT", answered(Server, "FIN", 15), "close() = 0 ▸ CLOSED");
    let moment = Moment {
        standing: Some(Both {
            client: standing(34222, State::Established, "5 bytes unacknowledged", "ESTABLISHED"),
            server: standing(3333, State::Established, "nothing unread", "ESTABLISHED"),
        }),
        why: Some(why(
            "DATA 6:11 again, the 4th repeat",
            &["The same five bytes a fifth time, after 1.68 s: the timer doubled its wait each \
               time (the first repeat is a probe). This copy was acknowledged, so it arrived."],
            "6 send",
            "proven: same bytes · the lost copies: presumed (no answer)",
            &[3],
        )),
        next: Some(next(
            "send ok · recv waits · gives up 15 repeats on (about 15 min): ETIMEDOUT",
            "recv \"world\"",
            "sent 10 · acknowledged 5 · read 5 · on the way 5 · sent again 20",
        )),
        frame: None,
    };
    let mut story = story("deaf-then-hears  no answer for a while", rows.0, 6, Origin::Replay, moment);
    story.progress = Progress::Finished;
    story
}

/// A model that shows `story`.
pub fn with_story(story: StoryScreen) -> Model {
    Model { theme: Theme::default(), story: Some(story), ..Model::default() }
}

/// The call before which a new user is asked.
pub fn send_hello() -> NextCall {
    let args = vec![Arg::Int(3), Arg::Bytes(Payload::whole(*b"hello")), Arg::Int(5), Arg::Word("0".into())];
    NextCall {
        actor: Actor::new("client"),
        call: Call::new(CallName::Send, args),
        expected: Some(Outcome::success(5)),
        telling: true,
        together: 1,
        beside: 0,
        line: 30,
    }
}

/// The question that a new user is asked.
pub fn with_quiz() -> Model {
    let mut story = broken_pipe_at_the_send();
    story.cursor = 4;
    let mut model = with_story(story);
    model.overlay = Some(Overlay::Quiz(Quiz::before(&send_hello())));
    model
}

fn entry(name: &str, question: &str, errors: &[&str]) -> Entry {
    Entry {
        name: name.into(),
        question: question.into(),
        summary: "server: recv, close         client: send, sleep 1 s, send, send      9 segments".into(),
        errors: errors.iter().map(|error| (*error).to_owned()).collect(),
        ..Entry::default()
    }
}

/// The first screen's menu.
pub fn menu() -> Menu {
    let group = |title: &str, count: usize, line: &str| Group {
        title: title.into(),
        line: line.into(),
        entries: (0..count).map(|number| entry(&format!("{title} {number}"), "Why?", &[])).collect(),
    };
    let mut broken = group("Broken pipe", 3, "the send after the close works, the next fails");
    let named = [
        entry("broken-pipe", "Why does the first send succeed and the second fail?", &["Broken pipe"]),
        entry("ping-pang", "The server says it is down. Why does a send still work?", &[]),
        entry(
            "broken-pipe/killed",
            "The program is gone without a word. What killed it?",
            &["was shot down by SIGPIPE"],
        ),
        entry("broken-pipe/far", "Forty milliseconds away: how many sends succeed now?", &[]),
        entry("broken-pipe/asked", "How could the client have known before it sent?", &[]),
    ];
    broken.entries.splice(0..0, named);
    let groups = vec![
        broken,
        group("Connection reset by peer", 11, "someone gave up: unread bytes, linger 0, kill"),
        group("The answer was lost", 9, "who has the last word: shutdown or close"),
        group("Cannot connect", 4, "refused, no answer, full queue"),
        group("It hangs, it times out", 5, "both wait, peer silent, peer rebooted"),
        group("Still there", 4, "CLOSE-WAIT, FIN-WAIT-2, TIME-WAIT, copies"),
        group("It ended well", 4, "the orders of a good close"),
        group("Nothing to play here", 0, "so it is not shown"),
    ];
    Menu::new("private lo · no root used", groups)
}
