//! The lines of a scenario's script, in the transcript's own notation.
//!
//! ```text
//! server  accept(3) …                          begins and waits; its result comes further down
//! client  connect(3, 127.0.0.1:2222) = 0       a call and what it returns; values not written are not compared
//!         C > S  S   0:0(0)                    the segments seen until all has settled after the line above
//!         [C > S  .  1:1(0) ack 1]             in brackets: may be absent
//! server  accept … = 4                         the result of the call that waited
//! ? client  send(3, "hello", 5, 0) = *         ?: a telling call; = *: whatever it returns
//! client  close(3) = 0  race                   go on at once, without settling
//! client  killed by SIGPIPE                    the actor's end; any other signal is sent to it by the lab
//! server  exit(0)                              the actor ends by itself
//! server  fork() = worker                      the child is the actor of that name, with copies of all descriptors
//! ```

use self::order::{Order, Wrong};
use super::action;
use crate::event::{Actor, ExitStatus};
use crate::notation::{self, ParseError, SegmentText};
use crate::socket::call::{Call, CallName, Outcome};
use crate::socket::errno::Signal;

mod descriptors;
mod order;
mod possible;

/// One line that says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The line of the scenario's file. Of an exit that follows from the script's end, the last line.
    pub line: usize,
    /// The column in which what is expected stands, from 1: a call's result, else what is done or seen.
    pub column: usize,
    /// The line as written, without comment and margin.
    pub text: String,
    /// Whether it is not written, but follows from the script's end.
    pub implied: bool,
    /// What it says.
    pub kind: StepKind,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// An actor makes a call.
    Call {
        /// Who.
        actor: Actor,
        /// Which.
        call: Call,
        /// What is to come of it.
        expect: Expect,
        /// Whether the lesson hangs on it.
        telling: bool,
        /// Whether to go on without settling.
        race: bool,
    },
    /// A call that waited returns.
    Returns {
        /// Whose.
        actor: Actor,
        /// Which.
        name: CallName,
        /// With what.
        result: Returned,
    },
    /// An actor ends.
    Ends {
        /// Which.
        actor: Actor,
        /// How.
        status: ExitStatus,
    },
    /// A segment is seen.
    Segment {
        /// Which.
        text: SegmentText,
        /// Whether it may be absent.
        optional: bool,
    },
}

/// What is to come of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// It returns.
    Returns(Returned),
    /// It waits for something that comes later.
    Waits,
    /// It does not return, because it ends the process.
    Ends(ExitStatus),
}

/// What a call is to return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Returned {
    /// Whatever.
    Anything,
    /// This; without values, whichever.
    Outcome(Outcome),
    /// A new process, which is this actor from then on.
    Child(Actor),
}

impl Step {
    /// The call, if the line makes one.
    pub const fn call(&self) -> Option<&Call> {
        match &self.kind {
            StepKind::Call { call, .. } => Some(call),
            _ => None,
        }
    }

    /// Whether the line makes a call after which the lab does not settle.
    pub const fn races(&self) -> bool {
        matches!(self.kind, StepKind::Call { race: true, .. })
    }

    /// Whether the line makes a call that the lesson hangs on.
    pub const fn is_telling(&self) -> bool {
        matches!(self.kind, StepKind::Call { telling: true, .. })
    }

    /// The segment, if the line is one.
    pub const fn segment(&self) -> Option<(&SegmentText, bool)> {
        match &self.kind {
            StepKind::Segment { text, optional } => Some((text, *optional)),
            _ => None,
        }
    }
}

/// What is wrong with a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// The line of the file, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

/// Reads `script`, whose first line is number `first_line` of its file. The exits that follow from its end are added.
pub fn parse(script: &str, first_line: usize, actors: &[Actor]) -> Result<Vec<Step>, ScriptError> {
    let mut steps = Vec::new();
    let mut order = Order::new(actors);
    for (number, line) in (first_line..).zip(script.lines()) {
        let content = without_comment(line).trim_end();
        let text = content.trim_start();
        if text.is_empty() {
            continue;
        }
        let margin = content.len() - text.len();
        let column = |byte: usize| line.get(..margin + byte).unwrap_or(line).chars().count() + 1;
        let wrong = |error: ParseError| ScriptError {
            line: number,
            column: column(error.column),
            message: format!("expected {}", error.expected),
        };
        let (kind, expects) = parse_line(text, actors).map_err(wrong)?;
        order.check(&kind).map_err(|wrong| match wrong {
            Wrong::Line(message) => ScriptError { line: number, column: column(0), message },
            Wrong::Expectation(instead) => {
                ScriptError { line: number, column: column(expects), message: format!("expected {instead}") }
            }
        })?;
        steps.push(Step { line: number, column: column(expects), text: text.to_owned(), implied: false, kind });
    }
    let last = steps.last().map_or(first_line, |step| step.line);
    let implied = |(text, kind)| Step { line: last, column: 1, text, implied: true, kind };
    steps.extend(order.ending().into_iter().map(implied));
    Ok(steps)
}

/// The lines whose calls go at once where the first of `steps`, which makes one, is let go: those that race, and the one
/// behind them.
pub fn at_once(steps: &[Step]) -> Vec<&Step> {
    let calls = || steps.iter().filter(|step| step.call().is_some());
    let racing = calls().take_while(|step| step.races()).count();
    calls().take(racing + 1).collect()
}

/// The line up to a `#` that does not stand in quotes.
fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '#' if !quoted => return line.get(..at).unwrap_or(line),
            _ => {}
        }
    }
    line
}

/// Something expected at a byte of the line.
fn expected<T>(column: usize, expected: impl Into<String>) -> Result<T, ParseError> {
    Err(ParseError { column, expected: expected.into() })
}

/// Where `part`, which is a piece of `line`, begins in it.
const fn column_of(line: &str, part: &str) -> usize {
    line.len() - part.len()
}

/// What a line says, and at which byte of it stands what it expects.
fn parse_line(line: &str, actors: &[Actor]) -> Result<(StepKind, usize), ParseError> {
    if let Some(inner) = line.strip_prefix('[') {
        let Some(inner) = inner.strip_suffix(']') else { return expected(line.len(), "`]` at the line's end") };
        let kind = segment(inner, true).map_err(|error| ParseError { column: error.column + 1, ..error })?;
        return Ok((kind, 0));
    }
    let (telling, rest) = line.strip_prefix('?').map_or((false, line), |rest| (true, rest.trim_start()));
    let word = rest.split(' ').next().unwrap_or(rest);
    let Some(actor) = actors.iter().find(|actor| actor.name() == word) else {
        if !telling && line.contains(" > ") && line.starts_with(['C', 'S']) {
            return segment(line, false).map(|kind| (kind, 0));
        }
        let names: Vec<&str> = actors.iter().map(Actor::name).collect();
        return expected(column_of(line, rest), format!("an actor ({}), a segment, or nothing", names.join(" or ")));
    };
    let deed = rest.get(word.len()..).unwrap_or("").trim_start();
    let offset = column_of(line, deed);
    let read = match deed.strip_prefix("killed by ") {
        Some(signal) => killed(signal, actor).map(|kind| (kind, 0)),
        None => call_or_return(deed, actor, telling),
    };
    read.map(|(kind, expects)| (kind, expects + offset))
        .map_err(|error| ParseError { column: error.column + offset, ..error })
}

fn segment(text: &str, optional: bool) -> Result<StepKind, ParseError> {
    let (segment, rest) = notation::parse_segment(text)?;
    if !rest.trim().is_empty() {
        return expected(column_of(text, rest), "the end of the segment");
    }
    possible::segment(&segment).or_else(|instead| expected(flags_at(text), instead))?;
    Ok(StepKind::Segment { text: segment, optional })
}

/// Where the flags stand in a segment's line: behind the second of its ends.
fn flags_at(text: &str) -> usize {
    let behind = text.split_once("> ").map_or(text, |(_, behind)| behind).trim_start();
    column_of(text, behind.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).trim_start())
}

fn killed(signal: &str, actor: &Actor) -> Result<StepKind, ParseError> {
    let column = "killed by ".len();
    let signal: Signal = signal.trim().parse().or_else(|_| expected(column, "the name of a signal"))?;
    if !signal.is_deadly() {
        return expected(column, "a signal that ends a process");
    }
    Ok(StepKind::Ends { actor: actor.clone(), status: ExitStatus::Killed(signal) })
}

/// `name(…) = …`, `name(…) …` or `name … = …`.
fn call_or_return(deed: &str, actor: &Actor, telling: bool) -> Result<(StepKind, usize), ParseError> {
    let name_len = deed.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(deed.len());
    let (name, rest) = deed.split_at(name_len);
    if let Some(after) = strip_dots(rest.trim_start()) {
        let name: CallName = name.parse().or_else(|_| expected(0, "the name of a call that epipe knows"))?;
        let result = after.trim_start();
        let expects = column_of(deed, result);
        let result = returned(result).map_err(|error| ParseError { column: error.column + expects, ..error })?;
        return Ok((StepKind::Returns { actor: actor.clone(), name, result }, expects));
    }
    let (call, rest) = notation::parse_call(deed)?;
    action::Action::of(&call).or_else(|what| expected(0, what))?;
    let offset = column_of(deed, rest.trim_start());
    let (rest, race) = rest.trim().strip_suffix("race").map_or((rest.trim(), false), |rest| (rest.trim_end(), true));
    let expect = expectation(&call, rest).map_err(|error| ParseError { column: error.column + offset, ..error })?;
    // A call of which nothing is written that it returns is itself what is expected.
    let expects = if rest.is_empty() { 0 } else { offset };
    Ok((StepKind::Call { actor: actor.clone(), call, expect, telling, race }, expects))
}

fn strip_dots(text: &str) -> Option<&str> {
    text.strip_prefix('…').or_else(|| text.strip_prefix("..."))
}

fn expectation(call: &Call, rest: &str) -> Result<Expect, ParseError> {
    match (call.name, rest) {
        (CallName::Exit, "") => {
            let code = call.int(0).and_then(|code| i32::try_from(code).ok()).unwrap_or(0);
            Ok(Expect::Ends(ExitStatus::Code(code)))
        }
        (CallName::Exit, _) => expected(0, "nothing: exit does not return"),
        (CallName::Nanosleep, "") => Ok(Expect::Returns(Returned::Outcome(Outcome::success(0)))),
        (_, "…" | "...") => Ok(Expect::Waits),
        (CallName::Fork, _) => child(rest).map(Expect::Returns),
        _ => returned(rest).map(Expect::Returns),
    }
}

/// What fork(2) is to return: the actor that the child is.
fn child(text: &str) -> Result<Returned, ParseError> {
    let name = text.strip_prefix('=').map(str::trim).filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
    match name {
        Some(name) => Ok(Returned::Child(Actor::new(name))),
        None => expected(0, "`=` and the actor that the child is"),
    }
}

fn returned(text: &str) -> Result<Returned, ParseError> {
    if text.strip_prefix('=').is_some_and(|rest| rest.trim() == "*") {
        return Ok(Returned::Anything);
    }
    if !text.starts_with('=') {
        return expected(0, "`=` and what the call returns, or `…` where it waits");
    }
    let (outcome, rest) = notation::parse_outcome(text)?;
    if !rest.trim().is_empty() {
        return expected(column_of(text, rest), "the end of the line");
    }
    Ok(Returned::Outcome(outcome))
}

#[cfg(test)]
mod tests;
