//! The causes of what calls returned, and of the ends of programs.

use super::{Correlation, Made, Seen};
use crate::event::{ConnectionId, Event, EventId, ExitStatus};
use crate::socket::call::{CallName, Outcome};
use crate::socket::errno::{Errno, Signal};
use crate::story::cause::Cause;
use crate::story::side::Side;
use crate::story::track::Record;

impl<'a> Correlation<'a> {
    pub(super) fn ended(
        &mut self,
        event: &'a Event,
        begun: EventId,
        outcome: &'a Outcome,
        record: &Record,
    ) -> Option<Cause> {
        let made = self.call(begun)?;
        self.finish(begun);
        let name = made.call.name;
        let (id, side) = record.connection.zip(record.side).or(made.end)?;
        if name.sends() {
            self.memory(id).written[side].end_call(begun, outcome.count().unwrap_or(0));
        }
        if let Some(errno) = outcome.errno {
            return self.failed(id, side, event.id, errno);
        }
        match name {
            _ if name.receives() && !made.call.has_flag("MSG_PEEK") => {
                Some(self.received(id, side, event.id, outcome.count().unwrap_or(0)))
            }
            CallName::Accept | CallName::Accept4 => self.opened(id, event.id, |seen| !seen.segment.flags.syn()),
            CallName::Connect => self.opened(id, event.id, |seen| seen.segment.flags.syn() && seen.segment.flags.ack()),
            // With more arguments it waited for several sockets, and the first need not be the one.
            CallName::Poll | CallName::Select if outcome.ret > 0 && made.call.args.len() <= 3 => {
                self.woken(id, side, event.id)
            }
            CallName::Getsockopt if outcome.word().is_some() => {
                let reset = self.memory(id).reset_by[side]?;
                Some(Cause::proven(event.id, vec![reset], format!("{} left this error here", self.named(reset))))
            }
            _ => None,
        }
    }

    /// An error points at the reset that left it, at the own end of sending, or at what was never answered. A call that would
    /// have had to wait met with no event, unless a closed window made it wait.
    fn failed(&mut self, id: ConnectionId, side: Side, effect: EventId, errno: Errno) -> Option<Cause> {
        match errno {
            Errno::EAGAIN => return self.closed_window(id, side, effect),
            Errno::EINPROGRESS | Errno::EALREADY => return None,
            Errno::ECONNABORTED => return Some(self.destroyed(id, side, effect)),
            _ => {}
        }
        let given_up = self.memory(id).given_up[side];
        if errno == Errno::ETIMEDOUT {
            self.memory(id).given_up[side] = Some(effect);
        }
        let reset = self.memory(id).reset_by[side];
        let own_end = self.memory(id).ended_by[side].or_else(|| self.ending_call(id, side).map(|made| made.event));
        let by_a_reset = [Errno::EPIPE, Errno::ECONNRESET, Errno::ECONNREFUSED, Errno::ENOTCONN].contains(&errno);
        let drew = self.memory(id).drew_reset[side].filter(|_| by_a_reset);
        Some(match (reset.filter(|_| by_a_reset), own_end) {
            (Some(reset), _) => {
                let evidence = format!("{} had closed this socket; no other reset came", self.named(reset));
                Cause::proven(effect, vec![reset], evidence)
            }
            (None, _) if drew.is_some() => {
                let evidence = "after it no program was left to read; the reset itself was not captured";
                Cause::likely(effect, drew.into_iter().collect(), evidence)
            }
            (None, _) if given_up.is_some() && matches!(errno, Errno::EPIPE | Errno::ENOTCONN) => {
                let evidence = "the kernel had given the connection up, as that call reported; no reset came";
                Cause::proven(effect, given_up.into_iter().collect(), evidence)
            }
            (None, _) if errno == Errno::ETIMEDOUT => self.timed_out(id, side, effect),
            (None, _) if errno == Errno::ECONNRESET => self.own_reset(id, side, effect),
            (None, Some(own)) if errno == Errno::EPIPE => {
                Cause::proven(effect, vec![own], "this end had said that it sends no more; no reset came")
            }
            _ => Cause::unknown(effect, "nothing that was seen explains this error"),
        })
    }

    /// An outsider had the kernel give the connection up.
    fn destroyed(&mut self, id: ConnectionId, side: Side, effect: EventId) -> Cause {
        self.memory(id).given_up[side] = Some(effect);
        let asked = |made: &&Made<'a>| made.call.name == CallName::SockDestroy && made.end == Some((id, side));
        match self.rare().rev().find(asked) {
            Some(made) => {
                Cause::proven(effect, vec![made.event], "another process had the kernel give this connection up")
            }
            None => Cause::unknown(effect, "somebody had the kernel give this connection up"),
        }
    }

    fn closed_window(&self, id: ConnectionId, side: Side, effect: EventId) -> Option<Cause> {
        let latest = self.latest(id, self.peer(id, side), |seen| seen.segment.flags.ack())?;
        latest
            .closes_window()
            .then(|| Cause::likely(effect, vec![latest.event], format!("{} had closed the window", latest.frame)))
    }

    /// What this end sent last that takes a number, if nothing acknowledges it.
    fn timed_out(&self, id: ConnectionId, side: Side, effect: EventId) -> Cause {
        let unanswered = self.latest(id, side, |seen| seen.segment.range().len > 0).filter(|seen| {
            let acks = |other: &Seen<'a>| {
                other.segment.acknowledges().is_some_and(|ack| seen.segment.end().is_at_or_before(ack))
            };
            self.latest(id, self.peer(id, side), acks).is_none()
        });
        match unanswered {
            Some(seen) => {
                Cause::proven(effect, vec![seen.event], format!("nothing that came back acknowledges {}", seen.frame))
            }
            None => self.probed_in_vain(id, side, effect),
        }
    }

    /// All that was sent is acknowledged, so that only probes can have had no answer.
    pub(super) fn probed_in_vain(&self, id: ConnectionId, side: Side, effect: EventId) -> Cause {
        let heard = self.latest(id, self.peer(id, side), |_| true).map(|seen| seen.event);
        match self.latest(id, side, |seen| seen.is_probe && heard.is_none_or(|heard| heard < seen.event)) {
            Some(seen) => {
                Cause::proven(effect, vec![seen.event], format!("nothing came after the probe {}", seen.frame))
            }
            None => Cause::unknown(effect, "all that was sent is acknowledged: probes that were not captured, perhaps"),
        }
    }

    /// A full socket that answers data with a reset notes the error for its own program too (`tcp_rcv_state_process()`).
    fn own_reset(&self, id: ConnectionId, side: Side, effect: EventId) -> Cause {
        match self.latest(id, side, |seen| seen.segment.flags.rst()) {
            Some(seen) => {
                let evidence = format!("this end's own kernel sent {}; none was received", seen.frame);
                Cause::proven(effect, vec![seen.event], evidence)
            }
            None => self.misfit_reset(id, side, effect),
        }
    }

    /// A reset that by what was captured did not fit, and yet the error came.
    fn misfit_reset(&self, id: ConnectionId, side: Side, effect: EventId) -> Cause {
        match self.latest(id, self.peer(id, side), |seen| seen.segment.flags.rst()) {
            Some(seen) => {
                let evidence = format!("{} came, though its number fits nothing that was captured", seen.frame);
                Cause::likely(effect, vec![seen.event], evidence)
            }
            None => Cause::unknown(effect, "no reset was captured"),
        }
    }

    fn received(&mut self, id: ConnectionId, side: Side, effect: EventId, count: u64) -> Cause {
        if count == 0 {
            return self.end_of_stream(id, side, effect);
        }
        let taken = self.memory(id).read[side].take(count);
        let peer = self.peer(id, side);
        let Some((start, end)) = self.in_peers_stream(id, side, taken) else {
            return Cause::unknown(effect, "the bytes that it took had come before this end's calls were known");
        };
        let carrying = self.memory(id).carried[peer].covering(start, end);
        if carrying.is_empty() {
            return self.received_unseen(id, side, effect, start, end);
        }
        Cause::proven(effect, carrying, format!("bytes {} to {end} of the peer's stream", start + 1))
    }

    /// Without segments, what was read is tied to the peer's sends directly.
    fn received_unseen(&mut self, id: ConnectionId, side: Side, effect: EventId, start: u64, end: u64) -> Cause {
        let peer = self.peer(id, side);
        let sends: Vec<EventId> =
            self.memory(id).written[peer].covering(start, end).iter().map(|span| span.call).collect();
        if sends.is_empty() {
            return Cause::unknown(effect, "the bytes that it took were not captured");
        }
        Cause::proven(effect, sends, format!("bytes {} to {end} of the peer's stream", start + 1))
    }

    fn end_of_stream(&mut self, id: ConnectionId, side: Side, effect: EventId) -> Cause {
        let memory = self.memory(id);
        let (fin, reset) = (memory.fin_taken[side], memory.reset_by[side]);
        if let Some(fin) = fin {
            let name = self.named(fin);
            return Cause::proven(
                effect,
                vec![fin],
                format!("{name} ended the stream, and every byte before it was read"),
            );
        }
        let own = self.rare().find(|made| made.end == Some((id, side)) && made.call.name == CallName::Shutdown);
        if let Some(made) = own {
            return Cause::proven(effect, vec![made.event], "this end had shut its own receiving; no FIN came");
        }
        if let Some(reset) = reset {
            return Cause::proven(effect, vec![reset], "the reset's error was reported before; no FIN came");
        }
        let peers = self.ending_call(id, self.peer(id, side));
        match peers {
            Some(made) => {
                Cause::likely(effect, vec![made.event], "the peer had ended its direction; no FIN was captured")
            }
            None => Cause::unknown(effect, "the FIN that it reports was not captured"),
        }
    }

    fn opened(&mut self, id: ConnectionId, effect: EventId, last: impl Fn(&Seen<'a>) -> bool) -> Option<Cause> {
        let memory = self.memory(id);
        let seen = memory.seen.iter().take(3).find(|seen| last(seen))?;
        let evidence = format!("{} opened this end", seen.frame);
        Some(Cause::proven(effect, vec![seen.event], evidence))
    }

    fn woken(&mut self, id: ConnectionId, side: Side, effect: EventId) -> Option<Cause> {
        let memory = self.memory(id);
        let latest = memory.seen.iter().rev().find(|seen| {
            seen.side != side && (seen.segment.payload_len > 0 || seen.segment.flags.fin() || seen.segment.flags.rst())
        })?;
        let evidence = format!("{} is what came last", latest.frame);
        Some(Cause::proven(effect, vec![latest.event], evidence))
    }

    /// A program that a signal killed during a call was killed by what made that call fail.
    pub(super) fn exited(&mut self, event: &'a Event, status: ExitStatus) -> Option<Cause> {
        let actor = event.actor.as_ref()?;
        let last = self.in_progress().rev().find(|made| made.actor == actor).copied();
        let Some(last) = last else { return self.killed_by_an_error(event, status) };
        self.finish(last.event);
        let mut causes = vec![last.event];
        if status == ExitStatus::Killed(Signal::SIGPIPE) {
            causes.extend(last.end.and_then(|(id, side)| self.memory(id).reset_by[side]));
            return Some(Cause::proven(
                event.id,
                causes,
                "the only call in progress, on a socket that the reset had closed",
            ));
        }
        Some(Cause::proven(event.id, causes, "the last call in progress"))
    }

    /// Where a tracer saw the call return before its signal killed the program, that call was the last thing it did.
    fn killed_by_an_error(&mut self, event: &'a Event, status: ExitStatus) -> Option<Cause> {
        if status != ExitStatus::Killed(Signal::SIGPIPE) {
            return None;
        }
        let before = self.journal.events().iter().rev().skip_while(|other| other.id >= event.id);
        let last = before.filter(|other| other.actor == event.actor).find_map(Event::ended)?;
        let made = self.call(last.0)?;
        last.1.signal.filter(|signal| *signal == Signal::SIGPIPE)?;
        let mut causes = vec![made.event];
        causes.extend(made.end.and_then(|(id, side)| self.memory(id).reset_by[side]));
        Some(Cause::proven(event.id, causes, "its last call raised the signal, on a socket that the reset had closed"))
    }
}
