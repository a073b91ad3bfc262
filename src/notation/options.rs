//! TCP options as tcpdump prints them between its brackets: `mss 65495,sackOK,TS val 1 ecr 0,nop,wscale 10`.

use super::scan::{ParseError, Scan};
use crate::tcp::segment::TcpOption;
use crate::tcp::seq::SeqNum;

/// Behind the last option: the list ended in the middle of another.
const CUT: &str = "cut";

/// The options with commas between them; `cut` stands behind those of a list that ended in the middle of an option.
pub fn options_text(options: &[TcpOption], cut: bool) -> String {
    let cut = cut.then(|| CUT.to_owned());
    options.iter().map(option_text).chain(cut).collect::<Vec<_>>().join(",")
}

/// One option as tcpdump prints it; one that has no name here as its kind and its bytes.
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

/// Reads what [`options_text`] printed: the options, and whether the list was cut.
pub fn parse_options(text: &str) -> Result<(Vec<TcpOption>, bool), ParseError> {
    let mut scan = Scan::new(text);
    let mut options = Vec::new();
    loop {
        if scan.rest() == CUT {
            return Ok((options, true));
        }
        options.push(option(&mut scan)?);
        scan.skip_spaces();
        if scan.rest().is_empty() {
            return Ok((options, false));
        }
        scan.require(",")?;
    }
}

fn option(scan: &mut Scan<'_>) -> Result<TcpOption, ParseError> {
    let start = *scan;
    let name = scan.take_while(|c| c.is_ascii_alphanumeric() || c == '-');
    scan.skip_spaces();
    Ok(match name {
        "eol" => TcpOption::EndOfList,
        "nop" => TcpOption::Nop,
        "sackOK" => TcpOption::SackPermitted,
        "mss" => TcpOption::MaximumSegmentSize(scan.number("a size in bytes")?),
        "wscale" => TcpOption::WindowScale(scan.number("a shift count")?),
        "TS" => {
            let val = labelled(scan, "val")?;
            TcpOption::Timestamps { val, ecr: labelled(scan, "ecr")? }
        }
        "sack" => sack(scan)?,
        _ => match name.strip_prefix("unknown-").and_then(|kind| kind.parse().ok()) {
            Some(kind) => TcpOption::Other { kind, data: hex(scan)? },
            None => return start.wrong("a TCP option as tcpdump prints it"),
        },
    })
}

fn labelled(scan: &mut Scan<'_>, label: &str) -> Result<u32, ParseError> {
    scan.skip_spaces();
    scan.require(label)?;
    scan.skip_spaces();
    scan.number("a timestamp")
}

fn sack(scan: &mut Scan<'_>) -> Result<TcpOption, ParseError> {
    let start = *scan;
    let count: usize = scan.number("a count of blocks")?;
    scan.skip_spaces();
    let mut edges = Vec::new();
    while scan.take("{") {
        let left = SeqNum::new(scan.number("a sequence number")?);
        scan.require(":")?;
        let right = SeqNum::new(scan.number("a sequence number")?);
        scan.require("}")?;
        edges.push((left, right));
    }
    if edges.len() == count { Ok(TcpOption::Sack(edges)) } else { start.wrong("the count of the blocks that follow") }
}

fn hex(scan: &mut Scan<'_>) -> Result<Vec<u8>, ParseError> {
    scan.require("0x")?;
    let start = *scan;
    let digits = scan.take_while(|c| c.is_ascii_hexdigit());
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| digit(*high).zip(digit(*low)).map(|(high, low)| high << 4 | low)).collect();
    match bytes {
        Some(bytes) if rest.is_empty() => Ok(bytes),
        _ => start.wrong("two hexadecimal digits for each byte"),
    }
}
