//! What `epipe run` takes.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::Payload;

/// Options of `epipe run`.
#[derive(Args, Clone, Debug)]
#[command(after_help = RUN_AFTER)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Run {
    /// Use the host's network and not a private one.
    #[arg(long)]
    pub host: bool,

    /// Save the story: pcapng, with the calls as packet comments.
    #[arg(long, value_name = "FILE.pcapng")]
    pub write: Option<PathBuf>,

    /// How much of the exchanged data is kept, in calls and frames alike: head is 16 bytes of each.
    #[arg(long, value_enum, default_value = "head")]
    pub payload: Payload,

    /// Tell only of the calls that failed with one of these errors, each with its chain of causes.
    #[arg(long, value_name = "ERROR,…", value_delimiter = ',', conflicts_with = "summary")]
    pub only: Vec<String>,

    /// Tell only how each connection ended.
    #[arg(long)]
    pub summary: bool,

    /// Say which line of the program made a call: with --only of those calls, else of all that failed and of those that
    /// close or shut down. C, C++, Rust, Go (with -g or their default) and Python 3.11 to 3.13.
    #[arg(long)]
    pub stack: bool,

    /// Hold the program before each socket call: what is foretold of it is shown, and Enter lets it go. Without a terminal
    /// each goes by itself, once all has settled.
    #[arg(long)]
    pub hold: bool,

    /// Hold it only before these calls (send, recv and accept stand for all of their kind) and before those that are
    /// foretold to fail with these errors.
    #[arg(long = "break", value_name = "CALL|ERROR,…", value_delimiter = ',')]
    pub breaks: Vec<String>,

    /// Trace this process, which runs already, with all its threads and what it starts, until it ends or Ctrl-C lets it go.
    /// It is on its own network; each of its system calls stops it meanwhile. May be given several times.
    #[arg(short, long = "pid", value_name = "PID", conflicts_with_all = ["command", "host", "hold", "breaks"])]
    pub pid: Vec<i32>,

    /// The program and its arguments.
    #[arg(last = true, required_unless_present = "pid", value_name = "CMD")]
    pub command: Vec<OsString>,
}

const RUN_AFTER: &str = "\
The program has standard input, output and error, and epipe exits as it does. The story comes when it has ended: in a
terminal as the dashboard, else as a ladder on stderr; with --format so, with -o to a file. Several programs are run by a
shell.

Of a process that runs already (-p) the story begins in the middle: with the
sockets that it holds, as its kernel says that they stand, and with the calls in
which it waits. It goes to stdout, the exit code is 0, and whatever ends epipe,
the process runs on. Its network's segments need capture privileges.

Examples:
  epipe run -- python3 client.py
  epipe run -- sh -c 'python3 server.py & python3 client.py'
  epipe run --only EPIPE,ECONNRESET -- ./program
  epipe run --only EPIPE --stack -- python3 client.py
  epipe run --hold -- sh -c 'python3 server.py & python3 client.py'
  epipe run --break EPIPE -- ./program
  epipe run --host -- curl http://example.org/
  epipe run -p $(pgrep -o nginx)
  epipe run --format transcript -o story.txt -- ./program";
