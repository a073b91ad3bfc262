//! `epipe run`: a program of anybody's, its calls beside its segments.

mod held;
mod leaving;
mod printed;
mod signals;

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use super::{Ending, Failure, dashboard, output, save};
use crate::cli::{Common, Format, Payload, Run};
use crate::event::{Event, ExitStatus};
use crate::report::{failures, payload, summary};
use crate::socket::errno::Errno;
use crate::source::lab::message::Command;
use crate::source::trace::{Options, Told, Trace, TraceFailure, Wanted};
use crate::story::Story;
use crate::story::journal::Journal;
use crate::tui::held::Breaks;

/// How many events are kept: a story of more is read by nobody, and takes a gigabyte.
const MOST: u64 = 1_000_000;

/// What is said where the stage has ended before its last word.
const SILENT: &str = "the tracing process ended without a word";

/// Runs the program that `run` names, tells its story once it has ended, and ends as it did.
pub fn run(run: &Run, common: &Common) -> Result<Ending, Failure> {
    let only = only(run)?;
    let breaks = breaks(run)?;
    check(run, common)?;
    if breaks.is_some() && in_dashboard(run, common) {
        return held::run(run, breaks.unwrap_or_default(), common);
    }
    let traced = trace(run, breaks.as_ref())?;
    tell_on_stderr(&traced.journal, traced.beyond, traced.held_up);
    let story = Story::tell(traced.journal);
    if let Some(path) = &run.write {
        save::save(&story, path, Some(run.payload), &[])?;
    }
    if story.connections().is_empty() && story.journal().events().is_empty() {
        eprintln!("epipe: the program {} no TCP socket", if run.pid.is_empty() { "made" } else { "has" });
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

/// Where the program is to be held; `None` for nowhere.
fn breaks(run: &Run) -> Result<Option<Breaks>, Failure> {
    let mut breaks = Breaks::default();
    for name in run.breaks.iter().map(|name| name.trim()) {
        match (name.parse(), name.parse()) {
            (Ok(stop), _) => breaks.calls.push(stop),
            (_, Ok(errno)) => breaks.errors.push(errno),
            (Err(error), Err(_)) => {
                return Err(Failure::new(format!("cannot read --break: {error}, and no error"))
                    .help("name calls as their man pages do, or errors as errno(3) does: send,close,EPIPE"));
            }
        }
    }
    Ok((run.hold || !run.breaks.is_empty()).then_some(breaks))
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

/// What the tracer is asked for.
fn options(run: &Run, breaks: Option<&Breaks>) -> Options {
    let kept = match run.payload {
        Payload::None => 0,
        Payload::Head => payload::HEAD,
        Payload::All => usize::MAX,
    };
    // What is foretold is known here alone, so that for an error every call has to be held.
    let stops = |breaks: &Breaks| if breaks.errors.is_empty() { breaks.calls.clone() } else { Vec::new() };
    Options {
        command: run.command.clone(),
        attach: run.pid.clone(),
        kept,
        host: run.host || !run.pid.is_empty(),
        hold: breaks.map(stops),
        stacks: stacks(run),
        standard: None,
        program: PathBuf::from("/proc/self/exe"),
    }
}

fn failed(error: &TraceFailure) -> Failure {
    Failure { message: error.to_string(), help: error.help() }
}

/// Runs the program to its end. Where it is held each call goes by itself, once all has settled.
fn trace(run: &Run, breaks: Option<&Breaks>) -> Result<Traced, Failure> {
    let trace = Trace::start(options(run, breaks)).map_err(|error| failed(&error))?;
    // Later than the start: the program inherits what is blocked.
    if !run.pid.is_empty() {
        return leaving::follow(trace);
    }
    let forwarder = signals::Forwarder::start().map_err(|error| Failure::new(error.to_string()))?;
    let traced = listen(trace, |pid| forwarder.to(pid))?;
    forwarder.stop();
    Ok(traced)
}

/// Takes down what `trace` tells, and tells `begins` when the process of that number is followed.
fn listen(trace: Trace, begins: impl Fn(i32)) -> Result<Traced, Failure> {
    let (mut journal, mut beyond) = (Journal::default(), 0);
    let handle = trace.handle();
    for told in trace {
        match told {
            Told::Run(run) => journal = Journal::new(run),
            Told::Root(pid) => begins(pid),
            Told::Stands(next) => next.into_iter().for_each(|_| handle.command(Command::Go)),
            Told::Event(event) if event.id.0 > MOST => beyond += 1,
            Told::Event(event) => append(&mut journal, event)?,
            Told::Ended(status, held_up) => return Ok(Traced { journal, status, beyond, held_up }),
            Told::Failed { message, help } => return Err(Failure { message, help }),
        }
    }
    Err(Failure::new(SILENT))
}

/// Of which calls the stacks are taken.
fn stacks(run: &Run) -> Option<Wanted> {
    let names = run.only.iter().map(|name| name.trim().to_owned()).collect();
    let wanted = if run.only.is_empty() { Wanted::Telling } else { Wanted::Failed(names) };
    run.stack.then_some(wanted)
}

fn append(journal: &mut Journal, event: Event) -> Result<(), Failure> {
    journal.append(event).map_err(|error| Failure::new(format!("cannot keep what the tracer tells: {error}")))
}

/// Says what the story does not have: events `beyond` the most that are kept, segments; and how often the program was
/// `held_up`.
fn tell_on_stderr(journal: &Journal, beyond: u64, held_up: u64) {
    if beyond > 0 {
        eprintln!("epipe: the story has the first {MOST} events; {beyond} more came after them");
    }
    let run = journal.run();
    if let Some(why) = run.fact("capture").and_then(|fact| fact.strip_prefix("none: ")) {
        eprintln!("epipe: the story has no segments: {why}");
        run.fact("remedy").into_iter().for_each(|help| eprintln!("help: {help}"));
    }
    if held_up > 0 {
        eprintln!("epipe: {held_up} times the program had to wait until its calls were taken down");
    }
}

/// Tells the story: in a terminal in the dashboard, else in a file or on stderr, for stdout is the program's that was started.
fn show(story: Story, run: &Run, only: &[Errno], common: &Common) -> Result<(), Failure> {
    if in_dashboard(run, common) {
        let title = story.journal().run().name.clone();
        return dashboard::show(title, story, common).map(|_| ());
    }
    let written = to(run, common, |out| match () {
        () if run.summary => summary::write(&story, out),
        () if !run.only.is_empty() => failures::write(&story, only, out),
        () => output::print(&story, "a traced run", common.format.unwrap_or(Format::Ladder), out),
    });
    // The process ends now, and its memory with it: to give back a million events one by one takes a while.
    std::mem::forget(story);
    written
}

/// Whether the story is shown in the dashboard: where that was asked for, or in a terminal where nothing else was.
fn in_dashboard(run: &Run, common: &Common) -> bool {
    let in_part = run.summary || !run.only.is_empty();
    let terminal = || io::stdin().is_terminal() && io::stdout().is_terminal();
    let wanted = common.format.map_or_else(terminal, |format| format == Format::Dashboard);
    !in_part && wanted && common.output.is_none()
}

/// Hands `write` the file that was named, else stderr; stdout where it is no program's.
fn to(run: &Run, common: &Common, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    if common.output.is_some() || !run.pid.is_empty() {
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
