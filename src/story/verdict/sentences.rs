//! A verdict in sentences.

use super::happened::happened;
use super::{Facts, InVain, Name, ReasonKind};
use crate::story::ending::Reset;
use crate::story::marks::Odd;
use crate::story::side::Side;
use crate::story::standing::bytes;

/// What is usually done about a send after the peer's close.
pub const LOOK_FIRST: &str = "Usual cure: before using a connection that was idle look whether its end has come (recv() = 0, \
    POLLRDHUP); ignore SIGPIPE or pass MSG_NOSIGNAL, so that the error arrives; repeat on a new connection only what may be \
    done twice.";

/// What happened, what it did to the bytes and the errors, what is usually done about it, and what would settle which of
/// several things it was.
pub fn sentences(facts: &Facts) -> Vec<String> {
    let mut told = vec![happened(facts)];
    told.extend(more(facts));
    if let Some(side) = facts.unseen() {
        told.push(format!("Nothing of the {} was captured: what is said of it is presumed.", side.name()));
    } else if facts.ending.has_gaps {
        told.push("Not all of its segments were captured: what is said of them rests on the others.".to_owned());
    }
    if facts.ending.went_on {
        told.push("A reset came in the name of an end that went on: it was another's, or was not obeyed.".to_owned());
    }
    told
}

/// What is to be said beside what happened.
fn more(facts: &Facts) -> Vec<String> {
    if facts.with_itself {
        return with_itself(facts);
    }
    match (facts.name(), facts.ending.reset) {
        (Name::Refused, Some(reset)) => refused(facts, reset),
        (Name::Aborted, Some(reset)) => aborted(facts, reset),
        (Name::ResetAfterClose, Some(reset)) => reset_after_close(facts, reset),
        (Name::NobodyHome, Some(reset)) => nobody_home(facts, reset),
        (Name::TimedOut, _) => timed_out(facts),
        (Name::Unanswered, _) => unanswered(facts),
        (Name::Closed | Name::ClosedSimultaneously, _) => closed(facts),
        (Name::HalfClosed, _) => half_closed(facts),
        _ => open(),
    }
}

/// The peer's words are its own, so that one FIN or one reset ends both directions.
fn with_itself(facts: &Facts) -> Vec<String> {
    let end = match (facts.ending.reset, facts.ending.fins.client) {
        (Some(reset), _) => format!("It gave the connection up with a reset ({}).", reset.frame),
        (None, Some(frame)) => format!("Its one FIN ({frame}) was its peer's too and ended both directions."),
        (None, None) => "It has not said that it will send no more.".to_owned(),
    };
    let cure = "It comes of connect() to a local port on which nobody listens, where the kernel chose that very port as the \
        source: wait until the server listens, keep its port out of ip_local_port_range, or compare getsockname() with \
        getpeername().";
    vec![end, cure.to_owned()]
}

/// What `side` sent in vain. Without known calls nobody knows what its send had reported.
pub fn lost(facts: &Facts, side: Side) -> String {
    let (name, lost) = (side.name(), facts.lost[side]);
    let many = capital(&bytes(lost));
    match (lost, facts.has_calls[side]) {
        (0, _) => String::new(),
        (_, true) => format!(" {many} that the {name}'s send() had reported as taken never reached a program."),
        (1, false) => format!(" {many} that the {name} had sent was never acknowledged."),
        (_, false) => format!(" {many} that the {name} had sent were never acknowledged."),
    }
}

/// In what `reset` differs from its supposed sender's packets.
fn odd(reset: Reset) -> Option<String> {
    let name = reset.by.name();
    let differs = match reset.odd? {
        Odd::Limit(own, usual) => format!("hop limit is {own} and that of the {name}'s other packets {usual}"),
        Odd::Id(own, last) => {
            format!("IP identification is {own}, while the {name}'s other packets count up to {last}")
        }
    };
    Some(format!("The reset's {differs}."))
}

/// What speaks for a box between the ends as the sender of `reset`, and what would settle it.
fn another_sender(reset: Reset) -> Option<String> {
    let (odd, name) = (odd(reset)?, reset.by.name());
    let odd = odd.trim_end_matches('.');
    Some(format!("{odd}: a box on the way may have sent it in its name. A capture at the {name} would tell."))
}

fn reset_after_close(facts: &Facts, reset: Reset) -> Vec<String> {
    let before = match facts.by_calls.in_vain {
        Some(InVain { calls, .. }) => format!("all {calls} before the reset was there"),
        None => "the one before the reset".to_owned(),
    };
    let next = untold(facts, reset.by.peer().name()).unwrap_or_else(|| {
        "From the reset on each send() fails with EPIPE and SIGPIPE, while recv() reports the end of the stream."
            .to_owned()
    });
    let mut told = vec![format!(
        "A send() only hands bytes to the kernel, so {before} reported success.{} {next}",
        lost(facts, reset.by.peer())
    )];
    told.extend(another_sender(reset));
    told.push(LOOK_FIRST.to_owned());
    told
}

fn aborted(facts: &Facts, reset: Reset) -> Vec<String> {
    let other = reset.by.peer().name();
    let next = untold(facts, other).unwrap_or_else(|| {
        format!(
            "The {other} can still read what had arrived; then its next call fails once with ECONNRESET, and after that \
             send() gives EPIPE and recv() 0."
        )
    });
    let mut told = vec![format!("{next}{}{}", lost(facts, reset.by.peer()), lost(facts, reset.by))];
    told.extend(another_sender(reset));
    let kind = facts.by_calls.reason.as_ref().map(|reason| reason.kind);
    if kind.is_none() {
        told.push(format!("Which it was, the {}'s calls would tell: strace there at the same time.", reset.by.name()));
    }
    told.push(cure(kind, reset.by));
    told
}

/// What is usually done about an end that gave up so.
fn cure(kind: Option<ReasonKind>, by: Side) -> String {
    let name = by.name();
    match kind {
        None | Some(ReasonKind::Own) => {
            "Usual cure: end sending with shutdown(SHUT_WR), read until recv() = 0 with a time limit, then close()."
                .to_owned()
        }
        Some(ReasonKind::Unaccepted) => {
            "Usual cure: accept what is queued before a listener is closed, or hand the listening socket on to the next process."
                .to_owned()
        }
        Some(ReasonKind::Disconnected) => {
            "Usual cure: close() and a new socket(), where the peer is to learn of an orderly end.".to_owned()
        }
        Some(ReasonKind::Destroyed) => format!(
            "Another process had the {name}'s kernel give it up: look on the {name}'s host for ss -K or a network manager."
        ),
    }
}

fn nobody_home(facts: &Facts, reset: Reset) -> Vec<String> {
    let other = reset.by.peer().name();
    let next = untold(facts, other)
        .unwrap_or_else(|| format!("The {other}'s next call fails once with ECONNRESET, later sends with EPIPE."));
    let mut told = vec![next + &lost(facts, reset.by.peer())];
    if facts.by_calls.gave_up == Some(reset.by) {
        told.push(lost(facts, reset.by).trim_start().to_owned());
        told.retain(|sentence| !sentence.is_empty());
        return told;
    }
    if facts.by_calls.by_another {
        told.extend(odd(reset));
        told.extend(bypassed(reset.by));
        return told;
    }
    told.extend(another_sender(reset));
    told.push(
        "Typical are a crash, a failover, or a box on the way that forgot an idle flow; keep-alives shorter than the shortest \
         idle limit, or a retry on a new connection, help."
            .to_owned(),
    );
    told.push(format!(
        "Which it was, a capture at the {0} would tell (does what was answered arrive there?), and since when the {0} runs.",
        reset.by.name()
    ));
    told
}

/// Where the program of `other`, which the reset came to, had closed it: that nobody is told.
fn untold(facts: &Facts, other: &str) -> Option<String> {
    facts.by_calls.is_untold.then(|| format!("The {other}'s program had closed it, so nobody there is told."))
}

/// What comes of a reset that somebody between the ends sent in the name of `by`.
fn bypassed(by: Side) -> [String; 2] {
    let name = by.name();
    [
        format!("The {name} was told nothing: its end stays open until it sends, and is then reset in its turn."),
        "Typical is a NAT, a firewall or a load balancer that forgot an idle flow: keep-alives shorter than its limit keep it, \
         and only what may be done twice is repeated on a new connection."
            .to_owned(),
    ]
}

fn timed_out(facts: &Facts) -> Vec<String> {
    if facts.by_calls.probed {
        return probed(facts);
    }
    vec![
        format!(
            "send() goes on returning success until the buffer is full and recv() waits; in the end a call fails once with \
             ETIMEDOUT.{}",
            lost(facts, facts.repeating_side())
        ),
        "The peer's host, or the way to it, has vanished: Linux repeats data for about 15 minutes (tcp_retries2); \
         TCP_USER_TIMEOUT, keep-alives or a time limit of the application's own shorten that."
            .to_owned(),
        format!(
            "A capture at the {} would tell which way is broken: whether what was sent arrives, and whether it is answered.",
            facts.repeating_side().peer().name()
        ),
    ]
}

/// Keep-alives had no answer.
fn probed(facts: &Facts) -> Vec<String> {
    let other = facts.repeating_side().peer();
    let lost = lost(facts, facts.repeating_side()) + &lost(facts, other);
    vec![
        format!(
            "Nothing was on its way, so nothing else would have shown it. When the kernel asks and when it gives up, TCP_KEEPIDLE, \
             TCP_KEEPINTVL and TCP_KEEPCNT say; by Linux's defaults it asks only after two hours.{lost}"
        ),
        format!("A capture at the {} would tell which way is broken: whether the probes arrive there.", other.name()),
    ]
}

fn refused(facts: &Facts, reset: Reset) -> Vec<String> {
    let mut told = vec![
        "The address was reached, but nothing listens on that port there, or a firewall refused in its name; no data was \
         exchanged and nothing is left behind."
            .to_owned(),
        format!("Check what the server is bound to, and whether it had started ({}).", facts.server),
        "Whether it was a firewall, a capture at the server would tell: then the SYN does not arrive there.".to_owned(),
    ];
    told.extend(another_sender(reset));
    told
}

fn unanswered(facts: &Facts) -> Vec<String> {
    if facts.by_calls.is_filtered {
        return vec![
            "connect() goes on repeating the SYN and in the end fails with ETIMEDOUT.".to_owned(),
            "To the client a full accept queue, a firewall that drops, and an address without a host look the same."
                .to_owned(),
        ];
    }
    vec![
        "connect() goes on repeating the SYN and in the end fails with ETIMEDOUT.".to_owned(),
        "A full accept queue, a firewall that drops, and an address without a host look alike from here.".to_owned(),
        "A capture at the server would tell whether the SYN arrives; if it does, ss -lt shows whether the queue is full \
         (Recv-Q above Send-Q)."
            .to_owned(),
    ]
}

fn closed(facts: &Facts) -> Vec<String> {
    let waits = if facts.ending.crossed { "Both keep TIME-WAIT" } else { "Whoever ended first keeps TIME-WAIT" };
    vec![
        format!("{waits} for 60 s on Linux, so that a lost last ACK can be repeated and old segments die."),
        "On the wire this is an orderly end; whether both programs are content with it, no segment says.".to_owned(),
    ]
}

fn half_closed(facts: &Facts) -> Vec<String> {
    let first = facts.ending.first_fin.unwrap_or(Side::Client);
    let (name, other) = (first.name(), first.peer().name());
    vec![
        format!("The {other} may still send. Whether a program at the {name} can still read, a FIN does not say."),
        format!("No timer of TCP ends CLOSE-WAIT: the {other}'s program must call close()."),
        format!(
            "ss -tanp state close-wait at the {other} would tell whether it is stuck there, and which program has it."
        ),
    ]
}

fn open() -> Vec<String> {
    vec![
        "With nothing to send, TCP sends nothing: it can stay so for ever.".to_owned(),
        "A time limit of the application's own, or keep-alives, would end a wait for a peer that has gone.".to_owned(),
    ]
}

/// `text` with a capital letter first.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
