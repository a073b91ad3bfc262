//! Brings what the tracer notes and what the capture sees into one order, and tells it.

mod looking;

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use nix::unistd::Pid;

use super::conductor::Conductor;
use super::looks::Looks;
use super::note::Note;
use super::ours::Ours;
use super::stack::Resolver;
use crate::event::{Event, FrameNo, Gap, Time, What};
use crate::source::clock;
use crate::source::lab::teller::Teller;
use crate::source::live::{Capture, Frames, Item, MarkerError, Markers, Taken};
use crate::source::merge::{Merge, Ticket};
use crate::source::sockdiag::{self, SockDiag, SockDiagError};

/// How often what was noted and captured is taken in.
const LOOK: Duration = Duration::from_millis(10);

/// How long events are held back while the run goes on: the capture was seen to be 74 ms late at most, and what comes later
/// still is marked so.
const HOLD: i64 = 250_000_000;

/// How long the kernel may take to get done what passes by itself; a delayed ACK takes 52 ms at most.
const QUIET: Duration = Duration::from_millis(500);

/// The same for what did not pass the last time.
const QUIET_AGAIN: Duration = Duration::from_millis(60);

/// How often the kernel's table is read meanwhile: there is no event to wait for.
const POLL: Duration = Duration::from_millis(1);

/// How long the markers may take to come back.
const MARKERS: Duration = Duration::from_secs(2);

/// Why recording ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Whoever was told is gone.
    #[error("nobody listens to the tracer any more")]
    Unheard,
    /// The markers.
    #[error(transparent)]
    Marker(#[from] MarkerError),
    /// The kernel's table of sockets.
    #[error(transparent)]
    SockDiag(#[from] SockDiagError),
}

/// What is watched beside the programs.
pub struct Instruments {
    /// The capture, where one could be had.
    pub capture: Option<Capture>,
    /// The markers that it lets pass.
    pub markers: Markers,
    /// The kernel's table of sockets.
    pub diag: SockDiag,
}

/// The recorder.
pub struct Recorder {
    instruments: Instruments,
    frames: Frames,
    merge: Merge,
    tickets: HashMap<Pid, Ticket>,
    /// Looks up where calls were made.
    resolver: Resolver,
    /// Which segments are told, where others' pass too.
    ours: Option<Ours>,
    /// Until when, where the programs run on.
    until: Option<Time>,
    /// The kernel's own view; `None` once it could not be had.
    looks: Option<Looks>,
    /// How many segments were told.
    told: u64,
    /// Lets the calls go one by one, where they are held.
    conductor: Option<Conductor>,
    /// What was still to pass when it was last waited for.
    pending: Option<String>,
    teller: Teller,
    released: Time,
}

impl Recorder {
    /// A recorder that tells by `teller`; of the segments only the programs', where the network is not theirs alone.
    pub fn new(instruments: Instruments, is_shared: bool, conductor: Option<Conductor>, teller: Teller) -> Self {
        let link_type = instruments.capture.as_ref().map_or(crate::event::LinkType::RAW, Capture::link_type);
        let frames = Frames::new(link_type);
        let ours = is_shared.then(Ours::default);
        let (merge, tickets, resolver) = (Merge::new(), HashMap::new(), Resolver::default());
        Self {
            instruments,
            frames,
            merge,
            tickets,
            resolver,
            ours,
            until: None,
            looks: Some(Looks::new()),
            told: 0,
            conductor,
            pending: None,
            teller,
            released: Time(0),
        }
    }

    /// Tells that there is no capture, and why.
    pub fn without_capture(&mut self, why: String) {
        self.merge.push(clock::now(), None, What::Gap(Gap::NoCapture(why)));
    }

    /// Records until the tracer has `ended`, and then until the kernel is quiet. What was noted is taken in time by time and
    /// not note by note: to wake for each would cost the programs as much as the tracer does.
    pub fn run(mut self, notes: &Receiver<Note>, ended: &Receiver<Infallible>) -> Result<Teller, RecordError> {
        loop {
            let is_over = ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Disconnected);
            self.take_notes(notes);
            if is_over {
                break;
            }
            self.take_frames();
            self.look_if_due();
            self.release_old()?;
            self.conduct(notes)?;
        }
        self.come_to_rest()?;
        self.release()?;
        Ok(self.teller)
    }

    /// Where calls are held: says which is the next once all that was let go has settled.
    fn conduct(&mut self, notes: &Receiver<Note>) -> Result<(), RecordError> {
        if !self.conductor.as_mut().is_some_and(Conductor::can_announce) {
            return Ok(());
        }
        self.come_to_rest()?;
        self.take_notes(notes);
        let settled = self.conductor.as_mut().is_some_and(Conductor::can_announce);
        // Somebody moved on meanwhile: once more. What was asked for meanwhile is about what was the next before.
        let Some(conductor) = self.conductor.as_mut().filter(|_| settled) else { return Ok(()) };
        let next = conductor.announce();
        self.release()?;
        self.teller.stands(next.as_ref()).map_err(|_| RecordError::Unheard)
    }

    fn release(&mut self) -> Result<(), RecordError> {
        self.forget_others(Time(i64::MAX));
        let events = self.merge.release();
        self.tell(events)
    }

    fn take_notes(&mut self, notes: &Receiver<Note>) {
        for note in notes.try_iter() {
            self.take(note);
        }
    }

    fn take(&mut self, note: Note) {
        if let Some(ours) = &mut self.ours {
            ours.take(&note);
        }
        if let Some(conductor) = &mut self.conductor {
            conductor.take(&note);
        }
        self.looks.iter_mut().for_each(Looks::stir);
        match note {
            Note::Started { time, actor, pid } => {
                self.merge.push(time, Some(actor), What::Started { pid: pid.as_raw() });
            }
            Note::Holds { time, actor, holding } => self.merge.push(time, Some(actor), What::Holds(holding)),
            Note::Begun { time, thread, actor, call } => {
                let ticket = self.merge.begun(time, actor, call);
                self.tickets.insert(thread, ticket);
            }
            Note::Stack { time, thread, actor, stack } => {
                if let Some(ticket) = self.tickets.get(&thread) {
                    let (places, missing) = self.resolver.resolve(&stack);
                    self.merge.stood(time, actor, *ticket, places, missing);
                }
            }
            Note::Ended { time, thread, actor, outcome } => {
                if let Some(ticket) = self.tickets.remove(&thread) {
                    self.merge.ended(time, actor, ticket, outcome);
                }
            }
            Note::LetGo(time) => self.until = Some(time),
            // That nobody listens is found with the next event.
            Note::Attached(pid) => drop(self.teller.root(pid.as_raw())),
            Note::Exited { time, actor, status } => self.merge.push(time, Some(actor), What::Exit(status)),
            Note::Stands { .. } | Note::Fled(_) => {}
            Note::Looked(time, table) => self.take_look(time, &table),
            Note::Untraced(time, what) => self.merge.push(time, None, What::Gap(Gap::Untraced(what))),
        }
    }

    /// Takes what the capture has, without waiting.
    fn take_frames(&mut self) {
        while let Some(item) = self.items().and_then(|items| items.try_recv().ok()) {
            self.take_item(item);
        }
    }

    fn items(&self) -> Option<&Receiver<Item>> {
        self.instruments.capture.as_ref().and_then(Capture::items)
    }

    /// Takes one item, and returns the number of the marker if it is one.
    fn take_item(&mut self, item: Item) -> Option<u64> {
        self.looks.iter_mut().for_each(Looks::stir);
        let (number, happened) = match self.frames.take(item) {
            Taken::Ended(why) => {
                self.instruments.capture = None;
                (
                    None,
                    Some((
                        clock::now(),
                        What::Gap(Gap::Untraced(format!("the capture ended, and later segments are missing: {why}"))),
                    )),
                )
            }
            Taken::Marker(number, lost) => (Some(number), lost),
            Taken::Event(time, what) => (None, Some((time, what))),
        };
        if let Some((time, what)) = happened {
            self.merge.push(time, None, what);
        }
        number
    }

    fn release_old(&mut self) -> Result<(), RecordError> {
        let bound = Time(clock::now().0 - HOLD);
        if bound.since(self.released) < HOLD / 2 {
            return Ok(());
        }
        self.released = bound;
        self.forget_others(bound);
        let events = self.merge.release_before(bound);
        self.tell(events)
    }

    fn forget_others(&mut self, bound: Time) {
        if let Some(ours) = &self.ours {
            let is_early = |time| self.until.is_none_or(|until| time <= until);
            self.merge.forget_segments(bound, |time, segment| is_early(time) && ours.has(time, segment));
        }
    }

    /// Tells `events`, whose frames are numbered as they are told.
    fn tell(&mut self, events: Vec<Event>) -> Result<(), RecordError> {
        for mut event in events {
            if let What::Segment { frame, .. } = &mut event.what {
                self.told += 1;
                frame.number = FrameNo(self.told);
            }
            self.teller.event(&event).map_err(|_| RecordError::Unheard)?;
        }
        Ok(())
    }

    /// Waits until no state is left that passes by itself, and until the capture has seen all of it. What the kernel holds then
    /// is told too.
    fn come_to_rest(&mut self) -> Result<(), RecordError> {
        // Programs that were let go do what they want.
        if self.until.is_some() {
            return self.pass_markers();
        }
        self.await_quiet()?;
        self.look();
        self.pass_markers()?;
        self.look();
        Ok(())
    }

    fn pass_markers(&mut self) -> Result<(), RecordError> {
        let mut markers = self.instruments.markers.send()?;
        let until = Instant::now() + MARKERS;
        while !markers.is_empty() {
            let Some(items) = self.items() else { return Ok(()) };
            let Ok(item) = items.recv_timeout(until.saturating_duration_since(Instant::now())) else {
                self.unsettled("the markers have not come back through the capture".to_owned());
                return Ok(());
            };
            let seen = self.take_item(item);
            markers.retain(|marker| Some(*marker) != seen);
        }
        Ok(())
    }

    /// Waits until the kernel's table has nothing pending. Where that does not come, says what is.
    fn await_quiet(&mut self) -> Result<(), RecordError> {
        let start = Instant::now();
        loop {
            let pending = self.pending()?;
            let bound = if pending == self.pending { QUIET_AGAIN } else { QUIET };
            if let Some(what) = pending.as_ref().filter(|_| start.elapsed() >= bound) {
                if self.pending.as_ref() != Some(what) {
                    self.unsettled(what.clone());
                }
            } else if pending.is_some() {
                std::thread::sleep(POLL);
                self.take_frames();
                continue;
            }
            self.pending = pending;
            return Ok(());
        }
    }

    /// What of the programs' connections will still pass by itself.
    fn pending(&mut self) -> Result<Option<String>, RecordError> {
        let mut table = self.instruments.diag.dump_both()?;
        if let Some(ours) = &self.ours {
            table.retain(|ends, _| ours.is_between(Time(i64::MAX), ends.local, ends.remote));
        }
        Ok(sockdiag::pending(&table))
    }

    fn unsettled(&mut self, what: String) {
        self.merge.push(clock::now(), None, What::Gap(Gap::Unsettled(what)));
    }
}
