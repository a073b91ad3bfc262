//! Settling: waiting until nothing more will happen before somebody calls.
//!
//! Without it one broken pipe in some thousands has no EPIPE at all, because the next send meets the timer of the FIN's
//! acknowledgement. So after every call: each actor is at rest; no socket is in a state that passes by itself or holds
//! bytes that are not acknowledged; markers sent on each CPU have come back through the capture; and the kernel's table is
//! still the same then. Where there is a link, nothing is on its way through it either.
//!
//! The second look at the table matters. While a TIME-WAIT record takes the place of a closing socket there is a moment
//! in which a dump shows neither (seen in 2 of some 120 runs with both CPUs busy; by `inet_twsk_hashdance_schedule`,
//! which gives the record its reference count only after it has hashed it). That happens in a softirq, and to send a
//! marker on a CPU is to have run there after its softirq.

use std::time::{Duration, Instant};

use super::{Director, STUCK, StageError};
use crate::event::{Gap, Sample, What};
use crate::source::clock;
use crate::source::lab::link::Link;
use crate::source::lab::link::joined::Joined;
use crate::source::sockdiag::{self, Ends, Table};

/// How often the kernel's table is read while something is pending: there is no event to wait for.
pub(super) const POLL: Duration = Duration::from_millis(1);

/// How long a pending state may take to pass. A delayed acknowledgement takes 52 ms at most; what takes longer waits for
/// a reader that does not read, or for a peer that does not answer.
const BOUND: Duration = Duration::from_millis(500);

/// How long what was already pending at the last settling may take.
const BOUND_AGAIN: Duration = Duration::from_millis(60);

/// How long markers may take to come back: 74 ms was the longest seen, with both cores busy.
const MARKER_BOUND: Duration = Duration::from_secs(2);

/// What is pending while the link carries something.
const UNDER_WAY: &str = "something is on its way through the link";

impl Director<'_> {
    /// Waits until all has settled, and tells what has happened since the last time.
    pub(super) fn settle(&mut self) -> Result<(), StageError> {
        let stuck = Instant::now() + STUCK;
        loop {
            self.await_all_rest()?;
            let quiet = self.await_quiet()?;
            self.pass_markers()?;
            self.take_reports()?;
            let table = self.dump()?;
            let unchanged = (table == quiet && self.link_is_idle()?) || self.last_pending.is_some();
            if unchanged && self.all_at_rest()? {
                self.take_samples(&table);
                return self.release();
            }
            if Instant::now() >= stuck {
                return Err(StageError::NeverSettled);
            }
        }
    }

    fn await_all_rest(&mut self) -> Result<(), StageError> {
        let actors: Vec<_> = self.parts.iter().map(|part| part.player.name().clone()).collect();
        actors.iter().try_for_each(|actor| self.await_rest(actor))
    }

    /// Whether nobody moved while the markers were on their way.
    fn all_at_rest(&mut self) -> Result<bool, StageError> {
        for index in 0..self.parts.len() {
            if !self.is_at_rest(index)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Waits until the kernel's table has nothing pending. Where that does not come, says what is.
    fn await_quiet(&mut self) -> Result<Table, StageError> {
        let start = Instant::now();
        loop {
            let table = self.dump()?;
            let pending = if self.link_is_idle()? { sockdiag::pending(&table) } else { Some(UNDER_WAY.to_owned()) };
            let bound = if pending == self.last_pending { BOUND_AGAIN } else { BOUND } + self.links_patience();
            match pending {
                None => {
                    self.last_pending = None;
                    return Ok(table);
                }
                Some(pending) if start.elapsed() >= bound => {
                    if self.last_pending.as_ref() != Some(&pending) {
                        self.merge.push(clock::now(), None, What::Gap(Gap::Unsettled(pending.clone())));
                        self.last_pending = Some(pending);
                    }
                    return Ok(table);
                }
                Some(_) => self.watch(Some(Instant::now() + POLL))?,
            }
        }
    }

    fn link_is_idle(&self) -> Result<bool, StageError> {
        Ok(self.instruments.joined.as_ref().map_or(Ok(true), Joined::is_idle)?)
    }

    /// How much longer a link makes everything take.
    fn links_patience(&self) -> Duration {
        self.scenario.link.as_ref().map_or(Duration::ZERO, Link::patience)
    }

    /// The kernel's table, of both networks where there are two, as far as it is this scenario's.
    pub(super) fn dump(&mut self) -> Result<Table, StageError> {
        let mut table = Table::new();
        for diag in &mut self.instruments.diags {
            table.extend(diag.dump().map_err(StageError::SockDiag)?);
        }
        if let Some(ports) = &self.instruments.ports {
            table.retain(|ends, _| ports.contains(&ends.local.port()) || ports.contains(&ends.remote.port()));
        }
        // A record that an earlier run left on the host's loopback.
        table.retain(|ends, end| self.before.get(ends) != Some(end));
        Ok(table)
    }

    /// Sends a marker on each CPU, and reads the capture, if there is one, until they are back.
    fn pass_markers(&mut self) -> Result<(), StageError> {
        let markers = self.instruments.markers.send().map_err(StageError::Marker)?;
        if !self.take_frames_up_to(markers, Instant::now() + MARKER_BOUND)? {
            let what = "the markers have not come back through the capture".to_owned();
            self.merge.push(clock::now(), None, What::Gap(Gap::Unsettled(what)));
        }
        Ok(())
    }

    /// Tells where the kernel's view has changed.
    fn take_samples(&mut self, table: &Table) {
        let time = clock::now();
        let gone = self.samples.keys().filter(|ends| !table.contains_key(ends)).map(|ends| (*ends, None));
        let changed = table
            .iter()
            .filter(|(ends, sample)| self.samples.get(ends) != Some(sample))
            .map(|(ends, sample)| (*ends, Some(*sample)));
        for (Ends { local, remote }, socket) in gone.chain(changed) {
            self.merge.push(time, None, What::Sample(Sample { local, remote, socket }));
        }
        self.samples.clone_from(table);
    }
}
