//! What one draw shows of a story: its rows, and everything about the row under the cursor.

use crate::event::{Frame, FrameNo, Run};
use crate::socket::call::{Arg, Call};
use crate::story::rows::{Number, Row, Wire};
use crate::story::side::Both;
use crate::story::telling::{Next, Standing, Verdict, Why};
use crate::tcp::state::State;

/// Everything that one draw needs of a story.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// The run's name: `broken-pipe`.
    pub name: String,
    /// What happens in it, in a few words, or the question that it answers; left out where it does not fit.
    pub about: String,
    /// The ladder.
    pub lines: Vec<Line>,
    /// What is known of the row under the cursor.
    pub moment: Moment,
    /// How each connection ended that has.
    pub verdicts: Vec<Verdict>,
    /// All frames so far, those without a row among them.
    pub total: u64,
    /// Frames that the capture lost.
    pub lost: u64,
    /// Whether there is no capture.
    pub blind: bool,
    /// What the run was, in the user's words: a label and the fact.
    pub facts: Vec<(&'static str, String)>,
}

/// One row with what the wide layout shows beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The row.
    pub row: Row,
    /// Nanoseconds since the run's first event.
    pub since_start: Option<i64>,
    /// Both ends' states just after it.
    pub states: Option<Both<State>>,
    /// Whether a call stands in it.
    pub has_call: bool,
}

/// Everything about one row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Both ends just after it.
    pub standing: Option<Both<Standing>>,
    /// Why it is as it is.
    pub why: Option<Why>,
    /// What each call would return next.
    pub next: Option<Next>,
    /// The packet of its segment.
    pub frame: Option<Frame>,
}

impl Line {
    /// The last frame that the row stands for.
    pub fn last_frame(&self) -> Option<FrameNo> {
        let own = match self.row.number {
            Number::Frame(frame) | Number::Frames(_, frame) => Some(frame),
            Number::Dot | Number::Blank => None,
        };
        let answer = match &self.row.wire {
            Wire::Arrow { acknowledged_by, .. } => *acknowledged_by,
            _ => None,
        };
        own.max(answer)
    }

    /// Whether its segment was sent before: the rows call such a one `again`.
    pub fn is_again(&self) -> bool {
        matches!(&self.row.wire, Wire::Arrow { label, .. } if label.split(' ').any(|word| word == "again"))
    }
}

impl Scene {
    /// How many frames the first `rows` rows stand for.
    pub fn frames(&self, rows: usize) -> u64 {
        self.lines.iter().take(rows).filter_map(Line::last_frame).max().map_or(0, |frame| frame.0)
    }

    /// The line at the top right: `live · 8 frames`, counted over the first `rows` rows.
    pub fn mode(&self, kind: &str, rows: usize) -> String {
        if self.blind {
            return format!("{kind} · no capture, calls only (Tab: why)");
        }
        let all = if rows < self.lines.len() { 0 } else { self.total };
        let frames = self.frames(rows).max(all);
        let plural = if frames == 1 { "" } else { "s" };
        let lost = match self.lost {
            0 => String::new(),
            1 => " · 1 frame missed by the capture".to_owned(),
            lost => format!(" · {lost} frames missed by the capture"),
        };
        let again = self.lines.iter().take(rows).filter(|line| line.is_again()).count();
        let again = if again > 0 { format!(" · {again} again") } else { String::new() };
        format!("{kind} · {frames} frame{plural}{lost}{again}")
    }

    /// The row's place in which `event` of the cursor's chain of causes stands, for each of the chain.
    pub fn causes(&self) -> Vec<usize> {
        let chain = self.moment.why.as_ref().map(|why| why.chain.as_slice()).unwrap_or_default();
        let holds = |line: &Line| line.row.events.iter().any(|event| chain.contains(event));
        self.lines.iter().enumerate().filter(|(_, line)| holds(line)).map(|(index, _)| index).collect()
    }
}

/// The facts that hold for all of `run`, in the user's words: whose loopback, with which kernel, where the segments come from
/// or why there are none and how to get them, and what was kept of the data.
pub fn facts(run: &Run) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let mut known = vec![("network", "network"), ("system", "kernel"), ("capture", "capture"), ("remedy", "remedy")];
    if run.fact("capture").is_some_and(|capture| capture.starts_with("none")) {
        // What is missing comes first.
        known.rotate_left(2);
    }
    for (label, name) in known {
        // The lab's own setting: without it a repeat may be a probe that no timer asked for.
        let fact =
            run.fact(name).map(|value| value.replace("tcp_early_retrans=0", "tcp_early_retrans=0 (no loss probes)"));
        facts.extend(fact.map(|fact| (label, fact)));
    }
    let payload = match run.fact("payload") {
        Some("all") => Some("all bytes of each call are kept"),
        Some("head") => Some("of each call's bytes the first are kept"),
        Some("none") => Some("no bytes of the calls are kept"),
        other => other,
    };
    facts.extend(payload.map(|words| ("payload", words.to_owned())));
    facts
}

/// A call in words, before it was made: `send("hello")`, `shutdown(SHUT_WR)`; without its descriptor and lengths.
pub fn call_words(call: &Call) -> String {
    let data = call.payload().map(|payload| {
        let text: String =
            payload.bytes.iter().take(16).flat_map(|byte| std::ascii::escape_default(*byte)).map(char::from).collect();
        format!("\"{text}{}\"", if payload.cut || payload.bytes.len() > 16 { "…" } else { "" })
    });
    let words = call.args.iter().filter_map(|arg| match arg {
        Arg::Word(word) => Some(word.clone()),
        Arg::Addr(addr) => Some(addr.to_string()),
        Arg::Int(_) | Arg::Bytes(_) => None,
    });
    let args: Vec<String> = data.into_iter().chain(words).filter(|word| word != "0").collect();
    format!("{}({})", call.name, args.join(", "))
}
