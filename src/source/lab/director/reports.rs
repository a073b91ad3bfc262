//! What the actors report, and their ends.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{Director, InCall, Part, Report, STUCK, StageError};
use crate::event::{Actor, Gap, What};
use crate::socket::call::{Arg, Outcome};
use crate::source::clock::{self, Reading, StepWatch};
use crate::source::lab::cast::Player;

impl Director<'_> {
    /// Waits until something comes from an actor or from outside, `until` at most, and takes what the actors report.
    pub(super) fn watch(&mut self, until: Option<Instant>) -> Result<(), StageError> {
        let timeout = until.map_or(PollTimeout::NONE, |until| {
            let left = until.saturating_duration_since(Instant::now());
            // Rounded up, so that a wait never turns into many that are too short.
            PollTimeout::try_from(left.as_millis() + 1).unwrap_or(PollTimeout::MAX)
        });
        {
            let mut sources: Vec<PollFd<'_>> = self
                .parts
                .iter()
                .filter(|part| !part.gone)
                .map(|part| PollFd::new(part.player.control(), PollFlags::POLLIN))
                .collect();
            sources.push(PollFd::new(self.inbox.as_fd(), PollFlags::POLLIN));
            poll(&mut sources, timeout).map_err(|errno| StageError::Watch(errno.into()))?;
        }
        self.take_commands()?;
        self.take_reports()
    }

    /// Takes all reports that are in, and notices ends.
    pub(super) fn take_reports(&mut self) -> Result<(), StageError> {
        for index in 0..self.parts.len() {
            while let Some((actor, report)) = self.next_report(index)? {
                self.take_report(index, actor, report);
            }
            self.notice_end(index)?;
        }
        Ok(())
    }

    fn next_report(&mut self, index: usize) -> Result<Option<(Actor, Report)>, StageError> {
        let Some(part) = self.parts.get_mut(index).filter(|part| !part.gone) else { return Ok(None) };
        let actor = part.player.name().clone();
        let report = part.player.report().map_err(|error| StageError::actor("hear", &actor, &error))?;
        Ok(report.map(|report| (actor, report)))
    }

    fn take_report(&mut self, index: usize, actor: Actor, report: Report) {
        let (Report::Begun(reading) | Report::Ended(reading, _)) = report;
        self.watch_clock(reading);
        let Some(part) = self.parts.get_mut(index) else { return };
        match report {
            Report::Begun(reading) => {
                if let Some(InCall { call, ticket, .. }) = &mut part.in_call {
                    *ticket = Some(self.merge.begun(reading.real, actor, call.clone()));
                }
            }
            Report::Ended(reading, outcome) => {
                if let Some(ticket) = part.in_call.take().and_then(|in_call| in_call.ticket) {
                    let born = self.unborn.take();
                    let (outcome, player) = named(outcome, born);
                    self.merge.ended(reading.real, actor, ticket, outcome);
                    if let Some(player) = player {
                        self.joins(player);
                    }
                }
            }
        }
    }

    fn watch_clock(&mut self, reading: Reading) {
        let watch = self.clock.get_or_insert_with(|| StepWatch::new(reading));
        if let Some(step) = watch.step(reading) {
            self.merge.push(reading.real, None, What::Gap(Gap::ClockStep(step)));
        }
    }

    /// Where an actor's control socket has ended, waits for its process too: only after both is every segment that its end
    /// caused stamped.
    fn notice_end(&mut self, index: usize) -> Result<(), StageError> {
        let Some(part) = self.parts.get_mut(index).filter(|part| !part.gone && part.player.has_ended()) else {
            return Ok(());
        };
        let actor = part.player.name().clone();
        let status = part.player.reap().map_err(|error| StageError::actor("wait for", &actor, &error))?;
        part.gone = true;
        part.in_call = None;
        self.merge.push(clock::now(), Some(actor), What::Exit(status));
        Ok(())
    }

    /// Waits until `actor` is at rest: its call has returned, or sleeps in the kernel, or the process has ended.
    pub(super) fn await_rest(&mut self, actor: &Actor) -> Result<(), StageError> {
        let until = Instant::now() + STUCK;
        loop {
            self.take_reports()?;
            let Some(index) = self.parts.iter().position(|part| part.player.name() == actor) else { return Ok(()) };
            if self.is_at_rest(index)? {
                return Ok(());
            }
            super::not_later_than(until, actor)?;
            self.watch(Some(Instant::now() + super::settle::POLL))?;
        }
    }

    /// Whether the actor at `index` is idle, gone, or asleep in its call. Asleep is only believed where no report is in
    /// afterwards: an actor that has reported sleeps too, waiting for its next call.
    pub(super) fn is_at_rest(&mut self, index: usize) -> Result<bool, StageError> {
        let in_call = |part: &Part| part.in_call.as_ref().map(|in_call| in_call.ticket.is_some());
        let Some(part) = self.parts.get(index) else { return Ok(true) };
        match in_call(part) {
            None => return Ok(true),
            Some(begun) if !begun || !part.player.sleeps() => return Ok(false),
            Some(_) => {}
        }
        self.take_reports()?;
        Ok(true)
    }
}

/// What fork(2) returned with the name of the actor that the child is, and that actor. Any other outcome as it is.
fn named(outcome: Outcome, born: Option<(Actor, UnixStream)>) -> (Outcome, Option<Player>) {
    match (born, outcome.count().and_then(|pid| i32::try_from(pid).ok())) {
        (Some((name, control)), Some(pid)) => {
            let player = Player::forked(&name, pid, control);
            (outcome.with(Arg::Word(name.name().to_owned())), Some(player))
        }
        _ => (outcome, None),
    }
}
