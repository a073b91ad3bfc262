//! A program that is held before its calls, in the dashboard: Enter lets each go.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::printed::Printed;
use super::{MOST, SILENT, failed, options};
use crate::app::{Ending, Failure, dashboard, save};
use crate::cli::{Common, Run};
use crate::event::ExitStatus;
use crate::source::lab::message::Message as Lab;
use crate::source::trace::{Handle, Options, Told, Trace};
use crate::story::Story;
use crate::story::journal::Journal;
use crate::tui::held::Breaks;
use crate::tui::message::{Message, Play};

/// Runs the program that `run` names, held where `breaks` say, and ends as it did.
pub fn run(run: &Run, breaks: Breaks, common: &Common) -> Result<Ending, Failure> {
    let words: Vec<String> = run.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let options = options(run, Some(&breaks));
    let mut started = None;
    let shown = dashboard::hold(words.join(" "), breaks, common, |told| {
        let (handle, running) = start(options, told)?;
        started = Some(running);
        Ok(handle)
    });
    let Some(Running { thread, printed }) = started else { return shown };
    let followed = thread.join().map_err(|_| Failure::new("the thread that follows the program has failed"))?;
    printed.print().map_err(|error| Failure::new(format!("cannot print what the program printed: {error}")))?;
    super::tell_on_stderr(&followed.journal, followed.beyond, followed.held_up);
    if let Some(path) = &run.write {
        save::save(&Story::tell(followed.journal), path, Some(run.payload), &[])?;
    }
    shown?;
    match (followed.failure, followed.status) {
        (Some(failure), _) => Err(failure),
        (None, Some(status)) => Ok(super::signals::end_as(status)),
        // It was ended before its end.
        (None, None) => Ok(Ending::Interrupted),
    }
}

struct Running {
    thread: JoinHandle<Followed>,
    printed: Printed,
}

/// Starts the program, whose run and output go to `told`.
fn start(options: Options, told: SyncSender<Message>) -> Result<(Handle, Running), Failure> {
    let terminal = |error| Failure::new(format!("cannot make a terminal for the program: {error}"));
    let (printed, standard) = Printed::open(told.clone()).map_err(terminal)?;
    let options = Options { standard: Some(Arc::new(standard)), ..options };
    let (started, outcome) = sync_channel(1);
    // The program's tracer dies with the thread that started it (PR_SET_PDEATHSIG).
    let thread = thread::Builder::new()
        .name("run".to_owned())
        .spawn(move || follow(options, &told, &started))
        .map_err(|error| Failure::new(format!("cannot start the thread \"run\": {error}")))?;
    let handle = outcome.recv().unwrap_or_else(|_| Err(Failure::new("the thread \"run\" has failed")))?;
    Ok((handle, Running { thread, printed }))
}

/// What came of a run.
#[derive(Default)]
struct Followed {
    journal: Journal,
    status: Option<ExitStatus>,
    beyond: u64,
    held_up: u64,
    failure: Option<Failure>,
}

/// Runs the program, and tells the dashboard of it.
fn follow(options: Options, told: &SyncSender<Message>, started: &SyncSender<Result<Handle, Failure>>) -> Followed {
    let mut followed = Followed::default();
    let trace = match Trace::start(options) {
        Ok(trace) => trace,
        Err(error) => {
            let _ = started.send(Err(failed(&error)));
            return followed;
        }
    };
    if started.send(Ok(trace.handle())).is_err() {
        return followed;
    }
    for one in trace {
        let Some(message) = followed.take(one) else { continue };
        if told.send(Message::Lab { play: Play::default(), message }).is_err() {
            return followed;
        }
    }
    if followed.status.is_none() && followed.failure.is_none() {
        let message = Lab::Failed { message: SILENT.to_owned(), help: None };
        // Where the dashboard was left before, nobody hears it.
        let _ = told.send(Message::Lab { play: Play::default(), message });
    }
    followed
}

impl Followed {
    /// Keeps what was told, and returns it as the dashboard is told of it.
    fn take(&mut self, told: Told) -> Option<Lab> {
        Some(match told {
            Told::Run(run) => {
                self.journal = Journal::new(run.clone());
                Lab::Run(run)
            }
            Told::Event(event) if event.id.0 > MOST => {
                self.beyond += 1;
                return None;
            }
            Told::Event(event) => {
                if let Err(failure) = super::append(&mut self.journal, event.clone()) {
                    let (message, help) = (failure.message.clone(), failure.help.clone());
                    self.failure = Some(failure);
                    return Some(Lab::Failed { message, help });
                }
                Lab::Event(event)
            }
            Told::Stands(next) => Lab::Settled(next),
            Told::Root(_) => return None,
            Told::Ended(status, held_up) => {
                (self.status, self.held_up) = (Some(status), held_up);
                Lab::Finished
            }
            Told::Failed { message, help } => {
                self.failure = Some(Failure { message: message.clone(), help: help.clone() });
                Lab::Failed { message, help }
            }
        })
    }
}
