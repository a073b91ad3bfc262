//! A storm's process: plays the sequences of the seeds that it is told, and tells how they went.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::bench::{Bench, BenchError};
use super::count::Count;
use super::run::run;
use super::sequence::{self, name};
use super::shrink::shrink;
use crate::notation;
use crate::source::lab::action::Disposition;
use crate::source::lab::actor::close_inherited;
use crate::source::lab::kernel;
use crate::source::lab::perform;
use crate::source::live::Tap;
use crate::source::sandbox;

/// What a worker is told, as a line of JSON: to play the sequences of these seeds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    /// The first seed.
    pub seed: u64,
    /// How many seeds from there on.
    pub sequences: u64,
    /// Which of the CPUs to stay on, by its place among those allowed, which are counted round.
    pub cpu: usize,
}

/// What a worker tells, as a line of JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Told {
    /// The task is done.
    Done(Count),
    /// The model and the kernel part.
    Found(Found),
    /// It could not be done.
    Failed {
        /// The operation and the object, in lower case.
        message: String,
        /// What the user can do.
        help: Option<String>,
    },
}

/// A disagreement, in the shortest sequence that shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The seed of the sequence in which it was found.
    pub seed: u64,
    /// The calls, each with its program and what it came to, as a scenario has them. The last is the one.
    pub lines: Vec<[String; 3]>,
    /// What the model said of the last.
    pub said: String,
    /// Why it said so.
    pub why: String,
    /// What happened.
    pub was: String,
}

/// Serves until its standard input ends.
pub fn take_part() -> ExitCode {
    close_inherited();
    let told = serve().unwrap_or_else(|error| {
        let help = error.downcast_ref::<sandbox::SandboxError>().and_then(sandbox::SandboxError::help);
        Told::Failed { message: error.to_string(), help }
    });
    if tell(&told).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

type AnyError = Box<dyn std::error::Error>;

fn serve() -> Result<Told, AnyError> {
    set_pdeathsig(Signal::SIGKILL)?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let task: Task = serde_json::from_str(&line)?;
    stay_on(task.cpu)?;
    sandbox::enter()?;
    sandbox::enter_small()?;
    perform::dispose_pipe_signal(Disposition::Counted)?;
    play(&task)
}

fn play(task: &Task) -> Result<Told, AnyError> {
    let mut count = Count { kernel: kernel::name(), ..Count::default() };
    let mut bench = bench(&mut count)?;
    for seed in task.seed..task.seed.saturating_add(task.sequences) {
        let steps = sequence::random(seed);
        count.sequences += 1;
        if let Some(found) = run(&mut bench, &steps, &mut count)? {
            let (steps, found) = shrink(&mut bench, steps, found)?;
            let lines = steps
                .iter()
                .zip(&found.outcomes)
                .map(|(step, outcome)| [name(step.program).to_owned(), notation::call(&step.call), outcome.clone()]);
            let (said, why, was) = (found.said, found.why, found.was);
            return Ok(Told::Found(Found { seed, lines: lines.collect(), said, why, was }));
        }
    }
    Ok(Told::Done(count))
}

fn bench(count: &mut Count) -> Result<Bench, BenchError> {
    let tap = Tap::open();
    if let Err(error) = &tap {
        count.no_capture = Some(error.to_string());
    }
    Bench::new(tap.ok())
}

/// Stays on one CPU: what a call causes on the loopback has then been done when it returns.
fn stay_on(place: usize) -> nix::Result<()> {
    let this = Pid::from_raw(0);
    let allowed = sched_getaffinity(this)?;
    let cpus: Vec<usize> = (0..CpuSet::count()).filter(|cpu| allowed.is_set(*cpu).unwrap_or(false)).collect();
    let Some(cpu) = cpus.get(place % cpus.len().max(1)) else { return Ok(()) };
    let mut only = CpuSet::new();
    only.set(*cpu)?;
    sched_setaffinity(this, &only)
}

fn tell(told: &Told) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, told)?;
    out.write_all(b"\n")?;
    out.flush()
}
