//! The short way finds and remembers what the rules do.

use super::*;

/// A segment from one of two ends: one that goes on where its sender is, or any.
#[derive(Clone, Debug)]
enum Sent {
    Next { from_client: bool, len: u32, window: u16, lag: u32, wait: i64 },
    Any { from_client: bool, bits: u16, seq: u32, ack: u32, len: u32, window: u16, wait: i64 },
}

fn sent() -> impl Strategy<Value = Sent> {
    let window = || prop_oneof![4 => Just(64), 1 => Just(0_u16), 1 => 0..8_u16];
    let wait = || prop_oneof![Just(0), 0..5 * MS, Just(-MS)];
    let next = (any::<bool>(), 0..4_u32, window(), 0..3_u32, wait());
    let number = || prop_oneof![4 => 0..12_u32, 1 => any::<u32>()];
    let any = (any::<bool>(), 0..0x200_u16, number(), number(), number(), window(), wait());
    prop_oneof![
        3 => next.prop_map(|(from_client, len, window, lag, wait)| Sent::Next { from_client, len, window, lag, wait }),
        1 => any.prop_map(|(from_client, bits, seq, ack, len, window, wait)| {
            Sent::Any { from_client, bits, seq, ack, len, window, wait }
        }),
    ]
}

fn head(sent: &Sent, analysis: &Analysis) -> (bool, i64, Head) {
    match *sent {
        Sent::Any { from_client, bits, seq, ack, len, window, wait } => {
            let mut head = segment(".", seq, ack, len, window);
            head.flags = Flags::from_bits(bits);
            (from_client, wait, head)
        }
        Sent::Next { from_client, len, window, lag, wait } => {
            let (own, peer) =
                if from_client { (&analysis.client, &analysis.server) } else { (&analysis.server, &analysis.client) };
            let ack = peer.next.get().wrapping_sub(lag);
            (from_client, wait, segment(".", own.next.get(), ack, len, window))
        }
    }
}

/// What the short way made of `analysis` is what the rules make of it, where it went; else it left it as it was.
fn hold(analysis: &mut Analysis, head: &Head, from_client: bool, time: i64) -> bool {
    let before = format!("{analysis:?}");
    let mut quick = analysis.clone();
    let went = quick.in_order(head, from_client, time);
    let found = analysis.by_the_rules(head, None, from_client, time);
    if went {
        assert_eq!(found, Findings::default(), "{head:?}");
        assert_eq!(format!("{quick:?}"), format!("{analysis:?}"), "{head:?}");
    } else {
        assert_eq!(format!("{quick:?}"), before, "{head:?}");
    }
    went
}

proptest! {
    #[test]
    fn the_short_way_comes_to_where_the_rules_do(
        is_open: bool,
        segments in prop::collection::vec(sent(), 0..32),
    ) {
        let (mut analysis, mut now) = (Analysis::default(), 0);
        for (sender, millis, head) in opened().iter().filter(|_| is_open) {
            now = millis * MS;
            hold(&mut analysis, head, *sender == 'C', now);
        }
        for sent in &segments {
            let (from_client, wait, head) = head(sent, &analysis);
            now += wait;
            hold(&mut analysis, &head, from_client, now);
        }
    }
}

#[test]
fn data_and_what_acknowledges_it_take_the_short_way() {
    let mut analysis = Analysis::default();
    for (sender, millis, head) in opened() {
        hold(&mut analysis, &head, sender == 'C', millis * MS);
    }
    let ack = segment(".", 901, 6, 0, 1000);
    let data = segment("P.", 901, 6, 20, 1000);
    assert!(hold(&mut analysis, &ack, false, 13 * MS));
    assert!(!hold(&mut analysis, &ack, false, 14 * MS), "a duplicate");
    assert!(hold(&mut analysis, &data, false, 15 * MS));
    assert!(!hold(&mut analysis, &data, false, 300 * MS), "a repetition");
}
