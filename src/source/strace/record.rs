//! Lines → whole calls: what was interrupted by other threads' lines, or by a signal, put together again.

use std::collections::{HashMap, HashSet};

use super::line::{Line, Says, Wrong};
use super::returned::Returned;
use super::text::split;
use super::threads::Threads;
use super::{calls, line};
use crate::event::{ExitStatus, Time};
use crate::socket::errno::{Errno, Signal};

/// One call as the log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The line that begins it, from 1.
    pub line: usize,
    /// The thread; 0 where the log names none.
    pub thread: u32,
    /// Its system call.
    pub name: String,
    /// What stands between its parentheses.
    pub args: String,
    /// When it was begun.
    pub begun: Time,
    /// What it returned, and the line that says so; `None` where it did not return.
    pub end: Option<End>,
    /// The signal that its error raised.
    pub signal: Option<Signal>,
}

/// The end of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// When, as the log has it: how long it took is counted from when strace had printed its beginning, so that the true end
    /// lies a little later.
    pub at: Time,
    /// When it had ended at the latest: the thread's next line was written.
    pub until: Option<Time>,
    /// The line that tells it.
    pub line: usize,
    /// What it returned.
    pub returned: Returned,
}

/// The end of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Death {
    /// Its line.
    pub line: usize,
    /// The thread.
    pub thread: u32,
    /// When.
    pub at: Time,
    /// How.
    pub status: ExitStatus,
}

/// All that a log holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// The calls, in the order in which they were begun.
    pub calls: Vec<Record>,
    /// The ends of threads.
    pub deaths: Vec<Death>,
    /// When each thread was first heard of, with its line; a number that was used again has several.
    pub first_seen: Vec<(u32, Time, usize)>,
    /// What could not be understood, in the order of lines.
    pub complaints: Vec<String>,
    /// The first line whose time has no date.
    pub undated: Option<usize>,
    /// How many lines were understood.
    pub understood: usize,
    /// Names of programs that the log has beside the ids (strace -Y).
    pub comms: HashMap<u32, String>,
    /// How many calls had no time that they took (strace -T).
    pub untimed: usize,
}

/// What is pending of one thread.
#[derive(Default)]
struct Pending {
    /// The call whose end comes in another line, with its text so far; the number is its place among the calls.
    open: Option<(Piece, String)>,
    /// The call that a signal interrupted and that the kernel will make again.
    restarting: Option<usize>,
    /// The call that ended last.
    last: Option<usize>,
    /// Whether that call's end is known only from the thread's next line.
    untimed: bool,
}

/// A part of a call: its line and its time; `of` where it goes on with a call that was interrupted.
struct Piece {
    line: usize,
    at: Time,
    name: String,
    of: Option<usize>,
}

/// Reads the lines of a log.
#[derive(Default)]
pub struct Reader {
    records: Records,
    threads: Threads,
    pending: HashMap<u32, Pending>,
    alive: HashSet<u32>,
    /// A line that strace's own word cut in two.
    cut: Option<String>,
}

impl Reader {
    /// Takes line `number`.
    pub fn line(&mut self, number: usize, text: &str) {
        let joined = self.cut.take().map(|first| first + text);
        let text = joined.as_deref().unwrap_or(text);
        if let Some((before, thread)) = text.split_once("strace: Process ").and_then(attached) {
            self.threads.attached(thread);
            if !before.is_empty() {
                self.cut = Some(before.to_owned());
            }
            return;
        }
        match line::read(text) {
            Ok(Some(line)) => self.take(number, &line),
            Ok(None) => {}
            Err(Wrong::Undated) => {
                self.records.undated.get_or_insert(number);
                self.complain(number, "a time without a date");
            }
            Err(Wrong::Odd(expected)) => self.complain(number, &format!("{expected} is expected")),
        }
    }

    /// The records of all lines.
    pub fn finish(mut self) -> Records {
        self.cut_off();
        if let Some(adopted) = self.threads.of_nobody() {
            let calls = self.records.calls.iter_mut().map(|call| &mut call.thread);
            let seen = self.records.first_seen.iter_mut().map(|(thread, ..)| thread);
            calls.chain(seen).filter(|thread| **thread == 0).for_each(|thread| *thread = adopted);
        }
        self.records.calls.retain(|call| !call.name.is_empty());
        self.records
    }

    fn complain(&mut self, number: usize, why: &str) {
        self.records.complaints.push(format!("line {number} is not understood: {why}"));
    }

    fn take(&mut self, number: usize, line: &Line<'_>) {
        let thread = self.threads.thread(line.thread);
        if self.threads.of_nobody() == Some(thread) && self.alive.remove(&0) {
            let before = self.pending.remove(&0).unwrap_or_default();
            self.pending.insert(thread, before);
            self.alive.insert(thread);
        }
        self.records.understood += 1;
        if let Some(comm) = line.comm {
            self.records.comms.insert(thread, comm.to_owned());
        }
        if self.alive.insert(thread) {
            self.records.first_seen.push((thread, line.at, number));
        }
        self.bound(thread, line.at);
        match &line.says {
            Says::Call { name, rest } => {
                let piece = self.begin(number, thread, line.at, name, rest);
                self.whole(thread, piece, rest, number, None);
            }
            Says::Unfinished { name, rest } => {
                let piece = self.begin(number, thread, line.at, name, rest);
                self.pending.entry(thread).or_default().open = Some((piece, (*rest).to_owned()));
            }
            Says::Resumed { name, rest } => self.resumed(number, thread, line.at, name, rest),
            Says::Signal(signal) => self.signal(thread, signal),
            Says::Ended(status) => self.died(number, thread, line.at, *status),
            Says::Superseded(by) => self.superseded(thread, *by),
            Says::Nothing => {}
        }
    }

    /// The thread's latest call had ended by now.
    fn bound(&mut self, thread: u32, now: Time) {
        let Some(pending) = self.pending.get_mut(&thread) else { return };
        let untimed = std::mem::take(&mut pending.untimed);
        let call = pending.last.and_then(|last| self.records.calls.get_mut(last));
        if let Some(end) = call.and_then(|call| call.end.as_mut())
            && end.until.is_none()
        {
            end.until = Some(now);
            if untimed {
                end.at = end.at.max(now);
            }
        }
    }

    /// A call begins, or goes on after a signal. A thread that makes another call has its last one behind it, though its end is
    /// missing.
    fn begin(&mut self, line: usize, thread: u32, at: Time, name: &str, rest: &str) -> Piece {
        let pending = self.pending.entry(thread).or_default();
        let lost = pending.open.take();
        let of = pending.restarting.filter(|call| {
            self.records.calls.get(*call).is_some_and(|call| {
                name == "restart_syscall" || (call.name == name && first(&call.args) == first(rest))
            })
        });
        if of.is_some() {
            pending.restarting = None;
        }
        if let Some((lost, _)) = lost {
            self.records.complaints.push(format!("line {}: the end of its {}() is missing", lost.line, lost.name));
            self.forget(lost.of);
        }
        Piece { line, at, name: name.to_owned(), of }
    }

    /// Leaves out a call of which nobody can say what it returned.
    fn forget(&mut self, call: Option<usize>) {
        if let Some(call) = call.and_then(|call| self.records.calls.get_mut(call)) {
            call.name.clear();
        }
    }

    fn resumed(&mut self, number: usize, thread: u32, at: Time, name: &str, rest: &str) {
        let open = self.pending.get_mut(&thread).and_then(|pending| pending.open.take());
        let open = open.or_else(|| if name == "execve" { self.moved_exec() } else { None });
        match open {
            Some((piece, before)) if piece.name == name => {
                let whole = format!("{before}{rest}");
                self.whole(thread, piece, &whole, number, Some(at));
            }
            other => {
                if let Some(pending) = self.pending.get_mut(&thread) {
                    pending.open = other;
                }
                self.records.complaints.push(format!("line {number}: the beginning of its {name}() is missing"));
            }
        }
    }

    /// An execve(2) that a thread began which is not the first of its process: that one has its end.
    fn moved_exec(&mut self) -> Option<(Piece, String)> {
        let is_exec = |pending: &&mut Pending| pending.open.as_ref().is_some_and(|(piece, _)| piece.name == "execve");
        self.pending.values_mut().find(is_exec)?.open.take()
    }

    /// All of a call's text is there. `resumed` is when the line with its end was written, if that is another.
    fn whole(&mut self, thread: u32, piece: Piece, text: &str, line: usize, resumed: Option<Time>) {
        let (args, mut returned) = match Returned::read(text) {
            Ok(read) => read,
            Err(why) => {
                self.forget(piece.of);
                return self.complain(line, why);
            }
        };
        self.threads.made(&piece.name, &returned);
        if returned.interrupts(&piece.name) {
            return self.interrupted(thread, line, piece.at, returned);
        }
        let took = returned.took.take();
        let at = took.map_or(resumed.unwrap_or(piece.at), |took| Time(piece.at.0.saturating_add(took)));
        let restarts = returned.restarts;
        let end = returned.value.is_some().then_some(End { at, until: resumed, line, returned });
        self.records.untimed += usize::from(took.is_none() && end.is_some());
        let call = self.put(thread, piece, args, end);
        let pending = self.pending.entry(thread).or_default();
        pending.last = call;
        pending.untimed = took.is_none() && resumed.is_none();
        if restarts {
            pending.restarting = call;
        }
    }

    /// Puts a call down, or what has become of one that was interrupted; its place.
    fn put(&mut self, thread: u32, piece: Piece, args: &str, end: Option<End>) -> Option<usize> {
        if let Some(place) = piece.of {
            let call = self.records.calls.get_mut(place)?;
            call.end = end;
            if piece.name == call.name {
                args.clone_into(&mut call.args);
            }
            return Some(place);
        }
        let Piece { line, at: begun, name, .. } = piece;
        if !calls::matters(&name, args) {
            return None;
        }
        let args = args.to_owned();
        self.records.calls.push(Record { line, thread, name, args, begun, end, signal: None });
        Some(self.records.calls.len() - 1)
    }

    /// A signal's handler has returned to a call that is not made again: it fails with EINTR.
    fn interrupted(&mut self, thread: u32, line: usize, at: Time, returned: Returned) {
        let Some(pending) = self.pending.get_mut(&thread) else { return };
        if let Some(call) = pending.restarting.take().and_then(|call| self.records.calls.get_mut(call)) {
            call.end = Some(End { at, until: None, line, returned });
        }
    }

    /// SIGPIPE comes with the error of the call before it.
    fn signal(&mut self, thread: u32, signal: &str) {
        let last = self.pending.get(&thread).and_then(|pending| pending.last);
        let call = last.and_then(|last| self.records.calls.get_mut(last));
        if let (Some(call), Ok(Signal::SIGPIPE)) = (call, signal.parse())
            && call.end.as_ref().is_some_and(|end| end.returned.errno == Some(Errno::EPIPE))
        {
            call.signal = Some(Signal::SIGPIPE);
        }
    }

    /// A call that was still open when the thread ended never returned.
    fn died(&mut self, line: usize, thread: u32, at: Time, status: ExitStatus) {
        self.records.deaths.push(Death { line, thread, at, status });
        self.alive.remove(&thread);
        self.threads.died(thread);
        if let Some(Pending { open: Some((piece, text)), .. }) = self.pending.remove(&thread) {
            self.put(thread, piece, &text, None);
        }
    }

    /// The execve(2) of the thread `by` succeeded: it goes on as `thread`, the first of its process, which is gone.
    fn superseded(&mut self, thread: u32, by: u32) {
        self.pending.remove(&thread);
        self.alive.remove(&by);
        self.threads.died(by);
        if let Some(moved) = self.pending.remove(&by) {
            self.pending.insert(thread, moved);
        }
    }

    /// What was open when the log ended: calls that had not returned.
    fn cut_off(&mut self) {
        let mut open: Vec<_> =
            self.pending.drain().filter_map(|(thread, pending)| Some((thread, pending.open?))).collect();
        open.sort_by_key(|(_, (piece, _))| piece.line);
        for (thread, (piece, text)) in open {
            self.put(thread, piece, &text, None);
        }
    }
}

/// What stands before strace's own word of a thread that it follows from now on, and that thread.
fn attached<'a>((before, word): (&'a str, &str)) -> Option<(&'a str, u32)> {
    let (thread, rest) = word.trim_end().split_once(' ')?;
    let is_whole = rest == "attached" || rest.starts_with("attached with ") || rest == "detached";
    Some((before, thread.parse().ok().filter(|_| is_whole && !rest.contains('"'))?))
}

fn first(args: &str) -> Option<String> {
    split(args).first().map(|first| first.split('<').next().unwrap_or(first).to_owned())
}
