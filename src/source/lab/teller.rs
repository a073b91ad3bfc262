//! What passes between the stage and the program: lines of text.
//!
//! To the stage: a [`Request`], then `go`, `run` or `stop`. From it: the lines of the [notation] for the run
//! and its events, and lines of these forms:
//!
//! ```text
//! frame ID NUMBER TIME LATE LINKTYPE ORIGINAL_LENGTH HEX
//! settled INDEX       the step that comes next, or -
//! mismatch LINE COLUMN "expected" "happened"
//! stands BESIDE ACTOR CALL   the call of a traced program that is held and comes next
//! finished
//! root PID            only of a traced program
//! ended CODE HELD_UP   or, of one that a signal ended, ended SIGNAL HELD_UP: only of a traced program
//! skipped "need" "why" "help"
//! refused "why" "help"
//! failed "why" "help"
//! ```

use std::io::{self, BufWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::message::{Command, Mismatch, NextCall};
use super::need::Missing;
use super::stage::{Request, StageError};
use crate::event::{Event, ExitStatus, Run, What};
use crate::notation::{self, quote};
use crate::source::sandbox::SandboxError;

/// How many bytes are told at once, unless there is reason to hurry.
const BUFFER: usize = 64 * 1024;

/// Tells the program.
pub struct Teller {
    out: BufWriter<Box<dyn Write + Send>>,
}

impl Default for Teller {
    fn default() -> Self {
        Self::new()
    }
}

impl Teller {
    /// On standard output.
    pub fn new() -> Self {
        Self::to(io::stdout())
    }

    /// On `out`.
    pub fn to(out: impl Write + Send + 'static) -> Self {
        Self { out: BufWriter::with_capacity(BUFFER, Box::new(out)) }
    }

    fn line(&mut self, line: &str) -> Result<(), StageError> {
        self.out.write_all(line.as_bytes()).and_then(|()| self.out.write_all(b"\n")).map_err(|_| StageError::Alone)
    }

    /// Hands on what was told so far.
    pub fn flush(&mut self) -> Result<(), StageError> {
        self.out.flush().map_err(|_| StageError::Alone)
    }

    /// What the run is.
    pub fn run(&mut self, run: &Run) -> Result<(), StageError> {
        notation::run_lines(run).iter().try_for_each(|line| self.line(line))
    }

    /// One event.
    pub fn event(&mut self, event: &Event) -> Result<(), StageError> {
        let What::Segment { frame, .. } = &event.what else {
            return notation::event_lines(event, None).iter().try_for_each(|line| self.line(line));
        };
        let late = u8::from(event.late);
        let hex = hex(&frame.data);
        let (link_type, original_len) = (frame.link_type.0, frame.original_len);
        self.line(&format!(
            "frame {} {} {} {late} {link_type} {original_len} {hex}",
            event.id, frame.number, event.time
        ))
    }

    /// That all has settled, and which step comes next.
    pub fn settled(&mut self, next: Option<usize>) -> Result<(), StageError> {
        let next = next.map_or_else(|| "-".to_owned(), |index| index.to_string());
        self.line(&format!("settled {next}"))?;
        self.flush()
    }

    /// That all has settled, and which call of a traced program stands next, if one does.
    pub fn stands(&mut self, next: Option<&NextCall>) -> Result<(), StageError> {
        let Some(NextCall { actor, call, beside, .. }) = next else { return self.settled(None) };
        self.line(&format!("stands {beside} {actor} {}", notation::call(call)))?;
        self.flush()
    }

    /// Where the kernel did otherwise than expected.
    pub fn mismatch(&mut self, mismatch: &Mismatch) -> Result<(), StageError> {
        let (expected, happened) = (quote(mismatch.expected.as_bytes()), quote(mismatch.happened.as_bytes()));
        self.line(&format!("mismatch {} {} {expected} {happened}", mismatch.line, mismatch.column))
    }

    /// That the run is over.
    pub fn finished(&mut self) -> Result<(), StageError> {
        self.line("finished")?;
        self.flush()
    }

    /// The process of a traced program.
    pub fn root(&mut self, pid: i32) -> Result<(), StageError> {
        self.line(&format!("root {pid}"))?;
        self.flush()
    }

    /// That a traced program has ended, and how often it was held up until its calls were taken down.
    pub fn ended(&mut self, status: ExitStatus, held_up: u64) -> Result<(), StageError> {
        match status {
            ExitStatus::Code(code) => self.line(&format!("ended {code} {held_up}"))?,
            ExitStatus::Killed(signal) => self.line(&format!("ended {signal} {held_up}"))?,
        }
        self.flush()
    }

    /// That something is missing that the scenario needs.
    pub fn skipped(&mut self, missing: &Missing) -> Result<(), StageError> {
        self.end("skipped", &[&missing.need, &missing.why], missing.help.as_deref())
    }

    /// That a loopback of its own was refused.
    pub fn refused(&mut self, error: &SandboxError) -> Result<(), StageError> {
        self.end("refused", &[&error.to_string()], error.help().as_deref())
    }

    /// That the run could not go on.
    pub fn failed(&mut self, message: &str, help: Option<&str>) -> Result<(), StageError> {
        self.end("failed", &[message], help)
    }

    fn end(&mut self, word: &str, why: &[&str], help: Option<&str>) -> Result<(), StageError> {
        let texts = why.iter().copied().chain([help.unwrap_or_default()]);
        let words: Vec<String> = texts.map(|text| quote(text.as_bytes())).collect();
        self.line(&format!("{word} {}", words.join(" ")))?;
        self.flush()
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().map_or('0', char::from);
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

/// The bytes that `hex` printed.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for pair in text.as_bytes().chunks(2) {
        let [high, low] = *pair else { return None };
        bytes.push(digit(high)? << 4 | digit(low)?);
    }
    Some(bytes)
}

/// What the program tells the stage, on standard input.
#[derive(Default)]
pub struct Inbox {
    received: Vec<u8>,
}

impl Inbox {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The first line; waits for it. From then on reading never waits.
    pub fn request(&mut self) -> Result<Request, StageError> {
        let line = loop {
            match self.line() {
                Some(line) => break line,
                None => self.read()?,
            }
        };
        let nonblocking = FcntlArg::F_SETFL(OFlag::O_NONBLOCK);
        fcntl(io::stdin().as_fd(), nonblocking).map_err(|errno| StageError::Watch(errno.into()))?;
        serde_json::from_str(&line).map_err(|error| StageError::Request(error.to_string()))
    }

    /// The next command, if one is in.
    pub fn next(&mut self) -> Result<Option<Command>, StageError> {
        self.read()?;
        Ok(self.line().and_then(|line| line.parse().ok()))
    }

    fn line(&mut self) -> Option<String> {
        let end = self.received.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.received.drain(..=end).collect();
        Some(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    /// Reads what is there. Its end means that the program is gone.
    fn read(&mut self) -> Result<(), StageError> {
        let mut buffer = [0; 8192];
        match io::stdin().lock().read(&mut buffer) {
            Ok(0) => Err(StageError::Alone),
            Ok(count) => {
                self.received.extend_from_slice(buffer.get(..count).unwrap_or_default());
                Ok(())
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(()),
            Err(_) => Err(StageError::Alone),
        }
    }
}

impl AsFd for Inbox {
    #[allow(unsafe_code, reason = "std's handle of standard input cannot be borrowed for longer than itself")]
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: descriptor 0 is the pipe from the parent, and nothing in this process closes it.
        unsafe { BorrowedFd::borrow_raw(0) }
    }
}
