#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

use proptest::prelude::*;

use super::Zeek;
use crate::tcp::head::Head;
use crate::tcp::segment::Flags;
use crate::tcp::seq::SeqNum;

mod in_order;

/// The last segment's window where a line says nothing of it.
const OPEN: u16 = 512;

/// A segment from `C 0 S`, `S 0 S. 1`, `C 1 P. 1 len 5`, `S 1 . 6 win 0`: who sends, number, flags, acknowledgement, and
/// length and window where they are not 0 and open. The numbers count from 1000 at the client and from 2000 at the server.
fn segment(line: &str) -> (Head, bool) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |place: usize| words.get(place).map_or(0, |word| word.parse::<u32>().unwrap());
    let after = |name: &str| words.iter().position(|word| *word == name).map(|place| number(place + 1));
    let from_client = words[0] == "C";
    let flags: Flags = words[2].parse().unwrap();
    let (own, peer) = if from_client { (1000, 2000) } else { (2000, 1000) };
    let acknowledged = words.get(3).filter(|_| flags.ack()).map_or(0, |word| peer + word.parse::<u32>().unwrap());
    let window = after("win").map_or(OPEN, |window| u16::try_from(window).unwrap());
    (built(own + number(1), acknowledged, flags, window, after("len").unwrap_or(0)), from_client)
}

fn built(seq: u32, ack: u32, flags: Flags, window: u16, payload_len: u32) -> Head {
    Head { seq: SeqNum::new(seq), ack: SeqNum::new(ack), flags, window, payload_len, ..Head::default() }
}

fn judged(lines: &[&str]) -> String {
    let segments: Vec<(Head, bool)> =
        lines.iter().flat_map(|line| line.split(';')).map(|line| segment(line.trim())).collect();
    words(&segments)
}

fn words(segments: &[(Head, bool)]) -> String {
    let (conn_state, history) = Zeek::words(segments.iter().copied());
    format!("{conn_state} {history}")
}

const OPENED: &str = "C 0 S; S 0 S. 1; C 1 . 1";
const FIVE: &str = "C 1 P. 1 len 5; S 1 . 6";

#[test]
fn orderly_ends() {
    assert_eq!(judged(&[OPENED, FIVE, "C 6 F. 1; S 1 F. 7; C 7 . 2"]), "SF ShADaFf");
    assert_eq!(judged(&[OPENED, "S 1 F. 1; C 1 . 2; C 1 F. 2; S 2 . 2"]), "SF ShAfFa");
    assert_eq!(judged(&[OPENED, FIVE]), "S1 ShADa");
    assert_eq!(judged(&[OPENED, "C 1 F. 1; S 1 . 2"]), "S2 ShAFa");
    assert_eq!(judged(&[OPENED, "S 1 F. 1; C 1 . 2"]), "S3 ShAf");
}

#[test]
fn resets() {
    // The broken pipe: the server has ended, the client sends, a bare reset answers.
    assert_eq!(judged(&[OPENED, "S 1 F. 1; C 1 . 2; C 1 P. 2 len 5; S 2 R"]), "RSTR ShAfDr");
    // Closed with unread bytes; SO_LINGER with 0; the client's end destroyed.
    assert_eq!(judged(&[OPENED, FIVE, "S 1 R. 6"]), "RSTR ShADar");
    assert_eq!(judged(&[OPENED, "S 1 R. 1"]), "RSTR ShAr");
    assert_eq!(judged(&[OPENED, "C 1 R. 1"]), "RSTO ShAR");
    // Both FINs were seen: a later reset changes nothing.
    assert_eq!(judged(&[OPENED, "C 1 F. 1; S 1 F. 2; S 2 R"]), "SF ShAFfr");
}

#[test]
fn connections_that_never_opened() {
    assert_eq!(judged(&["C 0 S; S 0 R. 1 win 0"]), "REJ Sr");
    assert_eq!(judged(&["C 0 S; C 0 S; C 0 S"]), "S0 S");
    assert_eq!(judged(&["C 0 S; C 1 R"]), "RSTOS0 SR");
    assert_eq!(judged(&["C 0 S; C 1 . 1; C 1 R"]), "OTH SAR");
    assert_eq!(judged(&["C 0 S; C 1 F. 1"]), "SH SF");
    assert_eq!(judged(&["C 0 S; S 0 R. 1 win 0; C 1 R"]), "REJ SrR");
}

#[test]
fn what_was_joined_late_or_from_the_other_end() {
    assert_eq!(judged(&["C 1 P. 1 len 5; S 1 . 6"]), "OTH Da");
    assert_eq!(judged(&["S 0 S. 1; S 1 R"]), "RSTRH ^hr");
    assert_eq!(judged(&["S 0 S. 1; S 1 F. 1"]), "SHR ^hf");
    assert_eq!(judged(&["S 0 S. 1; C 1 . 1; C 1 P. 1 len 5"]), "S1 ^hAD");
    assert_eq!(judged(&["S 1 R"]), "RSTRH ^r");
}

/// A SYN-ACK of the one taken for the originator before the other's SYN: Zeek exchanges them.
#[test]
fn a_syn_after_its_answer_exchanges_the_ends() {
    assert_eq!(judged(&["C 0 S. 1; S 0 S; S 1 . 1; S 1 F. 1"]), "S2 Hs^AF");
}

#[test]
fn a_letter_comes_again_with_another_number_only() {
    assert_eq!(judged(&[OPENED, "C 1 F. 1; C 1 F. 1"]), "S2 ShAF");
    assert_eq!(judged(&[OPENED, "C 1 F. 1; C 1 F. 1 len 5"]), "S2 ShAFF");
    assert_eq!(judged(&[OPENED, "S 1 R; S 1 R; S 2 R"]), "RSTR ShArr");
    assert_eq!(judged(&["C 0 S; S 0 S. 1; S 0 S. 1"]), "S1 Sh");
}

#[test]
fn flags_that_do_not_go_together() {
    assert_eq!(judged(&["C 0 SF"]), "SH Q");
    assert_eq!(judged(&["C 0 SR"]), "OTH Q");
    assert_eq!(judged(&[OPENED, "C 1 FR; C 1 FR"]), "RSTO ShAI");
}

#[test]
fn repetitions_and_zero_windows_are_written_logarithmically() {
    let again = |times| vec!["C 1 P. 1 len 5"; times].join("; ");
    assert_eq!(judged(&[OPENED, &again(1)]), "S1 ShAD");
    assert_eq!(judged(&[OPENED, &again(2)]), "S1 ShADT");
    assert_eq!(judged(&[OPENED, &again(10)]), "S1 ShADT");
    assert_eq!(judged(&[OPENED, &again(11)]), "S1 ShADTT");
    assert_eq!(judged(&[OPENED, &again(101)]), "S1 ShADTTT");
    let shut = |times| vec!["S 1 . 6 win 0"; times].join("; ");
    assert_eq!(judged(&[OPENED, "C 1 P. 1 len 5", &shut(1)]), "S1 ShADaw");
    assert_eq!(judged(&[OPENED, "C 1 P. 1 len 5", &shut(10)]), "S1 ShADaww");
    // After the peer's FIN no window matters.
    assert_eq!(judged(&[OPENED, "C 1 F. 1; S 1 . 2 win 0"]), "S2 ShAFa");
}

#[test]
fn an_acknowledgement_of_what_was_not_seen_is_a_gap() {
    assert_eq!(judged(&[OPENED, "S 1 . 6"]), "S1 ShAaG");
    assert_eq!(judged(&[OPENED, "C 6 P. 1 len 5; S 1 . 11"]), "S1 ShADaG");
    // Filled in time; the bytes that come late count as repeated.
    assert_eq!(judged(&[OPENED, "C 6 P. 1 len 5; C 1 P. 1 len 5; S 1 . 11"]), "S1 ShADTa");
    // A FIN takes a number, but no byte is missing.
    assert_eq!(judged(&[OPENED, "C 1 F. 1; S 1 . 2"]), "S2 ShAFa");
    // Ten gaps make a second letter.
    let holes: Vec<String> = (0..10).map(|hole| format!("C {} P. 1 len 5", 6 + 10 * hole)).collect();
    assert_eq!(judged(&[OPENED, &holes.join("; "), "S 1 . 101"]), "S1 ShADaGG");
    // A reset's number is not trusted.
    assert_eq!(judged(&[OPENED, "S 1 R. 100"]), "RSTR ShAr");
}

/// The first data, a shut window, a repetition and a thousand gaps at once.
#[test]
fn no_segment_has_more_letters_than_there_is_room_for() {
    let holes: Vec<String> = (0..1500).map(|hole| format!("C {} P. 1 len 5", 6 + 10 * hole)).collect();
    let all = "S 6 . 1; S 1 P. 15001 len 5 win 0";
    assert_eq!(judged(&[OPENED, &holes.join("; "), all]), "S1 ShADadwtGGGG");
}

#[test]
fn gaps_are_given_up_where_there_are_too_many() {
    let holes = |last| (0..last).map(|hole| format!("C {} P. 1 len 5", 6 + 10 * hole)).collect::<Vec<_>>().join("; ");
    assert_eq!(judged(&[OPENED, &holes(4096), "S 1 . 6; S 1 . 50000"]), "S1 ShADaGGGG");
    assert_eq!(judged(&[OPENED, &holes(4097), "S 1 . 6; S 1 . 50000"]), "S1 ShADa");
}

fn any_segment() -> impl Strategy<Value = (Head, bool)> {
    let number = || prop_oneof![Just(0), Just(u32::MAX), 0..40u32, any::<u32>()];
    let length = prop_oneof![Just(0), 0..20u32, any::<u32>()];
    let window = prop_oneof![Just(0), any::<u16>()];
    (number(), number(), 0..0x200u16, window, length, any::<bool>())
        .prop_map(|(seq, ack, bits, window, len, from)| (built(seq, ack, Flags::from_bits(bits), window, len), from))
}

proptest! {
    #[test]
    fn any_segments_are_judged(segments in prop::collection::vec(any_segment(), 0..60)) {
        let (conn_state, history) = Zeek::words(segments);
        prop_assert!(Zeek::STATES.contains(&conn_state));
        prop_assert!(history.chars().all(|letter| "shadfrgtwiq^".contains(letter.to_ascii_lowercase())));
    }

    /// Whatever numbers a connection begins with, its history is the same.
    #[test]
    fn numbers_that_wrap_change_nothing(shift in any::<u32>()) {
        let lines = [OPENED, "C 6 P. 1 len 5; S 1 . 11; C 6 P. 1 len 5; C 11 F. 1; S 1 F. 12; C 12 . 2"];
        let mut segments: Vec<_> = lines.iter().flat_map(|line| line.split(';')).map(|line| segment(line.trim())).collect();
        for (segment, _) in &mut segments {
            segment.seq = segment.seq + shift;
            segment.ack = segment.ack + shift;
        }
        prop_assert_eq!(words(&segments), judged(&lines));
    }
}
