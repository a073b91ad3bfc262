//! Calls and frames in one order.

use std::collections::HashMap;

use super::clock::{Offset, PRINTING, offset};
use super::matched::{EndOf, matched};
use super::process::Socket;
use super::scene::{Deed, Place, Scene};
use super::wire::{Flow, flows};
use crate::event::{Actor, Event, EventId, Time, What, without_controls};
use crate::socket::call::{Arg, Call, CallName, Outcome};
use crate::socket::errno::Errno;
use crate::source::file::Recording;

/// Puts all that `scene` tells into `recording`; what there is to say of it.
pub fn join(scene: &mut Scene, name: &str, recording: &mut Recording) -> Vec<String> {
    scene.deeds.sort_by_key(|deed| (deed.begun, deed.place));
    let flows = flows(&recording.events);
    let ends = matched(scene, &flows);
    let offset = offset(scene, &flows, &ends);
    shift(scene, offset.nanos);
    not_before_what_they_tell(scene, &flows, &ends);
    let actors: Vec<Option<Actor>> =
        scene.processes.iter().map(|one| one.had_sockets.then(|| Actor::new(&clean(&one.name())))).collect();
    let told = told(scene, &actors);
    let calls = told.iter().filter(|one| matches!(one.what, Happened::Begun(..))).count();
    let processes = actors.iter().flatten().count();
    merge(recording, told);
    let file = name.rsplit('/').next().unwrap_or(name);
    let facts = &mut recording.run.facts;
    facts.push(("strace".to_owned(), without_controls(&format!("{file}, {calls} calls of {processes} processes"))));
    facts.push(("clock-offset".to_owned(), offset.fact()));
    said(offset, calls)
}

fn said(offset: Offset, calls: usize) -> Vec<String> {
    if calls == 0 {
        return vec!["no call in it is on a TCP socket".to_owned()];
    }
    if offset.is_worth_telling() { vec![format!("clock offset {}", offset.fact())] } else { Vec::new() }
}

/// A program's name as a word of the notation.
fn clean(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':');
    name.chars().map(|c| if fits(c) { c } else { '_' }).collect()
}

fn shift(scene: &mut Scene, nanos: i64) {
    let shifted = |time: &mut Time| time.0 = time.0.saturating_add(nanos);
    for deed in &mut scene.deeds {
        shifted(&mut deed.begun);
        if let Some(end) = &mut deed.end {
            shifted(&mut end.at);
            end.until.iter_mut().for_each(shifted);
        }
    }
    scene.lives.iter_mut().for_each(|life| shifted(&mut life.at));
}

/// How long a call took is counted from when its beginning was printed, so that it ended later than the log has it: at the
/// earliest when the segment was there that it tells of.
fn not_before_what_they_tell(scene: &mut Scene, flows: &[Flow], ends: &HashMap<usize, EndOf>) {
    let mut moved = Moved::default();
    let sockets = &scene.sockets;
    for deed in &mut scene.deeds {
        if let Some(at) = reached_listener(deed, sockets, flows) {
            move_end(deed, at, true);
        }
        let Some((socket, &(place, side))) = deed.socket.and_then(|socket| Some((socket, ends.get(&socket)?))) else {
            continue;
        };
        let Some((told, is_caused)) = moved.tells_of(deed, &flows[place], (socket, side)) else { continue };
        move_end(deed, told, is_caused);
    }
}

/// Moves the end of `deed` to `at` where it can lie there. What a call causes may also have been sent after it, and what woke it
/// may have come before: `only_near` then.
fn move_end(deed: &mut Deed, at: Time, only_near: bool) {
    let Some(end) = &mut deed.end else { return };
    let printed = Time(end.at.0.saturating_add(PRINTING));
    let latest = end.until.unwrap_or(printed);
    let latest = if only_near { latest.min(printed) } else { latest };
    if end.at < at && at <= latest {
        end.at = at;
    }
}

/// When the connection was there for which a poll of a listener returned.
fn reached_listener(deed: &Deed, sockets: &[Socket], flows: &[Flow]) -> Option<Time> {
    let end = deed.end.as_ref().filter(|end| end.outcome.ret > 0)?;
    let listener = sockets.get(deed.socket?).filter(|socket| socket.remote.is_none())?.local?;
    if !is_poll(deed) {
        return None;
    }
    let reaches = |flow: &&Flow| {
        flow.server.port() == listener.port() && (listener.ip().is_unspecified() || listener.ip() == flow.server.ip())
    };
    let opened: Vec<Time> = flows.iter().filter(reaches).filter_map(|flow| flow.opened).collect();
    // One that came while it waited is the one.
    let came_before = opened.iter().any(|at| (deed.begun..=end.at).contains(at));
    opened.into_iter().filter(|at| !came_before && *at > end.at).min()
}

fn is_poll(deed: &Deed) -> bool {
    matches!(deed.call.name, CallName::Poll | CallName::Select) && deed.call.args.len() <= 3
}

/// How many bytes each socket has read and sent so far.
#[derive(Default)]
struct Moved {
    read: HashMap<usize, u64>,
    sent: HashMap<usize, u64>,
}

impl Moved {
    /// When the segment was seen that the outcome of `deed` tells of, or that it caused; and whether it caused it.
    fn tells_of(&mut self, deed: &Deed, flow: &Flow, (socket, side): (usize, usize)) -> Option<(Time, bool)> {
        let outcome = &deed.end.as_ref()?.outcome;
        let (own, peer) = (&flow.streams[side], &flow.streams[1 - side]);
        let told = |at: Option<Time>| at.map(|at| (at, false));
        let caused = |at: Option<Time>| at.map(|at| (at, true));
        match (outcome.errno, deed.call.name) {
            (Some(Errno::ECONNRESET | Errno::EPIPE | Errno::ECONNREFUSED), _) => told(peer.reset),
            (Some(Errno::EINPROGRESS), CallName::Connect) => caused(flow.syn),
            (None, CallName::Connect) => told(flow.answered),
            (None, CallName::Close | CallName::Shutdown) => caused(own.fin.into_iter().chain(own.reset).min()),
            (None, _) if is_poll(deed) && outcome.ret > 0 => {
                let read = self.read.get(&socket).copied().unwrap_or(0);
                let end = deed.end.as_ref()?.at;
                caused([peer.sent(read), peer.fin, peer.reset].into_iter().flatten().min().filter(|at| *at > end))
            }
            (None, name) if name.accepts() => told(flow.opened),
            (None, name) if name.sends() => {
                let before = advance(self.sent.entry(socket).or_default(), outcome.count()?);
                caused(own.sent(before))
            }
            (None, name) if name.receives() && !deed.call.has_flag("MSG_PEEK") => {
                let count = outcome.count()?;
                let before = advance(self.read.entry(socket).or_default(), count);
                told(if count == 0 { peer.fin } else { peer.sent((before + count).saturating_sub(1)) })
            }
            _ => None,
        }
    }
}

/// Counts `more` bytes; how many there were before.
fn advance(count: &mut u64, more: u64) -> u64 {
    let before = *count;
    *count = before.saturating_add(more).min(u64::MAX / 2);
    before
}

/// One thing that the log tells.
struct Told {
    at: Time,
    place: Place,
    actor: Actor,
    what: Happened,
}

enum Happened {
    /// The deed of this place began.
    Begun(usize, Call),
    /// It ended.
    Ended(usize, Outcome),
    /// Anything else.
    Other(What),
}

/// Everything that processes with TCP sockets did, in order.
fn told(scene: &Scene, actors: &[Option<Actor>]) -> Vec<Told> {
    let mut told = Vec::new();
    for (index, deed) in scene.deeds.iter().enumerate() {
        let Some(actor) = actors.get(deed.process).cloned().flatten() else { continue };
        let what = Happened::Begun(index, deed.call.clone());
        told.push(Told { at: deed.begun, place: deed.place, actor: actor.clone(), what });
        if let Some(end) = &deed.end {
            let child = deed.child.and_then(|child| actors.get(child)?.as_ref());
            let mut outcome = end.outcome.clone();
            outcome.values.extend(child.map(|child| Arg::Word(child.name().to_owned())));
            told.push(Told { at: end.at, place: end.place, actor, what: Happened::Ended(index, outcome) });
        }
    }
    for life in &scene.lives {
        let Some(actor) = actors.get(life.process).cloned().flatten() else { continue };
        let pid = scene.processes[life.process].pid;
        let what = match life.status {
            Some(status) => What::Exit(status),
            None => What::Started { pid: i32::try_from(pid).unwrap_or(i32::MAX) },
        };
        told.push(Told { at: life.at, place: life.place, actor, what: Happened::Other(what) });
    }
    told.sort_by_key(|one| (one.at, one.place));
    told
}

/// Puts `told` among the events of `recording`: at the same time a call begins before a frame, and ends behind it.
fn merge(recording: &mut Recording, told: Vec<Told>) {
    let mut keys: Vec<(Time, bool)> =
        told.iter().map(|one| (one.at, !matches!(one.what, Happened::Begun(..)))).collect();
    // What comes earlier in the log stays earlier, also where a beginning of the same time follows.
    for index in (1..keys.len()).rev() {
        keys[index - 1] = keys[index - 1].min(keys[index]);
    }
    let frames = std::mem::take(&mut recording.events);
    let mut merged = Merged::default();
    let mut told = told.into_iter().zip(keys).peekable();
    for frame in frames {
        while let Some((one, _)) = told.next_if(|(_, key)| *key < (frame.time, true)) {
            merged.told(one);
        }
        merged.event(frame);
    }
    told.for_each(|(one, _)| merged.told(one));
    recording.events = merged.events;
}

/// Events with rising ids.
#[derive(Default)]
struct Merged {
    events: Vec<Event>,
    /// The ids of the log's calls that were begun, by their places.
    begun: HashMap<usize, EventId>,
    /// New ids of the capture's own events.
    renamed: HashMap<EventId, EventId>,
}

impl Merged {
    fn next(&self) -> EventId {
        EventId(self.events.len() as u64 + 1)
    }

    fn event(&mut self, mut event: Event) {
        let old = std::mem::replace(&mut event.id, self.next());
        self.renamed.insert(old, event.id);
        if let What::Ended { begun, .. } = &mut event.what {
            *begun = self.renamed.get(begun).copied().unwrap_or(*begun);
        }
        self.events.push(event);
    }

    fn told(&mut self, told: Told) {
        let id = self.next();
        let what = match told.what {
            Happened::Begun(deed, call) => {
                self.begun.insert(deed, id);
                What::Begun(call)
            }
            Happened::Ended(deed, outcome) => {
                let Some(begun) = self.begun.remove(&deed) else { return };
                What::Ended { begun, outcome }
            }
            Happened::Other(what) => what,
        };
        self.events.push(Event { id, time: told.at, actor: Some(told.actor), late: false, what });
    }
}
