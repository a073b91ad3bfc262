//! The short way comes to where the rules do, and does nothing where it does not go all the way.

use proptest::prelude::*;

use super::*;
use crate::tcp::seq::SeqNum;

/// What the short way made of a connection is what the rules make of it, where it went; else it left it as it was.
fn hold(zeek: &mut Zeek, segment: &Head, from_originator: bool) -> bool {
    let mut quick = zeek.clone();
    let went = quick.goes_in_order(segment, from_originator != zeek.flipped);
    if went.is_none() {
        assert_eq!(&quick, zeek, "{segment:?}");
    }
    let by_rules = zeek.decide(segment, from_originator);
    if let Some(added) = went {
        assert_eq!((&quick, added), (&*zeek, by_rules), "{segment:?}");
    }
    went.is_some()
}

/// A segment from one of two ends: mostly the next one of its sender, or any.
#[derive(Clone, Debug)]
enum Sent {
    Near { from_originator: bool, flags: u16, ahead: i32, acks_ahead: i32, len: u32, window: u16 },
    Any(Head, bool),
}

fn sent() -> impl Strategy<Value = Sent> {
    let flags = prop_oneof![40 => Just(0x10), 1 => Just(0), 1 => Just(0x11), 1 => Just(0x12), 1 => Just(0x14), 1 => 0..0x200_u16];
    let ahead = prop_oneof![10 => Just(0), 1 => -4..6_i32];
    let acks_ahead = prop_oneof![10 => -2..=0_i32, 1 => 1..6_i32];
    let len = prop_oneof![20 => 0..4_u32, 1 => any::<u32>()];
    let window = prop_oneof![20 => Just(OPEN), 1 => Just(0)];
    let near = (any::<bool>(), flags, ahead, acks_ahead, len, window).prop_map(
        |(from_originator, flags, ahead, acks_ahead, len, window)| Sent::Near {
            from_originator,
            flags,
            ahead,
            acks_ahead,
            len,
            window,
        },
    );
    prop_oneof![40 => near, 1 => any_segment().prop_map(|(head, from)| Sent::Any(head, from))]
}

fn head(sent: &Sent, zeek: &Zeek) -> (Head, bool) {
    let last = |from_originator: bool| zeek.ends.of(from_originator != zeek.flipped).last.get();
    match *sent {
        Sent::Any(head, from_originator) => (head, from_originator),
        Sent::Near { from_originator, flags, ahead, acks_ahead, len, window } => {
            let seq = last(from_originator).wrapping_add_signed(ahead);
            let ack = last(!from_originator).wrapping_add_signed(acks_ahead);
            (built(seq, ack, Flags::from_bits(flags), window, len), from_originator)
        }
    }
}

/// A connection that was opened with numbers near the wrap.
fn opened() -> Zeek {
    let mut zeek = Zeek::default();
    let (client, server) = (u32::MAX - 2, u32::MAX - 9);
    hold(&mut zeek, &built(client, 0, Flags::SYN, OPEN, 0), true);
    hold(&mut zeek, &built(server, client.wrapping_add(1), Flags::SYN.with(Flags::ACK), OPEN, 0), false);
    hold(&mut zeek, &built(client.wrapping_add(1), server + 1, Flags::ACK, OPEN, 0), true);
    zeek
}

proptest! {
    #[test]
    fn the_short_way_comes_to_where_the_rules_do(
        is_open: bool,
        segments in prop::collection::vec(sent(), 0..64),
    ) {
        let mut zeek = if is_open { opened() } else { Zeek::default() };
        for sent in &segments {
            let (head, from_originator) = head(sent, &zeek);
            hold(&mut zeek, &head, from_originator);
        }
    }

    /// Letters and state are those of the rules alone, over a whole connection.
    #[test]
    fn with_the_short_way_a_connection_has_the_same_words(
        is_open: bool,
        segments in prop::collection::vec(sent(), 0..64),
    ) {
        let mut with = if is_open { opened() } else { Zeek::default() };
        let (mut without, mut history, mut by_rules) = (with.clone(), Vec::new(), Vec::new());
        for sent in &segments {
            let (head, from_originator) = head(sent, &without);
            history.extend(with.take(&head, from_originator).letters());
            by_rules.extend(without.decide(&head, from_originator).letters());
        }
        prop_assert_eq!(&with, &without);
        prop_assert_eq!(history, by_rules);
    }
}

#[test]
fn data_and_acknowledgements_of_an_open_connection_take_the_short_way() {
    let mut zeek = Zeek::default();
    let mut goes = |line: &str| {
        let (head, from_originator) = segment(line);
        hold(&mut zeek, &head, from_originator)
    };
    for line in ["C 0 S", "S 0 S. 1"] {
        assert!(!goes(line), "{line}");
    }
    for line in ["C 1 . 1", "C 1 P. 1 len 5", "S 1 . 6", "C 6 P. 1 len 5", "S 1 . 11", "C 11 P. 1 len 5"] {
        assert!(goes(line), "{line}");
    }
    for line in ["C 11 P. 1 len 5", "S 1 . 16 win 0", "S 1 . 17", "C 20 . 1 len 5", "C 25 . 1 len 5"] {
        assert!(!goes(line), "{line}");
    }
    // Until the gap is acknowledged.
    for (line, went) in [("S 1 . 25", false), ("C 30 . 1 len 5", true), ("S 1 . 35", true), ("C 35 F. 1", false)] {
        assert_eq!(goes(line), went, "{line}");
    }
    // What is half closed, and what is closed.
    for (line, went) in [("S 1 . 36 len 5", true), ("C 36 . 6", false), ("S 6 F. 36", false), ("S 7 R. 36", false)] {
        assert_eq!(goes(line), went, "{line}");
    }
}

#[test]
fn one_who_was_joined_late_takes_the_short_way_too() {
    let mut zeek = Zeek::default();
    let segments = ["C 1 P. 1 len 5", "S 1 . 6", "C 6 P. 1 len 5", "S 1 . 11"].map(segment);
    let went = segments.map(|(head, from_originator)| hold(&mut zeek, &head, from_originator));
    assert_eq!(went, [false, false, true, true]);
    assert_eq!(zeek.ends.of(true).last, SeqNum::new(1011));
}

/// After another SYN the numbers are counted from that, but what was seen of the bytes is not forgotten.
#[test]
fn bytes_behind_a_gap_are_left_to_the_rules() {
    let mut zeek = Zeek::default();
    for line in ["C 0 S", "S 0 S. 1", "C 1 . 1 len 5", "C 20 . 1 len 5", "C 9000 S", "C 9006 . 1"] {
        let (head, from_originator) = segment(line);
        hold(&mut zeek, &head, from_originator);
    }
    for line in ["C 9006 . 1 len 19", "C 9025 . 1 len 5"] {
        let (head, from_originator) = segment(line);
        assert_eq!(hold(&mut zeek, &head, from_originator), line.starts_with("C 9025"), "{line}");
    }
}

/// Zeek does not believe it of an end of which more than a MiB was not acknowledged before.
#[test]
fn an_acknowledgement_of_0_is_left_to_the_rules() {
    let mut zeek = Zeek::default();
    let start = 0_u32.wrapping_sub(3 << 20);
    let (syn, syn_ack) = (Flags::SYN, Flags::SYN.with(Flags::ACK));
    hold(&mut zeek, &built(start.wrapping_sub(1), 0, syn, OPEN, 0), true);
    hold(&mut zeek, &built(0, start, syn_ack, OPEN, 0), false);
    for part in 0..4 {
        assert!(hold(&mut zeek, &built(start.wrapping_add(part << 20), 1, Flags::ACK, OPEN, 1 << 20), true));
    }
    for (ack, went) in [(0, false), (1, true)] {
        assert_eq!(hold(&mut zeek, &built(1, ack, Flags::ACK, OPEN, 0), false), went);
    }
}
