//! One thing that happened.
//!
//! A run's events stand in its journal in the order of their ids. An event says only what was seen; causes, states and
//! verdicts are drawn from the journal by `story`.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

pub use crate::decode::LinkType;
use crate::socket::call::{Call, Fd, Outcome};
use crate::socket::errno::Signal;
use crate::tcp::segment::Segment;
use crate::tcp::state::State;

mod stack;

pub use stack::{At, Language, Place, Stack};

/// An event's place in its journal, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(pub u64);

/// A packet's place in its file, from 1: the same number that Wireshark shows. 0 stands for none yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FrameNo(pub u64);

/// A connection's place in its run, from 1, in the order of first segments (or of first calls, where there are no segments).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u32);

impl FrameNo {
    /// Where the file's number begins, in bits: 2⁴⁸ packets are more than a disk holds.
    const FILE: u32 = 48;

    /// Packet `number` of the `file`th of several files, counted from 1; with 0 there is only one file.
    pub const fn in_file(file: u16, number: u64) -> Self {
        Self((file as u64) << Self::FILE | number & ((1 << Self::FILE) - 1))
    }

    /// The file, counted from 1, where there are several; else 0.
    pub const fn file(self) -> u64 {
        self.0 >> Self::FILE
    }

    /// The number in its file.
    pub const fn number(self) -> u64 {
        self.0 & ((1 << Self::FILE) - 1)
    }

    /// Hands its text to `take`: its number; with several files `FILE:NUMBER`.
    pub fn text<T>(self, take: impl FnOnce(&str) -> T) -> T {
        let mut number = itoa::Buffer::new();
        let number = number.format(self.number());
        if self.file() == 0 { take(number) } else { take(&format!("{}:{number}", self.file())) }
    }
}

impl fmt::Display for FrameNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text(|text| if self.file() == 0 { f.pad_integral(true, "", text) } else { f.pad(text) })
    }
}

impl std::str::FromStr for FrameNo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |_| format!("no packet's number: {text:?}");
        match text.split_once(':') {
            Some((file, number)) => Ok(Self::in_file(file.parse().map_err(wrong)?, number.parse().map_err(wrong)?)),
            None => text.parse().map(Self).map_err(wrong),
        }
    }
}

macro_rules! shown_as_its_number {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}
shown_as_its_number!(EventId, ConnectionId);

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z, by `CLOCK_REALTIME`, as captures have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Time(pub i64);

impl Time {
    /// Nanoseconds from `earlier` to `self`; negative if the clock went back.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Hands its text to `take`: seconds with nine decimals, as in `1795307257.490341000`.
    pub fn text<T>(self, take: impl FnOnce(&str) -> T) -> T {
        // By hand: a capture's times are printed by the million.
        let nanos = self.0.unsigned_abs();
        let mut text = *b"-0000000000.000000000";
        let (whole, fraction) = text.split_at_mut(12);
        digits(nanos / 1_000_000_000, &mut whole[1..11]);
        digits(nanos % 1_000_000_000, fraction);
        let zeros = text[1..10].iter().take_while(|digit| **digit == b'0').count();
        text[zeros] = b'-';
        let begin = zeros + usize::from(self.0 >= 0);
        take(std::str::from_utf8(&text[begin..]).unwrap_or_default())
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text(|text| f.write_str(text))
    }
}

/// Puts the last digits of `number` down, as many as there are places.
fn digits(mut number: u64, places: &mut [u8]) {
    for place in places.iter_mut().rev() {
        *place = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
}

impl std::str::FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("not a time in seconds with nine decimals: {text:?}");
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (seconds, nanos) = digits.split_once('.').ok_or_else(wrong)?;
        let numeric = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if nanos.len() != 9 || !numeric(seconds) || !numeric(nanos) {
            return Err(wrong());
        }
        let seconds: i64 = seconds.parse().map_err(|_| wrong())?;
        let nanos: i64 = nanos.parse().map_err(|_| wrong())?;
        let total = seconds.checked_mul(1_000_000_000).and_then(|whole| whole.checked_add(nanos)).ok_or_else(wrong)?;
        Ok(Self(if negative { -total } else { total }))
    }
}

/// Who made a call: `client`, `server`, or a traced process's name. Printable ASCII without spaces, never empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Actor(Arc<str>);

impl Actor {
    /// The actor called `name`; what is not printable ASCII becomes `_`.
    pub fn new(name: &str) -> Self {
        let clean: String = name.chars().map(|c| if c.is_ascii_graphic() { c } else { '_' }).collect();
        Self(if clean.is_empty() { "_".into() } else { clean.into() })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One packet as captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its place in its file.
    pub number: FrameNo,
    /// How its first bytes are to be read.
    pub link_type: LinkType,
    /// Its length on the wire in bytes.
    pub original_len: u32,
    /// Its bytes, as far as they were captured.
    pub data: Arc<[u8]>,
    /// Comments that somebody else wrote on it.
    pub comments: Vec<String>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExitStatus {
    /// It called exit with this code.
    Code(i32),
    /// This signal's default action killed it.
    Killed(Signal),
}

/// What the kernel itself said of one socket, by `sock_diag(7)`: never a stimulus, always shown beside what was inferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The socket's own address.
    pub local: SocketAddr,
    /// Its peer's.
    pub remote: SocketAddr,
    /// What the kernel holds there; `None` where it holds no socket.
    pub socket: Option<SocketSample>,
}

/// A TCP socket that an actor holds although no call of its that was seen brought it, as the kernel has it at that moment.
///
/// What the kernel says of itself is no stimulus, and this is none: it is where knowledge of this end begins, of which nothing
/// else tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The descriptor.
    pub fd: Fd,
    /// The socket's own address; `None` while it has none.
    pub local: Option<SocketAddr>,
    /// Its peer's; `None` where it is not connected.
    pub remote: Option<SocketAddr>,
    /// Its state.
    pub state: State,
    /// Bytes that arrived and were not read; of a listening socket, connections that were not accepted.
    pub unread: u32,
    /// Bytes that the program sent and the peer has not acknowledged.
    pub unacknowledged: u32,
    /// `O_NONBLOCK`.
    pub nonblocking: bool,
    /// Whether `SO_LINGER` is on with a time of 0.
    pub linger_zero: bool,
}

/// The kernel's view of one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketSample {
    /// Its state. A TIME-WAIT record with FIN-WAIT-2 as its substate is FIN-WAIT-2, as `ss` shows it.
    pub state: State,
    /// Bytes received and not yet read, `ss`'s Recv-Q; a FIN not yet read counts as one.
    pub unread: u32,
    /// Bytes written and not yet acknowledged, `ss`'s Send-Q.
    pub unacknowledged: u32,
    /// Whether no process holds it.
    pub orphan: bool,
}

/// Something that is missing or could not be understood, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// The capture lost this many frames.
    Dropped(u64),
    /// A frame that could not be decoded, and why.
    Malformed {
        /// Which.
        frame: FrameNo,
        /// Why, in lower case.
        why: String,
    },
    /// The file ended in the middle of a record.
    CutShort {
        /// How many bytes of it there were.
        bytes: u64,
    },
    /// No capture could be had, and why.
    NoCapture(String),
    /// The wait for the kernel to settle reached its bound; what was still pending.
    Unsettled(String),
    /// The wall clock was stepped by this many nanoseconds.
    ClockStep(i64),
    /// Something of a traced program that its tracer does not see or follow.
    Untraced(String),
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A segment was captured.
    Segment {
        /// The packet that carried it.
        frame: Frame,
        /// What it says.
        segment: Segment,
    },
    /// A call was begun.
    Begun(Call),
    /// A call ended.
    Ended {
        /// The event of its beginning.
        begun: EventId,
        /// What it returned.
        outcome: Outcome,
    },
    /// Where a call was made that is about to end.
    Stack(Stack),
    /// A process was started.
    Started {
        /// Its process id.
        pid: i32,
    },
    /// A process turned out to hold a socket: it had it when it came to be traced, or was handed it.
    Holds(Holding),
    /// A process ended.
    Exit(ExitStatus),
    /// The kernel's own view changed.
    Sample(Sample),
    /// Something is missing.
    Gap(Gap),
}

/// What a run was, beside its events: a scenario's or a file's name and the facts that hold for all of it, in order. Among
/// them: `kernel`, `network` (whose loopback, with which sysctls), `capture` (where from, or why none), `payload` (`all`,
/// `head` or `none`), `origin` (`reconstruction`, where it was built and not captured).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The scenario or the file.
    pub name: String,
    /// Facts as name and value; a name has no spaces, neither has control characters.
    pub facts: Vec<(String, String)>,
    /// What somebody wrote on the whole of the file that it was read from.
    pub comments: Vec<String>,
}

/// `text` with `_` for each control character: a name or a fact as a line of its own may hold it.
pub fn without_controls(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '_' } else { c }).collect()
}

impl Run {
    /// The fact called `name`.
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// What a file with this run is: built from printed numbers or written by hand, if it says so; recorded by the lab, if it
    /// names the kernel that it ran on; else somebody's capture.
    pub fn kind(&self) -> &'static str {
        match (self.fact("origin"), self.fact("kernel")) {
            (Some("reconstruction"), _) => "a reconstruction, not a recording",
            (Some("hand"), _) => "written by hand, not recorded",
            (_, Some(_)) => "a recording",
            _ if self.fact("strace").is_some() => "a capture, with the calls of a log of strace",
            _ => "a capture, without calls",
        }
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place in the journal.
    pub id: EventId,
    /// When it happened.
    pub time: Time,
    /// Whose call, start or exit it is.
    pub actor: Option<Actor>,
    /// Whether it was learnt of only after later events had been written down.
    pub late: bool,
    /// What happened.
    pub what: What,
}

impl Event {
    /// The segment and its frame, if this is one.
    pub fn segment(&self) -> Option<(&Frame, &Segment)> {
        match &self.what {
            What::Segment { frame, segment } => Some((frame, segment)),
            _ => None,
        }
    }

    /// The call, if this is its beginning.
    pub fn begun(&self) -> Option<&Call> {
        match &self.what {
            What::Begun(call) => Some(call),
            _ => None,
        }
    }

    /// The call's beginning and its outcome, if this is its end.
    pub fn ended(&self) -> Option<(EventId, &Outcome)> {
        match &self.what {
            What::Ended { begun, outcome } => Some((*begun, outcome)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back() {
        for nanos in [0, 1, 999_999_999, 1_795_307_257_490_341_000, -5, i64::MAX] {
            assert_eq!(Time(nanos).to_string().parse(), Ok(Time(nanos)));
        }
        let printed = [(0, "0.000000000"), (-5, "-0.000000005"), (10_000_000_000, "10.000000000")];
        for (nanos, text) in
            printed.into_iter().chain([(i64::MAX, "9223372036.854775807"), (i64::MIN, "-9223372036.854775808")])
        {
            assert_eq!(Time(nanos).to_string(), text);
        }
        for wrong in ["", "1", "1.5", "1.1234567890", "x.000000000", "99999999999.000000000", "1.+00000000"] {
            assert!(wrong.parse::<Time>().is_err(), "{wrong}");
        }
    }
}
