//! One line of a log: whose it is, when, and what it says.

use super::text::{closing, described_len};
use crate::event::{ExitStatus, Time};
use crate::socket::errno::Signal;

/// One line that says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The thread's id, where the line has it.
    pub thread: Option<u32>,
    /// The program's name behind the id (strace -Y).
    pub comm: Option<&'a str>,
    /// When it was written.
    pub at: Time,
    /// What it says.
    pub says: Says<'a>,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says<'a> {
    /// A call from its name on; behind the opening parenthesis what was printed of it.
    Call {
        /// Its name.
        name: &'a str,
        /// What stands behind the opening parenthesis.
        rest: &'a str,
    },
    /// A call whose end comes in another line.
    Unfinished {
        /// Its name.
        name: &'a str,
        /// Its first arguments.
        rest: &'a str,
    },
    /// The end of a call that another line began.
    Resumed {
        /// Its name.
        name: &'a str,
        /// What follows on the arguments there.
        rest: &'a str,
    },
    /// A signal was delivered.
    Signal(&'a str),
    /// The thread ended.
    Ended(ExitStatus),
    /// The thread is gone: another one, this, replaced the program and goes on under its number.
    Superseded(u32),
    /// Nothing that matters here.
    Nothing,
}

/// Why a line cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Its time is no date: `12:34:56.789`, or seconds since the line before.
    Undated,
    /// It is not understood; what was expected.
    Odd(&'static str),
}

/// Times before this are none of a day since 1973: seconds since the line before (strace -r).
const EARLIEST: i64 = 100_000_000_000_000_000;

/// Reads one line. `None` for what is none of strace's records.
pub fn read(line: &str) -> Result<Option<Line<'_>>, Wrong> {
    let line = line.trim_end();
    let told_aside = line.starts_with("strace: ") || line.starts_with(" | ") || line.is_empty();
    if told_aside {
        return Ok(None);
    }
    let (thread, comm, rest) = thread(line.trim_start());
    let (at, rest) = stamp(rest)?;
    let says = says(rest)?;
    Ok(Some(Line { thread, comm, at, says }))
}

/// The id before a line's time: `123 `, `[pid 123] `, each with the program's name in angle brackets perhaps.
fn thread(line: &str) -> (Option<u32>, Option<&str>, &str) {
    let bracketed = line.strip_prefix("[pid ");
    let text = bracketed.map_or(line, str::trim_start);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, mut rest) = text.split_at(digits);
    let mut comm = None;
    if let Some(len) = described_len(rest).filter(|_| rest.starts_with('<')) {
        comm = rest.get(1..len - 1);
        rest = rest.get(len..).unwrap_or("");
    }
    let behind = if bracketed.is_some() { rest.strip_prefix(']') } else { Some(rest) };
    let behind = behind.filter(|rest| rest.starts_with(' ')).map(str::trim_start);
    match (number.parse().ok(), behind) {
        (Some(number), Some(rest)) => (Some(number), comm, rest),
        _ => (None, None, line),
    }
}

/// The time, and what stands behind it.
fn stamp(text: &str) -> Result<(Time, &str), Wrong> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let clock = word.as_bytes();
    if clock.len() >= 8 && clock.get(2) == Some(&b':') && clock.get(5) == Some(&b':') {
        return Err(Wrong::Undated);
    }
    let time = word.split_once('.').and_then(|(seconds, fraction)| time(seconds, fraction));
    match time {
        Some(time) if time.0 >= EARLIEST => Ok((time, since_before(rest.trim_start()))),
        Some(_) => Err(Wrong::Undated),
        None if undated_record(text) => Err(Wrong::Undated),
        None => Err(Wrong::Odd("a time in seconds since 1970")),
    }
}

fn time(seconds: &str, fraction: &str) -> Option<Time> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(seconds) || !is_number(fraction) || fraction.len() > 9 {
        return None;
    }
    let nanos: i64 = format!("{fraction:0<9}").parse().ok()?;
    seconds.parse::<i64>().ok()?.checked_mul(1_000_000_000)?.checked_add(nanos).map(Time)
}

/// `strace -ttt -r` says in parentheses how long ago the line before was.
fn since_before(text: &str) -> &str {
    let inner = text.strip_prefix("(+");
    inner.and_then(|inner| inner.split_once(')')).map_or(text, |(_, rest)| rest.trim_start())
}

/// Whether this is a record without any time: a call, or the end of a program.
fn undated_record(text: &str) -> bool {
    matches!(says(text), Ok(Says::Call { rest, .. }) if closing(rest).is_some_and(|at| rest[at..].contains(" = ")))
        || matches!(says(text), Ok(Says::Ended(_) | Says::Unfinished { .. } | Says::Resumed { .. }))
}

fn says(text: &str) -> Result<Says<'_>, Wrong> {
    if let Some(inner) = text.strip_prefix("<... ") {
        let (name, rest) = inner.split_once(" resumed>").ok_or(Wrong::Odd("the end of a resumed call"))?;
        return Ok(Says::Resumed { name, rest });
    }
    if let Some(inner) = text.strip_prefix("--- ") {
        return Ok(Says::Signal(inner.split(' ').next().unwrap_or("")));
    }
    if let Some(inner) = text.strip_prefix("+++ ") {
        return ended(inner);
    }
    let len = text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let (name, rest) = text.split_at(len);
    let Some(rest) = rest.strip_prefix('(').filter(|_| !name.is_empty()) else {
        return Err(Wrong::Odd("a call, a signal, or the end of a program"));
    };
    // A thread whose execve(2) replaces its process goes on under that one's number.
    let moved = rest.rsplit_once(" <pid changed to ").filter(|(_, behind)| behind.ends_with(" ...>"));
    match rest.strip_suffix("<unfinished ...>").or(moved.map(|(rest, _)| rest)) {
        Some(rest) => Ok(Says::Unfinished { name, rest }),
        None => Ok(Says::Call { name, rest }),
    }
}

fn ended(inner: &str) -> Result<Says<'_>, Wrong> {
    let mut words = inner.split(' ');
    let odd = Wrong::Odd("how a program ended");
    match (words.next(), words.next(), words.next()) {
        (Some("exited"), Some("with"), Some(code)) => {
            code.parse().map(|code| Says::Ended(ExitStatus::Code(code))).map_err(|_| odd)
        }
        (Some("killed"), Some("by"), Some(signal)) => {
            Ok(signal.parse::<Signal>().map_or(Says::Nothing, |signal| Says::Ended(ExitStatus::Killed(signal))))
        }
        (Some("superseded"), ..) => {
            let by = inner.split(' ').filter_map(|word| word.parse().ok()).next_back();
            by.map(Says::Superseded).ok_or(odd)
        }
        _ => Err(odd),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line<'_> {
        read(text).unwrap().unwrap()
    }

    #[test]
    fn the_thread_stands_in_front_in_each_of_straces_forms() {
        for (text, thread, comm) in [
            ("123 1700000000.123456 close(3) = 0 <0.000012>", Some(123), None),
            ("123   1700000000.123456 close(3) = 0 <0.000012>", Some(123), None),
            ("[pid   123] 1700000000.123456 close(3) = 0", Some(123), None),
            ("[pid 123<python3>] 1700000000.123456 close(3) = 0", Some(123), Some("python3")),
            ("123<a b> 1700000000.123456 close(3) = 0", Some(123), Some("a b")),
            ("1700000000.123456 close(3) = 0", None, None),
            ("1700000000.123456 (+     0.000100) close(3) = 0", None, None),
        ] {
            let line = line(text);
            assert_eq!((line.thread, line.comm, line.at), (thread, comm, Time(1_700_000_000_123_456_000)), "{text}");
            assert!(matches!(line.says, Says::Call { name: "close", .. }), "{text}");
        }
    }

    #[test]
    fn what_is_no_call_is_told_apart() {
        let says = |text: &'static str| line(text).says;
        assert_eq!(says("7 1700000000.1 --- SIGPIPE {si_signo=SIGPIPE} ---"), Says::Signal("SIGPIPE"));
        assert_eq!(says("7 1700000000.1 +++ exited with 3 +++"), Says::Ended(ExitStatus::Code(3)));
        let killed = Says::Ended(ExitStatus::Killed(Signal::SIGPIPE));
        assert_eq!(says("7 1700000000.1 +++ killed by SIGPIPE (core dumped) +++"), killed);
        assert_eq!(says("7 1700000000.1 +++ superseded by execve in pid 6 +++"), Says::Superseded(6));
        let resumed = Says::Resumed { name: "accept4", rest: "NULL, NULL, 0) = 4" };
        assert_eq!(says("7 1700000000.1 <... accept4 resumed>NULL, NULL, 0) = 4"), resumed);
        assert_eq!(read("strace: Process 12 attached"), Ok(None));
    }

    #[test]
    fn times_without_a_date_are_told_from_nonsense() {
        for text in ["7 12:34:56.123456 close(3) = 0", "     0.000123 close(3) = 0", "close(3) = 0", "12 close(3) = 0"]
        {
            assert_eq!(read(text), Err(Wrong::Undated), "{text}");
        }
        for text in ["hello", "hello (world)", "7 1700000000.1 close", "7 1700000000.1 +++ exi"] {
            assert!(matches!(read(text), Err(Wrong::Odd(_))), "{text}");
        }
    }
}
