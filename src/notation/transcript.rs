//! The lines of a transcript: its title, its connections, and one line an event, or one for both events of a call.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use super::call::{outcome, scan_call, scan_outcome};
use super::event::{event_text, scan_what};
use super::scan::{ParseError, Scan};
use super::segment::{SegmentText, parse_segment};
use crate::event::{Actor, EventId, Time, What};
use crate::socket::call::{Call, Outcome};
use crate::tcp::seq::SeqNum;

/// The first line: `# epipe transcript 1   broken-pipe   start 1795307257.490341000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title {
    /// The run's name.
    pub name: String,
    /// When the times count from.
    pub start: Time,
}

impl Title {
    /// What the first line of every transcript of any version begins with.
    pub const MARK: &str = "# epipe transcript ";

    /// The version of this grammar.
    pub const VERSION: &str = "1";

    /// The version that a first line names; `None` where it is no transcript's.
    pub fn version(line: &str) -> Option<&str> {
        line.strip_prefix(Self::MARK)?.split(' ').next()
    }
}

impl fmt::Display for Title {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}   {}   start {}", Self::MARK, Self::VERSION, self.name, self.start)
    }
}

impl FromStr for Title {
    type Err = ParseError;

    fn from_str(line: &str) -> Result<Self, ParseError> {
        const START: &str = " start ";
        let mut scan = Scan::new(line);
        scan.require(Self::MARK)?;
        scan.require(Self::VERSION)?;
        let name_len = scan.rest().rfind(START).map_or_else(|| scan.wrong("a name, `start` and a time"), Ok)?;
        let name = scan.rest().get(..name_len).unwrap_or("").trim().to_owned();
        scan.advance(name_len + START.len());
        let start = scan.parse("a time in seconds with nine decimals")?;
        scan.end()?;
        Ok(Self { name, start })
    }
}

/// A connection's line: `# connection 1: client 127.0.0.1:47414 isn 225088828, server 127.0.0.1:2222 isn 3298188613`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionText {
    /// Its number, from 1.
    pub number: u32,
    /// The client's address, and what its numbers count from; `None` where nothing was seen of it: they count from 0.
    pub client: (SocketAddr, Option<SeqNum>),
    /// The server's.
    pub server: (SocketAddr, Option<SeqNum>),
}

impl ConnectionText {
    /// What the line begins with.
    pub const MARK: &str = "# connection ";
}

impl fmt::Display for ConnectionText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |(addr, isn): (SocketAddr, Option<SeqNum>)| {
            isn.map_or_else(|| addr.to_string(), |isn| format!("{addr} isn {}", isn.get()))
        };
        write!(f, "{}{}: client {}, server {}", Self::MARK, self.number, end(self.client), end(self.server))
    }
}

impl FromStr for ConnectionText {
    type Err = ParseError;

    fn from_str(line: &str) -> Result<Self, ParseError> {
        let mut scan = Scan::new(line);
        scan.require(Self::MARK)?;
        let number = scan.number("a connection's number")?;
        scan.require(": client ")?;
        let client = scan_end(&mut scan)?;
        scan.require(", server ")?;
        let server = scan_end(&mut scan)?;
        scan.end()?;
        Ok(Self { number, client, server })
    }
}

fn scan_end(scan: &mut Scan<'_>) -> Result<(SocketAddr, Option<SeqNum>), ParseError> {
    let start = *scan;
    let addr = scan.take_while(|c| !matches!(c, ' ' | ','));
    let addr = addr.parse().or_else(|_| start.wrong("an address with its port"))?;
    let isn = if scan.take(" isn ") { Some(SeqNum::new(scan.number("a sequence number")?)) } else { None };
    Ok((addr, isn))
}

/// When an event was: `0.000041000`, and where times alone do not give its place, `0.000041000#12` or `0.000041000#12,late`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Nanoseconds since the transcript's start.
    pub since: Time,
    /// Its place in the journal.
    pub id: Option<EventId>,
    /// Whether it was learnt of late.
    pub late: bool,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.since)?;
        if let Some(id) = self.id {
            write!(f, "#{id}")?;
        }
        f.write_str(if self.late { ",late" } else { "" })
    }
}

fn scan_moment(scan: &mut Scan<'_>) -> Result<Moment, ParseError> {
    let start = *scan;
    let digits = scan.take_while(|c| c.is_ascii_digit() || matches!(c, '.' | '-'));
    let seconds = digits.split("..").next().unwrap_or(digits);
    *scan = start;
    scan.advance(seconds.len());
    let since = seconds.parse().or_else(|_| start.wrong("seconds with nine decimals"))?;
    let id = if scan.take("#") { Some(EventId(scan.number("an event's number")?)) } else { None };
    Ok(Moment { since, id, late: scan.take(",late") })
}

/// A line of a transcript that is input, without what stands behind `;`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TranscriptLine {
    /// When it was, or began.
    pub at: Moment,
    /// What it was.
    pub deed: Deed,
}

/// What one line of a transcript says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A segment, in relative numbers.
    Segment(SegmentText),
    /// A call that ended.
    Call {
        /// Whose.
        actor: Option<Actor>,
        /// Which.
        call: Call,
        /// When it ended.
        end: Moment,
        /// What it returned.
        outcome: Outcome,
    },
    /// Anything else; of a call, that it began.
    Event {
        /// Whose.
        actor: Option<Actor>,
        /// What.
        what: What,
    },
}

impl fmt::Display for TranscriptLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |actor: &Option<Actor>| actor.as_ref().map_or("-", Actor::name).to_owned();
        let at = &self.at;
        match &self.deed {
            Deed::Segment(text) => write!(f, "+{at}          {text}"),
            Deed::Call { actor, call, end, outcome: ended } => {
                write!(f, "+{at}..{end}  {}  {} {}", name(actor), super::call(call), outcome(ended))
            }
            Deed::Event { actor, what } => {
                let text = event_text(what).unwrap_or_default();
                match what {
                    What::Sample(_) | What::Gap(_) if actor.is_none() => write!(f, "+{at}  {text}"),
                    _ => write!(f, "+{at}  {}  {text}", name(actor)),
                }
            }
        }
    }
}

impl FromStr for TranscriptLine {
    type Err = ParseError;

    fn from_str(line: &str) -> Result<Self, ParseError> {
        let mut scan = Scan::new(line);
        scan.require("+")?;
        let at = scan_moment(&mut scan)?;
        let end = if scan.take("..") { Some(scan_moment(&mut scan)?) } else { None };
        let behind_time = scan;
        scan.require(" ")?;
        scan.skip_spaces();
        let deed = scan_deed(&mut scan, end)?;
        scan.skip_spaces();
        if !scan.rest().is_empty() && !scan.rest().starts_with(';') {
            return scan.wrong("the end of the line, or `;`");
        }
        if end.is_some() && !matches!(deed, Deed::Call { .. }) {
            return behind_time.wrong("one time: only a call that ended has two");
        }
        Ok(Self { at, deed })
    }
}

fn scan_deed(scan: &mut Scan<'_>, end: Option<Moment>) -> Result<Deed, ParseError> {
    if is_segment(scan.rest()) {
        return scan.with(parse_segment).map(Deed::Segment);
    }
    if let Some(what) = nobodys(scan) {
        return Ok(Deed::Event { actor: None, what });
    }
    let actor = scan.word("an actor, a segment, or what happened")?;
    let actor = (actor != "-").then(|| Actor::new(actor));
    let Some(end) = end else { return scan_what_of_transcript(scan).map(|what| Deed::Event { actor, what }) };
    let call = scan_call(scan)?;
    scan.skip_spaces();
    let outcome = scan_outcome(scan)?;
    Ok(Deed::Call { actor, call, end, outcome })
}

/// Whether a segment comes next: `C > S` or `S2 > C2`. An actor may be called `C`, but does nothing that begins with `>`.
fn is_segment(text: &str) -> bool {
    let rest = text.strip_prefix(['C', 'S']).map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    rest.is_some_and(|rest| rest.trim_start().starts_with('>'))
}

/// What is nobody's doing, and so stands without an actor. An actor may have such a name, so it counts only if all of it can
/// be read.
fn nobodys(scan: &mut Scan<'_>) -> Option<What> {
    let mut ahead = *scan;
    let what = scan_what(&mut ahead).ok()?;
    if !matches!(what, What::Sample(_) | What::Gap(_)) {
        return None;
    }
    *scan = ahead;
    Some(what)
}

fn scan_what_of_transcript(scan: &mut Scan<'_>) -> Result<What, ParseError> {
    let start = *scan;
    match scan_what(scan) {
        Ok(What::Ended { .. }) => start.wrong("the call itself: its end stands on the line of its beginning"),
        Err(error) if is_ended_call(start) => Err(ParseError {
            expected: "two times (`+0.000000000..0.000000001`), since this call ended".to_owned(),
            ..error
        }),
        read => read,
    }
}

fn is_ended_call(mut scan: Scan<'_>) -> bool {
    let read = scan_call(&mut scan);
    scan.skip_spaces();
    read.is_ok() && scan.peek() == Some('=')
}

/// The events of `lines` in their order, each as its line's place and whether it is the end of that line's call. Their ids
/// decide where every event has its own, else their times, and at equal times the order of the lines.
///
/// The second value is false where ids were given that cannot decide.
pub fn in_order(lines: &[TranscriptLine]) -> (Vec<(usize, bool)>, bool) {
    let moments = lines.iter().enumerate().flat_map(|(index, line)| {
        let end = match &line.deed {
            Deed::Call { end, .. } => Some((*end, index, true)),
            _ => None,
        };
        std::iter::once((line.at, index, false)).chain(end)
    });
    let mut moments: Vec<(Moment, usize, bool)> = moments.collect();
    let mut ids: Vec<EventId> = moments.iter().filter_map(|(moment, ..)| moment.id).collect();
    let given = !ids.is_empty();
    ids.sort_unstable();
    ids.dedup();
    let by_id = given && ids.len() == moments.len();
    if by_id {
        moments.sort_by_key(|(moment, ..)| moment.id);
    } else {
        moments.sort_by_key(|(moment, ..)| moment.since);
    }
    (moments.into_iter().map(|(_, index, end)| (index, end)).collect(), by_id || !given)
}
