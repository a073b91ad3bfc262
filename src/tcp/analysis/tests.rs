use super::*;
use crate::tcp::segment::Flags;
use crate::tcp::seq::SeqNum;
use proptest::prelude::*;

mod in_order;

const MS: i64 = 1_000_000;

fn segment(flags: &str, seq: u32, ack: u32, len: u32, window: u16) -> Head {
    Head {
        seq: SeqNum::new(seq),
        ack: SeqNum::new(ack),
        flags: flags.parse().unwrap(),
        window,
        payload_len: len,
        ..Head::default()
    }
}

/// What is found of each of `segments`: sender is the client (`C`) or not, milliseconds, and the segment.
fn names(segments: &[(char, i64, Head)]) -> Vec<String> {
    let mut analysis = Analysis::default();
    let found = |(sender, millis, segment): &(char, i64, Head)| {
        let found = analysis.observe(segment, None, *sender == 'C', millis * MS);
        found.iter().map(Finding::name).collect::<Vec<_>>().join(" ")
    };
    segments.iter().map(found).collect()
}

/// A handshake across the wrap, a round trip of 10 ms, and 10 bytes of the client.
fn opened() -> Vec<(char, i64, Head)> {
    vec![
        ('C', 1, segment("S", u32::MAX - 4, 0, 0, 1000)),
        ('S', 6, segment("S.", 900, u32::MAX - 3, 0, 1000)),
        ('C', 11, segment(".", u32::MAX - 3, 901, 0, 1000)),
        ('C', 12, segment("P.", u32::MAX - 3, 901, 10, 1000)),
    ]
}

fn last(more: &[(char, i64, Head)]) -> String {
    let mut segments = opened();
    segments.extend_from_slice(more);
    names(&segments).pop().unwrap()
}

#[test]
fn an_orderly_beginning_across_the_wrap_has_no_flags() {
    assert_eq!(names(&opened()), ["", "", "", ""]);
}

#[test]
fn data_sent_again_late_is_a_retransmission() {
    assert_eq!(last(&[('C', 300, segment("P.", u32::MAX - 3, 901, 10, 1000))]), "retransmission");
}

#[test]
fn data_sent_again_behind_its_acknowledgement_is_spurious() {
    let acked = ('S', 20, segment(".", 901, 6, 0, 1000));
    assert_eq!(
        last(&[acked, ('C', 300, segment("P.", u32::MAX - 3, 901, 10, 1000))]),
        "spurious_retransmission retransmission"
    );
}

#[test]
fn a_gap_is_lost_and_what_fills_it_soon_is_out_of_order() {
    let ahead = ('C', 13, segment("P.", 16, 901, 10, 1000));
    assert_eq!(last(std::slice::from_ref(&ahead)), "lost_segment");
    let ack = ('S', 14, segment(".", 901, 6, 0, 990));
    assert_eq!(last(&[ahead, ack, ('C', 15, segment("P.", 6, 901, 10, 1000))]), "out_of_order");
}

#[test]
fn two_duplicate_acknowledgements_make_a_retransmission_fast() {
    let ack = |millis| ('S', millis, segment(".", 901, 6, 0, 1000));
    let ahead = |millis, seq| ('C', millis, segment("P.", seq, 901, 10, 1000));
    let told = [ack(14), ahead(15, 16), ack(16), ahead(17, 26), ack(18)];
    assert_eq!(last(&told), "duplicate_ack");
    let again = ('C', 19, segment("P.", 6, 901, 10, 1000));
    let mut all = told.to_vec();
    all.push(again);
    assert_eq!(last(&all), "fast_retransmission retransmission");
}

#[test]
fn a_closed_window_is_probed_and_opened() {
    let closed = ('S', 20, segment(".", 901, 6, 0, 0));
    let probe = ('C', 300, segment(".", 6, 901, 1, 1000));
    assert_eq!(last(std::slice::from_ref(&closed)), "zero_window");
    assert_eq!(last(&[closed, probe]), "zero_window_probe");
    assert_eq!(last(&[closed, probe, closed]), "zero_window zero_window_probe_ack");
    assert_eq!(last(&[closed, probe, ('S', 310, segment(".", 901, 6, 0, 500))]), "window_update");
}

#[test]
fn a_keep_alive_is_answered() {
    let ack = |millis| ('S', millis, segment(".", 901, 6, 0, 1000));
    let probe = ('C', 7_000, segment(".", 5, 901, 0, 1000));
    assert_eq!(last(&[ack(20), probe]), "keep_alive");
    assert_eq!(last(&[ack(20), probe, ack(7_001)]), "keep_alive_ack");
}

#[test]
fn an_acknowledgement_of_what_was_not_captured_is_said() {
    let ack = |millis| ('S', millis, segment(".", 901, 500, 0, 1000));
    assert_eq!(last(&[ack(20)]), "ack_lost_segment");
    let behind = ('C', 21, segment("P.", 500, 901, 10, 1000));
    assert_eq!(last(&[ack(20), behind]), "lost_segment");
    assert_eq!(last(&[ack(20), behind, ('S', 22, segment(".", 901, 510, 0, 1000))]), "ack_lost_segment");
}

#[test]
fn data_up_to_the_end_of_the_window_fills_it() {
    assert_eq!(last(&[('C', 13, segment("P.", 6, 901, 990, 1000))]), "window_full");
    assert_eq!(last(&[('C', 13, segment("P.", 6, 901, 989, 1000))]), "");
}

#[test]
fn used_ports_are_said_of_the_first_segment() {
    let mut analysis = Analysis::new(true);
    let found = analysis.observe(&segment("S", 1, 0, 0, 10), None, true, 0);
    assert_eq!(found.iter().collect::<Vec<_>>(), [Finding::ReusedPorts]);
    assert_eq!(analysis.observe(&segment("S.", 1, 2, 0, 10), None, false, 0), Findings::default());
}

#[test]
fn a_refused_connection_is_37() {
    let mut analysis = Analysis::default();
    analysis.observe(&segment("S", 1, 0, 0, 10), None, true, 0);
    assert_eq!(analysis.completeness().number(), 1);
    analysis.observe(&segment("R.", 0, 2, 0, 0), None, false, 0);
    assert_eq!(analysis.completeness().number(), 37);
}

proptest! {
    #[test]
    fn no_segments_panic(all in prop::collection::vec(
        (any::<bool>(), 0..0x200_u16, any::<u32>(), any::<u32>(), any::<u32>(), any::<u16>(), any::<i64>()), 0..40,
    )) {
        let mut analysis = Analysis::default();
        for (from_client, bits, seq, ack, len, window, time) in all {
            let mut segment = segment("none", seq, ack, len, window);
            segment.flags = Flags::from_bits(bits);
            segment.scale = Some(len.to_le_bytes()[0]);
            analysis.observe(&segment, None, from_client, time);
        }
        prop_assert!(analysis.completeness().number() < 64);
    }
}
