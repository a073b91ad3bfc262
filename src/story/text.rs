//! Calls and their outcomes as the screen shows them: `send("hello") = 5`, `recv(2) = 0, the end`.

use crate::event::Holding;
use crate::socket::call::{Arg, Call, CallName, How, Outcome, Payload};

/// How many bytes of data a view shows.
const SHOWN: usize = 16;

/// Data in quotes: printable ASCII as it is, everything else as `.`, at most 16 bytes.
pub fn data(payload: &Payload) -> String {
    let shown: String = payload
        .bytes
        .iter()
        .take(SHOWN)
        .map(|byte| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' })
        .collect();
    let more = if payload.cut || payload.bytes.len() > SHOWN { "…" } else { "" };
    format!("\"{shown}{more}\"")
}

/// A call without its result. Descriptors are left out where there is only one that it can mean.
pub fn call(call: &Call) -> String {
    let name = call.name;
    let inside = match name {
        _ if name.sends() => call.payload().map_or_else(|| call.word(1).unwrap_or("").to_owned(), data),
        _ if name.receives() => call.asked_len().map_or_else(String::new, |len| len.to_string()),
        CallName::Shutdown => call.how().map_or("", how).to_owned(),
        CallName::Bind | CallName::Exit | CallName::Fcntl => call.args.last().map_or_else(String::new, plain),
        CallName::Connect => call.word(1).unwrap_or("").to_owned(),
        CallName::Execve => {
            call.payload().map_or_else(String::new, |program| String::from_utf8_lossy(&program.bytes).into_owned())
        }
        CallName::Setsockopt | CallName::Getsockopt => call.word(2).unwrap_or("").to_owned(),
        CallName::Nanosleep => return format!("sleep {} s", call.args.first().map_or_else(String::new, plain)),
        CallName::Sigaction | CallName::Sigprocmask | CallName::SockDestroy => {
            call.args.iter().map(plain).collect::<Vec<_>>().join(", ")
        }
        _ => String::new(),
    };
    let peek = if call.has_flag("MSG_PEEK") { ", PEEK" } else { "" };
    format!("{name}({inside}{peek})")
}

const fn how(how: How) -> &'static str {
    match how {
        How::Read => "RD",
        How::Write => "WR",
        How::Both => "RDWR",
    }
}

fn plain(arg: &Arg) -> String {
    match arg {
        Arg::Int(number) => number.to_string(),
        Arg::Addr(addr) => format!(":{}", addr.port()),
        Arg::Bytes(payload) => data(payload),
        Arg::Word(word) => word.clone(),
    }
}

/// What a call returned, without the equals sign.
pub fn outcome(call: &Call, outcome: &Outcome) -> String {
    if let Some(errno) = outcome.errno {
        return errno.to_string();
    }
    if call.name.receives() {
        return match outcome.payload() {
            _ if outcome.ret == 0 => "0, the end".to_owned(),
            Some(payload) if payload.bytes.len() <= SHOWN && !payload.cut => data(payload),
            _ => format!("{} bytes", outcome.ret),
        };
    }
    if call.name.sends() && outcome.count() < call.asked_len() {
        return format!("{} of {}", outcome.ret, call.asked_len().unwrap_or(0));
    }
    match outcome.word() {
        Some(word) => {
            word.split('|').map(|flag| flag.strip_prefix("POLL").unwrap_or(flag)).collect::<Vec<_>>().join(" ")
        }
        None => outcome.ret.to_string(),
    }
}

/// The call with its result, or with three dots while it waits.
pub fn line(made: &Call, returned: Option<&Outcome>) -> String {
    match returned {
        None if made.name == CallName::Exit => call(made),
        None => format!("{} …", call(made)),
        Some(_) if made.name == CallName::Nanosleep => call(made),
        Some(end) if end.errno.is_some() => format!("{} = {} ✗", call(made), outcome(made, end)),
        Some(end) => format!("{} = {}", call(made), outcome(made, end)),
    }
}

/// A socket that is held: `holds 4, CLOSE-WAIT`.
pub fn holding(holding: &Holding) -> String {
    format!("holds {}, {}", holding.fd, holding.state)
}
