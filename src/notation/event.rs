//! A whole event as a line: `epipe/1 <id> <connection> <actor> <time> <event>`.

use super::call::{call, outcome, scan_call, scan_outcome};
use super::holding::{holding_text, scan_holding};
use super::scan::{ParseError, Scan};
use super::stack::{scan_stack, stack};
use super::value::{quote, quoted};
use crate::event::{Actor, ConnectionId, Event, EventId, ExitStatus, FrameNo, Gap, Run, Sample, SocketSample, What};
use crate::socket::errno::Signal;

/// What every line of this notation begins with: the program and the grammar's version.
pub const MARK: &str = "epipe/1 ";

/// The longest piece in bytes: a packet comment holds 65,535 bytes, and Wireshark shows half of that without trouble.
pub const MAX_PIECE: usize = 32 * 1024;

/// The lines of what holds for a whole run.
pub fn run_lines(run: &Run) -> Vec<String> {
    let name = format!("{MARK}run {}", quote(run.name.as_bytes()));
    let facts = run.facts.iter().map(|(name, value)| format!("{MARK}fact {name} {}", quote(value.as_bytes())));
    std::iter::once(name).chain(facts).collect()
}

/// The lines of one event, none for a segment, which is a packet of its own. There are several where one would be longer
/// than [`MAX_PIECE`]: the later pieces carry the id with their own number, `12+1`, and nothing else before their text.
pub fn event_lines(event: &Event, connection: Option<ConnectionId>) -> Vec<String> {
    let Some(text) = event_text(&event.what) else { return Vec::new() };
    let connection = connection.map_or_else(|| "-".to_owned(), |id| id.to_string());
    let actor = event.actor.as_ref().map_or("-", Actor::name);
    let late = if event.late { "late " } else { "" };
    let line = format!("{MARK}{} {connection} {actor} {} {late}{text}", event.id, event.time);
    if line.len() <= MAX_PIECE {
        return vec![line];
    }
    let (first, mut rest) = line.split_at(MAX_PIECE);
    let mut lines = vec![first.to_owned()];
    while !rest.is_empty() {
        let head = format!("{MARK}{}+{} ", event.id, lines.len());
        let (piece, left) = rest.split_at(rest.len().min(MAX_PIECE - head.len()));
        lines.push(head + piece);
        rest = left;
    }
    lines
}

/// What happened, without when and by whom: `started 4711`, `send(3, "x", 1, 0) ...`. `None` for a segment, whose line says
/// where its numbers count from.
pub fn event_text(what: &What) -> Option<String> {
    Some(match what {
        What::Segment { .. } => return None,
        What::Begun(begun) => format!("{} ...", call(begun)),
        What::Ended { begun, outcome: end } => format!("... #{begun} {}", outcome(end)),
        What::Stack(of) => stack(of),
        What::Started { pid } => format!("started {pid}"),
        What::Holds(holding) => holding_text(holding),
        What::Exit(ExitStatus::Code(code)) => format!("exited {code}"),
        What::Exit(ExitStatus::Killed(signal)) => format!("killed {signal}"),
        What::Sample(sample) => sample_text(sample),
        What::Gap(gap) => gap_text(gap),
    })
}

fn sample_text(sample: &Sample) -> String {
    let ends = format!("kernel {} > {}", sample.local, sample.remote);
    match sample.socket {
        None => format!("{ends} none"),
        Some(SocketSample { state, unread, unacknowledged, orphan }) => {
            let owner = if orphan { "orphan" } else { "held" };
            format!("{ends} {state} unread {unread} unacknowledged {unacknowledged} {owner}")
        }
    }
}

fn gap_text(gap: &Gap) -> String {
    match gap {
        Gap::Dropped(frames) => format!("dropped {frames}"),
        Gap::Malformed { frame, why } => format!("malformed {frame} {}", quote(why.as_bytes())),
        Gap::CutShort { bytes } => format!("cut-short {bytes}"),
        Gap::NoCapture(why) => format!("no-capture {}", quote(why.as_bytes())),
        Gap::Unsettled(what) => format!("unsettled {}", quote(what.as_bytes())),
        Gap::ClockStep(nanos) => format!("clock-step {nanos}"),
        Gap::Untraced(what) => format!("untraced {}", quote(what.as_bytes())),
    }
}

/// What one line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// The run's name.
    Run(String),
    /// A fact that holds for the whole run.
    Fact(String, String),
    /// An event, and the connection that its line names.
    Event(Event, Option<ConnectionId>),
}

/// Puts the pieces of long lines together and reads them.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    /// The line so far, whose last piece was as long as a piece may be.
    unfinished: Option<(EventId, u64, String)>,
}

impl Reader {
    /// A reader that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether `line` is of this notation at all. What is not, is somebody's own comment.
    pub fn is_ours(line: &str) -> bool {
        line.starts_with(MARK)
    }

    /// Takes one line. `None` where it is a piece whose next one is still to come. Every long line must be ended by
    /// [`Reader::finish`] or by another line.
    pub fn line(&mut self, line: &str) -> Result<Vec<Line>, ParseError> {
        let mut scan = Scan::new(line);
        scan.require(MARK.trim_end())?;
        scan.skip_spaces();
        if let Some((id, number)) = piece_number(&scan) {
            return self.piece(id, number, line).map(|()| Vec::new());
        }
        let mut lines = self.finish()?;
        if line.len() == MAX_PIECE {
            let id = EventId(scan.take_while(|c| c.is_ascii_digit()).parse().unwrap_or(0));
            self.unfinished = Some((id, 0, line.to_owned()));
        } else {
            lines.push(whole(line)?);
        }
        Ok(lines)
    }

    /// Reads the line whose pieces are in hand, if there is one: no more pieces will come.
    pub fn finish(&mut self) -> Result<Vec<Line>, ParseError> {
        self.unfinished.take().map(|(_, _, line)| whole(&line)).transpose().map(|line| line.into_iter().collect())
    }

    fn piece(&mut self, id: EventId, number: u64, line: &str) -> Result<(), ParseError> {
        let text = line.splitn(3, ' ').nth(2).unwrap_or("");
        match &mut self.unfinished {
            Some((of, last, so_far)) if *of == id && *last + 1 == number => {
                so_far.push_str(text);
                *last = number;
                Ok(())
            }
            _ => Scan::new(line).wrong(format!("the pieces of event {id} before piece {number}")),
        }
    }
}

/// The id and the number of a later piece: `12+1`.
fn piece_number(scan: &Scan<'_>) -> Option<(EventId, u64)> {
    let (id, number) = scan.rest().split(' ').next()?.split_once('+')?;
    Some((EventId(id.parse().ok()?), number.parse().ok()?))
}

fn whole(line: &str) -> Result<Line, ParseError> {
    let mut scan = Scan::new(line);
    scan.require(MARK.trim_end())?;
    scan.skip_spaces();
    if scan.take("run ") {
        return Ok(Line::Run(text(&mut scan)?));
    }
    if scan.take("fact ") {
        let name = scan.word("a fact's name")?.to_owned();
        return Ok(Line::Fact(name, text(&mut scan)?));
    }
    let id = EventId(scan.parse("an event's number")?);
    let connection = optional(&mut scan, "a connection's number or `-`")?.map(ConnectionId);
    let actor = scan.word("an actor's name or `-`")?;
    let actor = (actor != "-").then(|| Actor::new(actor));
    let time = scan.parse("a time in seconds with nine decimals")?;
    let late = scan.take("late ");
    let what = scan_what(&mut scan)?;
    scan.end()?;
    Ok(Line::Event(Event { id, time, actor, late, what }, connection))
}

fn optional<T: std::str::FromStr>(scan: &mut Scan<'_>, expected: &str) -> Result<Option<T>, ParseError> {
    if scan.take("- ") {
        return Ok(None);
    }
    scan.parse(expected).map(Some)
}

fn text(scan: &mut Scan<'_>) -> Result<String, ParseError> {
    let start = *scan;
    String::from_utf8(quoted(scan)?).or_else(|_| start.wrong("text in UTF-8"))
}

pub fn scan_what(scan: &mut Scan<'_>) -> Result<What, ParseError> {
    if scan.take("... #") {
        let begun = EventId(scan.parse("the number of the event that began the call")?);
        return Ok(What::Ended { begun, outcome: scan_outcome(scan)? });
    }
    let mut ahead = *scan;
    let what = match ahead.word("an event")? {
        "stack" => What::Stack(scan_stack(&mut ahead)?),
        "started" => What::Started { pid: ahead.parse("a process id")? },
        "holds" => What::Holds(scan_holding(&mut ahead)?),
        "exited" => What::Exit(ExitStatus::Code(ahead.parse("an exit code")?)),
        "killed" => What::Exit(ExitStatus::Killed(ahead.parse::<Signal>("a signal")?)),
        "kernel" => What::Sample(scan_sample(&mut ahead)?),
        "dropped" => What::Gap(Gap::Dropped(ahead.parse("a count of frames")?)),
        "malformed" => {
            let frame: FrameNo = ahead.parse("a frame's number")?;
            What::Gap(Gap::Malformed { frame, why: text(&mut ahead)? })
        }
        "cut-short" => What::Gap(Gap::CutShort { bytes: ahead.parse("a count of bytes")? }),
        "no-capture" => What::Gap(Gap::NoCapture(text(&mut ahead)?)),
        "unsettled" => What::Gap(Gap::Unsettled(text(&mut ahead)?)),
        "untraced" => What::Gap(Gap::Untraced(text(&mut ahead)?)),
        "clock-step" => What::Gap(Gap::ClockStep(ahead.parse("nanoseconds")?)),
        _ => {
            let begun = scan_call(scan)?;
            scan.skip_spaces();
            scan.require("...")?;
            return Ok(What::Begun(begun));
        }
    };
    *scan = ahead;
    Ok(what)
}

fn scan_sample(scan: &mut Scan<'_>) -> Result<Sample, ParseError> {
    let local = scan.parse("an address")?;
    scan.require(">")?;
    scan.skip_spaces();
    let remote = scan.parse("an address")?;
    if scan.take("none") {
        return Ok(Sample { local, remote, socket: None });
    }
    let state = scan.parse("a TCP state or `none`")?;
    scan.require("unread ")?;
    let unread = scan.parse("a count of bytes")?;
    scan.require("unacknowledged ")?;
    let unacknowledged = scan.parse("a count of bytes")?;
    let orphan = scan.take("orphan");
    if !orphan {
        scan.require("held")?;
    }
    Ok(Sample { local, remote, socket: Some(SocketSample { state, unread, unacknowledged, orphan }) })
}
