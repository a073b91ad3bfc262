//! Errors and ends that a program brought on itself, or did not heed.

use super::{Done, End, Finding, Kind};
use crate::event::{Event, EventId, ExitStatus, What};
use crate::socket::call::How;
use crate::socket::errno::{Errno, Signal};
use crate::tcp::state::State;

/// So many reads of the end in a row are a loop. Two are seen in libraries that make sure.
const LOOP: usize = 4;

impl End<'_> {
    /// A send that failed because this end had itself said that it sends no more.
    pub(super) fn after_shutdown(&self) -> Option<Finding> {
        let ends = |done: &Done<'_>| done.call.how().is_some_and(|how| how != How::Read);
        let shut = self.done().find(|done| done.outcome.errno.is_none() && ends(done))?;
        let failed = |done: &Done<'_>| {
            let socket = self.story.record(done.begun).map(|record| record.ends[self.side].socket);
            done.begun > shut.begun
                && done.call.name.sends()
                && done.outcome.errno == Some(Errno::EPIPE)
                && socket.is_some_and(|socket| socket.pending.is_none() && socket.state != State::Closed)
        };
        let failed = self.done().find(failed)?;
        let text = format!("{} called {}() after its own shutdown(), and got EPIPE.", self.who(), failed.call.name);
        Some(self.finding(Kind::SentAfterShutdown, vec![shut.begun, failed.begun], text))
    }

    /// SIGPIPE ended the program in a send of this end, or right after it.
    pub(super) fn killed(&self) -> Option<Finding> {
        let send = self.events().filter(|event| event.begun().is_some_and(|call| call.name.sends())).last()?;
        // A call that its signal ends does not return to the program, though a tracer may see what it would have returned.
        let last = match self.story.end_of(send.id) {
            Some(end) => self.story.journal().get(end).filter(|end| drew_sigpipe(end))?,
            None => send,
        };
        let later = self.story.journal().events().iter().skip(usize::try_from(last.id.0).ok()?);
        let next = later.into_iter().find(|event| event.actor == send.actor)?;
        let killed = matches!(next.what, What::Exit(ExitStatus::Killed(Signal::SIGPIPE)));
        let text = format!("{}'s {}() drew SIGPIPE, which ended it.", self.who(), send.begun()?.name);
        killed.then(|| self.finding(Kind::KilledBySigpipe, vec![send.id], text))
    }

    /// The end of the stream was read many times in a row.
    pub(super) fn end_in_a_loop(&self) -> Option<Finding> {
        let mut run: Vec<EventId> = Vec::new();
        let mut longest = Vec::new();
        for done in self.done().filter(|done| done.call.name.receives()) {
            let is_end = done.outcome.count() == Some(0) && done.call.asked_len() > Some(0);
            if is_end {
                run.push(done.begun);
            } else {
                run.clear();
            }
            if run.len() > longest.len() {
                longest.clone_from(&run);
            }
        }
        let text = format!("{} read the end of the stream {} times in a row.", self.who(), longest.len());
        (longest.len() >= LOOP).then(|| self.finding(Kind::EndReadInALoop, longest, text))
    }

    /// Bytes were sent on a connection that had served before, whose end had come and was not looked at, and drew a reset.
    pub(super) fn used_after_end(&self) -> Option<Finding> {
        let had_answers = |before: EventId| {
            self.done()
                .any(|done| done.ended.id < before && done.call.name.receives() && done.outcome.count() > Some(0))
        };
        let send = self.done().find(|done| {
            let socket = self.story.record(done.begun).map(|record| record.ends[self.side].socket);
            let end_came =
                socket.is_some_and(|socket| socket.end_seen && socket.pending.is_none() && !socket.is_gone());
            done.call.name.sends() && done.outcome.errno.is_none() && end_came && had_answers(done.begun)
        })?;
        let looked = self
            .done()
            .any(|done| done.ended.id < send.begun && done.call.name.receives() && done.outcome.count() == Some(0));
        let refused = self.story.segments_of(send.begun).iter().any(|segment| self.story.was_refused(*segment));
        let text = format!(
            "{} called {}() on a connection that had served before and whose end had come since: what it sent met no program.",
            self.who(),
            send.call.name
        );
        (refused && !looked).then(|| self.finding(Kind::UsedAfterItsEnd, vec![send.begun], text))
    }
}

fn drew_sigpipe(event: &Event) -> bool {
    event.ended().is_some_and(|(_, outcome)| outcome.signal == Some(Signal::SIGPIPE))
}
