use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::app::why::book;

fn known(asked: &str) -> (String, String) {
    let entries = book::read().unwrap();
    match find(asked, &entries) {
        Found::Known(entry) => (entry.text.program.clone(), entry.text.printed.clone()),
        Found::Unknown(nearest) => {
            panic!(
                "{asked:?} is not known; near: {:?}",
                nearest.iter().map(|entry| &entry.text.printed).collect::<Vec<_>>()
            )
        }
    }
}

fn says(asked: &str, program: &str, text: &str) {
    assert_eq!(known(asked), (program.to_owned(), text.to_owned()), "{asked:?}");
}

#[test]
fn letters_and_spaces_do_not_matter() {
    says("broken pipe", "C", "Broken pipe");
    says("  BROKEN\n\t pipe ", "C", "Broken pipe");
}

#[test]
fn a_word_is_not_found_within_another_one() {
    assert_eq!(within("read econnresetter", "read econnreset"), None);
    assert_eq!(within("unread econnreset", "read econnreset"), None);
    assert_eq!(within("(read econnreset)", "read econnreset"), Some(15));
    assert_eq!(within("unread x, read x", "read x"), Some(6));
}

#[test]
fn gaps_stand_for_anything_between_pieces_in_their_order() {
    assert_eq!(within("a 17 b 9 c", "a … b … c"), Some(3));
    assert_eq!(within("a 17 c 9 b", "a … b … c"), None);
    assert_eq!(within("timeout of 1000ms exceeded", "timeout of …ms exceeded"), Some(21));
    assert_eq!(within("net::readtimeout with #<x>", "net::readtimeout with …"), Some(21));
    assert_eq!(within("x", "…"), None);
}

#[test]
fn the_longest_text_wins() {
    says("dial tcp 10.0.0.1:80: connect: connection refused", "Go", "dial tcp …: connect: connection refused");
    says("BrokenPipeError: [Errno 32] Broken pipe", "Python", "BrokenPipeError: [Errno 32] Broken pipe");
}

#[test]
fn an_errno_is_known_by_name_and_number() {
    for asked in ["EPIPE", "epipe", "errno 32", "errno=32", "errno: -32,", "code: 32", "32", "send() = -1 EPIPE"] {
        says(asked, "C", "Broken pipe");
    }
    says("{ code: 104 }", "C", "Connection reset by peer");
    says("returned ECONNABORTED", "C", "Software caused connection abort");
    assert_eq!(errno_in("at 104 of 32"), None);
    assert_eq!(errno_in("exit code 32"), None);
    assert_eq!(errno_in("E32"), None);
}

#[test]
fn a_part_of_a_text_finds_it() {
    says("gone away", "MySQL", "MySQL server has gone away");
    says("hang up", "Node", "Error: socket hang up");
    says("reset by peer", "C", "Connection reset by peer");
}

#[test]
fn short_forms_stand_alone_and_keep_their_letters() {
    says("SD", "HAProxy", "SD--");
    says("haproxy sD", "HAProxy", "sD--");
    says("mysql 2006", "MySQL", "MySQL server has gone away");
    says("141", "shell", "exit code 141");
    let entries = book::read().unwrap();
    assert!(matches!(find("sd", &entries), Found::Unknown(_)));
}

#[test]
fn what_is_not_known_names_the_likest() {
    let entries = book::read().unwrap();
    let Found::Unknown(nearest) = find("the upstream hung and the client got nothing", &entries) else { panic!() };
    assert_eq!(nearest.len(), NEAREST);
    assert!(nearest.iter().any(|entry| entry.text.printed.contains("upstream")));
    assert!(matches!(find("", &entries), Found::Unknown(nearest) if nearest.is_empty()));
}

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| book::read().unwrap());

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_is_asked_is_answered(before in "\\PC{0,20}", part in "[a-zA-ZİßéE0-9 :(),.…-]{0,12}", at in 0usize..1000) {
        find(&part, &ENTRIES);
        let printed = &ENTRIES[at % ENTRIES.len()].text.printed;
        find(&format!("{before}{printed}{part}"), &ENTRIES);
        let cut: String = printed.chars().skip(at % 7).collect();
        find(&cut, &ENTRIES);
    }
}
