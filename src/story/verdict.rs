//! How a connection ended: a name, how sure it is, and three sentences.

use super::Story;
use super::account::Direction;
use super::connection::Connection;
use super::side::{Both, Side};
use super::standing::bytes;
use super::telling::{Certainty, Verdict};
use super::track::Record;
use crate::event::{ConnectionId, EventId, FrameNo};
use crate::tcp::rule::Rule;
use crate::tcp::segment::Segment;
use crate::tcp::state::State;

/// What the segments of a connection amount to.
#[derive(Clone, Debug, Default)]
struct Facts {
    fins: Both<Option<FrameNo>>,
    first_fin: Option<Side>,
    /// The reset that closed it: who sent it, its event, its frame.
    reset: Option<(Side, EventId, FrameNo)>,
    rule: Option<Rule>,
    refused: bool,
    answered: bool,
    crossed: bool,
}

pub fn verdict(story: &Story, id: ConnectionId) -> Option<Verdict> {
    let connection = story.connection(id)?;
    let facts = facts(story, connection);
    let account = story.account(id, *connection.events.last()?);
    let (name, sentences) = told(story, connection, &facts, &account);
    let answers = facts.reset.and_then(|(_, event, _)| story.cause(event)).filter(|_| name == "reset-after-close");
    let certainty = match answers {
        Some(cause) => cause.certainty,
        None if connection.frames.is_none() || name == "nobody-home" => Certainty::Likely,
        None => Certainty::Proven,
    };
    Some(Verdict { connection: id, name, certainty, sentences })
}

/// Who sent the first FIN, and who sent the reset that ended it with its frame.
pub fn closers(story: &Story, connection: &Connection) -> (Option<&'static str>, Option<(Side, FrameNo)>) {
    let facts = facts(story, connection);
    let first = facts.first_fin.map(|side| if facts.crossed { "both" } else { side.name() });
    (first, facts.reset.map(|(side, _, frame)| (side, frame)))
}

fn facts(story: &Story, connection: &Connection) -> Facts {
    let mut facts = Facts::default();
    for id in &connection.events {
        let Some((event, record)) = story.journal().get(*id).zip(story.record(*id)) else { continue };
        let crossed = record.changes.iter().any(|change| change.rule == Rule::FinsCross);
        facts.crossed |= crossed && !connection.is_with_itself();
        let (Some((frame, segment)), Some(side)) = (event.segment(), record.side) else { continue };
        take(&mut facts, frame.number, segment, side);
        if segment.flags.rst() && (ends_something(record) || is_answer(story, *id, segment)) {
            facts.reset.get_or_insert((side, *id, frame.number));
            facts.rule = facts.rule.or(record.changes.first().map(|change| change.rule));
            facts.refused |= record.changes.iter().any(|change| change.rule == Rule::Refused);
        }
    }
    facts
}

/// Whether a reset was obeyed, or ended its own sender's connection. One that a full or a small socket passes over, and one
/// that comes when all is over, says nothing of how the connection ended.
fn ends_something(record: &Record) -> bool {
    let passed_over = |rule| matches!(rule, Rule::ResetChallenged | Rule::ResetIgnored);
    !record.changes.iter().any(|change| passed_over(change.rule))
        && record.changes.iter().any(|change| change.from != change.to || change.rule == Rule::Refused)
}

/// Whether a bare reset carries the number of a segment that it answers: whoever sent it had no connection any more, even
/// where the other end is presumed to be further on than it was (a retransmission that nobody heard).
fn is_answer(story: &Story, id: EventId, reset: &Segment) -> bool {
    let cause = story.cause(id);
    !reset.flags.ack() && cause.is_some_and(|cause| cause.certainty == Certainty::Proven && !cause.causes.is_empty())
}

fn take(facts: &mut Facts, frame: FrameNo, segment: &Segment, side: Side) {
    if segment.flags.fin() {
        facts.fins[side].get_or_insert(frame);
        facts.first_fin.get_or_insert(side);
    }
    facts.answered |= side == Side::Server;
}

/// A socket that is connected with itself: the peer's words are its own, so that one FIN or one reset ends both directions.
fn with_itself(connection: &Connection, facts: &Facts) -> (&'static str, Vec<String>) {
    let itself = format!(
        "Source and destination are the same ({}): this socket is connected with itself and reads what it sends.",
        connection.addresses.client
    );
    let (name, end) = match (facts.reset, facts.fins.client) {
        (Some((_, _, frame)), _) => ("aborted", format!("It gave the connection up with a reset ({frame}).")),
        (None, Some(frame)) => {
            ("closed", format!("Its one FIN ({frame}) was its peer's too and ended both directions."))
        }
        (None, None) => ("open", "It has not said that it will send no more.".to_owned()),
    };
    let cure = "It comes of connect() to a local port on which nobody listens, where the kernel chose that very port as the \
        source: wait until the server listens, keep its port out of ip_local_port_range, or compare getsockname() with \
        getpeername().";
    (name, vec![itself, end, cure.to_owned()])
}

fn told(
    story: &Story,
    connection: &Connection,
    facts: &Facts,
    account: &Both<Direction>,
) -> (&'static str, Vec<String>) {
    if connection.frames.is_none() {
        return without_capture(story, connection, account);
    }
    if connection.is_with_itself() {
        return with_itself(connection, facts);
    }
    if let Some((side, event, frame)) = facts.reset {
        return by_reset(story, facts, account, (side, event, frame));
    }
    let states = [connection.ends.client.tcp.state, connection.ends.server.tcp.state];
    match (facts.fins.client, facts.fins.server) {
        _ if !facts.answered => ("unanswered", unanswered(connection)),
        (Some(client), Some(server)) if states.contains(&State::Closed) || states.contains(&State::TimeWait) => {
            let name = if facts.crossed { "closed-simultaneously" } else { "closed" };
            (name, closed(facts, account, client, server))
        }
        (None, None) => ("open", open()),
        _ => ("half-closed", half_closed(facts)),
    }
}

fn by_reset(
    story: &Story,
    facts: &Facts,
    account: &Both<Direction>,
    (side, event, frame): (Side, EventId, FrameNo),
) -> (&'static str, Vec<String>) {
    if facts.refused {
        return ("refused", refused(frame));
    }
    match (facts.rule, facts.fins[side]) {
        (Some(Rule::Aborts), fin) => ("aborted", aborted(story, side, event, frame, fin, account)),
        (_, Some(fin)) => ("reset-after-close", reset_after_close(story, side, event, frame, fin, account)),
        (_, None) => ("nobody-home", nobody_home(story, side, event, frame)),
    }
}

/// What a reset answered, in words: `5 more bytes (8)`.
fn answered(story: &Story, event: EventId) -> String {
    let first = story.cause(event).and_then(|cause| cause.causes.first()).and_then(|id| story.journal().get(*id));
    match first.and_then(crate::event::Event::segment) {
        Some((frame, segment)) if segment.payload_len > 0 => {
            format!("{} more ({})", bytes(u64::from(segment.payload_len)), frame.number)
        }
        Some((frame, _)) => format!("a segment ({})", frame.number),
        None => "something that was not captured".to_owned(),
    }
}

/// What `side` sent in vain, just after the event `at`. Without known calls nobody knows what its send had reported.
fn lost(story: &Story, side: Side, at: EventId, lost: u64) -> String {
    let name = side.name();
    let has_calls = story.record(at).is_some_and(|record| record.ends[side].has_calls);
    let many = capital(&bytes(lost));
    match (lost, has_calls) {
        (0, _) => String::new(),
        (_, true) => format!(" {many} that the {name}'s send() had reported as taken never reached a program."),
        (_, false) => format!(" {many} that the {name} had sent were never acknowledged."),
    }
}

/// What is usually done about a send after the peer's close.
const LOOK_FIRST: &str = "Usual cure: before using a connection that was idle look whether its end has come (recv() = 0, \
    POLLRDHUP); ignore SIGPIPE or pass MSG_NOSIGNAL, so that the error arrives; repeat on a new connection only what may be \
    done twice.";

fn reset_after_close(
    story: &Story,
    side: Side,
    event: EventId,
    frame: FrameNo,
    fin: FrameNo,
    account: &Both<Direction>,
) -> Vec<String> {
    let (name, other) = (side.name(), side.peer().name());
    let what = answered(story, event);
    vec![
        format!(
            "The {name} ended first and in order (FIN, {fin}); the {other} sent {what}, which no program could read any more, \
             so the {name}'s kernel answered with a reset ({frame})."
        ),
        format!(
            "A send() only hands bytes to the kernel, so the one before the reset reported success.{} From the reset on each \
             send() fails with EPIPE and SIGPIPE, while recv() reports the end of the stream.",
            lost(story, side.peer(), event, account[side.peer()].lost)
        ),
        LOOK_FIRST.to_owned(),
    ]
}

fn aborted(
    story: &Story,
    side: Side,
    event: EventId,
    frame: FrameNo,
    fin: Option<FrameNo>,
    account: &Both<Direction>,
) -> Vec<String> {
    let (name, other) = (side.name(), side.peer().name());
    let why = story.cause(event).filter(|cause| !cause.causes.is_empty()).map(|cause| cause.evidence.clone());
    let reason = why.map_or_else(
        || "unread bytes, SO_LINGER with 0 and other aborts look alike on the wire".to_owned(),
        |why| format!("the reason: {why}"),
    );
    let instead = if fin.is_some() { "after its FIN" } else { "in place of a FIN" };
    vec![
        format!("The {name} gave the connection up with a reset ({frame}) {instead}; {reason}."),
        format!(
            "The {other} can still read what had arrived; then its next call fails once with ECONNRESET, and after that send() \
             gives EPIPE and recv() 0.{}{}",
            lost(story, side.peer(), event, account[side.peer()].lost),
            lost(story, side, event, account[side].lost)
        ),
        "Usual cure: end sending with shutdown(SHUT_WR), read until recv() = 0 with a time limit, then close()."
            .to_owned(),
    ]
}

fn nobody_home(story: &Story, side: Side, event: EventId, frame: FrameNo) -> Vec<String> {
    let (name, other) = (side.name(), side.peer().name());
    vec![
        format!(
            "No FIN was seen, yet {} from the {other} was answered by a bare reset ({frame}): the {name}'s host knew nothing of \
             the connection.",
            answered(story, event)
        ),
        format!("The {other}'s next call fails once with ECONNRESET, later sends with EPIPE."),
        "Typical are a crash, a failover, or a box on the way that forgot an idle flow; keep-alives shorter than the shortest \
         idle limit, or a retry on a new connection, help."
            .to_owned(),
    ]
}

fn refused(frame: FrameNo) -> Vec<String> {
    vec![
        format!("The SYN was answered at once with a reset ({frame}), so connect() failed with ECONNREFUSED."),
        "The address was reached, but nothing listens on that port there, or a firewall refused in its name; no data was \
         exchanged and nothing is left behind."
            .to_owned(),
        "Check what the server is bound to, and whether it had started.".to_owned(),
    ]
}

fn unanswered(connection: &Connection) -> Vec<String> {
    vec![
        format!("Nothing came back from {}.", connection.addresses.server),
        "connect() goes on repeating the SYN and in the end fails with ETIMEDOUT.".to_owned(),
        "A full accept queue, a firewall that drops, and an address without a host look alike from here.".to_owned(),
    ]
}

fn closed(facts: &Facts, account: &Both<Direction>, client: FrameNo, server: FrameNo) -> Vec<String> {
    let first = facts.first_fin.unwrap_or(Side::Client);
    let (own, others) = if first == Side::Client { (client, server) } else { (server, client) };
    let (name, other) = (first.name(), first.peer().name());
    let lost_bytes = account.client.lost + account.server.lost;
    let acknowledged = [account.client, account.server].iter().all(|way| way.acknowledged == way.sent);
    let fate = if lost_bytes == 0 && acknowledged {
        "every byte that was sent was acknowledged".to_owned()
    } else if lost_bytes == 0 {
        "not every acknowledgement was seen".to_owned()
    } else {
        format!("yet {} were never read by the program they were meant for", bytes(lost_bytes))
    };
    let waits = if facts.crossed { "Both keep TIME-WAIT" } else { "Whoever ended first keeps TIME-WAIT" };
    vec![
        format!(
            "The {name} ended its direction first (FIN, {own}), the {other} its own after that (FIN, {others}); {fate}."
        ),
        format!("{waits} for 60 s on Linux, so that a lost last ACK can be repeated and old segments die."),
        "On the wire this is an orderly end; whether both programs are content with it, no segment says.".to_owned(),
    ]
}

fn half_closed(facts: &Facts) -> Vec<String> {
    let first = facts.first_fin.unwrap_or(Side::Client);
    let frame = facts.fins[first].map_or_else(String::new, |frame| frame.to_string());
    let (name, other) = (first.name(), first.peer().name());
    vec![
        format!("The {name} has ended its direction (FIN, {frame}); the {other} has not ended its own."),
        format!("The {other} may still send. Whether a program at the {name} can still read, a FIN does not say."),
        format!("No timer of TCP ends CLOSE-WAIT: the {other}'s program must call close()."),
    ]
}

fn open() -> Vec<String> {
    vec![
        "Neither end has said that it will send no more.".to_owned(),
        "With nothing to send, TCP sends nothing: it can stay so for ever.".to_owned(),
        "A time limit of the application's own, or keep-alives, would end a wait for a peer that has gone.".to_owned(),
    ]
}

fn without_capture(story: &Story, connection: &Connection, account: &Both<Direction>) -> (&'static str, Vec<String>) {
    let missing = "The segments were not captured, so the connection's states are presumed from the calls.".to_owned();
    let lost_bytes = account.client.lost + account.server.lost;
    let fate = (lost_bytes > 0)
        .then(|| format!("{} of what was sent can no longer be read by a program.", capital(&bytes(lost_bytes))));
    let changes = || connection.events.iter().filter_map(|id| story.record(*id)).flat_map(|record| &record.changes);
    let closer = changes().find(|change| change.rule == Rule::FinSent).map(|change| change.side);
    let reset = changes().any(|change| change.rule == Rule::ResetArrives);
    let states = [connection.ends.client.tcp.state, connection.ends.server.tcp.state];
    let (verdict, sentences) = match (closer, states) {
        (Some(closer), _) if reset => {
            let (name, other) = (closer.name(), closer.peer().name());
            let ended = format!(
                "The {name} ended first; what the {other} sent after that no program could read any more, and the {name}'s \
                 kernel answers such bytes with a reset."
            );
            ("reset-after-close", [vec![ended], fate.into_iter().collect(), vec![LOOK_FIRST.to_owned()]].concat())
        }
        (None, _) if reset => {
            let by = changes().find(|change| change.rule == Rule::Aborts).map(|change| change.side.name());
            let gave_up = by.map(|name| format!("The {name}'s end gave it up with a reset in place of a FIN."));
            ("aborted", gave_up.into_iter().chain(fate).collect())
        }
        (_, [State::Established, State::Established]) => ("open", Vec::new()),
        (_, [State::FinWait2, State::CloseWait] | [State::CloseWait, State::FinWait2]) => {
            ("half-closed", fate.into_iter().collect())
        }
        _ => ("closed", fate.into_iter().collect()),
    };
    (verdict, [vec![missing], sentences].concat())
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
