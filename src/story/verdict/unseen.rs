//! The verdict on a connection of which no segment was captured: by its calls alone.

use super::Name;
use super::sentences::{LOOK_FIRST, capital};
use crate::story::Story;
use crate::story::connection::Connection;
use crate::story::standing::bytes;
use crate::tcp::rule::Rule;
use crate::tcp::state::State;

/// The verdict where no segment was captured.
pub fn told(story: &Story, connection: &Connection) -> (Name, Vec<String>) {
    let account = connection.events.last().map(|last| story.account(connection.id, *last)).unwrap_or_default();
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
            (Name::ResetAfterClose, [vec![ended], fate.into_iter().collect(), vec![LOOK_FIRST.to_owned()]].concat())
        }
        (None, _) if reset => {
            let by = changes().find(|change| change.rule == Rule::Aborts).map(|change| change.side.name());
            let gave_up = by.map(|name| format!("The {name}'s end gave it up with a reset in place of a FIN."));
            (Name::Aborted, gave_up.into_iter().chain(fate).collect())
        }
        (_, [State::Established, State::Established]) => (Name::Open, Vec::new()),
        (_, [State::FinWait2, State::CloseWait] | [State::CloseWait, State::FinWait2]) => {
            (Name::HalfClosed, fate.into_iter().collect())
        }
        _ => (Name::Closed, fate.into_iter().collect()),
    };
    (verdict, [vec![missing], sentences].concat())
}
