//! What must hold of any segments in any order.

use proptest::prelude::*;

use super::*;
use crate::tcp::transition;

/// One stimulus, its numbers counted from two origins, so that all of them can be moved together.
#[derive(Clone, Debug)]
pub struct Random {
    pub sends: bool,
    flags: u16,
    seq: i32,
    ack: i32,
    len: u32,
    window: u16,
}

impl Random {
    pub fn head(&self, local: u32, remote: u32) -> Head {
        let (own, other) = if self.sends { (local, remote) } else { (remote, local) };
        Head {
            seq: SeqNum::new(own.wrapping_add_signed(self.seq)),
            ack: SeqNum::new(other.wrapping_add_signed(self.ack)),
            flags: Flags::from_bits(self.flags),
            payload_len: self.len,
            window: self.window,
            scale: Some(7),
            ..Head::default()
        }
    }

    fn step(&self, end: &Endpoint, local: u32, remote: u32) -> Step {
        let head = self.head(local, remote);
        end.would_reset_without_reader(&head);
        end.step(if self.sends { Stimulus::Sends(&head) } else { Stimulus::Arrives(&head) })
    }
}

/// Mostly near the origin, where numbers meet; now and then anywhere.
fn number() -> impl Strategy<Value = i32> {
    prop_oneof![8 => 0..8, 2 => -20..2_000, 1 => any::<i32>()]
}

pub fn random() -> impl Strategy<Value = Random> {
    let flags = prop_oneof![6 => Just(0x10), 3 => Just(0x11), 2 => Just(0x02), 2 => Just(0x12), 1 => 0..0x200_u16];
    let len = prop_oneof![4 => Just(0), 4 => 1..6_u32, 1 => any::<u32>()];
    let window = prop_oneof![Just(0), Just(64), any::<u16>()];
    (any::<bool>(), flags, number(), number(), len, window).prop_map(|(sends, flags, seq, ack, len, window)| Random {
        sends,
        flags,
        seq,
        ack,
        len,
        window,
    })
}

fn is_listed(step: &Step, sends: bool) -> bool {
    let is_it = |edge: &&transition::Transition| {
        (edge.from, edge.to, edge.rule, edge.is_sent) == (step.from, step.to, step.rule, sends)
    };
    !step.changes_state() || transition::ALL.iter().any(|edge| is_it(&edge))
}

proptest! {
    #[test]
    fn any_segments_take_listed_steps_whatever_their_numbers_count_from(
        segments in proptest::collection::vec(random(), 0..24),
        (local, remote) in any::<(u32, u32)>(),
    ) {
        let (mut here, mut there) = (Endpoint::default(), Endpoint::default());
        for segment in segments {
            let (step, moved) = (segment.step(&here, 0x1000, 0x2000), segment.step(&there, local, remote));
            prop_assert_eq!((step.from, step.to, step.rule), (moved.from, moved.to, moved.rule), "{:?}", &segment);
            prop_assert!(is_listed(&step, segment.sends), "{:?} by {:?}", &step, &segment);
            (here, there) = (step.after, moved.after);
        }
    }
}
