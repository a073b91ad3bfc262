//! Calls and their outcomes: `send(3, "hello", 5, 0)`, `= -1 EPIPE (Broken pipe), SIGPIPE`.

use super::scan::{ParseError, Scan};
use super::value;
use crate::socket::call::{Arg, Call, CallName, Outcome};
use crate::socket::errno::{Errno, Signal};

/// A call as strace(1) prints it, without its result.
pub fn call(call: &Call) -> String {
    let args: Vec<String> = call.args.iter().map(value::arg).collect();
    format!("{}({})", call.name, args.join(", "))
}

/// Reads a call, and returns it with what stands behind it.
pub fn parse_call(text: &str) -> Result<(Call, &str), ParseError> {
    let mut scan = Scan::new(text);
    let call = scan_call(&mut scan)?;
    Ok((call, scan.rest()))
}

pub fn scan_call(scan: &mut Scan<'_>) -> Result<Call, ParseError> {
    let name = scan_name(scan)?;
    scan.require("(")?;
    let mut args = Vec::new();
    scan.skip_spaces();
    while !scan.take(")") {
        if !args.is_empty() {
            scan.require(",")?;
            scan.skip_spaces();
        }
        args.push(value::parse_arg(scan)?);
        scan.skip_spaces();
    }
    Ok(Call { name, args })
}

pub fn scan_name(scan: &mut Scan<'_>) -> Result<CallName, ParseError> {
    let start = *scan;
    let name = scan.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
    name.parse().or_else(|_| start.wrong("the name of a call that epipe knows"))
}

/// An outcome with its equals sign: `= 5`, `= 5 "hello"`, `= -1 EPIPE (Broken pipe), SIGPIPE`.
pub fn outcome(outcome: &Outcome) -> String {
    let error = outcome.errno.map_or_else(String::new, |errno| match errno.text() {
        Some(meaning) => format!(" {errno} ({meaning})"),
        None => format!(" {errno}"),
    });
    let values: String = outcome.values.iter().flat_map(|value| [" ".to_owned(), value::arg(value)]).collect();
    let signal = outcome.signal.map_or_else(String::new, |signal| format!(", {signal}"));
    format!("= {}{error}{values}{signal}", outcome.ret)
}

/// A call's end where its beginning stands elsewhere: `send ... = 5`.
pub fn call_end(name: CallName, outcome_: &Outcome) -> String {
    format!("{name} ... {}", outcome(outcome_))
}

/// Reads an outcome from its equals sign on, and returns it with what stands behind it.
pub fn parse_outcome(text: &str) -> Result<(Outcome, &str), ParseError> {
    let mut scan = Scan::new(text);
    let outcome = scan_outcome(&mut scan)?;
    Ok((outcome, scan.rest()))
}

pub fn scan_outcome(scan: &mut Scan<'_>) -> Result<Outcome, ParseError> {
    scan.require("=")?;
    scan.skip_spaces();
    let start = *scan;
    let number = scan.take_while(|c| c.is_ascii_digit() || c == '-');
    let Ok(ret) = number.parse() else { return start.wrong("what the call returned, a number") };
    let errno = scan_errno(scan, ret)?;
    let mut values = Vec::new();
    while let Some(value) = scan_value(scan)? {
        values.push(value);
    }
    let signal = scan_signal(scan)?;
    Ok(Outcome { ret, errno, values, signal })
}

fn scan_errno(scan: &mut Scan<'_>, ret: i64) -> Result<Option<Errno>, ParseError> {
    let mut ahead = *scan;
    ahead.skip_spaces();
    if ret != -1 || ahead.peek() != Some('E') {
        return Ok(None);
    }
    let start = ahead;
    let name = ahead.take_while(|c| c.is_ascii_alphanumeric());
    let errno: Errno = name.parse().or_else(|_| start.wrong("the name of an error"))?;
    *scan = ahead;
    if ahead.take(" (") {
        ahead.take_while(|c| c != ')');
        ahead.require(")")?;
        *scan = ahead;
    }
    Ok(Some(errno))
}

/// The next value, if one comes before the line's end, a comma or a comment.
fn scan_value(scan: &mut Scan<'_>) -> Result<Option<Arg>, ParseError> {
    let mut ahead = *scan;
    ahead.skip_spaces();
    if matches!(ahead.peek(), None | Some(',' | ';' | '#')) {
        return Ok(None);
    }
    let value = value::parse_arg(&mut ahead)?;
    *scan = ahead;
    Ok(Some(value))
}

fn scan_signal(scan: &mut Scan<'_>) -> Result<Option<Signal>, ParseError> {
    if !scan.take(",") {
        return Ok(None);
    }
    scan.skip_spaces();
    let start = *scan;
    let name = scan.take_while(|c| c.is_ascii_alphanumeric());
    name.parse().map(Some).or_else(|_| start.wrong("the name of a signal"))
}
