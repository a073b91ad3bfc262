//! Runs a scenario: lets the actors make one call after another, and tells what came of each once all has settled.

use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::action;
use super::cast::Player;
use super::compare;
use super::link::Side;
use super::link::joined::Joined;
use super::message::Command;
use super::report::Report;
use super::scenario::Scenario;
use super::script::{Expect, Returned, Step, StepKind};
use super::stage::StageError;
use super::teller::{Inbox, Teller};
use crate::event::{Actor, Event, ExitStatus, Gap, LinkType, What};
use crate::socket::call::{Call, CallName};
use crate::socket::errno::{Errno, Signal};
use crate::source::clock::{self, StepWatch};
use crate::source::live::{Capture, Frames, Markers};
use crate::source::merge::{Merge, Ticket};
use crate::source::sockdiag::{SockDiag, Table};

mod frames;
mod reports;
mod settle;

/// How the director runs a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conduct {
    /// Make the scenario's pauses.
    pub walk: bool,
    /// Wait to be told before each call.
    pub hold: bool,
}

/// The pause before a call that [`Command::Walk`] lets go.
const WALKING_PAUSE: Duration = Duration::from_millis(400);

/// How often the capture is looked at while the lab holds still: a timer of the kernel may send something.
const HELD_LOOK: Duration = Duration::from_millis(200);

/// How long an actor may take to get a call done or to fall asleep in it, before the run is given up. Only a machine that
/// is stuck takes this long.
const STUCK: Duration = Duration::from_secs(20);

/// How much longer than a call's own time-out its return may take.
const TIMER_SLACK: Duration = Duration::from_secs(2);

/// How long the kernel's own timers may take to give a connection up. The scenarios set them to some seconds.
const KERNEL_TIMERS: Duration = Duration::from_secs(30);

/// What is watched on the machine.
pub struct Instruments {
    /// The capture, where one could be had.
    pub capture: Option<Capture>,
    /// The markers that the capture lets pass.
    pub markers: Markers,
    /// The kernel's tables of sockets: one of each network.
    pub diags: Vec<SockDiag>,
    /// Only connections with one of these ports; `None` where the loopback is our own.
    pub ports: Option<Vec<u16>>,
    /// The two networks of a link; `None` where all are on one loopback.
    pub joined: Option<Joined>,
}

/// What an actor is at.
struct Part {
    player: Player,
    /// The call that has not returned yet.
    in_call: Option<InCall>,
    /// Its process is gone and told of.
    gone: bool,
}

struct InCall {
    call: Call,
    /// Known once the actor has reported that it begins.
    ticket: Option<Ticket>,
    since: Instant,
}

/// The run of one scenario.
pub struct Director<'a> {
    scenario: &'a Scenario,
    conduct: Conduct,
    instruments: Instruments,
    parts: Vec<Part>,
    merge: Merge,
    clock: Option<StepWatch>,
    /// What the kernel held on this loopback before the scenario began.
    before: Table,
    samples: Table,
    last_pending: Option<String>,
    frames: Frames,
    released: Vec<Event>,
    /// The actor that a fork in progress brings, and what leads to it.
    unborn: Option<(Actor, UnixStream)>,
    inbox: Inbox,
    /// The next call was let go, to be made from then on.
    let_go: Option<Instant>,
    /// The next call races with the one before it.
    racing: bool,
    /// A call had to wait to be let go, and the kernel's timers ran on meanwhile.
    held: bool,
    /// The run is to end.
    stopped: bool,
    teller: Teller,
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Step,
    /// The script cannot go on from here; the comparison says why.
    Break,
    Stop,
}

impl<'a> Director<'a> {
    /// Starts the actors of `scenario`.
    pub fn new(
        scenario: &'a Scenario,
        conduct: Conduct,
        instruments: Instruments,
        inbox: Inbox,
        teller: Teller,
    ) -> Result<Self, StageError> {
        let link_type = instruments.capture.as_ref().map_or(LinkType::RAW, Capture::link_type);
        let frames = Frames::new(link_type);
        let mut director = Self {
            scenario,
            conduct,
            instruments,
            parts: Vec::new(),
            merge: Merge::new(),
            clock: None,
            before: Table::new(),
            samples: Table::new(),
            last_pending: None,
            frames,
            released: Vec::new(),
            unborn: None,
            inbox,
            let_go: None,
            racing: false,
            held: false,
            stopped: false,
            teller,
        };
        director.before = director.dump()?;
        for actor in scenario.present() {
            director.enter(actor)?;
        }
        Ok(director)
    }

    fn enter(&mut self, actor: &Actor) -> Result<(), StageError> {
        if let Some(joined) = &self.instruments.joined {
            joined.go_to(Side::of(actor))?;
        }
        let player = Player::start(actor).map_err(|error| StageError::actor("start", actor, &error))?;
        self.joins(player);
        Ok(())
    }

    fn joins(&mut self, player: Player) {
        let started = What::Started { pid: player.pid() };
        self.merge.push(clock::now(), Some(player.name().clone()), started);
        self.parts.push(Part { player, in_call: None, gone: false });
    }

    /// Tells that there is no capture, and why.
    pub fn without_capture(&mut self, why: String) {
        self.merge.push(clock::now(), None, What::Gap(Gap::NoCapture(why)));
    }

    /// Runs the script from its first line to its last, and tells how it went.
    pub fn run(&mut self) -> Result<(), StageError> {
        let scenario = self.scenario;
        self.settle()?;
        for (index, step) in scenario.steps.iter().enumerate() {
            match self.step(index, step)? {
                Next::Step => {}
                Next::Break => break,
                Next::Stop => {
                    // Kills and reaps them.
                    self.parts.clear();
                    return self.teller.finished();
                }
            }
        }
        self.end_all()?;
        self.teller.settled(None)?;
        let compare = if self.held { compare::compare_held } else { compare::compare };
        for mismatch in compare(scenario, &self.released) {
            self.teller.mismatch(&mismatch)?;
        }
        self.teller.finished()
    }

    fn step(&mut self, index: usize, step: &Step) -> Result<Next, StageError> {
        match &step.kind {
            StepKind::Segment { .. } => Ok(Next::Step),
            StepKind::Call { actor, call, expect, race, .. } => {
                if call.name == CallName::Nanosleep && !self.conduct.walk {
                    return Ok(Next::Step);
                }
                // What races is not held apart: to wait between the two would decide the race.
                let racing = std::mem::replace(&mut self.racing, *race);
                if !step.implied && !racing && self.await_go(index)? == Next::Stop {
                    return Ok(Next::Stop);
                }
                self.call(actor, call, expect, *race)
            }
            StepKind::Returns { actor, result, .. } => self.await_return(actor, result),
            StepKind::Ends { actor, status } => self.await_end(actor, *status),
        }
    }

    /// Says which call comes next, and waits until it may be made. What follows from the script's end needs no leave.
    fn await_go(&mut self, index: usize) -> Result<Next, StageError> {
        self.teller.settled(Some(index))?;
        loop {
            self.take_commands()?;
            if self.stopped {
                return Ok(Next::Stop);
            }
            let now = Instant::now();
            if !self.conduct.hold || self.let_go.is_some_and(|from| now >= from) {
                self.let_go = None;
                return Ok(Next::Step);
            }
            self.held = true;
            let look = now + HELD_LOOK;
            self.watch(Some(self.let_go.map_or(look, |from| from.min(look))))?;
            self.take_frames()?;
            self.release()?;
        }
    }

    /// Takes what came from outside.
    fn take_commands(&mut self) -> Result<(), StageError> {
        while let Some(command) = self.inbox.next()? {
            match command {
                Command::Go => self.let_go = Some(Instant::now()),
                Command::Walk => self.let_go = Some(Instant::now() + WALKING_PAUSE),
                Command::Run => self.conduct.hold = false,
                // The script says who is next.
                Command::Other => {}
                Command::Stop => self.stopped = true,
            }
        }
        Ok(())
    }

    /// Has `actor` make `call`.
    fn call(&mut self, actor: &Actor, call: &Call, expect: &Expect, race: bool) -> Result<Next, StageError> {
        let Some(part) = self.parts.iter_mut().find(|part| part.player.name() == actor && !part.gone) else {
            return Ok(Next::Break);
        };
        if part.in_call.is_some() {
            return Ok(Next::Break);
        }
        part.in_call = Some(InCall { call: call.clone(), ticket: None, since: Instant::now() });
        if let Expect::Returns(Returned::Child(child)) = expect {
            let control = part.player.tell_to_fork(call).map_err(|error| StageError::actor("tell", actor, &error))?;
            self.unborn = Some((child.clone(), control));
        } else {
            part.player.tell(call).map_err(|error| StageError::actor("tell", actor, &error))?;
        }
        self.await_rest(actor)?;
        match expect {
            Expect::Ends(status) => return self.await_end(actor, *status),
            _ if race => return Ok(Next::Step),
            _ => self.settle()?,
        }
        if let Expect::Returns(expected) = expect { self.await_return(actor, expected) } else { Ok(Next::Step) }
    }

    /// Waits until the call of `actor` has returned. All has settled, so that only a time-out can still end it: one of its
    /// own, or one of the kernel's, where it is to return that.
    fn await_return(&mut self, actor: &Actor, expected: &Returned) -> Result<Next, StageError> {
        let Some((call, since)) = self.call_of(actor) else {
            return Ok(if self.is_gone(actor) { Next::Break } else { Next::Step });
        };
        let times_out = matches!(expected, Returned::Outcome(outcome) if outcome.errno == Some(Errno::ETIMEDOUT));
        let kernels = times_out.then_some(KERNEL_TIMERS);
        let Some(patience) = action::patience(&call).or(kernels) else { return Ok(Next::Break) };
        let until = since + patience + TIMER_SLACK;
        while self.call_of(actor).is_some() {
            if Instant::now() >= until {
                return Ok(Next::Break);
            }
            self.watch(Some(until))?;
            if self.stopped {
                return Ok(Next::Stop);
            }
        }
        self.settle()?;
        Ok(Next::Step)
    }

    /// Waits until `actor` has ended. SIGPIPE comes to it by its own doing; every other signal is sent to it here.
    fn await_end(&mut self, actor: &Actor, status: ExitStatus) -> Result<Next, StageError> {
        let Some(part) = self.parts.iter_mut().find(|part| part.player.name() == actor && !part.gone) else {
            self.settle()?;
            return Ok(Next::Step);
        };
        if let ExitStatus::Killed(signal) = status
            && signal != Signal::SIGPIPE
        {
            part.player.kill(signal).map_err(|error| StageError::actor("kill", actor, &error))?;
        }
        let until = Instant::now() + TIMER_SLACK;
        while !self.is_gone(actor) && Instant::now() < until {
            self.watch(Some(until))?;
        }
        self.settle()?;
        Ok(if self.is_gone(actor) { Next::Step } else { Next::Break })
    }

    /// Ends every actor that is still there, after the script or after its break.
    fn end_all(&mut self) -> Result<(), StageError> {
        let left: Vec<Actor> =
            self.parts.iter().filter(|part| !part.gone).map(|part| part.player.name().clone()).collect();
        for actor in left {
            self.await_end(&actor, ExitStatus::Killed(Signal(libc::SIGKILL)))?;
        }
        Ok(())
    }

    fn is_gone(&self, actor: &Actor) -> bool {
        self.parts.iter().any(|part| part.player.name() == actor && part.gone)
    }

    fn call_of(&self, actor: &Actor) -> Option<(Call, Instant)> {
        let part = self.parts.iter().find(|part| part.player.name() == actor)?;
        part.in_call.as_ref().map(|in_call| (in_call.call.clone(), in_call.since))
    }

    /// Gives out what is known, in order.
    fn release(&mut self) -> Result<(), StageError> {
        for event in self.merge.release() {
            self.teller.event(&event)?;
            self.released.push(event);
        }
        self.teller.flush()
    }
}

/// Gives up on an actor that is still under way at `until`.
fn not_later_than(until: Instant, actor: &Actor) -> Result<(), StageError> {
    if Instant::now() < until { Ok(()) } else { Err(StageError::Stuck(actor.clone())) }
}
