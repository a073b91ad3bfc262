//! `epipe run`: a program of anybody's, its calls beside its segments.

mod signals;

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use super::{Ending, Failure, dashboard, output, save};
use crate::cli::{Common, Format, Payload, Run};
use crate::event::{Event, ExitStatus};
use crate::report::{failures, payload, summary};
use crate::socket::errno::Errno;
use crate::source::trace::{Options, Told, Trace, TraceFailure};
use crate::story::Story;
use crate::story::journal::Journal;

/// How many events are kept: a story of more is read by nobody, and takes a gigabyte.
const MOST: u64 = 1_000_000;

/// Runs the program that `run` names, tells its story once it has ended, and ends as it did.
pub fn run(run: &Run, common: &Common) -> Result<Ending, Failure> {
    let only = only(run)?;
    check(run, common)?;
    let traced = trace(run)?;
    traced.tell_on_stderr();
    let story = Story::tell(traced.journal);
    if let Some(path) = &run.write {
        save::save(&story, path, Some(run.payload), &[])?;
    }
    if story.connections().is_empty() && story.journal().events().is_empty() {
        eprintln!("epipe: the program made no TCP socket");
    } else {
        show(story, run, &only, common)?;
    }
    Ok(signals::end_as(traced.status))
}

/// The errors that `--only` names.
fn only(run: &Run) -> Result<Vec<Errno>, Failure> {
    let errors: Result<Vec<Errno>, String> = run.only.iter().map(|name| name.trim().parse()).collect();
    errors.map_err(|error| {
        Failure::new(format!("cannot read --only: {error}")).help("name errors as errno(3) does: EPIPE,ECONNRESET")
    })
}

/// Finds what would be refused once the program has run, while it has not.
fn check(run: &Run, common: &Common) -> Result<(), Failure> {
    if common.format.is_some() && (run.summary || !run.only.is_empty()) {
        return Err(Failure::new("--only and --summary have no formats").help("leave --format out"));
    }
    common.format.map_or(Ok(()), output::refuse)?;
    let files = [run.write.as_deref(), common.output.as_deref().filter(|path| path.as_os_str() != "-")];
    for path in files.into_iter().flatten() {
        let opened = OpenOptions::new().create(true).append(true).open(path);
        opened.map_err(|error| Failure::new(format!("cannot create {:?}: {error}", path.display().to_string())))?;
    }
    Ok(())
}

/// What came of a traced run.
struct Traced {
    journal: Journal,
    status: ExitStatus,
    /// How many events were not kept.
    beyond: u64,
    held_up: u64,
}

fn trace(run: &Run) -> Result<Traced, Failure> {
    let kept = match run.payload {
        Payload::None => 0,
        Payload::Head => payload::HEAD,
        Payload::All => usize::MAX,
    };
    let program = PathBuf::from("/proc/self/exe");
    let options = Options { command: run.command.clone(), kept, host: run.host, program };
    let failed = |error: TraceFailure| Failure { message: error.to_string(), help: error.help() };
    let trace = Trace::start(options).map_err(failed)?;
    // Later than the start: the program inherits what is blocked.
    let forwarder = signals::Forwarder::start().map_err(|error| Failure::new(error.to_string()))?;
    let (mut journal, mut beyond) = (Journal::default(), 0);
    for told in trace {
        match told {
            Told::Run(run) => journal = Journal::new(run),
            Told::Root(pid) => forwarder.to(pid),
            Told::Event(event) if event.id.0 > MOST => beyond += 1,
            Told::Event(event) => append(&mut journal, event)?,
            Told::Ended(status, held_up) => {
                forwarder.stop();
                return Ok(Traced { journal, status, beyond, held_up });
            }
            Told::Failed { message, help } => return Err(Failure { message, help }),
        }
    }
    Err(Failure::new("the tracing process ended without a word"))
}

fn append(journal: &mut Journal, event: Event) -> Result<(), Failure> {
    journal.append(event).map_err(|error| Failure::new(format!("cannot keep what the tracer tells: {error}")))
}

impl Traced {
    fn tell_on_stderr(&self) {
        if self.beyond > 0 {
            eprintln!("epipe: the story has the first {MOST} events; {} more came after them", self.beyond);
        }
        let run = self.journal.run();
        if let Some(why) = run.fact("capture").and_then(|fact| fact.strip_prefix("none: ")) {
            eprintln!("epipe: the story has no segments: {why}");
            run.fact("remedy").into_iter().for_each(|help| eprintln!("help: {help}"));
        }
        if self.held_up > 0 {
            eprintln!("epipe: {} times the program had to wait until its calls were taken down", self.held_up);
        }
    }
}

/// Tells the story: in a terminal in the dashboard, else in a file or on stderr, for stdout is the program's.
fn show(story: Story, run: &Run, only: &[Errno], common: &Common) -> Result<(), Failure> {
    let in_part = run.summary || !run.only.is_empty();
    let terminal = io::stdin().is_terminal() && io::stdout().is_terminal() && common.output.is_none();
    let default = if terminal { Format::Dashboard } else { Format::Ladder };
    let format = common.format.unwrap_or(default);
    if !in_part && format == Format::Dashboard && common.output.is_none() {
        let title = story.journal().run().name.clone();
        return dashboard::show(title, story, common).map(|_| ());
    }
    let written = to(common, |out| match () {
        () if run.summary => summary::write(&story, out),
        () if in_part => failures::write(&story, only, out),
        () => output::print(&story, "a traced run", format, out),
    });
    // The process ends now, and its memory with it: to give back a million events one by one takes a while.
    std::mem::forget(story);
    written
}

/// Hands `write` the file that was named, else stderr.
fn to(common: &Common, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    if common.output.is_some() {
        return output::to(common, |out| write(out));
    }
    let mut out = io::BufWriter::new(io::stderr());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write to standard error: {error}")))
        }
        _ => Ok(()),
    }
}
