//! Random sequences of calls, on real sockets and in the model: whether the outlook is ever wrong.
//!
//! A sequence is made from its seed alone. Both programs' calls are made in one process, on one CPU and on a loopback of its
//! own, and after each of them all has to settle. Then what it returned, its error and signal, the segments that it caused
//! (mere acknowledgements apart) and the state of every end are compared with what [`crate::socket::loopback`] says. Several
//! such processes share the work.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread;

pub use self::count::Count;
pub use self::worker::{Found, take_part};
use self::worker::{Task, Told};

mod bench;
mod count;
mod run;
mod sequence;
mod shrink;
mod worker;

/// The hidden first argument of a storm's process.
pub const STORM_ARGUMENT: &str = "__storm";

/// What a storm is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many sequences.
    pub sequences: u64,
    /// The seed of the first; each has the next.
    pub seed: u64,
    /// The program whose processes play them: this one, unless a test says otherwise.
    pub program: PathBuf,
}

/// How a storm ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Every call of every sequence came as the model said.
    Calm(Count),
    /// The disagreement with the lowest seed among those that were found.
    Disagreement(Found),
}

/// Why a storm could not go on.
#[derive(Debug, thiserror::Error)]
pub enum StormError {
    /// A process could not be started, or told what to do.
    #[error("cannot start the storm's process {program:?}: {source}")]
    Start {
        /// Which program.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A process ended without a word.
    #[error("a process of the storm ended without a word")]
    Silent,
    /// A process could not do its part.
    #[error("{message}")]
    Failed {
        /// The operation and the object, in lower case.
        message: String,
        /// What the user can do.
        help: Option<String>,
    },
}

/// How many sequences a process plays before it is replaced, so that a disagreement ends the storm soon.
const TASK: u64 = 250;

/// How many processes there are for each CPU: most of the time each waits for a timer.
const WORKERS: usize = 4;

/// Plays the storm, with some processes for each CPU. `told` hears how many sequences are done.
pub fn storm(options: &Options, mut told: impl FnMut(u64)) -> Result<Weather, StormError> {
    let (sender, results) = channel();
    let workers = thread::available_parallelism().map_or(1, usize::from) * WORKERS;
    let tasks = Tasks::new(options);
    thread::scope(|scope| {
        for cpu in 0..workers {
            let (sender, tasks) = (sender.clone(), &tasks);
            scope.spawn(move || work(options, tasks, cpu, &sender));
        }
        drop(sender);
        let mut count = Count::default();
        let mut found: Option<Found> = None;
        for result in results {
            match result? {
                Told::Done(done) => {
                    count.add(&done);
                    told(count.sequences);
                }
                Told::Found(other) if found.as_ref().is_none_or(|found| other.seed < found.seed) => found = Some(other),
                Told::Found(_) => {}
                Told::Failed { message, help } => return Err(StormError::Failed { message, help }),
            }
        }
        Ok(found.map_or(Weather::Calm(count), Weather::Disagreement))
    })
}

/// What is left to do, shared by the threads that have it done.
struct Tasks {
    next: std::sync::Mutex<(u64, u64)>,
}

impl Tasks {
    fn new(options: &Options) -> Self {
        Self { next: std::sync::Mutex::new((options.seed, options.sequences)) }
    }

    fn take(&self, cpu: usize) -> Option<Task> {
        let mut next = self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (seed, left) = *next;
        let sequences = left.min(TASK);
        *next = (seed.wrapping_add(sequences), left - sequences);
        (sequences > 0).then_some(Task { seed, sequences, cpu })
    }

    /// Nothing more is to be done.
    fn stop(&self) {
        self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner).1 = 0;
    }
}

/// Has one task after another done on the CPU with this place.
fn work(options: &Options, tasks: &Tasks, cpu: usize, results: &Sender<Result<Told, StormError>>) {
    while let Some(task) = tasks.take(cpu) {
        let result = have_done(&options.program, &task);
        let goes_on = matches!(result, Ok(Told::Done(_)));
        if !goes_on {
            tasks.stop();
        }
        if results.send(result).is_err() || !goes_on {
            return;
        }
    }
}

fn have_done(program: &Path, task: &Task) -> Result<Told, StormError> {
    let wrong = |source: io::Error| StormError::Start { program: program.to_owned(), source };
    let mut child = start(program).map_err(wrong)?;
    let told = exchange(&mut child, task);
    // It has said its last word by then; what it leaves is a status that says no more.
    let _ = child.wait();
    let line = told.map_err(wrong)?;
    serde_json::from_str(&line).map_err(|_| StormError::Silent)
}

fn start(program: &Path) -> io::Result<Child> {
    Command::new(program).arg(STORM_ARGUMENT).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()
}

fn exchange(child: &mut Child, task: &Task) -> io::Result<String> {
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else { return Ok(String::new()) };
    serde_json::to_writer(&mut input, task)?;
    input.write_all(b"\n")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    Ok(line)
}
