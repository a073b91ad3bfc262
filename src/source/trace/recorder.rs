//! Brings what the tracer notes and what the capture sees into one order, and tells it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use nix::unistd::Pid;

use super::note::Note;
use super::ours::Ours;
use super::stack::Resolver;
use crate::event::{Event, FrameNo, Gap, Time, What};
use crate::source::clock;
use crate::source::lab::teller::Teller;
use crate::source::live::{Capture, Frames, Item, MarkerError, Markers, Taken};
use crate::source::merge::{Merge, Ticket};
use crate::source::sockdiag::{SockDiag, SockDiagError, Table};

/// How often what was noted and captured is taken in.
const LOOK: Duration = Duration::from_millis(10);

/// How long events are held back while the run goes on: the capture was seen to be 74 ms late at most, and what comes later
/// still is marked so.
const HOLD: i64 = 250_000_000;

/// How long, once the run is over, the kernel may take to get done what passes by itself; a delayed ACK takes 52 ms at most.
const QUIET: Duration = Duration::from_millis(500);

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
    /// How many were.
    told: u64,
    teller: Teller,
    released: Time,
}

impl Recorder {
    /// A recorder that tells by `teller`; of the segments only the programs', where the network is not theirs alone.
    pub fn new(instruments: Instruments, is_shared: bool, teller: Teller) -> Self {
        let link_type = instruments.capture.as_ref().map_or(crate::event::LinkType::RAW, Capture::link_type);
        let frames = Frames::new(link_type);
        let ours = is_shared.then(Ours::default);
        let (merge, tickets, resolver) = (Merge::new(), HashMap::new(), Resolver::default());
        Self { instruments, frames, merge, tickets, resolver, ours, told: 0, teller, released: Time(0) }
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
            for note in notes.try_iter() {
                self.take(note);
            }
            if is_over {
                break;
            }
            self.take_frames();
            self.release_old()?;
        }
        self.come_to_rest()?;
        self.forget_others(Time(i64::MAX));
        let events = self.merge.release();
        self.tell(events)?;
        Ok(self.teller)
    }

    fn take(&mut self, note: Note) {
        if let Some(ours) = &mut self.ours {
            ours.take(&note);
        }
        match note {
            Note::Started { time, actor, pid } => {
                self.merge.push(time, Some(actor), What::Started { pid: pid.as_raw() });
            }
            Note::Begun { time, thread, actor, call } => {
                let ticket = self.merge.begun(time, actor, call);
                self.tickets.insert(thread, ticket);
            }
            Note::Stood { time, thread, actor, stack } => {
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
            Note::Exited { time, actor, status } => self.merge.push(time, Some(actor), What::Exit(status)),
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
            self.merge.forget_segments(bound, |segment| ours.has(segment));
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

    /// Waits until no state is left that passes by itself, and until the capture has seen all of it.
    fn come_to_rest(&mut self) -> Result<(), RecordError> {
        let until = Instant::now() + QUIET;
        while is_passing(&self.instruments.diag.dump()?) && Instant::now() < until {
            std::thread::sleep(POLL);
            self.take_frames();
        }
        let mut markers = self.instruments.markers.send()?;
        let until = Instant::now() + MARKERS;
        while !markers.is_empty() {
            let Some(items) = self.items() else { return Ok(()) };
            let Ok(item) = items.recv_timeout(until.saturating_duration_since(Instant::now())) else {
                let what = "the markers have not come back through the capture".to_owned();
                self.merge.push(clock::now(), None, What::Gap(Gap::Unsettled(what)));
                return Ok(());
            };
            let seen = self.take_item(item);
            markers.retain(|marker| Some(*marker) != seen);
        }
        Ok(())
    }
}

/// Whether something will happen without anybody's doing: an end that waits for no answer, or for none that a program gives.
fn is_passing(table: &Table) -> bool {
    table.values().any(|end| end.state.is_passing() || end.unacknowledged > 0)
}
