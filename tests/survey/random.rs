//! Captures drawn by lot: connections that could be, and segments that could not.

use std::net::{Ipv4Addr, SocketAddrV4};

use epipe::decode::LinkType;
use epipe::event::{Frame, FrameNo};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::capture::{ACK, Capture, FIN, Link, MS, PSH, RST, S, START, SYN, Tcp};

/// How a number is chosen.
#[derive(Clone, Copy, Debug)]
enum Number {
    /// The one that comes next.
    Next,
    /// As many before it.
    Before(u32),
    /// As many behind it.
    Behind(u32),
    /// Any.
    Any(u32),
}

impl Number {
    const fn of(self, next: u32) -> u32 {
        match self {
            Self::Next => next,
            Self::Before(count) => next.wrapping_sub(count),
            Self::Behind(count) => next.wrapping_add(count),
            Self::Any(number) => number,
        }
    }
}

/// One segment of one of the connections.
#[derive(Clone, Debug)]
struct Step {
    tuple: usize,
    from_client: bool,
    flags: u8,
    seq: Number,
    ack: Number,
    len: u16,
    window: u16,
    hops: u8,
    wait: i64,
}

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        12 => Just(Number::Next),
        2 => (1..4_u32).prop_map(Number::Before),
        2 => (1..2_000_u32).prop_map(Number::Before),
        2 => (1..2_000_u32).prop_map(Number::Behind),
        1 => any::<u32>().prop_map(Number::Any),
    ]
}

fn flags() -> impl Strategy<Value = u8> {
    prop_oneof![
        5 => Just(ACK),
        6 => Just(PSH | ACK),
        3 => Just(FIN | ACK),
        1 => Just(FIN | PSH | ACK),
        2 => Just(SYN),
        2 => Just(SYN | ACK),
        2 => Just(RST),
        2 => Just(RST | ACK),
        1 => 0..64_u8,
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let len = prop_oneof![4 => Just(0_u16), 1 => Just(1), 3 => 2..1_461_u16];
    let window = prop_oneof![4 => Just(502_u16), 1 => Just(0), 1 => any::<u16>()];
    let wait = prop_oneof![4 => 0..MS, 3 => MS..S, 2 => S..100 * S];
    let hops = prop_oneof![9 => Just(64_u8), 1 => 1..=255_u8];
    let whole = (0..4_usize, any::<bool>(), flags(), number(), number(), len, window, hops, wait);
    whole.prop_map(|(tuple, from_client, flags, seq, ack, len, window, hops, wait)| Step {
        tuple,
        from_client,
        flags,
        seq,
        ack,
        len,
        window,
        hops,
        wait,
    })
}

/// One segment of a connection as it usually goes: whether its client sends it, and its flags.
type Turn = (bool, u8);

/// A connection's beginning, middle and end as they usually are; what else comes falls in between.
fn lesson() -> impl Strategy<Value = Vec<(Turn, Number)>> {
    let open = [(true, SYN), (false, SYN | ACK), (true, ACK)];
    let begin = prop_oneof![
        4 => Just(open.to_vec()),
        1 => Just(Vec::new()),
        1 => Just(vec![(true, SYN), (false, RST | ACK)]),
        1 => Just(vec![(true, SYN), (false, SYN), (true, SYN | ACK), (false, SYN | ACK)]),
    ];
    let middle = vec((any::<bool>(), prop_oneof![Just(ACK), Just(PSH | ACK)]), 0..6);
    let end = prop_oneof![
        2 => Just(vec![(true, FIN | ACK), (false, FIN | ACK), (true, ACK)]),
        2 => Just(vec![(false, FIN | ACK), (true, ACK), (true, PSH | ACK), (false, RST)]),
        1 => Just(vec![(true, FIN | ACK), (false, FIN | ACK), (true, ACK), (false, ACK)]),
        1 => Just(vec![(false, RST | ACK)]),
        2 => Just(Vec::new()),
    ];
    // Now and then one end repeats its last data in vain.
    let repeats = prop_oneof![5 => Just(0), 1 => 1..6_usize];
    (begin, middle, end, repeats).prop_map(|(begin, middle, end, repeats)| {
        let turns = if repeats == 0 { [begin, middle, end].concat() } else { [begin, middle].concat() };
        let mut turns: Vec<_> = turns.into_iter().map(|turn| (turn, Number::Next)).collect();
        if repeats > 0 {
            turns.push(((true, PSH | ACK), Number::Next));
            turns.extend(vec![((true, PSH | ACK), Number::Before(DATA.into())); repeats]);
        }
        turns
    })
}

/// How many bytes a segment with data carries where all goes as usual.
const DATA: u16 = 100;

/// A connection in order: the steps of a lesson.
fn orderly(tuple: usize) -> impl Strategy<Value = Vec<Step>> {
    let wait = prop_oneof![3 => 0..MS, 2 => MS..2 * S, 1 => S..100 * S];
    (lesson(), vec(wait, 16)).prop_map(move |(lesson, waits)| {
        let step = |(((from_client, flags), seq), wait): ((Turn, Number), i64)| Step {
            tuple,
            from_client,
            flags,
            seq,
            ack: Number::Next,
            len: if flags & PSH == 0 { 0 } else { DATA },
            window: 502,
            hops: 64,
            wait,
        };
        lesson.into_iter().zip(waits).map(step).collect()
    })
}

/// Up to four connections at a time, of which two have an end in common and one is of a socket with itself.
const TUPLES: [((u8, u16), (u8, u16)); 4] =
    [((1, 40_000), (9, 443)), ((2, 40_000), (9, 443)), ((9, 443), (3, 9)), ((4, 5_000), (4, 5_000))];

/// The two next numbers of a connection.
type Next = [u32; 2];

/// Puts `step` on the wire at `time`.
fn put(step: &Step, next: &mut Next, id: u16, time: i64, capture: &mut Capture) {
    let ends = [TUPLES[step.tuple].0, TUPLES[step.tuple].1]
        .map(|(host, port)| SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, host), port));
    let with_itself = ends[0] == ends[1];
    let own = usize::from(!step.from_client && !with_itself);
    let peer = if with_itself { 0 } else { 1 - own };
    let seq = step.seq.of(next[own]);
    let ack = if step.flags & ACK == 0 { 0 } else { step.ack.of(next[peer]) };
    let (from, to) = if step.from_client { (ends[0], ends[1]) } else { (ends[1], ends[0]) };
    let Step { flags, len, window, hops, .. } = *step;
    capture.add(time, &Tcp { from, to, seq, ack, flags, len, window, hops, id });
    if flags & RST == 0 {
        let end = seq.wrapping_add(u32::from(len) + u32::from(flags & (SYN | FIN) != 0));
        next[own] = end;
    }
}

/// Where the numbers of a connection begin: anywhere, and where they wrap.
fn isn() -> impl Strategy<Value = u32> {
    prop_oneof![2 => any::<u32>(), 1 => Just(0), 1 => (0..400_u32).prop_map(|before| u32::MAX - before)]
}

/// A capture of connections in order with random segments among them, of the same addresses again and again.
pub fn interleaved() -> impl Strategy<Value = Capture> {
    let lessons = vec((0..4_usize).prop_flat_map(orderly), 0..4);
    let parts = (lessons, vec(step(), 0..24), vec(any::<prop::sample::Index>(), 64), vec([isn(), isn()], 4));
    parts.prop_map(|(lessons, strangers, places, isns)| {
        // Each lesson keeps its order; where the next of which lesson stands is drawn.
        let mut queues: Vec<std::collections::VecDeque<Step>> = lessons.into_iter().map(Into::into).collect();
        queues.extend(strangers.into_iter().map(|step| [step].into()));
        let mut next: Vec<Next> = isns;
        let mut capture = Capture::new(Link::Ethernet);
        let (mut time, mut id) = (START, 0);
        let mut places = places.iter().cycle();
        while !queues.is_empty() {
            // Often several of one lesson come in a row.
            let chosen = places.next().unwrap().index(queues.len());
            for _ in 0..3 {
                let Some(step) = queues[chosen].pop_front() else { break };
                (time, id) = (time + step.wait, id + 1);
                put(&step, &mut next[step.tuple], id, time, &mut capture);
            }
            queues.retain(|queue| !queue.is_empty());
        }
        capture
    })
}

/// The link types that are read.
pub const LINK_TYPES: [LinkType; 6] =
    [LinkType::ETHERNET, LinkType::RAW, LinkType::NULL, LinkType::LOOP, LinkType::LINUX_SLL, LinkType::LINUX_SLL2];

/// A frame of any bytes at any time, often one that begins as IP packets do.
pub fn noise() -> impl Strategy<Value = (Frame, i64)> {
    let begin = prop_oneof![
        Just(vec![]),
        Just([&[0; 12][..], &[0x08, 0x00, 0x45, 0]].concat()),
        Just([&[0; 12][..], &[0x86, 0xdd, 0x60, 0]].concat()),
        Just([&[0; 12][..], &[0x81, 0x00, 0, 1, 0x08, 0x00, 0x45, 0, 0, 60, 0, 0, 0x20, 0, 64, 6]].concat()),
    ];
    let time = prop_oneof![4 => START..START + 100 * S, 1 => any::<i64>()];
    let link_type = prop_oneof![6 => prop::sample::select(&LINK_TYPES[..]), 1 => any::<u32>().prop_map(LinkType)];
    let frame = (begin, vec(any::<u8>(), 0..120), link_type, prop_oneof![1 => any::<u32>(), 3 => 0..200_u32]);
    (frame, time).prop_map(|((begin, rest, link_type, original_len), time)| {
        let data = [begin, rest].concat().into();
        (Frame { number: FrameNo(0), link_type, original_len, data, comments: Vec::new() }, time)
    })
}
