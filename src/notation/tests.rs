use proptest::prelude::*;

use super::*;
use crate::event::{
    Actor, At, ConnectionId, Event, EventId, ExitStatus, FrameNo, Gap, Holding, Language, Place, Run, Sample,
    SocketSample, Stack, Time, What,
};
use crate::socket::call::{Arg, Call, CallName, Outcome, Payload};
use crate::socket::errno::{Errno, Signal};
use crate::tcp::segment::Flags;
use crate::tcp::state::State;

fn payload() -> impl Strategy<Value = Payload> {
    (prop::collection::vec(any::<u8>(), 0..60), any::<bool>()).prop_map(|(bytes, cut)| Payload { bytes, cut })
}

fn arg() -> impl Strategy<Value = Arg> {
    prop_oneof![
        any::<i64>().prop_map(Arg::Int),
        any::<std::net::SocketAddrV4>().prop_map(|addr| Arg::Addr(addr.into())),
        any::<[u16; 8]>().prop_map(|parts| Arg::Addr((std::net::Ipv6Addr::from(parts), 80).into())),
        payload().prop_map(Arg::Bytes),
        "[A-Z][A-Z_]{0,8}(\\|[A-Z_]{1,9})?".prop_map(Arg::Word),
    ]
}

fn name() -> impl Strategy<Value = CallName> {
    prop::sample::select(vec![CallName::Send, CallName::Recv, CallName::Accept, CallName::Poll, CallName::Close])
}

fn outcome_() -> impl Strategy<Value = Outcome> {
    let errno = (1..200_u16).prop_map(Errno);
    let success = (0..i64::MAX, prop::collection::vec(arg(), 0..3));
    let signal = prop::option::of((1..60).prop_map(Signal));
    let ret = prop_oneof![success.prop_map(Ok), errno.prop_map(Err)];
    (ret, signal).prop_map(|(ret, signal)| match ret {
        Ok((ret, values)) => Outcome { ret, errno: None, values, signal },
        Err(errno) => Outcome { signal, ..Outcome::failure(errno) },
    })
}

fn gap() -> impl Strategy<Value = Gap> {
    prop_oneof![
        any::<u64>().prop_map(Gap::Dropped),
        (any::<u64>(), ".*").prop_map(|(frame, why)| Gap::Malformed { frame: FrameNo(frame), why }),
        any::<u64>().prop_map(|bytes| Gap::CutShort { bytes }),
        ".*".prop_map(Gap::NoCapture),
        ".*".prop_map(Gap::Unsettled),
        any::<i64>().prop_map(Gap::ClockStep),
        ".*".prop_map(Gap::Untraced),
    ]
}

fn sample_() -> impl Strategy<Value = Sample> {
    let state = prop::sample::select(State::ALL.to_vec());
    let socket = (state, any::<u32>(), any::<u32>(), any::<bool>())
        .prop_map(|(state, unread, unacknowledged, orphan)| SocketSample { state, unread, unacknowledged, orphan });
    (any::<std::net::SocketAddrV4>(), any::<std::net::SocketAddrV4>(), prop::option::of(socket))
        .prop_map(|(local, remote, socket)| Sample { local: local.into(), remote: remote.into(), socket })
}

fn holding() -> impl Strategy<Value = Holding> {
    let four = any::<std::net::SocketAddrV4>().prop_map(Into::into);
    let six = any::<([u16; 8], u16)>().prop_map(|(parts, port)| (std::net::Ipv6Addr::from(parts), port).into());
    let addr = prop::option::of(prop_oneof![four, six]);
    let state = prop::sample::select(State::ALL.to_vec());
    (any::<i32>(), addr.clone(), addr, state, any::<(u32, u32)>(), any::<(bool, bool)>()).prop_map(
        |(fd, local, remote, state, (unread, unacknowledged), (nonblocking, linger_zero))| {
            let fd = crate::socket::call::Fd(fd);
            Holding { fd, local, remote, state, unread, unacknowledged, nonblocking, linger_zero }
        },
    )
}

fn place() -> impl Strategy<Value = Place> {
    let language = prop::sample::select(vec![Language::Native, Language::Python]);
    let at = prop_oneof![
        (".*", any::<u32>()).prop_map(|(file, line)| At::Line { file, line }),
        (".*", any::<u64>()).prop_map(|(file, offset)| At::Module { file, offset }),
        any::<u64>().prop_map(At::Address),
    ];
    (language, prop::option::of(".*"), at).prop_map(|(language, function, at)| Place { language, function, at })
}

fn stack_() -> impl Strategy<Value = Stack> {
    (any::<u64>(), prop::collection::vec(place(), 0..4), prop::option::of(".*"))
        .prop_map(|(begun, places, missing)| Stack { begun: EventId(begun), places, missing })
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        (name(), prop::collection::vec(arg(), 0..4)).prop_map(|(name, args)| What::Begun(Call { name, args })),
        (any::<u64>(), outcome_()).prop_map(|(begun, outcome)| What::Ended { begun: EventId(begun), outcome }),
        stack_().prop_map(What::Stack),
        any::<i32>().prop_map(|pid| What::Started { pid }),
        holding().prop_map(What::Holds),
        any::<i32>().prop_map(|code| What::Exit(ExitStatus::Code(code))),
        (1..60).prop_map(|signal| What::Exit(ExitStatus::Killed(Signal(signal)))),
        sample_().prop_map(What::Sample),
        gap().prop_map(What::Gap),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    (any::<u64>(), 0..i64::MAX, prop::option::of("[a-z][a-z0-9]{0,8}"), any::<bool>(), what()).prop_map(
        |(id, time, actor, late, what)| Event {
            id: EventId(id),
            time: Time(time),
            actor: actor.map(|name| Actor::new(&name)),
            late,
            what,
        },
    )
}

fn read_all(lines: &[String]) -> Vec<Line> {
    let mut reader = Reader::new();
    let mut read: Vec<Line> = lines.iter().flat_map(|line| reader.line(line).unwrap()).collect();
    read.extend(reader.finish().unwrap());
    read
}

proptest! {
    #[test]
    fn every_event_reads_back(event in event(), connection in prop::option::of(1..9_u32)) {
        let connection = connection.map(ConnectionId);
        let lines = event_lines(&event, connection);
        prop_assert!(lines.iter().all(|line| line.bytes().all(|byte| (b' '..=b'~').contains(&byte))));
        prop_assert_eq!(read_all(&lines), vec![Line::Event(event, connection)]);
    }

    #[test]
    fn every_run_reads_back(name in ".*", facts in prop::collection::vec(("[a-z]{1,9}", ".*"), 0..4)) {
        let read = read_all(&run_lines(&Run { name: name.clone(), facts: facts.clone(), comments: Vec::new() }));
        let expected: Vec<Line> =
            std::iter::once(Line::Run(name)).chain(facts.into_iter().map(|(name, value)| Line::Fact(name, value))).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn rubbish_is_refused_or_read_but_never_panics(line in "epipe/1 .{0,80}", other in ".{0,80}") {
        let mut reader = Reader::new();
        drop(reader.line(&line));
        drop(reader.line(&other));
        drop(parse_call(&other));
        drop(parse_outcome(&other));
        drop(parse_segment(&other));
    }

    #[test]
    fn every_segment_reads_back(
        (connection, from_client, flags, start, len) in (1..9_u32, any::<bool>(), 0..0x200_u16, any::<u32>(), any::<u32>()),
        (ack, window, urgent) in (prop::option::of(any::<u32>()), prop::option::of(any::<u16>()), prop::option::of(any::<u16>())),
        options in prop::option::of("[a-z ,0-9]{1,20}"),
    ) {
        let text = SegmentText { connection, from_client, flags: Flags::from_bits(flags), start, len, ack, window, urgent, options };
        let line = text.to_string();
        prop_assert_eq!(parse_segment(&line), Ok((text, "")));
    }
}

#[test]
fn an_event_reads_as_a_person_expects() {
    let call = Call::new(
        CallName::Send,
        vec![Arg::Int(3), Arg::Bytes(Payload::whole(*b"hel\"lo\n\x00")), Arg::Int(8), Arg::Int(0)],
    );
    let begun = Event {
        id: EventId(12),
        time: Time(1_795_307_257_490_341_000),
        actor: Some(Actor::new("client")),
        late: false,
        what: What::Begun(call),
    };
    assert_eq!(
        event_lines(&begun, Some(ConnectionId(1))),
        [r#"epipe/1 12 1 client 1795307257.490341000 send(3, "hel\"lo\n\x00", 8, 0) ..."#]
    );
    let outcome = Outcome { signal: Some(Signal::SIGPIPE), ..Outcome::failure(Errno::EPIPE) };
    let ended = Event { id: EventId(14), what: What::Ended { begun: EventId(12), outcome }, ..begun };
    assert_eq!(
        event_lines(&ended, None),
        ["epipe/1 14 - client 1795307257.490341000 ... #12 = -1 EPIPE (Broken pipe), SIGPIPE"]
    );
}

#[test]
fn a_long_payload_is_split_and_put_together_again() {
    for len in [5_000, MAX_PIECE, MAX_PIECE + 1, 3 * MAX_PIECE] {
        let call = Call::new(CallName::Write, vec![Arg::Int(3), Arg::Bytes(Payload::whole(vec![b'x'; len]))]);
        let event = Event { id: EventId(7), time: Time(0), actor: None, late: false, what: What::Begun(call) };
        let lines = event_lines(&event, None);
        assert!(lines.iter().all(|line| line.len() <= MAX_PIECE));
        assert_eq!(read_all(&lines), [Line::Event(event, None)]);
    }
}

#[test]
fn a_missing_piece_is_complained_of() {
    let call = Call::new(CallName::Write, vec![Arg::Int(3), Arg::Bytes(Payload::whole(vec![b'x'; 3 * MAX_PIECE]))]);
    let event = Event { id: EventId(7), time: Time(0), actor: None, late: false, what: What::Begun(call) };
    let lines = event_lines(&event, None);
    let mut reader = Reader::new();
    reader.line(&lines[0]).unwrap();
    assert!(reader.line(&lines[2]).is_err());
}

#[test]
fn an_error_names_the_column() {
    let error = parse_call("send(3, \"x)").unwrap_err();
    assert_eq!(error.to_string(), "column 12: expected a printable ASCII character or the closing quote");
}
