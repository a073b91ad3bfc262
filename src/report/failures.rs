//! The calls of a run that failed with certain errors, each with its why, and with what is usually done about it.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::ladder::{because, findings};
use super::wrap::paragraph;
use crate::event::{ConnectionId, Event, EventId};
use crate::notation;
use crate::socket::errno::Errno;
use crate::story::Story;
use crate::story::drawing::clean;
use crate::story::rows::Row;
use crate::story::stack;

/// Writes the calls of `story` that failed with one of `wanted`, and how each of their connections ended.
pub fn write(story: &Story, wanted: &[Errno], out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    let mut ended = BTreeSet::new();
    let mut any = false;
    for row in &story.rows(false) {
        for event in row.events.iter().filter_map(|id| failed(story, *id, wanted)) {
            any = true;
            call(story, event, row, out)?;
            ended.extend(story.record(event.id).and_then(|record| record.connection));
        }
    }
    if !any {
        return writeln!(out, "No call failed with {}.", names.join(" or "));
    }
    ended.into_iter().try_for_each(|connection| ending(story, connection, out))
}

/// The event `id`, if it is the end of such a call.
fn failed<'a>(story: &'a Story, id: EventId, wanted: &[Errno]) -> Option<&'a Event> {
    let event = story.journal().get(id)?;
    let (_, outcome) = event.ended()?;
    outcome.errno.filter(|errno| wanted.contains(errno)).map(|_| event)
}

fn call(story: &Story, event: &Event, row: &Row, out: &mut dyn Write) -> io::Result<()> {
    let Some((begun, outcome)) = event.ended() else { return Ok(()) };
    let Some((made, _)) = story.call(begun) else { return Ok(()) };
    let actor = event.actor.as_ref().map_or("?", |actor| actor.name());
    let connection = story.record(event.id).and_then(|record| record.connection);
    let of = connection.map_or_else(String::new, |id| format!("  (connection {id})"));
    let line = format!("{}  {} {}{of}", actor, notation::call(made), notation::outcome(outcome));
    writeln!(out, "{}", clean(&line))?;
    place(story, begun, out)?;
    let why = story.why(row);
    // That one is told above, with its callers.
    let place = stack::sentence(story, begun);
    let others: Vec<&str> =
        why.sentences.iter().filter(|sentence| Some(*sentence) != place.as_ref()).map(String::as_str).collect();
    paragraph(&others.join(" "), 4, out)?;
    because(&why, 4, out)?;
    findings(row, &why, 4, out)
}

/// How many callers of the place are told of.
const CALLERS: usize = 8;

/// Where the call was made: the line, then who called that.
fn place(story: &Story, begun: EventId, out: &mut dyn Write) -> io::Result<()> {
    let Some(stack) = stack::stack(story, begun) else { return Ok(()) };
    let places = stack::callers(stack);
    for (number, place) in places.iter().take(CALLERS + 1).enumerate() {
        let word = if number == 0 { "called at" } else { "     from" };
        writeln!(out, "    {word} {}", clean(&stack::long(place)))?;
    }
    if places.len() > CALLERS + 1 {
        writeln!(out, "          and {} more", places.len() - CALLERS - 1)?;
    }
    stack.missing.as_ref().map_or(Ok(()), |why| paragraph(&format!("{why}."), 4, out))
}

fn ending(story: &Story, connection: ConnectionId, out: &mut dyn Write) -> io::Result<()> {
    let Some(verdict) = story.verdict(connection) else { return Ok(()) };
    let head = format!("connection {connection}: {}, {}: ", verdict.name, verdict.certainty.name());
    writeln!(out)?;
    paragraph(&format!("{head}{}", verdict.sentences.join(" ")), 0, out)
}
