//! What the kernel itself says of the programs' sockets, among what is recorded.

use super::Recorder;
use crate::event::{Gap, Sample, Time, What};
use crate::source::clock;
use crate::source::sockdiag::{Ends, Table};
use crate::source::trace::looks::Looks;
use crate::source::trace::ours::Ours;

impl Recorder {
    /// Looks, if something has happened and if it is time.
    pub(super) fn look_if_due(&mut self) {
        if self.looks.as_ref().is_some_and(Looks::is_due) {
            self.look();
        }
    }

    /// Looks now. That the kernel does not answer is told once; the run goes on without.
    pub(super) fn look(&mut self) {
        let Some(looks) = &mut self.looks else { return };
        match looks.look(&mut self.instruments.diag, |ends| is_ours(self.ours.as_ref(), ends)) {
            Ok(samples) => self.push(samples),
            Err(error) => {
                self.looks = None;
                let what = format!("the kernel's own view of the sockets: {error}");
                self.merge.push(clock::now(), None, What::Gap(Gap::Untraced(what)));
            }
        }
    }

    /// Takes in what somebody else saw.
    pub(super) fn take_look(&mut self, time: Time, table: &Table) {
        let Some(looks) = &mut self.looks else { return };
        let samples = looks.take_steady(time, table, |ends| is_ours(self.ours.as_ref(), ends));
        self.push(samples);
    }

    fn push(&mut self, samples: Vec<(Time, Sample)>) {
        for (time, sample) in samples {
            self.merge.push(time, None, What::Sample(sample));
        }
    }
}

/// Whether the programs have it, where the network is not theirs alone.
fn is_ours(ours: Option<&Ours>, ends: &Ends) -> bool {
    ours.is_none_or(|ours| ours.is_between(Time(i64::MAX), ends.local, ends.remote))
}
