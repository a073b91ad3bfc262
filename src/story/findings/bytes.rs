//! Bytes that were lost, and calls that lost them.

use super::{End, Finding, Kind};
use crate::event::{Event, EventId};
use crate::story::standing::bytes;

impl End<'_> {
    /// Resets by which this end gave up with bytes unread, and not because SO_LINGER asked for them.
    pub(super) fn closed_unread(&self) -> Vec<Finding> {
        self.events().filter_map(|event| self.unread_reset(event)).collect()
    }

    fn unread_reset(&self, event: &Event) -> Option<Finding> {
        let (frame, _) = event.segment().filter(|(_, segment)| segment.flags.rst() && segment.flags.ack())?;
        let cause = self.story.cause(event.id)?;
        let calls: Vec<EventId> = cause.causes.iter().copied().filter(|id| self.story.call(*id).is_some()).collect();
        let before = self.connection.events.partition_point(|id| *id < event.id).checked_sub(1)?;
        let socket = self.story.record(*self.connection.events.get(before)?)?.ends[self.side].socket;
        if calls.is_empty() || socket.unread == 0 || socket.linger_zero {
            return None;
        }
        let (name, _) = self.story.call(*calls.first()?)?;
        let unread = bytes(socket.unread);
        let text = format!(
            "{} had {unread} unread when {}() ended the connection, so its kernel sent a reset (frame {}) and no FIN; a recv() \
             before it would have taken them.",
            self.who(),
            name.name,
            frame.number
        );
        Some(self.finding(Kind::ClosedUnread, calls, text))
    }

    /// What this end had sent before such a reset, and what never reached a program.
    pub(super) fn reply_lost(&self, resets: &[Finding]) -> Option<Finding> {
        let (lost, mut calls) = self.lost()?;
        calls.extend(resets.iter().flat_map(|finding| &finding.calls));
        calls.sort_unstable();
        let text =
            format!("{} had sent {lost} that never reached a program: its own reset took them along.", self.who());
        Some(self.finding(Kind::ReplyLost, calls, text))
    }

    pub(super) fn bytes_lost(&self) -> Option<Finding> {
        let (lost, calls) = self.lost()?;
        let text = format!("{lost} that {}'s send() had reported as taken never reached a program.", self.who());
        Some(self.finding(Kind::BytesLost, calls, text))
    }

    /// How many bytes of this end's were lost, and by which sends.
    fn lost(&self) -> Option<(String, Vec<EventId>)> {
        let last = *self.connection.events.last()?;
        let count = self.story.account(self.connection.id, last)[self.side].lost;
        let sends = self.done().filter(|done| done.call.name.sends()).map(|done| done.begun);
        let calls = sends.filter(|begun| self.story.fate(*begun).is_some_and(|fate| fate.lost > 0)).collect();
        (count > 0).then(|| (bytes(count), calls))
    }

    /// A send that took a part, with none after it.
    pub(super) fn short_send(&self) -> Option<Finding> {
        let last = self.done().filter(|done| done.call.name.sends()).last()?;
        let (taken, asked) = (last.outcome.count()?, last.call.asked_len()?);
        let rest = asked.checked_sub(taken).filter(|rest| *rest > 0)?;
        let went_on =
            self.events().any(|event| event.id > last.ended.id && event.begun().is_some_and(|call| call.name.sends()));
        let text = format!(
            "{}'s {}() took {taken} of {asked} bytes, and the other {rest} were never sent.",
            self.who(),
            last.call.name
        );
        (!went_on).then(|| self.finding(Kind::ShortSendIgnored, vec![last.begun], text))
    }
}
