//! A run in a few lines: its connections, each with how it ended, what it lost, and the calls that failed on it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::wrap::{paragraph, paragraph_after};
use crate::event::{ConnectionId, EventId, Gap, What};
use crate::socket::errno::Errno;
use crate::story::Story;
use crate::story::connection::Connection;
use crate::story::findings::Finding;
use crate::story::side::Side;
use crate::story::stack;

/// Writes the summary of `story`.
pub fn write(story: &Story, out: &mut dyn Write) -> io::Result<()> {
    let last = EventId(story.journal().events().len() as u64);
    let events = story.journal().events();
    let calls = events.iter().filter(|event| event.begun().is_some()).count();
    let segments = events.iter().filter(|event| event.segment().is_some()).count();
    let counted = [count(story.connections().len(), "connection"), count(calls, "call"), count(segments, "segment")];
    writeln!(out, "{}", counted.join(", "))?;
    story.connections().iter().try_for_each(|connection| line(story, connection, last, out))?;
    unseen(story, out)?;
    let found = story.findings();
    if !found.is_empty() {
        writeln!(out, "\nFindings")?;
    }
    found.iter().try_for_each(|finding| told(story, finding, out))
}

/// What was not seen or not followed.
fn unseen(story: &Story, out: &mut dyn Write) -> io::Result<()> {
    let gaps = story.journal().events().iter().filter_map(|event| match &event.what {
        What::Gap(Gap::Untraced(what)) => Some(format!("Not followed: {what}.")),
        What::Gap(Gap::Dropped(frames)) => Some(format!("The capture lost {frames} frames.")),
        _ => None,
    });
    gaps.enumerate().try_for_each(|(number, text)| {
        if number == 0 {
            writeln!(out)?;
        }
        paragraph(&text, 0, out)
    })
}

fn told(story: &Story, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let head = format!("{:>4}  ", finding.connection);
    paragraph_after(&head, &format!("{}: {}", finding.kind.title(), finding.text), out)?;
    let mut places: Vec<String> = finding.calls.iter().filter_map(|call| stack::sentence(story, *call)).collect();
    places.dedup();
    if !places.is_empty() {
        paragraph(&places.join(" "), 6, out)?;
    }
    paragraph(&format!("Fix: {}.", finding.kind.fix()), 6, out)
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn line(story: &Story, connection: &Connection, last: EventId, out: &mut dyn Write) -> io::Result<()> {
    let (id, ends) = (connection.id, &connection.addresses);
    let Some(verdict) = story.verdict(id) else { return Ok(()) };
    let account = story.account(id, last);
    let bytes = account.client.lost + account.server.lost;
    let fate = if bytes > 0 { format!(", {bytes} bytes lost") } else { String::new() };
    let certainty = verdict.certainty.name();
    writeln!(out, "{id:>4}  {} > {}  {}, {certainty}{fate}", ends.client, ends.server, verdict.name)?;
    for ((side, what, errno), times) in failures(story, id) {
        let times = if times > 1 { format!(", {times} times") } else { String::new() };
        writeln!(out, "      {} {what}() = {errno}{times}", side.name())?;
    }
    Ok(())
}

/// The calls on a connection that failed, but for those that would only have had to wait.
fn failures(story: &Story, id: ConnectionId) -> BTreeMap<(Side, &'static str, String), usize> {
    let mut found = BTreeMap::new();
    let events = story.connection(id).map(|connection| connection.events.as_slice()).unwrap_or_default();
    for event in events {
        let ended = story.journal().get(*event).and_then(crate::event::Event::ended);
        let Some((begun, outcome)) = ended else { continue };
        let waits = [Errno::EAGAIN, Errno::EINPROGRESS];
        let Some(errno) = outcome.errno.filter(|errno| !waits.contains(errno)) else { continue };
        let call = story.call(begun).map(|(call, _)| call.name.name());
        let side = story.record(*event).and_then(|record| record.side);
        if let Some((side, name)) = side.zip(call) {
            *found.entry((side, name, errno.to_string())).or_insert(0) += 1;
        }
    }
    found
}
