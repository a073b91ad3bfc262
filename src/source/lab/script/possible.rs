//! Whether a call can ever return what a script expects, and whether a segment can ever be as it is written. Refused is only
//! what no kernel does, whatever has happened before.

use crate::notation::SegmentText;
use crate::socket::call::{Arg, Call, CallName, Outcome, Payload};
use crate::socket::errno::{Errno, Signal};
use crate::tcp::segment::Flags;

/// Why `call` never returns `outcome`: what must stand there instead.
pub fn outcome(call: &Call, outcome: &Outcome) -> Result<(), String> {
    match outcome.errno {
        Some(errno) => failure(call.name, errno, outcome)?,
        None if outcome.ret == -1 => return Err("the name of an error behind -1".to_owned()),
        None if outcome.ret < 0 => return Err("-1 and an error, or a number from 0 on".to_owned()),
        None => success(call, outcome)?,
    }
    match outcome.signal {
        Some(signal) if signal != Signal::SIGPIPE => Err(format!("SIGPIPE or nothing: no call tells of {signal}")),
        _ => Ok(()),
    }
}

/// What a peer does to a connection.
const OF_A_CONNECTION: [Errno; 4] = [Errno::EPIPE, Errno::ECONNRESET, Errno::ECONNREFUSED, Errno::ETIMEDOUT];

fn failure(name: CallName, errno: Errno, outcome: &Outcome) -> Result<(), String> {
    use CallName as N;
    let meets_no_peer = matches!(
        name,
        N::Socket | N::Socketpair | N::Pipe | N::Bind | N::Listen | N::Close | N::Dup | N::Poll | N::Select
    );
    if meets_no_peer && OF_A_CONNECTION.contains(&errno) {
        return Err(format!("another result: {name} never fails with {errno}"));
    }
    if outcome.values.is_empty() { Ok(()) } else { Err("nothing behind an error but a signal".to_owned()) }
}

fn success(call: &Call, outcome: &Outcome) -> Result<(), String> {
    use CallName as N;
    let asked = call.asked_len().and_then(|asked| i64::try_from(asked).ok()).unwrap_or(i64::MAX);
    let name = call.name;
    match name {
        N::Socket | N::Accept | N::Dup if outcome.ret < 3 => {
            return Err(format!("a descriptor from 3 on, which is what {name} returns"));
        }
        N::Bind
        | N::Listen
        | N::Connect
        | N::Shutdown
        | N::Close
        | N::Setsockopt
        | N::Getsockopt
        | N::Socketpair
        | N::Pipe
            if outcome.ret > 0 =>
        {
            return Err(format!("0 or an error, which is what {name} returns"));
        }
        N::Poll | N::Select if outcome.ret > 1 => {
            return Err(format!("0 or 1: {name} waits for one descriptor here"));
        }
        N::Send | N::Write | N::Recv | N::Read if outcome.ret > asked => {
            return Err(format!("at most {asked}, which is what {name} was asked for"));
        }
        _ => {}
    }
    values(name, outcome)
}

/// What a call hands out beside its result. It need not be written.
fn values(name: CallName, outcome: &Outcome) -> Result<(), String> {
    use CallName as N;
    let Outcome { ret, values, .. } = outcome;
    let (fits, instead) = match name {
        N::Recv | N::Read => (are_bytes(values, *ret), format!("{ret} bytes of data behind it, or nothing")),
        N::Accept | N::Connect => (matches!(values[..], [Arg::Addr(_)]), "an address behind it, or nothing".to_owned()),
        N::Socketpair | N::Pipe => {
            (matches!(values[..], [Arg::Int(_), Arg::Int(_)]), "two descriptors behind it, or nothing".to_owned())
        }
        N::Socket | N::Bind | N::Listen | N::Send | N::Write | N::Shutdown | N::Close | N::Dup | N::Setsockopt => {
            (false, format!("nothing behind it: {name} hands out nothing"))
        }
        _ => return Ok(()),
    };
    if fits || values.is_empty() { Ok(()) } else { Err(instead) }
}

/// Whether `values` are so many bytes of data, all of which are written.
fn are_bytes(values: &[Arg], count: i64) -> bool {
    matches!(values, [Arg::Bytes(Payload { bytes, cut: false })] if i64::try_from(bytes.len()) == Ok(count))
}

/// Why no socket sends a segment as `text` has it: what its flags must be.
pub fn segment(text: &SegmentText) -> Result<(), &'static str> {
    let flags = text.flags;
    let exclude_each_other = [flags.syn(), flags.fin(), flags.rst()];
    if exclude_each_other.iter().filter(|set| **set).count() > 1 {
        return Err("at most one of S, F and R");
    }
    if !flags.ack() && !flags.syn() && !flags.rst() {
        return Err("a dot among the flags: only a SYN and a reset go without ACK");
    }
    if flags.ack() != text.ack.is_some() {
        return Err("a dot among the flags and `ack` with a number, or neither");
    }
    if text.urgent.is_some() && !flags.has(Flags::URG) {
        return Err("a U among the flags where `urg` has a number");
    }
    Ok(())
}
