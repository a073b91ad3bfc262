//! Segments in packetdrill's notation: `C > S  P.  6:11(5) ack 2  win 64 <nop,nop,TS val 1 ecr 0>`.
//!
//! Numbers count from each end's initial sequence number, so that the SYN is 0 and the first byte 1.

use super::scan::{ParseError, Scan};
use crate::tcp::segment::{Flags, Segment, TcpOption};
use crate::tcp::seq::SeqNum;

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
            options: (!segment.options.is_empty()).then(|| options_text(&segment.options)),
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
    let options = scan_options(&mut scan)?;
    Ok((SegmentText { connection, from_client, flags, start, len, ack, window, options }, scan.rest()))
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
    let start: u32 = scan_digits(scan)?;
    scan.require(":")?;
    let end: u32 = scan_digits(scan)?;
    scan.require("(")?;
    let len = scan_digits(scan)?;
    scan.require(")")?;
    if start.wrapping_add(len) != end {
        return at.wrong("an end that is the start and the length together");
    }
    Ok((start, len))
}

fn scan_digits<T: std::str::FromStr>(scan: &mut Scan<'_>) -> Result<T, ParseError> {
    let start = *scan;
    scan.take_while(|c| c.is_ascii_digit()).parse().or_else(|_| start.wrong("a number in range"))
}

fn scan_number<T: std::str::FromStr>(scan: &mut Scan<'_>, name: &str) -> Result<Option<T>, ParseError> {
    let mut ahead = *scan;
    ahead.skip_spaces();
    if !ahead.take(name) {
        return Ok(None);
    }
    ahead.skip_spaces();
    let number = scan_digits(&mut ahead)?;
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

/// The options as tcpdump prints them between its brackets.
pub fn options_text(options: &[TcpOption]) -> String {
    options.iter().map(option_text).collect::<Vec<_>>().join(",")
}

/// One option as tcpdump prints it.
pub fn option_text(option: &TcpOption) -> String {
    match option {
        TcpOption::EndOfList => "eol".to_owned(),
        TcpOption::Nop => "nop".to_owned(),
        TcpOption::MaximumSegmentSize(size) => format!("mss {size}"),
        TcpOption::WindowScale(shift) => format!("wscale {shift}"),
        TcpOption::SackPermitted => "sackOK".to_owned(),
        TcpOption::Sack(edges) => {
            let edges_text: String = edges.iter().copied().map(edge_text).collect();
            format!("sack {} {edges_text}", edges.len())
        }
        TcpOption::Timestamps { val, ecr } => format!("TS val {val} ecr {ecr}"),
        TcpOption::Other { kind, data } => {
            let hex = data.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
            format!("unknown-{kind} 0x{hex}")
        }
    }
}

fn edge_text((left, right): (SeqNum, SeqNum)) -> String {
    format!("{{{}:{}}}", left.get(), right.get())
}
