//! Which connections are meant: by verdict, by time, by end.

use std::net::{IpAddr, SocketAddr};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::app::Failure;
use crate::cli::Explain;
use crate::event::Time;
use crate::story::side::Side;
use crate::story::verdict::Name;
use crate::survey::Summary;

/// What connections must have in common.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    only: Vec<Name>,
    /// From when to when.
    window: Option<(Time, Time)>,
    peer: Option<Peer>,
}

/// An end, or one of an end's parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Peer {
    addr: Option<IpAddr>,
    port: Option<u16>,
}

impl Selection {
    /// What `explain` asks for.
    pub fn of(explain: &Explain) -> Result<Self, Failure> {
        let within = explain.within.as_deref().map_or(Ok(SignedDuration::from_secs(1)), duration)?;
        let window = |at: Time| {
            let nanos = i64::try_from(within.as_nanos()).unwrap_or(i64::MAX);
            (Time(at.0.saturating_sub(nanos)), Time(at.0.saturating_add(nanos)))
        };
        Ok(Self {
            only: names(&explain.only)?,
            window: explain.at.as_deref().map(time).transpose()?.map(window),
            peer: explain.peer.as_deref().map(peer).transpose()?,
        })
    }

    /// Whether nothing was asked for.
    pub fn is_everything(&self) -> bool {
        self.only.is_empty() && self.window.is_none() && self.peer.is_none()
    }

    /// Whether `connection` is meant.
    pub fn takes(&self, connection: &Summary<'_>) -> bool {
        let (start, end) = connection.times();
        let in_window = self.window.is_none_or(|(from, to)| start <= to && end >= from);
        let has_peer = |peer: Peer| Side::BOTH.into_iter().any(|side| peer.is(connection.end(side).endpoint));
        in_window
            && self.peer.is_none_or(has_peer)
            && (self.only.is_empty() || self.only.contains(&connection.verdict()))
    }
}

impl Peer {
    fn is(self, end: SocketAddr) -> bool {
        self.addr.is_none_or(|addr| addr == end.ip()) && self.port.is_none_or(|port| port == end.port())
    }
}

/// Verdicts by their names.
pub fn names(texts: &[String]) -> Result<Vec<Name>, Failure> {
    texts.iter().map(|text| text.parse().map_err(Failure::new)).collect()
}

fn peer(text: &str) -> Result<Peer, Failure> {
    if let Ok(end) = text.parse::<SocketAddr>() {
        return Ok(Peer { addr: Some(end.ip()), port: Some(end.port()) });
    }
    if let Ok(addr) = text.parse::<IpAddr>() {
        return Ok(Peer { addr: Some(addr), port: None });
    }
    if let Some(Ok(port)) = text.strip_prefix(':').map(str::parse) {
        return Ok(Peer { addr: None, port: Some(port) });
    }
    Err(Failure::new(format!("cannot take {text:?} for an end of a connection"))
        .help("--peer takes ADDR:PORT, ADDR or :PORT, with numbers: 10.0.0.7:443, [fe80::1]:443"))
}

/// A moment as logs have it.
fn time(text: &str) -> Result<Time, Failure> {
    let nanos = |stamp: Timestamp| i64::try_from(stamp.as_nanosecond()).map(Time).ok();
    // nginx writes 2026/11/24.
    let dashed = text.trim().replace('/', "-");
    let local = || TimeZone::system().to_timestamp(dashed.parse::<DateTime>().ok()?).ok();
    seconds(text.trim())
        .or_else(|| dashed.parse::<Timestamp>().ok().and_then(nanos))
        .or_else(|| nanos(local()?))
        .ok_or_else(|| {
            Failure::new(format!("cannot take {text:?} for a time"))
                .help("--at takes seconds since 1970, or 2026-11-24T10:00:00Z, or 2026-11-24 10:00:00 in this machine's time zone")
        })
}

/// Seconds since 1970 with up to nine decimals.
fn seconds(text: &str) -> Option<Time> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let numeric = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !numeric(whole) || !numeric(part) || part.len() > 9 {
        return None;
    }
    let nanos: i64 = format!("{part:0<9}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(1_000_000_000)?.checked_add(nanos).map(Time)
}

fn duration(text: &str) -> Result<SignedDuration, Failure> {
    let plain = seconds(text).map(|time| SignedDuration::from_nanos(time.0));
    plain.or_else(|| text.parse().ok()).ok_or_else(|| {
        Failure::new(format!("cannot take {text:?} for a length of time"))
            .help("--within takes 500ms, 2s, 1m, or seconds")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_taken_as_logs_have_them() {
        let nanos = |text: &str| time(text).ok().map(|time| time.0);
        assert_eq!(nanos("1795307257.49"), Some(1_795_307_257_490_000_000));
        assert_eq!(nanos("1795307257"), Some(1_795_307_257_000_000_000));
        assert_eq!(nanos("2026-11-22T01:07:37Z"), Some(1_795_309_657_000_000_000));
        assert_eq!(nanos("2026-11-22T02:07:37+01:00"), nanos("2026-11-22T01:07:37Z"));
        assert!(nanos("2026/11/22 01:07:37").is_some());
        for wrong in ["", "noon", "1.1234567890", "-3"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ends_are_taken_whole_or_in_part() {
        let end: SocketAddr = "10.0.0.7:443".parse().unwrap();
        for text in ["10.0.0.7:443", "10.0.0.7", ":443"] {
            assert!(peer(text).is_ok_and(|peer| peer.is(end)), "{text}");
        }
        for text in ["10.0.0.8", ":80"] {
            assert!(peer(text).is_ok_and(|peer| !peer.is(end)), "{text}");
        }
        assert!(peer("example.org:443").is_err());
    }
}
