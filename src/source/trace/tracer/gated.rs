//! Threads that stand before a socket call until they are let through.

use std::collections::HashMap;

use nix::unistd::Pid;

use super::{Leave, TraceError, Tracer};
use crate::event::Time;
use crate::socket::call::Call;
use crate::source::clock;
use crate::source::trace::gate::{Gate, Order};
use crate::source::trace::note::Note;
use crate::source::trace::ptrace::{self, Entry, Stopped, Told};
use crate::source::trace::stop::{Stop, can_be_held};

/// Who is held, and before what.
pub struct Gated {
    /// Before which calls; all where none is named.
    stops: Vec<Stop>,
    gate: Gate,
    /// Who stands, with the call that it is about to make; without its stop until that has been looked at in full.
    standing: HashMap<Pid, (Entry, Option<Stopped>)>,
}

impl Gated {
    /// Holds before `stops`, or before all calls where there are none, until the other end of `gate` lets through.
    pub fn new(stops: Vec<Stop>, gate: Gate) -> Self {
        Self { stops, gate, standing: HashMap::new() }
    }

    fn is_before(&self, call: &Call) -> bool {
        let named = self.stops.is_empty() || self.stops.iter().any(|stop| stop.is_before(call.name));
        named && can_be_held(call.name)
    }
}

impl Tracer {
    /// What happens next. Where threads are held, lets those through meanwhile that may go.
    pub(super) fn next(&mut self) -> Result<Told, TraceError> {
        while let Some(gated) = &mut self.gated {
            if let Some(told) = ptrace::look().map_err(TraceError::Wait)? {
                return Ok(told);
            }
            gated.gate.wait().map_err(TraceError::Wait)?;
            while let Some(order) = self.gated.as_mut().and_then(|gated| gated.gate.order()) {
                match order {
                    Order::Through(thread) => self.let_through(thread)?,
                    Order::Open => {
                        self.open_gate()?;
                        break;
                    }
                }
            }
        }
        ptrace::wait(&mut self.patience).map_err(TraceError::Wait)
    }

    /// Whether `thread` is to stand before `call`, whose entry it has come to. If so that is told.
    pub(super) fn holds(&mut self, thread: Pid, entry: &Entry, call: &Call, now: Time) -> Result<bool, TraceError> {
        if self.leaving.is_some() || !self.gated.as_ref().is_some_and(|gated| gated.is_before(call)) {
            return Ok(false);
        }
        let actor = self.actor(thread, now)?;
        self.notes.tell(Note::Stands { thread, actor, call: call.clone() })?;
        if let Some(gated) = &mut self.gated {
            gated.standing.insert(thread, (*entry, None));
        }
        Ok(true)
    }

    /// Keeps the stop of a thread that is held; gives any other back.
    pub(super) fn keep_standing(&mut self, stopped: Stopped) -> Option<Stopped> {
        let gated = self.gated.as_mut();
        match gated.and_then(|gated| gated.standing.get_mut(&stopped.thread)) {
            Some((_, stands)) => {
                *stands = Some(stopped);
                None
            }
            None => Some(stopped),
        }
    }

    /// Lets `thread` make its call, if it still stands.
    fn let_through(&mut self, thread: Pid) -> Result<(), TraceError> {
        let stood = self.gated.as_mut().and_then(|gated| gated.standing.remove(&thread));
        stood.map_or(Ok(()), |(entry, stopped)| self.lets_make(thread, &entry, stopped))
    }

    fn lets_make(&mut self, thread: Pid, entry: &Entry, stopped: Option<Stopped>) -> Result<(), TraceError> {
        let Some(stopped) = stopped else { return Ok(()) };
        self.begins(thread, entry, clock::now())?;
        self.go_on(stopped);
        Ok(())
    }

    /// Lets all through, now and later.
    pub(super) fn open_gate(&mut self) -> Result<(), TraceError> {
        let standing = self.gated.take().map(|gated| gated.standing).unwrap_or_default();
        standing.into_iter().try_for_each(|(thread, (entry, stopped))| self.lets_make(thread, &entry, stopped))
    }

    /// `thread` is gone, and stands nowhere.
    pub(super) fn stands_no_more(&mut self, thread: Pid) -> Result<(), TraceError> {
        let stood = self.gated.as_mut().and_then(|gated| gated.standing.remove(&thread));
        if stood.is_some() { Ok(self.notes.tell(Note::Fled(thread))?) } else { Ok(()) }
    }

    /// The run is over: who stands is let through, or dies as it stands.
    pub(super) fn leave_standing(&mut self, leave: Leave) -> Result<(), TraceError> {
        if leave == Leave::Running { self.open_gate() } else { Ok(()) }
    }
}
