//! What a socket says that somebody holds without a call that was seen.

use crate::event::{Event, Holding};
use crate::story::Story;
use crate::story::standing::bytes;
use crate::tcp::state::State;

pub(super) fn sentences(story: &Story, event: &Event, holding: &Holding) -> Vec<String> {
    let actor = event.actor.as_ref().map_or("the program", |actor| actor.name());
    let fd = holding.fd;
    if holding.state == State::Listen {
        let waiting = match holding.unread {
            0 => String::new(),
            1 => " One connection waits to be accepted.".to_owned(),
            many => format!(" {many} connections wait to be accepted."),
        };
        return vec![format!("{actor} listens with descriptor {fd}, which no call that was seen brought it.{waiting}")];
    }
    let begins = if first_known(story, event) {
        "the story of this end begins here, in the state that the kernel gives, and what went before is another's."
    } else {
        "it was handed a copy, and holds this end with others from here on."
    };
    let mut sentences = vec![format!("No call that was seen brought {actor} its descriptor {fd}: {begins}")];
    sentences.extend(on_hand(holding));
    sentences
}

/// Whether the end's calls are known from this event on.
fn first_known(story: &Story, event: &Event) -> bool {
    let record = story.record(event.id);
    let end = record.and_then(|record| Some((story.connection(record.connection?)?, record.side?)));
    end.is_none_or(|(connection, side)| connection.origins[side].is_some_and(|origin| origin.at == event.id))
}

/// What the kernel had on its hands.
fn on_hand(holding: &Holding) -> Option<String> {
    Some(match (holding.unread, holding.unacknowledged) {
        (0, 0) => return None,
        (unread, 0) => format!("{} had come and were not read.", bytes(unread.into())),
        (0, sent) => format!("{} had been sent and were not acknowledged.", bytes(sent.into())),
        (unread, sent) => {
            let (unread, sent) = (bytes(unread.into()), bytes(sent.into()));
            format!("{unread} had come and were not read, {sent} had been sent and were not acknowledged.")
        }
    })
}
