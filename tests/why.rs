//! What is said of the rows of every recording: of each something, and of calls nothing where none are known.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs::File;
use std::path::{Path, PathBuf};

use epipe::event::EventId;
use epipe::source::file::{self, Capture};
use epipe::story::Story;
use epipe::story::journal::Journal;
use epipe::story::rows::Row;
use epipe::story::side::Side;
use unicode_width::UnicodeWidthStr;

fn captures() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let files = [directory.clone(), directory.join("reconstructed")].into_iter().flat_map(|directory| {
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    });
    let mut captures: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|ext| ext == "pcapng")).collect();
    captures.sort();
    assert!(captures.len() > 20, "{captures:?}");
    captures
}

fn story(path: &Path) -> Story {
    assert!(File::open(path).is_ok());
    let (name, input) = file::open(path).unwrap();
    let recording = file::read(Capture::new(name, input).unwrap(), &mut |_| true).unwrap();
    let mut journal = Journal::new(recording.run);
    for event in recording.events {
        journal.append(event).unwrap();
    }
    Story::tell(journal)
}

/// The story up to the end of the first call that begins, in the transcript, as `begins`.
fn story_until(capture: &str, begins: &str) -> Story {
    let whole = story(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(capture));
    let is_it = |begun: EventId| {
        let call = whole.call(begun).map(|(call, _)| epipe::notation::call(call));
        call.is_some_and(|call| call.starts_with(begins))
    };
    let events = whole.journal().events();
    let last = events.iter().find(|event| event.ended().is_some_and(|(begun, _)| is_it(begun))).unwrap();
    let mut journal = Journal::new(whole.journal().run().clone());
    for event in events.iter().take_while(|event| event.id <= last.id) {
        journal.append(event.clone()).unwrap();
    }
    Story::tell(journal)
}

fn rows(story: &Story) -> impl Iterator<Item = Row> {
    [false, true].into_iter().flat_map(|all_acks| story.rows(all_acks))
}

#[test]
fn every_row_of_every_recording_has_a_why() {
    for path in captures() {
        let story = story(&path);
        for row in rows(&story) {
            let why = story.why(&row);
            assert!(!why.title.is_empty() && !why.sentences.is_empty(), "{}: {row:?}", path.display());
            assert!(why.sentences.len() <= 3, "{}: {why:?}", path.display());
            for sentence in why.sentences.iter().chain(&why.later) {
                assert!(sentence.ends_with('.'), "{}: {sentence}", path.display());
                assert!(!sentence.contains(" 1 bytes") && !sentence.contains("  "), "{}: {sentence}", path.display());
            }
        }
    }
}

#[test]
fn without_calls_none_are_told_of() {
    let article = story(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/reconstructed/article.pcapng"));
    let said: Vec<String> = rows(&article).flat_map(|row| article.why(&row).sentences).collect();
    for claim in ["copied", "took", "connect() returns", "returned", "program read them"] {
        assert!(!said.iter().any(|sentence| sentence.contains(claim)), "{claim}: {said:#?}");
    }
}

#[test]
fn what_comes_next_fits_eighty_columns() {
    for path in captures() {
        let story = story(&path);
        for connection in story.connections() {
            for event in &connection.events {
                let next = story.next(connection.id, *event);
                for side in Side::BOTH {
                    assert!(next.lines[side].width() <= 70, "{}: {}", path.display(), next.lines[side]);
                    let parts = next.lines[side].trim_end_matches(", if all was read").split(" · ");
                    assert!(parts.clone().all(|part| next.whole[side].contains(part)), "{:?}", next.whole[side]);
                }
                assert!(next.bytes.width() <= 71, "{}: {}", path.display(), next.bytes);
            }
        }
    }
}

/// The why of the first row whose title begins with `title`.
fn said(capture: &str, title: &str) -> String {
    let story = story(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(capture));
    let whys = story.rows(false).into_iter().map(|row| story.why(&row));
    let why = whys.rev().find(|why| why.title.starts_with(title)).unwrap();
    let sentences: Vec<String> = why.sentences.into_iter().chain(why.later).collect();
    sentences.join(" ")
}

#[test]
fn the_fate_of_bytes_is_said_on_the_row_that_sent_them() {
    let lost = said("broken-pipe.pcapng", "send(\"hello\") = 5, DATA 6:11");
    assert!(
        lost.ends_with("not that anyone got them. They are lost: no program of the server ever read them."),
        "{lost}"
    );
    let unread = said("ping-pang-hasty.pcapng", "send(\"pingr\") = 5, DATA 16:21");
    assert!(unread.ends_with("until its program reads them. It never did: they are lost."), "{unread}");
    let part = said("last-word-wrong-length.pcapng", "send(\"0004tea for two\") = 15");
    assert!(part.ends_with("7 of them were never read and are lost."), "{part}");
    let later = said("last-word-agree.pcapng", "send(\"tea for twotea f…\") = 22");
    assert!(later.ends_with("until its program reads them. It did so later."), "{later}");
}

#[test]
fn the_reset_that_overtook_the_send_is_told_where_the_times_prove_it() {
    let reset = said("broken-pipe.pcapng", "RST");
    assert!(reset.contains("It was here before send() had returned, which said 5 all the same"), "{reset}");
    let article = said("reconstructed/article.pcapng", "RST");
    assert!(!article.contains("returned"), "{article}");
}

#[test]
fn an_end_of_stream_without_a_fin_is_not_called_one() {
    let shut = said("shutdown-read.pcapng", "recv(1024) = 0");
    assert!(shut.starts_with("The end of the stream: every byte that the server sent before its FIN (6)"), "{shut}");
    let story = story(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/shutdown-read.pcapng"));
    let first = story.rows(false).into_iter().find(|row| row.text.server.starts_with("recv(1024) = 0")).unwrap();
    assert!(story.why(&first).sentences[0].starts_with("No FIN came"), "{:?}", story.why(&first));
    let reset = said("reset-unread.pcapng", "recv(1024) = 0");
    assert!(reset.starts_with("No FIN came: the connection was reset"), "{reset}");
}

#[test]
fn bytes_without_a_reader_are_on_the_way_until_the_answer_comes() {
    let story = story(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/broken-pipe.pcapng"));
    let data = story.rows(false).into_iter().find(|row| row.text.server.starts_with('✗')).unwrap();
    let reset = story.rows(false).into_iter().find(|row| row.failed).unwrap();
    let connection = data.connection.unwrap();
    assert_eq!(story.next(connection, data.event).bytes, "sent 10 · acknowledged 5 · read 5 · on the way 5");
    let last = EventId(story.journal().events().len() as u64);
    for at in [reset.event, last] {
        assert_eq!(story.next(connection, at).bytes, "sent 10 · acknowledged 5 · read 5 · LOST 5");
    }
}

#[test]
fn a_reset_that_an_open_end_cannot_have_sent_is_told_as_anothers() {
    let story = story(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/bystander-reset.pcapng"));
    let reset = rows(&story).find(|row| row.text.server == "not the server").expect("a row of the first reset");
    assert!(story.why(&reset).sentences[0].starts_with("Somebody between the two sends a reset in the server's name"));
    assert!(rows(&story).any(|row| row.text.server == "✗ did not arrive"));
    let verdict = story.verdict(story.connections()[0].id).unwrap();
    assert!(
        verdict.sentences[0].contains("which the server did not send: its program holds the socket"),
        "{verdict:?}"
    );
}

/// The verdict's sentences on the first connection.
fn verdict(capture: &str) -> String {
    let story = story(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(capture));
    story.verdict(story.connections()[0].id).unwrap().sentences.join(" ")
}

/// The chain and the evidence of the first row whose title begins with `title`.
fn because(capture: &str, title: &str) -> String {
    let story = story(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(capture));
    let whys = story.rows(false).into_iter().map(|row| story.why(&row));
    let why = whys.rev().find(|why| why.title.starts_with(title)).unwrap();
    format!("{} ({})", why.because, why.evidence)
}

#[test]
fn closing_a_listener_resets_what_nobody_had_accepted() {
    for (capture, title) in [("queue-full.pcapng", "#1 RST"), ("listener-closed.pcapng", "RST")] {
        let reset = said(capture, title);
        assert!(
            reset.starts_with("Closing the listening socket resets every connection that nobody had accepted. The")
        );
        let because = because(capture, title);
        assert!(
            because.starts_with("the call itself (proven: the listening socket was closed, and nobody"),
            "{because}"
        );
        let verdict = verdict(capture);
        assert!(verdict.contains("in place of a FIN; the reason: the listening socket was closed"), "{verdict}");
        assert!(!verdict.contains("Which it was"), "{verdict}");
        let story = story(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(capture));
        assert!(rows(&story).any(|row| row.failed && row.text.server == "close() = 0"));
    }
}

#[test]
fn a_socket_without_a_connection_is_no_pipe() {
    for call in ["send(", "recv(", "shutdown("] {
        let refused = said("write-after-shutdown-never-connected.pcapng", call);
        assert!(
            refused.starts_with("This socket is not connected: send() gives EPIPE and SIGPIPE at once"),
            "{refused}"
        );
    }
    assert!(said("pipe-and-unix.pcapng", "write(").starts_with("The reading end is closed"));
}

#[test]
fn a_probe_of_a_closed_window_is_no_keep_alive() {
    for capture in ["big-send-blocked.pcapng", "shutdown-both-write-queue.pcapng"] {
        let probe = said(capture, "probe");
        assert!(probe.starts_with("A window probe: by 7 the server's window is 0, and bytes wait"), "{probe}");
        assert_eq!(because(capture, "probe"), "7 ACK (proven: 7 had closed the window)");
    }
    assert!(said("peer-silent-keepalive.pcapng", "probe").starts_with("A keep-alive probe"));
}

#[test]
fn bytes_come_from_calls_that_send() {
    let last = said("shutdown-both-write-queue.pcapng", "DATA 4097:8001, FIN");
    assert!(last.starts_with("send() copied 8000 bytes into the client's kernel"), "{last}");
}

#[test]
fn the_last_copy_is_closed_by_whoever_had_it() {
    let fin = said("copy-left-open-inherited.pcapng", "worker: exit(0), FIN");
    assert!(fin.starts_with("The end of worker closes the last copy, and only now is the FIN sent."), "{fin}");
}

#[test]
fn an_ack_is_held_back_only_where_it_came_late() {
    let late = said("broken-pipe.pcapng", "ACK 2");
    assert!(
        late.contains(" ms after it: Linux held it back, hoping for data to carry it (up to about 40 ms)."),
        "{late}"
    );
    // At once; and over a link, whose own delay is no holding back.
    for (capture, title) in [("both-close.pcapng", "ACK 2"), ("broken-pipe-far-server.pcapng", "ACK 2")] {
        let told = said(capture, title);
        assert!(!told.contains("held it back") && !told.contains("Linux may delay"), "{told}");
    }
}

#[test]
fn a_fin_over_a_link_is_on_the_way_when_close_has_returned() {
    let story = story_until("fin-overtakes.pcapng", "close(4)");
    let close = story.rows(false).into_iter().next_back().unwrap();
    assert_eq!(close.wire, epipe::story::rows::Wire::Note("on the way".to_owned()));
    assert_eq!(story.why(&close).sentences, ["Its FIN is on the way and not captured yet."]);
}

#[test]
fn a_syn_ack_to_itself_repeats_nothing() {
    let story = story(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/self-connect.pcapng"));
    let texts: Vec<String> = story.rows(true).into_iter().flat_map(|row| [row.text.client, row.text.server]).collect();
    assert!(!texts.iter().any(|text| text.contains("no ACK for")), "{texts:?}");
}

#[test]
fn a_part_that_was_taken_is_told_beside_the_whole() {
    let story = story(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/big-send.pcapng"));
    assert!(rows(&story).any(|row| row.text.client.ends_with(" = 32768 of 100000")));
}

#[test]
fn the_usual_cure_fits_the_reason() {
    let destroyed = verdict("aborted-from-outside.pcapng");
    assert!(destroyed.ends_with("look on the server's host for ss -K or a network manager."), "{destroyed}");
    assert!(verdict("queue-full.pcapng").contains("Usual cure: accept what is queued before a listener is closed"));
    assert!(verdict("disconnect.pcapng").contains("Usual cure: close() and a new socket()"));
    assert!(verdict("reset-unread.pcapng").contains("Usual cure: end sending with shutdown(SHUT_WR)"));
}

#[test]
fn a_verdict_says_only_what_fits_the_calls() {
    let filtered = verdict("no-answer.pcapng");
    assert!(filtered.contains("a filter on the server's socket dropped the SYN"), "{filtered}");
    let closed = verdict("peer-silent-user-timeout.pcapng");
    assert!(closed.contains("What the server sent later, its FIN (7), was answered"), "{closed}");
    assert!(
        closed.contains("program had closed it, so nobody there is told") && !closed.contains("ECONNRESET"),
        "{closed}"
    );
    let probed = story(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/peer-silent-keepalive.pcapng"));
    let probed = probed.verdict(probed.connections()[0].id).unwrap();
    assert_eq!(probed.certainty, epipe::story::telling::Certainty::Proven);
    assert!(probed.sentences.iter().all(|sentence| !sentence.contains("tcp_retries2")), "{probed:?}");
    let crossed = verdict("both-close.pcapng");
    assert!(crossed.starts_with("Both ended before either had the other's FIN (4, 5); every byte"), "{crossed}");
}

#[test]
fn all_that_was_sent_in_vain_is_counted() {
    let far = verdict("broken-pipe-far.pcapng");
    assert!(far.contains("the client sent 11 bytes more (8 to 10), which no program could read"), "{far}");
    assert!(far.contains("so all 3 before the reset was there reported success."), "{far}");
    // At the server the first reset comes before the last bytes.
    let at_server = verdict("broken-pipe-far-server.pcapng");
    assert!(at_server.contains("the client sent 11 bytes more (8 to "), "{at_server}");
    assert!(verdict("broken-pipe.pcapng").contains("the client sent 5 bytes more (8)"));
    assert!(!verdict("peer-rebooted.pcapng").contains(" more ("));
    let another = verdict("bystander-reset.pcapng");
    assert!(another.contains("5 bytes") && another.contains(" from the client were answered by a reset"), "{another}");
    assert!(another.contains("hop limit is 255 and that of the server's other packets 64."), "{another}");
}

#[test]
fn a_row_of_several_calls_explains_the_last_of_each_program() {
    let both = said("no-answer.pcapng", "setsockopt(TCP_SYNCNT)");
    assert!(
        both.starts_with("TCP_SYNCNT limits how often the SYN is sent again. The filter's one instruction"),
        "{both}"
    );
    assert!(!both.contains("From here the server's kernel answers"), "{both}");
    let both = said("peer-silent-user-timeout.pcapng", "setsockopt(TCP_USER_TIMEOUT)");
    assert!(both.contains("may stay unacknowledged") && both.contains("this socket hears nothing"), "{both}");
}

#[test]
fn a_connect_that_timed_out_has_a_row_of_its_own_where_it_returned() {
    let story = story(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/no-answer.pcapng"));
    let rows = story.rows(false);
    assert_eq!(rows.iter().filter(|row| row.text.client == "connect() …").count(), 1);
    let row = rows.iter().find(|row| row.text.client == "connect() = ETIMEDOUT ✗").unwrap();
    assert_eq!(story.states(row.connection.unwrap(), row.event).client.to_string(), "CLOSED");
    assert!(story.why(row).sentences[0].starts_with("Nothing that came back answers 3"), "{:?}", story.why(row));
}

#[test]
fn a_syn_without_an_answer_opens_nothing() {
    let story = story(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/queue-full.pcapng"));
    assert!(!rows(&story).any(|row| row.text.server.contains("LISTEN")));
    let second = &story.connections()[1];
    let next = story.next(second.id, *second.events.last().unwrap());
    assert_eq!(next.lines.server, "no connection: the SYN has no answer");
}

#[test]
fn what_a_bystander_answers_had_not_arrived() {
    let story = story(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/bystander-reset.pcapng"));
    let row = rows(&story).find(|row| row.text.server == "✗ did not arrive").unwrap();
    let connection = row.connection.unwrap();
    assert_eq!(story.standing(connection, row.event).server.words, "open, nothing unread");
    assert!(story.next(connection, row.event).lines.server.contains("recv waits"));
}

#[test]
fn a_socket_that_was_disconnected_is_not_closed() {
    let story = story(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/disconnect.pcapng"));
    let first = &story.connections()[0];
    let standing = story.standing(first.id, *first.events.last().unwrap());
    assert_eq!(standing.client.words, "disconnected by connect(AF_UNSPEC)");
}

#[test]
fn a_third_program_is_named_on_its_rows() {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let queue = story(&captures.join("queue-full.pcapng"));
    assert!(rows(&queue).any(|row| row.text.client.starts_with("other: connect() = ETIMEDOUT")));
    let admin = story(&captures.join("aborted-from-outside.pcapng"));
    assert!(rows(&admin).any(|row| row.text.server.starts_with("admin: sock_destroy(")));
    assert!(rows(&admin).any(|row| row.text.client == "admin: exit(0)"));
    for capture in captures_of(&["broken-pipe", "copy-left-open-inherited", "last-word-five"]) {
        let texts: Vec<String> = rows(&story(&capture)).map(|row| row.text.client).collect();
        assert!(!texts.iter().any(|text| text.starts_with("client: ")), "{texts:?}");
    }
}

fn captures_of(names: &[&str]) -> Vec<PathBuf> {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    names.iter().map(|name| captures.join(format!("{name}.pcapng"))).collect()
}

#[test]
fn a_chain_names_a_call_once() {
    assert!(because("both-close.pcapng", "FIN").starts_with("4 close (proven: the same FIN as in 4"));
    assert!(
        because("peer-silent-user-timeout.pcapng", "again 1:6").starts_with("5 send (proven: the same bytes as in 5")
    );
}
