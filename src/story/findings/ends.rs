//! Ends that did not end the connection.

use super::{End, Finding, Kind};
use crate::event::{Actor, EventId};
use crate::socket::call::CallName;

impl End<'_> {
    /// The program closed its descriptor, and a process that makes no call on the connection kept a copy: until its end, or to
    /// the end of what is known, no FIN went out.
    pub(super) fn kept_open(&self) -> Option<Finding> {
        let user = self.connection.actors[self.side].as_ref()?;
        let closed = self.done().find(|done| {
            let left = self.story.record(done.ended.id).map(|record| record.ends[self.side].socket.descriptors);
            done.call.name == CallName::Close
                && done.outcome.errno.is_none()
                && done.ended.actor.as_ref() == Some(user)
                && left.is_some_and(|left| left > 0)
        })?;
        let idle = self.connection.holders[self.side].iter().find(|holder| *holder != user && self.is_idle(holder))?;
        let is_users = |id: EventId| {
            self.story
                .journal()
                .get(id)
                .is_some_and(|event| event.actor.as_ref() == Some(user) && event.begun().is_some())
        };
        // Where a later call of the program's own ended the connection, the copy did not matter.
        let own_end = self.events().filter(|event| event.id > closed.ended.id).any(|event| {
            let ends = event.segment().is_some_and(|(_, segment)| segment.flags.fin() || segment.flags.rst());
            let causes = self.story.cause(event.id).map_or(&[][..], |cause| &cause.causes);
            ends && causes.iter().any(|id| is_users(*id))
        });
        let shut = self.done().any(|done| done.begun < closed.begun && done.call.name == CallName::Shutdown);
        let text = format!(
            "{}'s close({}) sent nothing: {} has a copy of the descriptor, and makes no call on it.",
            self.named(user.name()),
            closed.call.fd().map_or(-1, |fd| fd.0),
            idle.name()
        );
        (!own_end && !shut).then(|| self.finding(Kind::KeptOpenByCopy, vec![closed.begun], text))
    }

    /// Whether `holder` neither sends nor reads here, nor ends anything.
    fn is_idle(&self, holder: &Actor) -> bool {
        let uses =
            |name: CallName| name.sends() || name.receives() || matches!(name, CallName::Close | CallName::Shutdown);
        !self.done().any(|done| done.ended.actor.as_ref() == Some(holder) && uses(done.call.name))
    }
}
