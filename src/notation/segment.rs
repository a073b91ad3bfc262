//! Segments in packetdrill's notation: `C > S  P.  6:11(5) ack 2  win 64 <nop,nop,TS val 1 ecr 0>`.
//!
//! Numbers count from each end's initial sequence number, so that the SYN is 0 and the first byte 1.

use super::options::options_text;
use super::scan::{ParseError, Scan};
use crate::tcp::segment::{Flags, Segment};
use crate::tcp::seq::SeqNum;

const IN_RANGE: &str = "a number in range";

/// A segment as its line says it. What a line may leave out is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentText {
    /// The connection's number, from 1.
    pub connection: u32,
    /// Whether the client sent it.
    pub from_client: bool,
    /// The control bits.
    pub flags: Flags,
    /// Its first sequence number, relative.
    pub start: u32,
    /// The payload's length in bytes.
    pub len: u32,
    /// The acknowledgement number, relative; `None` without ACK.
    pub ack: Option<u32>,
    /// The window as it stands in the header.
    pub window: Option<u16>,
    /// The urgent pointer; `None` without URG.
    pub urgent: Option<u16>,
    /// The options as printed between the angle brackets.
    pub options: Option<String>,
}

impl SegmentText {
    /// `segment` of connection number `connection`, sent by an end whose initial sequence number is `isn` to one whose is
    /// `peer_isn`.
    pub fn new(segment: &Segment, connection: u32, from_client: bool, isn: SeqNum, peer_isn: SeqNum) -> Self {
        Self {
            connection,
            from_client,
            flags: segment.flags,
            start: segment.seq.relative_to(isn),
            len: segment.payload_len,
            ack: segment.acknowledges().map(|ack| ack.relative_to(peer_isn)),
            window: Some(segment.window),
            urgent: segment.flags.has(Flags::URG).then_some(segment.urgent),
            options: (!segment.options.is_empty() || segment.options_cut)
                .then(|| options_text(&segment.options, segment.options_cut)),
        }
    }
}

impl std::fmt::Display for SegmentText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number = if self.connection == 1 { String::new() } else { self.connection.to_string() };
        let (from, to) = if self.from_client { ('C', 'S') } else { ('S', 'C') };
        let end = self.start.wrapping_add(self.len);
        write!(f, "{from}{number} > {to}{number}  {:<3} {}:{end}({})", self.flags, self.start, self.len)?;
        if let Some(ack) = self.ack {
            write!(f, " ack {ack}")?;
        }
        if let Some(window) = self.window {
            write!(f, " win {window}")?;
        }
        if let Some(urgent) = self.urgent {
            write!(f, " urg {urgent}")?;
        }
        if let Some(options) = &self.options {
            write!(f, " <{options}>")?;
        }
        Ok(())
    }
}

/// Reads a segment's line, and returns it with what stands behind it.
pub fn parse_segment(text: &str) -> Result<(SegmentText, &str), ParseError> {
    let mut scan = Scan::new(text);
    let (from_client, connection) = scan_end(&mut scan)?;
    scan.require(">")?;
    scan.skip_spaces();
    let to = scan;
    if scan_end(&mut scan)? != (!from_client, connection) {
        return to.wrong("the other end of the same connection");
    }
    let flags = scan.parse("TCP flags such as `P.`")?;
    let (start, len) = scan_range(&mut scan)?;
    let ack = scan_number(&mut scan, "ack")?;
    let window = scan_number(&mut scan, "win")?;
    let urgent = scan_number(&mut scan, "urg")?;
    let options = scan_options(&mut scan)?;
    Ok((SegmentText { connection, from_client, flags, start, len, ack, window, urgent, options }, scan.rest()))
}

fn scan_end(scan: &mut Scan<'_>) -> Result<(bool, u32), ParseError> {
    let start = *scan;
    let from_client = match scan.peek() {
        Some('C') => true,
        Some('S') => false,
        _ => return start.wrong("`C` or `S`"),
    };
    scan.advance(1);
    let digits = scan.take_while(|c| c.is_ascii_digit());
    let connection = if digits.is_empty() { Ok(1) } else { digits.parse() };
    scan.skip_spaces();
    connection.map(|number| (from_client, number)).or_else(|_| start.wrong("a connection's number"))
}

fn scan_range(scan: &mut Scan<'_>) -> Result<(u32, u32), ParseError> {
    let at = *scan;
    let start: u32 = scan.number(IN_RANGE)?;
    scan.require(":")?;
    let end: u32 = scan.number(IN_RANGE)?;
    scan.require("(")?;
    let len = scan.number(IN_RANGE)?;
    scan.require(")")?;
    if start.wrapping_add(len) != end {
        return at.wrong("an end that is the start and the length together");
    }
    Ok((start, len))
}

fn scan_number<T: std::str::FromStr>(scan: &mut Scan<'_>, name: &str) -> Result<Option<T>, ParseError> {
    let mut ahead = *scan;
    ahead.skip_spaces();
    if !ahead.take(name) {
        return Ok(None);
    }
    ahead.skip_spaces();
    let number = ahead.number(IN_RANGE)?;
    *scan = ahead;
    Ok(Some(number))
}

fn scan_options(scan: &mut Scan<'_>) -> Result<Option<String>, ParseError> {
    let mut ahead = *scan;
    ahead.skip_spaces();
    if !ahead.take("<") {
        return Ok(None);
    }
    let options = ahead.take_while(|c| c != '>').to_owned();
    ahead.require(">")?;
    *scan = ahead;
    Ok(Some(options))
}
