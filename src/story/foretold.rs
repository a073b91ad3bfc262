//! What the outlook said of a call before it was made, beside what came of it.

use super::Story;
use super::journal::Journal;
use super::side::Side;
use crate::event::{Actor, Event, EventId, ExitStatus, What};
use crate::notation;
use crate::socket::call::{Arg, Call, CallName, Outcome};
use crate::socket::errno::Errno;
use crate::socket::outlook::{Answer, Returns, Socket};
use crate::tcp::segment::Segment;
use crate::tcp::state::State;

/// What was foretold of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foretold {
    /// What the outlook said just before the call.
    pub first: Answer,
    /// Where that was that the call waits, or where something that arrived overtook it: what it said just before the call
    /// returned.
    pub then: Option<Answer>,
    /// Whether it came so; `None` where the call has not returned.
    pub held: Option<bool>,
}

impl Foretold {
    /// In words: `EPIPE+SIGPIPE`, `waits, then 5`.
    pub fn text(&self) -> String {
        match self.then {
            None => self.first.to_string(),
            Some(then) => format!("{}, then {then}", self.first),
        }
    }

    /// The answer that counts.
    pub fn last(&self) -> &Answer {
        self.then.as_ref().unwrap_or(&self.first)
    }
}

/// What is foretold of a call that has not been made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ahead {
    /// The end whose socket it works on.
    pub side: Option<Side>,
    /// What it will come to; `None` where the outlook does not know the call, or the story not its socket.
    pub answer: Option<Answer>,
}

/// What the outlook says of `call` if `actor` made it now.
pub fn ahead(story: &Story, actor: &Actor, call: &Call) -> Ahead {
    let (side, asked) = story.track.would_meet(actor, call);
    let asked = asked.filter(|_| story.dark_from.is_none());
    let answer = asked.and_then(|asked| asked.socket.answer(call, asked.target)).filter(|answer| is_sure(call, answer));
    Ahead { side, answer }
}

/// What was foretold of the call that began with the event `begun`; `None` where the outlook does not know the call, or the
/// story not its socket.
pub fn foretold(story: &Story, begun: &Event) -> Option<Foretold> {
    let call = begun.begun().filter(|_| !is_in_the_dark(story, begun))?;
    let asked = |id: EventId| story.record(id)?.asked;
    let first = asked(begun.id)?;
    let listens = first.socket.state == State::Listen;
    let first = first.socket.answer(call, first.target).filter(|answer| is_sure(call, answer))?;
    let end = story.end_of(begun.id);
    let later = end.and_then(asked).and_then(|then| then.socket.answer(call, then.target));
    let side = story.record(begun.id).and_then(|record| record.side);
    let unseen = listens || story.is_blind() || is_in_doubt(story, begun);
    let came = happened(story, begun, call, side);
    let judged = |then| {
        let foretold = Foretold { first, then, held: None };
        let came = came.as_ref().filter(|came| !came.is_beyond(&foretold, call, story.is_blind()));
        Foretold { held: came.map(|came| came.is(foretold, call, unseen)), ..foretold }
    };
    let waits = first.returns == Returns::Waits;
    let told = judged(later.filter(|_| waits));
    if told.held != Some(false) {
        return Some(told);
    }
    // Others moved on while it was on its way: the kernel has seen one of the moments between.
    let between: Vec<Answer> = moments(story, begun, side).filter_map(|socket| socket.answer(call, None)).collect();
    let last = later.filter(|_| waits || !between.is_empty());
    let answers = last.into_iter().chain(between).map(Some).chain(waits.then_some(None));
    answers.map(judged).find(|other| other.held == Some(true)).or(Some(told))
}

/// The call's socket as it was at each moment between the call's beginning and its end at which something of the peer's came,
/// or another call did something: a program that is traced stands still for a while before its call is made, and after it.
fn moments<'a>(story: &'a Story, begun: &Event, side: Option<Side>) -> impl Iterator<Item = Socket> + 'a {
    let connection = story.record(begun.id).and_then(|record| record.connection);
    let until = story.end_of(begun.id).filter(|_| connection.is_some()).unwrap_or(begun.id);
    after(story, begun.id).take_while(move |event| event.id < until).filter_map(move |event| {
        let record = story.record(event.id).filter(|record| record.connection == connection)?;
        let is_others = event.segment().is_none() || record.side != side;
        is_others.then_some(record.ends[side?].socket)
    })
}

/// The longest send, in bytes, that is sure to find room: less than the smallest buffer that a program can ask for. How much
/// of a longer one is taken before it has to wait, the outlook does not say.
const ROOM: u64 = 8192;

/// Whether room does not matter, or is there.
fn is_sure(call: &Call, answer: &Answer) -> bool {
    has_room(call) || matches!(answer.returns, Returns::Fails(_))
}

fn has_room(call: &Call) -> bool {
    !call.name.sends() || call.asked_len().is_none_or(|asked| asked <= ROOM)
}

/// Whether it is left open which of its end's segments are the call's, or none are seen: the socket is of another network.
fn is_in_doubt(story: &Story, begun: &Event) -> bool {
    let end = story.record(begun.id).and_then(|record| Some((story.connection(record.connection?)?, record.side?)));
    end.is_some_and(|(connection, side)| {
        connection.origins[side].is_some_and(|origin| origin.is_in_doubt() || connection.frames.is_none())
    })
}

/// Whether nobody saw what arrived, and an earlier call leaves the calls alone not telling it.
fn is_in_the_dark(story: &Story, begun: &Event) -> bool {
    story.dark_from.is_some_and(|dark| dark < begun.id)
}

/// The first call of a run without a capture after which the calls alone do not tell what arrives: a filter drops it, a small
/// buffer lets only a part through, a send waits with a part of it sent, or the peer is another host, a while away, or another
/// program, as a socket's may be that was there before.
pub fn dark_from(journal: &Journal) -> Option<EventId> {
    let darkens = |call: &Call| {
        call.has_flag("SO_ATTACH_FILTER") || call.has_flag("SO_RCVBUF") || !has_room(call) || goes_far(call)
    };
    let mut events = journal.events().iter();
    events.find(|event| event.begun().is_some_and(darkens) || is_another_ones(event)).map(|event| event.id)
}

/// Whether it tells of a connection whose other end may be anybody's.
fn is_another_ones(event: &Event) -> bool {
    matches!(&event.what, What::Holds(holding) if holding.remote.is_some())
}

fn goes_far(call: &Call) -> bool {
    let is_far = |arg: &Arg| matches!(arg, Arg::Addr(addr) if !addr.ip().is_loopback());
    call.name == CallName::Connect && call.args.iter().any(is_far)
}

/// What a call came to.
struct Came<'a> {
    /// Another process acted before it returned.
    waited: bool,
    /// What it returned; `None` where SIGPIPE killed the process meanwhile, which only EPIPE brings.
    outcome: Option<&'a Outcome>,
    sigpipe: bool,
    /// Bytes before it were not acknowledged yet when it was made, behind which its own may have to wait.
    queued: bool,
    /// The segments of this end that it caused, mere acknowledgements apart.
    sent: Vec<&'a Segment>,
}

impl Came<'_> {
    fn is(&self, foretold: Foretold, call: &Call, unseen: bool) -> bool {
        let said = foretold.last();
        let returned = match self.outcome {
            Some(outcome) => returns(said, call, outcome),
            None => said.returns == Returns::Fails(Errno::EPIPE),
        };
        // Without a capture what was sent is not known, nor whether the FIN of a process that was killed came before its end
        // was told. What a listener sends is in the name of those that it has not accepted.
        // Calls that overlap, in a race, may look like one that waited for the other.
        let waited = foretold.first.returns != Returns::Waits || said.returns == Returns::Waits || self.waited;
        let seen = waited && self.sent_as(said.sends);
        returned && self.sigpipe == said.signal.is_some() && (unseen || seen)
    }
}

impl Came<'_> {
    /// Whether it came of what the outlook does not follow: a time-out of the kernel's, a buffer without room, or what nobody
    /// saw without a capture.
    fn is_beyond(&self, foretold: &Foretold, call: &Call, blind: bool) -> bool {
        let Some(outcome) = self.outcome else { return false };
        let short = call.name.sends() && outcome.errno.is_none() && outcome.count() < call.asked_len();
        match foretold.last().returns {
            Returns::Waits => blind || outcome.errno == Some(Errno::ETIMEDOUT),
            Returns::Asked => short || outcome.errno == Some(Errno::EAGAIN),
            _ => false,
        }
    }

    /// Whether it sent what `said` names. One segment may carry a FIN and data.
    fn sent_as(&self, said: Option<&str>) -> bool {
        let is = |segment: &&Segment| match said {
            Some("SYN") => segment.flags.opens(),
            Some("RST") => segment.flags.rst(),
            Some("FIN") => segment.flags.fin(),
            _ => segment.payload_len > 0,
        };
        match said {
            None => self.sent.is_empty(),
            // What is not full waits for that (RFC 9293 §3.7.4), and what finds no window waits too.
            Some(_) if self.sent.is_empty() => said == Some("DATA") && self.queued,
            Some(_) => self.sent.iter().any(is),
        }
    }
}

/// Whether `outcome` is what `said` says of `call`.
fn returns(said: &Answer, call: &Call, outcome: &Outcome) -> bool {
    let count = outcome.count();
    match said.returns {
        Returns::Zero => count == Some(0),
        Returns::Asked => count.is_some() && count == call.asked_len(),
        Returns::Bytes(bytes) => count == Some(bytes),
        Returns::Descriptor => count.is_some(),
        Returns::Ready(ready) if call.name == CallName::Poll => {
            let words: Vec<String> = ready.words().iter().map(|word| format!("POLL{word}")).collect();
            // Linux sets these with POLLIN and POLLOUT, and means the same (poll(2)).
            let is_same = |word: &&str| !matches!(*word, "POLLRDNORM" | "POLLWRNORM");
            outcome.word().is_some_and(|came| came.split('|').filter(is_same).eq(words.iter().map(String::as_str)))
        }
        Returns::Ready(_) => count == Some(1),
        Returns::Error(error) => {
            let value = error.map_or(Arg::Int(0), |errno| Arg::Word(errno.to_string()));
            notation::outcome(outcome) == notation::outcome(&Outcome::success(0).with(value))
        }
        Returns::Fails(errno) => outcome.errno == Some(errno),
        // Only its own time-out can have ended it.
        Returns::Waits => count == Some(0) && matches!(call.name, CallName::Poll | CallName::Select),
    }
}

fn happened<'a>(story: &'a Story, begun: &Event, call: &Call, side: Option<Side>) -> Option<Came<'a>> {
    let sent: Vec<&Segment> = story.segments_of(begun.id).iter().filter_map(|id| sent(story, *id)).collect();
    let end = story.end_of(begun.id);
    let Some((_, Some(outcome))) = end.and_then(|_| story.call(begun.id)) else {
        let killed = is_killed_by_sigpipe(story, begun);
        return killed.then_some(Came { waited: false, outcome: None, sigpipe: true, queued: false, sent });
    };
    let sigpipe = outcome.signal.is_some() || (call.name.sends() && found_pending(story, begun));
    let queued = is_queued(story, begun);
    Some(Came { waited: waited(story, begun, side), outcome: Some(outcome), sigpipe, queued, sent })
}

fn is_queued(story: &Story, begun: &Event) -> bool {
    let end = story.record(begun.id).and_then(|record| Some(&record.ends[record.side?]));
    end.is_some_and(|end| end.tcp.snd_una.is_before(end.tcp.snd_nxt))
}

fn is_killed_by_sigpipe(story: &Story, begun: &Event) -> bool {
    story
        .journal()
        .events()
        .iter()
        .filter(|event| event.actor == begun.actor)
        .any(|event| matches!(event.what, What::Exit(ExitStatus::Killed(signal)) if signal.to_string() == "SIGPIPE"))
}

/// The events behind `id`. Ids count from 1, without a gap.
fn after(story: &Story, id: EventId) -> impl Iterator<Item = &Event> {
    story.journal().events().iter().skip(usize::try_from(id.0).unwrap_or(usize::MAX))
}

/// Whether something else had to happen before the call returned: another process made a call, or the peer sent something.
fn waited(story: &Story, begun: &Event, side: Option<Side>) -> bool {
    let Some(end) = story.end_of(begun.id) else { return true };
    let reads = begun.begun().is_some_and(|call| call.name.receives());
    let meanwhile = || after(story, begun.id).take_while(|event| event.id < end);
    // Its own kernel gave the connection up.
    if reads && meanwhile().filter_map(Event::segment).any(|(_, segment)| segment.flags.rst()) {
        return true;
    }
    let of = |id: EventId| story.record(id).map(|record| (record.connection, record.side));
    let own = of(begun.id).filter(|_| side.is_some());
    let is_own = |event: &Event| own.is_some() && of(event.id) == own;
    // What comes after an ACK that the read sent is what the opened window brought about; a read that found nothing opened none.
    let found = story.record(begun.id).and_then(|record| record.asked).is_some_and(|asked| asked.socket.unread > 0);
    let opens_window = |event: &&Event| reads && found && event.segment().is_some() && is_own(event);
    meanwhile().take_while(|event| !opens_window(event)).any(|event| match &event.what {
        // Who waits in a call begins none: it is another process's, or another thread's.
        What::Begun(_) => true,
        What::Segment { segment, .. } => {
            let wakes = segment.flags.fin() || segment.flags.rst() || segment.payload_len > 0;
            wakes && !is_own(event)
        }
        _ => false,
    })
}

/// Whether the SIGPIPE that a failed call raised was held back by the process's mask, and found by sigpending(2) next.
fn found_pending(story: &Story, begun: &Event) -> bool {
    let own = |event: &&Event| event.actor == begun.actor && event.begun().is_some();
    let next = after(story, begun.id).find(own);
    next.and_then(|next| story.call(next.id)).is_some_and(|(call, outcome)| {
        call.name == CallName::Sigpending && outcome.is_some_and(|outcome| outcome.word() == Some("SIGPIPE"))
    })
}

fn sent(story: &Story, id: EventId) -> Option<&Segment> {
    let (_, segment) = story.journal().get(id)?.segment()?;
    let flags = segment.flags;
    (flags.opens() || flags.rst() || flags.fin() || segment.payload_len > 0).then_some(segment)
}
