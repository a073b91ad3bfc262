//! A story as one JSON object. Times are strings of seconds with nine decimals, since nanoseconds do not fit a JavaScript
//! number; what is not known is left out, and so are counters that are zero. docs/json.md lists the fields.

mod findings;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::SocketAddr;

use serde_json::{Map, Value, json};

use crate::event::{Event, ExitStatus, Gap, Holding, Sample, Time, What};
use crate::notation::{self, SegmentText};
use crate::report::frame::Frame;
use crate::socket::call::{Arg, Call, Outcome, Payload};
use crate::socket::outlook::{self, Answer, Socket};
use crate::story::Story;
use crate::story::cause::Cause;
use crate::story::connection::Connection;
use crate::story::side::Side;
use crate::story::track::Record;
use crate::tcp::analysis::Finding;
use crate::tcp::segment::{Flags, Segment};
use crate::tcp::zeek::Zeek;

mod stack;

/// The version of the object's shape.
pub const SCHEMA: u32 = 1;

/// How many bytes of data a view shows.
const SHOWN: usize = 16;

/// Writes `story` as one JSON object.
pub fn write(story: &Story, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &object(story)).map_err(io::Error::from)?;
    writeln!(out)
}

/// `story` as a JSON object.
pub fn object(story: &Story) -> Value {
    let run = story.journal().run();
    let facts: Map<String, Value> = run.facts.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let events: Vec<Value> = story.journal().events().iter().map(|seen| event(story, seen)).collect();
    let connections: Vec<Value> = story.connections().iter().map(|known| connection(story, known)).collect();
    let mut object =
        json!({"schema": SCHEMA, "name": run.name, "facts": facts, "connections": connections, "events": events});
    if let Some(fields) = object.as_object_mut() {
        fields.extend((!run.comments.is_empty()).then(|| ("comments".to_owned(), json!(run.comments))));
        fields.extend(findings::of(story).map(|found| ("findings".to_owned(), found)));
    }
    object
}

fn connection(story: &Story, known: &Connection) -> Value {
    let mut object = Map::new();
    object.insert("id".to_owned(), json!(known.id.0));
    if let Some((first, last)) = known.frames {
        object.insert("first_frame".to_owned(), json!(Frame(first)));
        object.insert("last_frame".to_owned(), json!(Frame(last)));
    }
    // When the kernel was asked says nothing of how long it took.
    let happened = |event: &&Event| !matches!(event.what, What::Sample(_));
    let events = known.events.iter().filter_map(|id| story.journal().get(*id));
    let times: Vec<Time> = events.filter(happened).map(|event| event.time).collect();
    if let (Some(first), Some(last)) = (times.first(), times.last()) {
        object.insert("start".to_owned(), json!(first.to_string()));
        object.insert("duration".to_owned(), json!(Time(last.since(*first)).to_string()));
    }
    for side in Side::BOTH {
        object.insert(side.name().to_owned(), end(story, known, side));
    }
    if let Some(verdict) = story.verdict(known.id) {
        object.insert("verdict".to_owned(), json!(verdict.name));
        object.insert("certainty".to_owned(), json!(verdict.certainty.name()));
        object.insert("why".to_owned(), json!(verdict.sentences.join(" ")));
    }
    let (first_closer, reset) = story.closers(known);
    object.insert("first_closer".to_owned(), json!(first_closer));
    object.insert("reset_from".to_owned(), json!(reset.map(|(side, _)| side.name())));
    object.insert("reset_frame".to_owned(), json!(reset.map(|(_, frame)| Frame(frame))));
    if let Some(completeness) = story.completeness(known.id) {
        object.insert("wireshark_completeness".to_owned(), json!(completeness.number()));
    }
    object.extend(in_zeeks_words(story, known));
    Value::Object(object)
}

/// What Zeek would write of `known`; nothing where no segment was captured.
fn in_zeeks_words(story: &Story, known: &Connection) -> Map<String, Value> {
    let segments = known.events.iter().filter_map(|id| {
        let (_, segment) = story.journal().get(*id)?.segment()?;
        Some((segment.head(), story.record(*id)?.side? == Side::Client))
    });
    let (conn_state, history) = Zeek::words(segments);
    let words = [("zeek_conn_state", conn_state), ("zeek_history", &history)];
    words.into_iter().filter(|_| known.frames.is_some()).map(|(name, word)| (name.to_owned(), json!(word))).collect()
}

fn end(story: &Story, known: &Connection, side: Side) -> Value {
    let last = known.events.last().copied();
    let account = last.map(|last| story.account(known.id, last)[side]).unwrap_or_default();
    let standing = last.map(|last| story.standing(known.id, last));
    let own = &known.ends[side];
    let mut object = json!({
        "endpoint": known.addresses[side].to_string(),
        "state": own.tcp.state.name(),
        "sent": account.sent,
        "acknowledged": account.acknowledged,
        "lost": account.lost,
    });
    if let Some(fields) = object.as_object_mut() {
        let words = standing.map(|both| both[side].clone());
        let optional = [
            ("actor", known.actors[side].as_ref().map(|actor| json!(actor.name()))),
            ("isn", own.tcp.isn.map(|isn| json!(isn.get()))),
            ("read", account.read.map(|read| json!(read))),
            ("kernel", words.and_then(|words| words.kernel).map(|kernel| json!(kernel))),
            ("next", own.has_program().then(|| next(&own.socket))),
            ("analysis", analysis(story, known, side)),
        ];
        fields.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        let counts = counters(story, known, side).into_iter().chain([("on_the_way", account.on_the_way)]);
        fields.extend(counts.filter(|(_, count)| *count > 0).map(|(name, count)| (name.to_owned(), json!(count))));
    }
    object
}

/// What `side` sent, counted: its segments, their payload in bytes (what was sent again counts again), and its flags.
fn counters(story: &Story, known: &Connection, side: Side) -> [(&'static str, u64); 6] {
    // A packet that was captured at several interfaces was sent once.
    let is_own = |record: &Record| record.side == Some(side) && !record.is_copy;
    let events = known.events.iter().filter(|id| story.record(**id).is_some_and(is_own));
    let own: Vec<&Segment> =
        events.filter_map(|id| story.journal().get(*id)?.segment()).map(|(_, segment)| segment).collect();
    let count = |wanted: fn(Flags) -> bool| own.iter().filter(|segment| wanted(segment.flags)).count() as u64;
    [
        ("packets", count(|_| true)),
        ("bytes", own.iter().map(|segment| u64::from(segment.payload_len)).sum()),
        ("syn", count(Flags::opens)),
        ("synack", count(|flags| flags.syn() && flags.ack())),
        ("fin", count(Flags::fin)),
        ("rst", count(Flags::rst)),
    ]
}

/// How many of the segments of `side` Wireshark gives each of its flags; `None` where it gives none.
fn analysis(story: &Story, known: &Connection, side: Side) -> Option<Value> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let own = known.events.iter().filter(|id| story.record(**id).is_some_and(|record| record.side == Some(side)));
    for finding in own.flat_map(|id| story.analysis(*id).iter()) {
        *counts.entry(finding.name()).or_default() += 1;
    }
    (!counts.is_empty()).then(|| json!(counts))
}

fn next(socket: &Socket) -> Value {
    let text = |answer: Answer| answer.to_string();
    json!({
        "send": text(socket.send(1, outlook::Flags::default())),
        "recv": text(socket.recv(8192, outlook::Flags::default())),
        "shutdown": text(socket.shutdown(crate::socket::call::How::Write)),
        "close": text(socket.close()),
        "poll": socket.ready().to_string(),
    })
}

fn event(story: &Story, seen: &Event) -> Value {
    let mut object = Map::new();
    object.insert("id".to_owned(), json!(seen.id.0));
    object.insert("time".to_owned(), json!(seen.time.to_string()));
    if let Some(actor) = &seen.actor {
        object.insert("actor".to_owned(), json!(actor.name()));
    }
    if seen.late {
        object.insert("late".to_owned(), json!(true));
    }
    let record = story.record(seen.id);
    if let Some(id) = record.and_then(|record| record.connection) {
        object.insert("connection".to_owned(), json!(id.0));
    }
    if let Some(side) = record.and_then(|record| record.side) {
        object.insert("side".to_owned(), json!(side.name()));
    }
    if let Value::Object(fields) = what(story, seen) {
        object.extend(fields);
    }
    if let Some(cause) = story.cause(seen.id) {
        object.insert("cause".to_owned(), because(cause));
    }
    Value::Object(object)
}

fn because(cause: &Cause) -> Value {
    let events: Vec<u64> = cause.causes.iter().map(|id| id.0).collect();
    json!({"events": events, "certainty": cause.certainty.name(), "evidence": cause.evidence})
}

fn what(story: &Story, seen: &Event) -> Value {
    match &seen.what {
        What::Segment { frame, segment } => self::segment(story, seen, segment, Frame(frame.number)),
        What::Begun(call) => begun(story, seen, call),
        What::Ended { begun, outcome } => ended(begun.0, outcome, story.call(*begun).map(|(call, _)| call)),
        What::Stack(of) => stack::object(of),
        What::Started { pid } => json!({"kind": "started", "pid": pid}),
        What::Holds(holding) => self::holding(holding),
        What::Exit(ExitStatus::Code(code)) => json!({"kind": "exited", "code": code}),
        What::Exit(ExitStatus::Killed(signal)) => json!({"kind": "killed", "signal": signal.to_string()}),
        What::Sample(sample) => self::sample(story, seen, sample),
        What::Gap(gap) => self::gap(gap),
    }
}

fn segment(story: &Story, seen: &Event, segment: &Segment, frame: Frame) -> Value {
    let Some(record) = story.record(seen.id) else { return json!({"kind": "segment", "frame": frame}) };
    let place = record.connection.and_then(|id| story.connection(id)).zip(record.side);
    let text = place.map(|(known, side)| {
        let (isn, peer) = (known.isn(side), known.isn(side.peer()));
        SegmentText::new(segment, known.id.0, side == Side::Client, isn, peer).to_string()
    });
    let states = json!({
        "client": record.ends.client.tcp.state.name(),
        "server": record.ends.server.tcp.state.name(),
    });
    let rules: Vec<Value> = record
        .changes
        .iter()
        .filter(|change| change.from != change.to)
        .map(|change| {
            json!({"side": change.side.name(), "from": change.from.name(), "to": change.to.name(), "rule": change.rule.source()})
        })
        .collect();
    let mut object = json!({
        "kind": "segment", "frame": frame, "flags": segment.flags.to_string(), "length": segment.payload_len,
        "text": text, "states": states, "changes": rules,
    });
    let findings: Vec<&str> = story.analysis(seen.id).iter().map(Finding::name).collect();
    if let Some(fields) = object.as_object_mut().filter(|_| !findings.is_empty()) {
        fields.insert("analysis".to_owned(), json!(findings));
    }
    object
}

fn begun(story: &Story, seen: &Event, call: &Call) -> Value {
    let mut object = json!({"kind": "begun", "call": call.name.name(), "text": notation::call(&clipped(call))});
    let fate = story.fate(seen.id).filter(|fate| fate.taken > 0 && call.name.sends());
    if let Some((fields, fate)) = object.as_object_mut().zip(fate) {
        let mut bytes = json!({"taken": fate.taken, "acknowledged": fate.acknowledged, "lost": fate.lost});
        if let Some((bytes, read)) = bytes.as_object_mut().zip(fate.read) {
            bytes.insert("read".to_owned(), json!(read));
        }
        fields.insert("fate".to_owned(), bytes);
    }
    if let Some((fields, foretold)) = object.as_object_mut().zip(story.foretold(seen.id)) {
        let answer = foretold.last();
        let mut told = json!({"answer": foretold.text(), "why": answer.why, "source": answer.source});
        if let Some((told, held)) = told.as_object_mut().zip(foretold.held) {
            told.insert("held".to_owned(), json!(held));
        }
        fields.insert("foretold".to_owned(), told);
    }
    object
}

fn ended(begun: u64, outcome: &Outcome, call: Option<&Call>) -> Value {
    let mut object =
        json!({"kind": "ended", "begun": begun, "returned": outcome.ret, "text": notation::outcome(&shown(outcome))});
    if let Some(fields) = object.as_object_mut() {
        fields.extend(call.map(|call| ("call".to_owned(), json!(call.name.name()))));
        fields.extend(outcome.errno.map(|errno| ("errno".to_owned(), json!(errno.to_string()))));
        fields.extend(outcome.signal.map(|signal| ("signal".to_owned(), json!(signal.to_string()))));
    }
    object
}

fn sample(story: &Story, seen: &Event, sample: &Sample) -> Value {
    let mut object = json!({"kind": "kernel", "local": sample.local.to_string(), "remote": sample.remote.to_string()});
    if let Some(fields) = object.as_object_mut() {
        match sample.socket {
            None => drop(fields.insert("state".to_owned(), Value::Null)),
            Some(socket) => fields.extend([
                ("state".to_owned(), json!(socket.state.name())),
                ("unread".to_owned(), json!(socket.unread)),
                ("unacknowledged".to_owned(), json!(socket.unacknowledged)),
                ("orphan".to_owned(), json!(socket.orphan)),
            ]),
        }
        fields.extend(story.differs(seen.id).map(|inferred| ("differs".to_owned(), json!(inferred.name()))));
    }
    object
}

fn holding(holding: &Holding) -> Value {
    let end = |addr: Option<SocketAddr>| addr.map(|addr| addr.to_string());
    json!({
        "kind": "holds", "fd": holding.fd.0, "local": end(holding.local), "remote": end(holding.remote),
        "state": holding.state.name(), "unread": holding.unread, "unacknowledged": holding.unacknowledged,
        "nonblocking": holding.nonblocking, "linger_zero": holding.linger_zero,
    })
}

fn gap(gap: &Gap) -> Value {
    match gap {
        Gap::Dropped(frames) => json!({"kind": "dropped", "frames": frames}),
        Gap::Malformed { frame, why } => json!({"kind": "malformed", "frame": Frame(*frame), "why": why}),
        Gap::CutShort { bytes } => json!({"kind": "cut_short", "bytes": bytes}),
        Gap::NoCapture(why) => json!({"kind": "no_capture", "why": why}),
        Gap::Unsettled(what) => json!({"kind": "unsettled", "what": what}),
        Gap::ClockStep(nanos) => json!({"kind": "clock_step", "nanoseconds": nanos.to_string()}),
        Gap::Untraced(what) => json!({"kind": "untraced", "what": what}),
    }
}

fn clipped(call: &Call) -> Call {
    Call { args: call.args.iter().map(clip).collect(), ..call.clone() }
}

fn shown(outcome: &Outcome) -> Outcome {
    Outcome { values: outcome.values.iter().map(clip).collect(), ..outcome.clone() }
}

fn clip(arg: &Arg) -> Arg {
    match arg {
        Arg::Bytes(payload) if payload.bytes.len() > SHOWN => {
            Arg::Bytes(Payload { bytes: payload.bytes[..SHOWN].to_vec(), cut: true })
        }
        other => other.clone(),
    }
}
