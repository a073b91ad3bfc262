//! Plays a scenario to its end and keeps its story, while whoever reads stdout is there.

use std::collections::VecDeque;
use std::io::{self, BufRead, IsTerminal};
use std::ops::ControlFlow;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::Failure;
use super::ask::Questions;
use crate::notation;
use crate::source::lab::message::{Command, Message, Mismatch, NextCall};
use crate::source::lab::need::Missing;
use crate::source::lab::scenario::Scenario;
use crate::source::lab::{Lab, Options};
use crate::story::Story;
use crate::story::journal::Journal;

/// How playing ended.
#[allow(clippy::large_enum_variant, reason = "there is one, and it is taken apart at once")]
pub enum Played {
    /// To the end.
    Whole(Story),
    /// By a signal.
    Interrupted,
    /// Nobody reads stdout any more.
    Unheard,
}

/// What is waited for while a scenario plays.
#[allow(clippy::large_enum_variant, reason = "nearly every one is the large one")]
enum Heard {
    Lab(Message),
    Line(String),
    InputEnded,
    Interrupt,
    ReaderGone,
}

/// How many things may wait to be heard.
const CHANNEL: usize = 256;

/// What stands between the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between {
    /// Each call waits for Enter.
    pub step: bool,
    /// Before a telling call it is asked what it will return.
    pub quiz: bool,
}

/// Plays `scenario`. `watch` says whether the run is worth nothing once nobody reads stdout.
pub fn play(scenario: &Scenario, options: &Options, between: Between, watch: bool) -> Result<Played, Failure> {
    let (sender, receiver) = sync_channel(CHANNEL);
    listen_for_signals(sender.clone())?;
    if watch {
        watch_stdout(sender.clone())?;
    }
    if options.hold {
        listen_for_enter(sender.clone())?;
    }
    let lab = Lab::start_with(scenario, options, move |message| match sender.send(Heard::Lab(message)) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    })
    .map_err(|error| Failure::new(error.to_string()))?;
    let mut listening = Listening {
        lab,
        name: scenario.name.clone(),
        file: scenario.file.clone(),
        between,
        questions: Questions::default(),
        journal: Journal::default(),
        waiting: false,
        waited: false,
        lines: VecDeque::new(),
        alone: false,
    };
    receiver
        .into_iter()
        .find_map(|heard| listening.heed(heard).transpose())
        .unwrap_or_else(|| Err(Failure::new("the lab ended without a word")))
}

/// A run that is listened to.
struct Listening {
    lab: Lab,
    /// The scenario's name.
    name: String,
    /// Its file.
    file: String,
    between: Between,
    questions: Questions,
    journal: Journal,
    /// A call waits to be let go.
    waiting: bool,
    /// A call had to wait for a line, and nothing was said of that yet.
    waited: bool,
    /// What was typed and not taken yet.
    lines: VecDeque<String>,
    /// No more lines will come.
    alone: bool,
}

impl Listening {
    fn heed(&mut self, heard: Heard) -> Result<Option<Played>, Failure> {
        match heard {
            Heard::Lab(message) => return self.message(message),
            Heard::Line(line) => {
                self.lines.push_back(line);
                self.go_on();
            }
            Heard::InputEnded => {
                self.alone = true;
                self.go_on();
            }
            Heard::Interrupt => return Ok(Some(Played::Interrupted)),
            Heard::ReaderGone => return Ok(Some(Played::Unheard)),
        }
        Ok(None)
    }

    fn message(&mut self, message: Message) -> Result<Option<Played>, Failure> {
        match message {
            Message::Run(run) => self.journal = Journal::new(run),
            Message::Event(event) => {
                self.journal.append(event).map_err(|error| Failure::new(error.to_string()))?;
            }
            Message::Settled(next) => self.settled(next.as_ref()),
            // The story is told as it happened; that the scenario's words may not fit it is said beside it.
            Message::Mismatch(Mismatch { line, column, expected, happened }) => {
                eprintln!("epipe: {}:{line}:{column}: expected {expected}, but it was {happened}", self.file);
                if std::mem::take(&mut self.waited) {
                    eprintln!(
                        "help: the kernel's timers ran on between the calls; without --step it may go as expected"
                    );
                }
            }
            Message::Finished => {
                self.questions.count();
                return Ok(Some(Played::Whole(Story::tell(std::mem::take(&mut self.journal)))));
            }
            Message::Skipped(Missing { need, why, help }) => {
                return Err(Failure { message: format!("{} needs {need}, but {why}", self.name), help });
            }
            Message::Failed { message, help } => return Err(Failure { message, help }),
        }
        Ok(None)
    }

    /// Everything has been told, and `next` waits to be let go where the run is held.
    fn settled(&mut self, next: Option<&NextCall>) {
        self.questions.judge(&self.journal);
        let Some(next) = next.filter(|_| self.between.step || self.between.quiz) else { return };
        self.waiting = true;
        let somebody = !(self.alone && self.lines.is_empty());
        match () {
            () if somebody && self.between.quiz && next.telling => self.questions.ask(next),
            () if somebody && self.between.step => announce(next),
            () => self.release(),
        }
        self.go_on();
    }

    /// Takes lines, which may have been typed ahead, until one lets the waiting call go.
    fn go_on(&mut self) {
        while self.waiting {
            match self.lines.pop_front() {
                Some(line) if self.questions.answer(&line) => self.release(),
                Some(_) => {}
                None if self.alone => self.release(),
                None => {
                    self.waited = true;
                    return;
                }
            }
        }
    }

    /// Lets the waiting call go.
    fn release(&mut self) {
        if std::mem::take(&mut self.waiting) {
            self.lab.command(Command::Go);
        }
    }
}

fn announce(next: &NextCall) {
    let together = if next.together > 1 { format!("  ({} calls at once)", next.together) } else { String::new() };
    let telling = if next.telling { "  (what will it return?)" } else { "" };
    eprint!("{}  {}{together}{telling}  [Enter] ", next.actor, notation::call(&next.call));
    if !io::stdin().is_terminal() {
        eprintln!();
    }
}

fn start(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map(drop)
        .map_err(|error| Failure::new(format!("cannot start the thread {name:?}: {error}")))
}

fn listen_for_signals(sender: SyncSender<Heard>) -> Result<(), Failure> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])
        .map_err(|error| Failure::new(format!("cannot listen for signals: {error}")))?;
    start("signals", move || {
        if signals.forever().next().is_some() {
            // Whoever listened may have finished in the meantime.
            let _ = sender.send(Heard::Interrupt);
        }
    })
}

/// A pipe whose reader has gone reports an error to poll(2) though nothing is asked of it.
fn watch_stdout(sender: SyncSender<Heard>) -> Result<(), Failure> {
    start("stdout", move || {
        let stdout = io::stdout();
        let gone = PollFlags::POLLERR | PollFlags::POLLHUP | PollFlags::POLLNVAL;
        loop {
            let mut fds = [PollFd::new(std::os::fd::AsFd::as_fd(&stdout), PollFlags::empty())];
            match poll(&mut fds, PollTimeout::NONE) {
                Ok(_) if fds[0].revents().is_some_and(|events| events.intersects(gone)) => break,
                Ok(_) | Err(Errno::EINTR) => {}
                Err(_) => return,
            }
        }
        let _ = sender.send(Heard::ReaderGone);
    })
}

/// Each line of stdin lets one call go; its end lets go of all.
fn listen_for_enter(sender: SyncSender<Heard>) -> Result<(), Failure> {
    start("stdin", move || {
        let mut line = String::new();
        loop {
            line.clear();
            let entered = matches!(io::stdin().lock().read_line(&mut line), Ok(read) if read > 0);
            // At the end of stdin there is nobody to wait for: the calls that are left go one after the other.
            let heard = if entered { Heard::Line(line.clone()) } else { Heard::InputEnded };
            if sender.send(heard).is_err() || !entered {
                return;
            }
        }
    })
}
