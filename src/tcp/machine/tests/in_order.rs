//! The short way comes to where the rules do, and does nothing where it does not go all the way.

use proptest::prelude::*;

use super::properties::{Random, random};
use super::*;
use crate::tcp::machine::in_order;

/// A segment from one of two ends: the next one of its sender, or any.
#[derive(Clone, Debug)]
enum Sent {
    Next { from_client: bool, len: u32, window: u16, lag: u32 },
    Any(Random),
}

fn sent() -> impl Strategy<Value = Sent> {
    let next = (any::<bool>(), 0..4_u32, prop_oneof![3 => Just(64), 1 => Just(0_u16)], 0..3_u32);
    prop_oneof![
        3 => next.prop_map(|(from_client, len, window, lag)| Sent::Next { from_client, len, window, lag }),
        1 => random().prop_map(Sent::Any),
    ]
}

fn head(sent: &Sent, client: &Endpoint, server: &Endpoint) -> (bool, Head) {
    match sent {
        Sent::Any(random) => (random.sends, random.head(LOCAL.get(), REMOTE.get())),
        Sent::Next { from_client, len, window, lag } => {
            let (sender, receiver) = if *from_client { (client, server) } else { (server, client) };
            let ack = SeqNum::new(receiver.snd_nxt.get().wrapping_sub(*lag));
            (*from_client, Head { window: *window, ..segment(ACK, sender.snd_nxt, ack, *len) })
        }
    }
}

/// What the short way made of both ends is what the rules make of them, where it went; else it left them as they were.
fn hold(client: &mut Endpoint, server: &mut Endpoint, from_client: bool, head: &Head) -> bool {
    let (sender, receiver) = if from_client { (client, server) } else { (server, client) };
    let (mut quick_sender, mut quick_receiver) = (sender.clone(), receiver.clone());
    let went = in_order(&mut quick_sender, &mut quick_receiver, head);
    if !went {
        assert_eq!((&quick_sender, &quick_receiver), (&*sender, &*receiver), "{head:?}");
    }
    assert!(!(went && receiver.would_reset_without_reader(head)), "{head:?}");
    let rules = (sender.take(Stimulus::Sends(head)), receiver.take(Stimulus::Arrives(head)));
    if went {
        assert_eq!((&quick_sender, &quick_receiver), (&*sender, &*receiver), "{head:?}");
        assert!(matches!(rules, (Rule::Sent, Rule::AckArrives | Rule::DataArrives)), "{rules:?} by {head:?}");
    }
    went
}

/// Both ends of a connection that has just been opened.
fn opened() -> (Endpoint, Endpoint) {
    let (mut client, mut server) = (Endpoint::default(), Endpoint::default());
    for (from_client, head) in
        [(true, local(SYN, 0, 0, 0)), (false, remote(SYN_ACK, 0, 1, 0)), (true, local(ACK, 1, 1, 0))]
    {
        hold(&mut client, &mut server, from_client, &head);
    }
    (client, server)
}

proptest! {
    #[test]
    fn the_short_way_comes_to_where_the_rules_do(
        is_open: bool,
        segments in prop::collection::vec(sent(), 0..32),
    ) {
        let (mut client, mut server) = if is_open { opened() } else { (Endpoint::default(), Endpoint::default()) };
        for sent in &segments {
            let (from_client, head) = head(sent, &client, &server);
            hold(&mut client, &mut server, from_client, &head);
        }
    }
}

#[test]
fn data_and_acknowledgements_of_an_open_connection_take_the_short_way() {
    let (mut client, mut server) = opened();
    // Until each end has shown that the capture holds more than SYN, FIN and RST, the rules decide.
    hold(&mut client, &mut server, false, &remote(ACK, 1, 1, 0));
    for (from_client, head) in [
        (true, local(ACK, 1, 1, 5)),
        (false, remote(ACK, 1, 6, 3)),
        (true, local(ACK, 6, 4, 0)),
        (true, local(ACK, 6, 4, 9)),
    ] {
        assert!(hold(&mut client, &mut server, from_client, &head), "{head:?}");
    }
    for (from_client, head) in
        [(true, local(ACK, 6, 4, 9)), (true, local(FIN_ACK, 15, 4, 0)), (false, remote(ACK, 4, 16, 0))]
    {
        assert!(!hold(&mut client, &mut server, from_client, &head), "{head:?}");
    }
}
