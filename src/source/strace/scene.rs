//! The records in the order of time → who did what to which socket.

mod effects;

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::calls::{Meaning, View};
use super::described::{Note, described};
use super::process::{Process, Socket};
use super::record::{Death, Record, Records};
use super::text::split;
use crate::event::{ExitStatus, Time};
use crate::socket::call::{Call, CallName, Outcome};

/// Where among the lines something happened: what is earlier at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// What comes first of one line.
    pub class: u8,
}

/// A call on sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// Whose, as a place among the processes.
    pub process: usize,
    /// When it was begun.
    pub begun: Time,
    /// Where.
    pub place: Place,
    /// The call.
    pub call: Call,
    /// Its end.
    pub end: Option<Done>,
    /// The child that it made.
    pub child: Option<usize>,
    /// The socket that it works on, or made.
    pub socket: Option<usize>,
}

/// The end of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// When.
    pub at: Time,
    /// When at the latest.
    pub until: Option<Time>,
    /// Where.
    pub place: Place,
    /// What it returned.
    pub outcome: Outcome,
}

/// A process began or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// Which.
    pub process: usize,
    /// When.
    pub at: Time,
    /// Where.
    pub place: Place,
    /// How it ended, if it did.
    pub status: Option<ExitStatus>,
}

/// All that a log tells of TCP sockets.
#[derive(Debug, Default)]
pub struct Scene {
    /// The processes.
    pub processes: Vec<Process>,
    /// The sockets.
    pub sockets: Vec<Socket>,
    /// The calls.
    pub deeds: Vec<Deed>,
    /// The beginnings and ends of processes.
    pub lives: Vec<Life>,
    /// How many calls on TCP sockets have no name here, by their own.
    pub unnamed: BTreeMap<String, u64>,
    /// How many calls were made on sockets that are older than the log.
    pub on_older: u64,
    /// How many rings of `io_uring` were set up.
    pub rings: u64,
    /// What could not be understood.
    pub complaints: Vec<String>,
    threads: HashMap<u32, usize>,
    comms: HashMap<u32, String>,
    /// The deed of each record that is one.
    deed_of: HashMap<usize, usize>,
}

/// One step through the records.
#[derive(Clone, Copy)]
enum Step {
    Forked(usize),
    Seen(u32),
    Begun(usize),
    Ended(usize),
    Died(Death),
}

impl Scene {
    /// Goes through all `records`.
    pub fn of(mut records: Records) -> Self {
        let mut scene = Self { comms: std::mem::take(&mut records.comms), ..Self::default() };
        scene.complaints = std::mem::take(&mut records.complaints);
        let steps = steps(&mut records);
        for (at, place, step) in steps {
            match step {
                Step::Forked(call) => scene.forked(call, &records.calls[call], at, place),
                Step::Seen(thread) => scene.seen(thread, at, place),
                Step::Begun(call) => scene.begun(call, &records.calls[call], place),
                Step::Ended(call) => scene.ended(call, &records.calls[call], at),
                Step::Died(death) => scene.died(death, place),
            }
        }
        scene
    }

    /// A thread that nobody was seen to make is a process of its own.
    fn seen(&mut self, thread: u32, at: Time, place: Place) {
        if !self.threads.contains_key(&thread) {
            let comm = self.comms.get(&thread).cloned();
            let process = self.add(Process::new(thread, comm), at, place);
            self.threads.insert(thread, process);
        }
    }

    fn add(&mut self, process: Process, at: Time, place: Place) -> usize {
        self.processes.push(process);
        let process = self.processes.len() - 1;
        self.lives.push(Life { process, at, place, status: None });
        process
    }

    fn begun(&mut self, index: usize, record: &Record, place: Place) {
        let Some(&process) = self.threads.get(&record.thread) else { return };
        self.notice(process, record);
        let owner = &self.processes[process];
        // Of a listener that is older, what it accepts is not.
        let accepts = record.name.starts_with("accept");
        let sockets = &self.sockets;
        let is_tcp = |fd: i32| owner.socket(fd).is_some_and(|socket| accepts || !sockets[socket].is_older);
        let view = View::new(record, &is_tcp, &owner.registered);
        match view.meaning() {
            Meaning::Aside => self.of_process(index, process, record, place),
            Meaning::Unnamed => *self.unnamed.entry(record.name.clone()).or_default() += 1,
            Meaning::Odd(why) => {
                self.complaints.push(format!("line {} is not understood: {}: {why}", record.line, record.name));
            }
            Meaning::Call(call, outcome) => {
                let socket = call.fd().and_then(|fd| owner.socket(fd.0));
                self.deed(index, process, record, place, (call, outcome), socket);
            }
        }
    }

    fn deed(
        &mut self,
        index: usize,
        process: usize,
        record: &Record,
        place: Place,
        (call, outcome): (Call, Option<Outcome>),
        socket: Option<usize>,
    ) {
        let end = record.end.as_ref().zip(outcome).map(|(end, outcome)| {
            let place = Place { line: end.line, class: ENDS };
            Done { at: end.at.max(record.begun), until: end.until, place, outcome }
        });
        self.deed_of.insert(index, self.deeds.len());
        self.deeds.push(Deed { process, begun: record.begun, place, call, end, child: None, socket });
    }

    /// execve(2) and the end of the program, of a process with sockets.
    fn of_process(&mut self, index: usize, process: usize, record: &Record, place: Place) {
        let owner = &self.processes[process];
        let first = record.args.split(',').next().and_then(described).and_then(|one| owner.socket(one.fd));
        if first.is_some_and(|socket| self.sockets[socket].is_older) {
            self.on_older += 1;
        }
        self.rings += u64::from(record.name == "io_uring_setup");
        let ends = record.name == "exit_group" || record.name == "exit" && owner.threads.len() <= 1;
        let args = split(&record.args);
        let told = if ends {
            let code = args.first().and_then(|code| super::text::number(code)).unwrap_or(0);
            Some((Call::new(CallName::Exit, vec![crate::socket::call::Arg::Int(code)]), None))
        } else if record.name.starts_with("execve") && owner.has_sockets() {
            effects::execve(record, &args)
        } else {
            None
        };
        if let Some(told) = told {
            self.deed(index, process, record, place, told, None);
        }
    }

    /// What the descriptions behind a call's descriptors say.
    fn notice(&mut self, process: usize, record: &Record) {
        for one in split(&record.args).into_iter().filter_map(described) {
            if let Some(note) = one.note {
                self.described(process, one.fd, note);
            }
        }
        for one in record.args.split("fd=").skip(1).filter_map(|rest| described(rest.split(',').next()?)) {
            if let Some(note) = one.note {
                self.described(process, one.fd, note);
            }
        }
    }

    fn described(&mut self, process: usize, fd: i32, note: Note) {
        let known = self.processes[process].socket(fd);
        match (note, known) {
            (Note::Other, Some(_)) => self.processes[process].close(fd),
            (Note::Tcp { .. }, Some(socket)) if self.sockets[socket].may_be(note) => {
                self.sockets[socket].notice(note);
                self.tell_own_address(socket);
            }
            (Note::Tcp { .. }, _) => {
                let socket = self.add_socket(Socket { is_older: true, ..Socket::default() });
                self.sockets[socket].notice(note);
                self.processes[process].open_before(fd, socket);
            }
            _ => {}
        }
    }

    fn add_socket(&mut self, socket: Socket) -> usize {
        self.sockets.push(socket);
        self.sockets.len() - 1
    }

    fn died(&mut self, death: Death, place: Place) {
        let Some(process) = self.threads.remove(&death.thread) else { return };
        let owner = &mut self.processes[process];
        owner.threads.remove(&death.thread);
        if owner.threads.is_empty() {
            self.lives.push(Life { process, at: death.at, place, status: Some(death.status) });
        }
    }
}

/// What comes first of one line: the child is there before it is seen, and it is seen before it calls.
const FORKS: u8 = 0;
const SEEN: u8 = 1;
const BEGINS: u8 = 2;
const ENDS: u8 = 3;

/// The steps in order of time, and at the same time in that of the lines.
fn steps(records: &mut Records) -> Vec<(Time, Place, Step)> {
    let mut seen: HashMap<u32, VecDeque<(Time, usize)>> = HashMap::new();
    for (thread, at, line) in &records.first_seen {
        seen.entry(*thread).or_default().push_back((*at, *line));
    }
    let mut steps = Vec::new();
    for (index, call) in records.calls.iter_mut().enumerate() {
        steps.push((call.begun, Place { line: call.line, class: BEGINS }, Step::Begun(index)));
        let forks = effects::forks(&call.name);
        let Some(end) = &mut call.end else { continue };
        let mut place = Place { line: end.line, class: if forks { FORKS } else { ENDS } };
        if forks {
            let child = end.returned.value.and_then(|value| u32::try_from(value).ok());
            let seen = child.and_then(|child| seen.get_mut(&child));
            // A child may be seen before its parent's call returns: it was there by then.
            if let Some((at, line)) = seen.and_then(|seen| next_from(seen, call.begun))
                && (at, line) < (end.at, end.line)
            {
                (end.at, place.line) = (at, line);
                end.line = line;
            }
        }
        let step = if forks { Step::Forked(index) } else { Step::Ended(index) };
        steps.push((end.at, place, step));
    }
    for (thread, at, line) in &records.first_seen {
        steps.push((*at, Place { line: *line, class: SEEN }, Step::Seen(*thread)));
    }
    for death in &records.deaths {
        steps.push((death.at, Place { line: death.line, class: ENDS }, Step::Died(*death)));
    }
    steps.sort_by_key(|(at, place, _)| (*at, *place));
    steps
}

/// The first time from `begun` on that a thread of this number was seen; earlier ones were others' of the same number.
fn next_from(seen: &mut VecDeque<(Time, usize)>, begun: Time) -> Option<(Time, usize)> {
    while seen.front().is_some_and(|(at, _)| *at < begun) {
        seen.pop_front();
    }
    seen.pop_front()
}
