//! A socket that an actor holds: `holds 4 127.0.0.1:80 > 127.0.0.1:40000 ESTABLISHED unread 0 unacknowledged 0`.

use std::net::SocketAddr;

use super::scan::{ParseError, Scan};
use crate::event::Holding;
use crate::socket::call::Fd;

/// What stands behind the numbers where it holds.
const NONBLOCKING: &str = " nonblocking";
const LINGER_ZERO: &str = " linger-zero";

pub fn holding_text(holding: &Holding) -> String {
    let Holding { fd, local, remote, state, unread, unacknowledged, nonblocking, linger_zero } = *holding;
    let [local, remote] = [local, remote].map(|end| end.map_or_else(|| "-".to_owned(), |addr| addr.to_string()));
    let nonblocking = if nonblocking { NONBLOCKING } else { "" };
    let linger_zero = if linger_zero { LINGER_ZERO } else { "" };
    let fd = fd.0;
    format!(
        "holds {fd} {local} > {remote} {state} unread {unread} unacknowledged {unacknowledged}{nonblocking}{linger_zero}"
    )
}

/// What stands behind `holds`.
pub fn scan_holding(scan: &mut Scan<'_>) -> Result<Holding, ParseError> {
    let fd = Fd(scan.parse("a descriptor")?);
    let local = scan_end(scan)?;
    scan.skip_spaces();
    scan.require(">")?;
    scan.skip_spaces();
    let remote = scan_end(scan)?;
    scan.skip_spaces();
    let state = scan.parse("a TCP state")?;
    scan.require("unread ")?;
    let unread = scan.parse("a count of bytes")?;
    scan.require("unacknowledged ")?;
    let unacknowledged = scan.number("a count of bytes")?;
    let (nonblocking, linger_zero) = (scan.take(NONBLOCKING), scan.take(LINGER_ZERO));
    Ok(Holding { fd, local, remote, state, unread, unacknowledged, nonblocking, linger_zero })
}

fn scan_end(scan: &mut Scan<'_>) -> Result<Option<SocketAddr>, ParseError> {
    if scan.take("-") { Ok(None) } else { scan.parse("an address or `-`").map(Some) }
}
