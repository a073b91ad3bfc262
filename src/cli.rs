//! What was typed.

mod run;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use run::Run;

/// Shows why a TCP connection ended as it did: which socket call caused which segment, which segment caused which error.
#[derive(Debug, Parser)]
#[command(name = "epipe", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    /// What to do; without it, the menu in a terminal, else the ladder of broken-pipe.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Options that all commands share.
    #[command(flatten)]
    pub common: Common,
}

const AFTER_HELP: &str = "\
Without a command: in a terminal the menu of scenarios, else the ladder of broken-pipe.

Exit codes: 0 done; 1 the answer is no (--check, --fail-on, why); 2 could not do it; 130 interrupted.";

/// The heading in each command's help above the options that all share.
const COMMON: &str = "Common options";

/// Options that all commands share.
#[derive(Args, Clone, Debug, Default)]
pub struct Common {
    /// How to show it [default: dashboard in a terminal, else ladder; text where many connections are explained].
    #[arg(long, global = true, value_enum, help_heading = COMMON)]
    pub format: Option<Format>,

    /// Write to FILE and not to stdout, which - is too.
    #[arg(short, long, global = true, value_name = "FILE", help_heading = COMMON)]
    pub output: Option<PathBuf>,

    /// When to use colour; `NO_COLOR` is heeded too.
    #[arg(long, global = true, value_enum, default_value_t, help_heading = COMMON)]
    pub color: Color,
}

/// The formats of a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The interactive dashboard.
    Dashboard,
    /// The dashboard's ladder in 80 columns, its whys as numbered notes.
    Ladder,
    /// One line an event, in packetdrill's notation; reads back.
    Transcript,
    /// The segments, as tcpdump prints them.
    Tcpdump,
    /// Prose: patterns, verdicts, and what is worth looking at. Only of explain, whose default it is.
    Text,
    /// One JSON object; of lab --check one a line.
    Json,
    /// A line of JSON a connection. Only of explain.
    Jsonl,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// In a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a scenario: two small programs on a private loopback, one socket call at a time.
    Lab(Lab),
    /// Run a program, whatever it is written in: its socket calls beside its segments.
    Run(Run),
    /// Show a capture (pcap, pcapng, - for stdin), with or without calls in it, or a transcript.
    Replay(Replay),
    /// Say of every connection in captures how it ended, and why.
    Explain(Explain),
    /// Say what an error message means, as a program printed it, and which scenario shows it.
    Why(Why),
    /// Print the JSON Schemas of explain's JSON, of a story's and of a check's.
    Schema(Schema),
    /// Say what this machine allows (capture, namespaces) and how to get what is missing.
    Doctor(Doctor),
}

/// Options of `epipe doctor`.
#[derive(Args, Clone, Debug, Default)]
pub struct Doctor {
    /// Print the two commands, strace and tcpdump, that record where epipe cannot run what replay --strace then joins.
    #[arg(long)]
    pub strace: bool,
}

/// Options of `epipe lab`.
#[derive(Args, Clone, Debug, Default)]
#[command(after_help = LAB_AFTER)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Lab {
    /// A scenario's name (see --list) or a scenario file.
    #[arg(value_name = "SCENARIO|FILE.toml")]
    pub scenario: Option<String>,

    /// List the scenarios, each on a line with its question.
    #[arg(long)]
    pub list: bool,

    /// Compare what happens with what the scenario expects; exit 1 if this kernel does otherwise. Without a name: all.
    #[arg(long, conflicts_with_all = ["list", "step", "quiz", "print", "write"])]
    pub check: bool,

    /// Wait for Enter before each call.
    #[arg(long)]
    pub step: bool,

    /// Ask what each telling call will return before it is made.
    #[arg(long)]
    pub quiz: bool,

    /// How fast: walk keeps the scenario's pauses, fast has none and only waits until the kernel has settled [default: walk,
    /// with --check fast].
    #[arg(long, value_enum)]
    pub pace: Option<Pace>,

    /// Play N random sequences of calls on this kernel and compare every answer with the outlook; exit 1 where it is wrong.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), conflicts_with_all = ["scenario", "list", "check", "step", "quiz", "pace", "host", "print", "write"])]
    pub storm: Option<u64>,

    /// The seed of the first sequence; each has the next [default: 1].
    #[arg(long, value_name = "SEED", requires = "storm")]
    pub seed: Option<u64>,

    /// Use the host's loopback and not a private one.
    #[arg(long)]
    pub host: bool,

    /// Print the scenario's file, to start one's own from.
    #[arg(long)]
    pub print: bool,

    /// Save the story: pcapng, with the calls as packet comments.
    #[arg(long, value_name = "FILE.pcapng")]
    pub write: Option<PathBuf>,

    /// How much data the saved story keeps, in calls and frames alike [default: all].
    #[arg(long, value_enum, requires = "write")]
    pub payload: Option<Payload>,
}

const LAB_AFTER: &str = "\
Examples:
  epipe lab broken-pipe
  epipe lab broken-pipe --print > mine.toml
  epipe lab mine.toml --check
  epipe lab --check --format json

docs/scenario.md describes the format of a scenario's file.";

/// How much of the data that was exchanged a saved story keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Payload {
    /// None of it.
    None,
    /// The first 16 bytes of each call and each segment.
    Head,
    /// Everything.
    All,
}

/// How fast a scenario runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pace {
    /// With the scenario's own pauses.
    Walk,
    /// Without pauses: only settling between calls.
    Fast,
}

/// Options of `epipe replay`.
#[derive(Args, Clone, Debug)]
#[command(after_help = REPLAY_AFTER)]
pub struct Replay {
    /// The capture or transcript; - for stdin.
    pub file: PathBuf,

    /// Join it with the log of strace -f -ttt -T -yy that was taken at the same time: the calls of the programs there.
    #[arg(long, value_name = "FILE.log")]
    pub strace: Option<PathBuf>,

    /// Only packets that match this BPF expression, as tcpdump takes it.
    #[arg(long, value_name = "BPF")]
    pub filter: Option<String>,

    /// Save the story again: pcapng, with the calls and all comments.
    #[arg(long, value_name = "FILE.pcapng")]
    pub write: Option<PathBuf>,

    /// How much data the saved story keeps, in calls and frames alike [default: what the file has].
    #[arg(long, value_enum, requires = "write")]
    pub payload: Option<Payload>,
}

const REPLAY_AFTER: &str = "\
Examples:
  epipe replay trace.pcap
  epipe replay x.pcap --strace x.log
  epipe replay x.pcap --strace x.log --write both.pcapng

epipe doctor --strace prints the commands that record x.pcap and x.log.";

/// Options of `epipe explain`.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXPLAIN_AFTER)]
pub struct Explain {
    /// The captures (pcap, pcapng, - for stdin); several are taken as one, merged by time.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Only connections that ended so: reset-after-close, aborted, timed-out, nobody-home, unanswered, refused, half-closed,
    /// open, closed-simultaneously, closed.
    #[arg(long, value_name = "VERDICT", value_delimiter = ',', help_heading = WHICH)]
    pub only: Vec<String>,

    /// Only connections with this end: ADDR:PORT, ADDR or :PORT.
    #[arg(long, value_name = "ADDR:PORT", help_heading = WHICH)]
    pub peer: Option<String>,

    /// Only connections that had a packet about this time, as a log has it: seconds since 1970, or 2026-11-24 10:00:00, with an
    /// offset or in this machine's time zone.
    #[arg(long, value_name = "TIME", help_heading = WHICH)]
    pub at: Option<String>,

    /// How far from that time, as in 500ms, 2s, 1m [default: 1s].
    #[arg(long, value_name = "DURATION", requires = "at", help_heading = WHICH)]
    pub within: Option<String>,

    /// The whole story of the connection with this number, in any format of a story.
    #[arg(long, value_name = "N", help_heading = WHICH)]
    pub connection: Option<u64>,

    /// How many connections the text tells of.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub top: usize,

    /// Exit 1 if a connection ended so.
    #[arg(long, value_name = "VERDICT", value_delimiter = ',')]
    pub fail_on: Vec<String>,

    /// Only packets that match this BPF expression, as tcpdump takes it.
    #[arg(long, value_name = "BPF", help_heading = READING)]
    pub filter: Option<String>,

    /// Read on while the file grows, like tail -f, until Ctrl-C.
    #[arg(long, help_heading = READING)]
    pub follow: bool,

    /// How many threads may work; the answer is the same [default: one a processor, at most 4].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64), help_heading = READING)]
    pub threads: Option<u32>,
}

/// The headings in explain's help.
const WHICH: &str = "Which connections";
const READING: &str = "How the captures are read";

const EXPLAIN_AFTER: &str = "\
Examples:
  epipe explain trace.pcap
  epipe explain trace.pcap --at '2026-11-24 10:00:00' --peer 10.0.0.7:443
  epipe explain trace.pcap --connection 17
  epipe explain trace.pcap --format jsonl | jq 'select(.verdict == \"aborted\")'
  epipe explain trace.pcap --fail-on reset-after-close,aborted

Connections are numbered from 0, as tshark's tcp.stream. The fields of the JSON:
epipe schema explain.";

/// Options of `epipe why`.
#[derive(Args, Clone, Debug)]
#[command(after_help = WHY_AFTER)]
pub struct Why {
    /// The message, or the line of a log or the stack trace in which it stands; - for stdin. Without it: all that are known.
    #[arg(value_name = "TEXT")]
    pub text: Vec<String>,

    /// List the texts that are known, by program.
    #[arg(long, conflicts_with = "text")]
    pub list: bool,
}

const WHY_AFTER: &str = "\
Examples:
  epipe why 'broken pipe'
  epipe why 'read tcp 10.0.0.1:4711->10.0.0.2:80: read: connection reset by peer'
  tail -n 1 /var/log/nginx/error.log | epipe why -
  epipe why HAProxy SD
  epipe why errno 104

Exit code 1 where nothing like it is known.";

/// Options of `epipe schema`.
#[derive(Args, Clone, Debug)]
#[command(after_help = SCHEMA_AFTER)]
pub struct Schema {
    /// Which one; without a name all, and which fields explain's and a story's have alike.
    #[arg(value_name = "NAME", value_enum)]
    pub name: Option<Schemas>,
}

/// The schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Schemas {
    /// Of explain's JSON: the object, and for jsonl each line.
    Explain,
    /// Of a story's JSON: lab, replay, explain --connection N.
    Story,
    /// Of the lines of lab --check --format json.
    Check,
}

const SCHEMA_AFTER: &str = "\
They are JSON Schemas of draft 2020-12, for any validator:
  epipe schema explain -o explain.schema.json

Fields under \"schema\": 1 keep their names and meanings; there may be more of
them later, which the schemas allow.";
