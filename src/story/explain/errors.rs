//! Sentences for rows that show a call that failed.

use super::segments::fin_before;
use crate::event::FrameNo;
use crate::socket::call::{Call, CallName, Outcome};
use crate::socket::errno::Errno;
use crate::story::Story;
use crate::story::rows::Row;
use crate::story::side::Side;
use crate::story::telling::Certainty;

pub(super) fn sentences(story: &Story, row: &Row, call: &Call, errno: Errno, outcome: &Outcome) -> Vec<String> {
    if let Some(told) = without_reset(story, row, errno) {
        return told;
    }
    let cause = story.cause(row.event);
    let reset = cause
        .and_then(|cause| cause.causes.first())
        .and_then(|id| story.journal().get(*id)?.segment())
        .map(|(frame, _)| frame.number);
    let Some(reset) = reset else { return by_itself(story, row, call, errno, outcome) };
    match (call.name, errno) {
        (name, Errno::EPIPE) if name.sends() => broken_pipe(story, row, reset, call, outcome),
        (_, Errno::ECONNRESET) if sent_the_reset(story, row) => vec![
            format!(
                "No reset came here: this end's own kernel sent one ({reset}), in answer to data that it could not take."
            ),
            "It notes ECONNRESET for its own program too.".to_owned(),
        ],
        (_, Errno::ECONNRESET) => vec![
            format!("The RST ({reset}) left this error for the next call, whichever it is; reporting it clears it."),
            "No FIN had come before, hence ECONNRESET: from now on send() gives EPIPE and recv() 0.".to_owned(),
        ],
        (CallName::Shutdown, Errno::ENOTCONN) => {
            let gone = format!("The RST ({reset}) took the connection away, so there is nothing left to shut down.");
            let is_server = story.record(row.event).is_some_and(|record| record.side == Some(Side::Server));
            let second = "A server that does not expect this error ends here, for all its clients.";
            std::iter::once(gone).chain(is_server.then(|| second.to_owned())).collect()
        }
        (CallName::Connect, Errno::ECONNREFUSED) => {
            vec![format!("The SYN was answered with a reset ({reset}): nothing listens there.")]
        }
        _ => vec![format!("The RST ({reset}) had closed this socket.")],
    }
}

/// An error behind which there is no reset of the peer's: silence, an outsider, an answer that is not there yet; and the errors
/// that follow when the first was reported.
fn without_reset(story: &Story, row: &Row, errno: Errno) -> Option<Vec<String>> {
    let cause = story.cause(row.event).and_then(|cause| cause.causes.first().copied());
    let frame = cause.and_then(|id| story.journal().get(id)?.segment()).map(|(frame, _)| frame.number);
    let told = match errno {
        Errno::ETIMEDOUT => {
            let what = frame.map_or_else(|| "what was sent".to_owned(), |frame| frame.to_string());
            [format!("Nothing that came back answers {what}, and the kernel has given up waiting."), AFTERWARDS.to_owned()]
        }
        Errno::ECONNABORTED => [
            "No reset came here: another process had this kernel give the connection up, and the peer was sent a reset."
                .to_owned(),
            AFTERWARDS.to_owned(),
        ],
        Errno::EINPROGRESS => [
            "The SYN is sent, and connect() was asked not to wait for the answer.".to_owned(),
            "poll() for POLLOUT tells when it is here, and SO_ERROR whether it was a yes.".to_owned(),
        ],
        Errno::EALREADY => {
            ["The connect() before this one is not answered yet.".to_owned(), "Nothing is sent.".to_owned()]
        }
        Errno::EPIPE | Errno::ENOTCONN => {
            let (begun, outcome) = story.journal().get(cause?)?.ended()?;
            let reported = format!("{}() reported {}", story.call(begun)?.0.name, outcome.errno?);
            ["Nothing was sent: the connection is gone.".to_owned(), format!("{reported} before; that error comes once.")]
        }
        _ => return None,
    };
    Some(told.to_vec())
}

const UNCONNECTED: &str =
    "This socket is not connected: send() gives EPIPE and SIGPIPE at once, recv() and shutdown() ENOTCONN.";

const AFTERWARDS: &str = "The error is reported once: from now on send() gives EPIPE and recv() 0.";

fn broken_pipe(story: &Story, row: &Row, reset: FrameNo, call: &Call, outcome: &Outcome) -> Vec<String> {
    let why = match fin_first(story, row) {
        Some(fin) => format!("Because {fin} came before it, the error is EPIPE and not ECONNRESET"),
        None => "Its ECONNRESET was reported once already; from then on a send() gives EPIPE".to_owned(),
    };
    let signal = match outcome.signal {
        Some(signal) => {
            format!(". {signal} comes with it and ends a program that neither ignores nor handles it.")
        }
        None if call.has_flag("MSG_NOSIGNAL") => "; MSG_NOSIGNAL kept SIGPIPE away.".to_owned(),
        None => ".".to_owned(),
    };
    vec![format!("Nothing was sent: the RST ({reset}) had closed this socket."), why + &signal]
}

/// The peer's FIN that this end had taken in before the reset, as `the server's FIN (6)`; `None` where there was none.
fn fin_first(story: &Story, row: &Row) -> Option<String> {
    let record = story.record(row.event)?;
    let (id, side) = record.connection.zip(record.side)?;
    let fin = fin_before(story, id, side.peer(), row.event);
    let frame = fin.map_or_else(String::new, |frame| format!(" ({frame})"));
    record.ends[side].socket.end_seen.then(|| format!("the {}'s FIN{frame}", side.peer().name()))
}

/// Whether the reset behind the row's error was sent by the row's own end.
fn sent_the_reset(story: &Story, row: &Row) -> bool {
    let side = |id| story.record(id).and_then(|record| record.side);
    let reset = story.cause(row.event).and_then(|cause| cause.causes.first().copied());
    reset.is_some_and(|reset| side(reset) == side(row.event))
}

/// Whether, without segments, a reset is presumed to have left the row's error.
fn presumed_reset(story: &Story, row: &Row) -> bool {
    story.is_blind() && story.cause(row.event).is_some_and(|cause| cause.certainty == Certainty::Likely)
}

/// Whether this run had a connection on the port that `call` names.
fn had_a_connection_on(story: &Story, call: &Call) -> bool {
    let port = call.addr().map(|addr| addr.port());
    story.connections().iter().any(|known| Some(known.addresses.server.port()) == port)
}

/// An error behind which no reset was seen.
fn by_itself(story: &Story, row: &Row, call: &Call, errno: Errno, outcome: &Outcome) -> Vec<String> {
    let record = story.record(row.event);
    let no_connection = record.is_none_or(|record| record.connection.is_none());
    let is_tcp = record.is_some_and(|record| !record.elsewhere);
    let signal = if outcome.signal.is_some() { ", and SIGPIPE was raised" } else { "" };
    match (call.name, errno) {
        (_, Errno::EPIPE | Errno::ENOTCONN) if no_connection && is_tcp => vec![UNCONNECTED.to_owned()],
        (name, Errno::EPIPE) if name.sends() && no_connection => vec![
            format!("The reading end is closed, and without TCP the kernel knows it at once: the first write fails{signal}."),
            "Over TCP the first one succeeds, since only the peer's answer brings the news.".to_owned(),
        ],
        (name, Errno::EPIPE) if name.sends() && presumed_reset(story, row) => vec![
            format!("Nothing was sent{signal}: the peer's reset had closed this socket. The segments were not captured."),
        ],
        (name, Errno::EPIPE) if name.sends() => vec![
            format!("This end has said that it sends no more, so the kernel refuses at once{signal}. Nothing is sent."),
        ],
        (CallName::Bind, Errno::EADDRINUSE) if !had_a_connection_on(story, call) => {
            vec!["Another socket of this machine holds the port: somebody listens on it, or a connection of an earlier run is \
                  still remembered."
                .to_owned()]
        }
        (CallName::Bind, Errno::EADDRINUSE) => vec![
            "A connection of the same port is still remembered here, and the kernel gives the port away only if both the old \
             and the new socket set SO_REUSEADDR."
                .to_owned(),
        ],
        (_, Errno::EAGAIN) => vec!["The call would have to wait, and was asked not to.".to_owned()],
        (_, errno) => vec![format!("{}.", errno.text().unwrap_or("The call failed"))],
    }
}
