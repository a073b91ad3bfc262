//! Where a call was made, before its end is told.

use nix::unistd::Pid;

use super::{TraceError, Tracer};
use crate::event::Time;
use crate::socket::call::{Call, Outcome};
use crate::source::trace::note::Note;
use crate::source::trace::stack::Taken;

impl Tracer {
    /// Tells the stack of `thread`, which stands at the exit of `call`, if it is wanted.
    pub(super) fn tell_stack(
        &mut self,
        thread: Pid,
        call: &Call,
        outcome: &Outcome,
        now: Time,
    ) -> Result<(), TraceError> {
        let process = self.threads.get(&thread).map_or(thread, |known| known.process);
        let taken = self.stacks.as_mut().and_then(|stacks| stacks.take(thread, process, call, outcome));
        let Some(taken) = taken else { return Ok(()) };
        let actor = self.actor(thread, now)?;
        Ok(self.notes.tell(match taken {
            Taken::Stack(stack) => Note::Stack { time: now, thread, actor, stack },
            Taken::Not(why) => Note::Untraced(now, format!("where {actor} called {}(), for {why}", call.name.name())),
            Taken::Enough(what) => Note::Untraced(now, what),
        })?)
    }
}
