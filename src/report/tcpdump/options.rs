//! TCP options as tcpdump 4.99's print-tcp.c prints them.

use super::mptcp;
use crate::decode::Layout;
use crate::event::Frame;
use crate::notation::option_text;
use crate::tcp::segment::{Segment, TcpOption};
use crate::tcp::seq::SeqNum;

/// The options of `segment` with all that stands round them; `Err` where the list is damaged or cut, after which tcpdump
/// prints nothing more.
pub fn text(frame: &Frame, layout: Option<Layout>, segment: &Segment, sack_base: u32) -> Result<String, String> {
    if segment.options.is_empty() && !segment.options_cut {
        return Ok(String::new());
    }
    let mut texts = Vec::new();
    for option in &segment.options {
        match one(option, segment, sack_base) {
            Some(text) => texts.push(text),
            None => return Err(bad(&texts)),
        }
    }
    if !segment.options_cut {
        return Ok(format!(", options [{}]", texts.join(",")));
    }
    let cut = layout.and_then(|layout| frame.data.get(layout.tcp + 20..).filter(|_| frame.data.len() < layout.payload));
    Err(cut.map_or_else(|| bad(&texts), |captured| cut_short(&texts, captured, &segment.options)))
}

/// What stands where the capture's snapshot length cut the list `captured` after `whole`.
fn cut_short(texts: &[String], captured: &[u8], whole: &[TcpOption]) -> String {
    let shown = texts.join(",") + if texts.is_empty() { "" } else { "," };
    let (name, close) = match captured.get(whole.iter().map(len).sum()..) {
        // Kind and length are there, and the data is cut.
        Some([kind, _, ..]) => (name(*kind), if texts.is_empty() { "" } else { ">" }),
        _ => (String::new(), ""),
    };
    format!(", options [{shown}{name} [|tcp]{close}")
}

/// An option's length in bytes, kind and length included.
fn len(option: &TcpOption) -> usize {
    match option {
        TcpOption::EndOfList | TcpOption::Nop => 1,
        TcpOption::SackPermitted => 2,
        TcpOption::WindowScale(_) => 3,
        TcpOption::MaximumSegmentSize(_) => 4,
        TcpOption::Timestamps { .. } => 10,
        TcpOption::Sack(edges) => 2 + 8 * edges.len(),
        TcpOption::Other { data, .. } => 2 + data.len(),
    }
}

const NAMES: [(u8, &str); 16] = [
    (2, "mss"),
    (3, "wscale"),
    (4, "sackOK"),
    (5, "sack"),
    (6, "echo"),
    (7, "echoreply"),
    (8, "TS"),
    (11, "cc"),
    (12, "ccnew"),
    (13, ""),
    (19, "md5"),
    (20, "scps"),
    (28, "uto"),
    (29, "tcp-ao"),
    (30, "mptcp"),
    (34, "tfo"),
];

/// tcpdump's name for a kind.
fn name(kind: u8) -> String {
    let known = NAMES.iter().find(|(known, _)| *known == kind);
    known.map_or_else(
        || if kind == 254 { "exp".to_owned() } else { format!("unknown-{kind}") },
        |(_, name)| (*name).to_owned(),
    )
}

/// `[bad opt]`; the bracket round the options is closed only if one was printed whole before.
fn bad(texts: &[String]) -> String {
    match texts {
        [] => ", options [[bad opt]".to_owned(),
        texts => format!(", options [{},[bad opt]]", texts.join(",")),
    }
}

fn one(option: &TcpOption, segment: &Segment, sack_base: u32) -> Option<String> {
    match option {
        TcpOption::Sack(edges) => Some(sack(edges, sack_base)),
        TcpOption::Other { kind, data } => other(*kind, data, segment),
        known => Some(option_text(known)),
    }
}

fn sack(edges: &[(SeqNum, SeqNum)], base: u32) -> String {
    let relative = |edge: &SeqNum| edge.get().wrapping_sub(base);
    let texts: String =
        edges.iter().map(|(left, right)| format!("{{{}:{}}}", relative(left), relative(right))).collect();
    format!("sack {} {texts}", edges.len())
}

/// Options without a meaning of their own in this program, and known ones of a wrong length; `None` where tcpdump calls one
/// bad.
fn other(kind: u8, data: &[u8], segment: &Segment) -> Option<String> {
    let number = |at: usize, bytes: usize| number(data, at, bytes);
    let text = match kind {
        2 | 28 | 20 => {
            let text = match kind {
                2 => format!(" {}", number(0, 2)),
                28 => user_timeout(number(0, 2)),
                _ => format!(" cap {:02x} id {}", number(0, 1), number(1, 1)),
            };
            fixed(data, 2, &text)?
        }
        3 => fixed(data, 1, &format!(" {}", number(0, 1)))?,
        4 => fixed(data, 0, "")?,
        5 => " invalid sack".to_owned(),
        6 | 7 | 11 | 12 | 13 => fixed(data, 4, &format!(" {}", number(0, 4)))?,
        8 => fixed(data, 8, &format!(" val {} ecr {}", number(0, 4), number(4, 4)))?,
        19 => fixed(data, 16, &signature(data, segment))?,
        29 => authentication(data),
        30 => mptcp::text(data, segment.flags)?,
        34 => format!(" {}", fast_open(data)),
        254 => experiment(data)?,
        _ if data.is_empty() => String::new(),
        _ => format!(" 0x{}", hex(data)),
    };
    Some(name(kind) + &text)
}

/// An option whose data should have `len` bytes. tcpdump reads on into the next option where there are fewer; that text would
/// be made of other options' bytes, so none is given here.
fn fixed(data: &[u8], len: usize, text: &str) -> Option<String> {
    match data.len() {
        there if there < len => None,
        there if there == len => Some(text.to_owned()),
        there => Some(format!("{text}[len {}]", there + 2)),
    }
}

fn signature(data: &[u8], segment: &Segment) -> String {
    let whole = u32::try_from(segment.payload.len()).is_ok_and(|captured| captured == segment.payload_len);
    let why = if whole { "shared secret not supplied with -M" } else { "snaplen too short" };
    format!(" {why}, can't check - {}", hex(data.get(..16).unwrap_or(data)))
}

fn user_timeout(value: u64) -> String {
    let seconds = if value & 1 == 1 { (value >> 1) * 60 } else { value >> 1 };
    format!(" 0x{value:x} {seconds}")
}

fn authentication(data: &[u8]) -> String {
    match data {
        [] | [_] => " (invalid)".to_owned(),
        [key, next] => format!(" keyid {key} rnextkeyid {next}"),
        [key, next, mac @ ..] => format!(" keyid {key} rnextkeyid {next} mac 0x{}", hex(mac)),
    }
}

fn fast_open(cookie: &[u8]) -> String {
    match cookie.len() {
        0 => " cookiereq".to_owned(),
        len if len % 2 != 0 || !(4..=16).contains(&len) => " (invalid)".to_owned(),
        _ => format!(" cookie {}", hex(cookie)),
    }
}

fn experiment(data: &[u8]) -> Option<String> {
    let (magic, rest) = data.split_first_chunk::<2>()?;
    Some(match u16::from_be_bytes(*magic) {
        0xf989 => format!("-tfo{}", fast_open(rest)),
        magic => format!("-{magic:04x}"),
    })
}

/// The big-endian number of `bytes` bytes at `at`; missing ones count as nothing.
pub fn number(data: &[u8], at: usize, bytes: usize) -> u64 {
    data.iter().skip(at).take(bytes).fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// `data` as hexadecimal digits.
pub fn hex(data: &[u8]) -> String {
    data.iter().map(|byte| format!("{byte:02x}")).collect()
}
