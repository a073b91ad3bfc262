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
            Ok(text) => texts.push(text),
            Err(beginning) => return Err(bad(&texts, &beginning)),
        }
    }
    if !segment.options_cut {
        return Ok(format!(", options [{}]", texts.join(",")));
    }
    let cut = layout.and_then(|layout| frame.data.get(layout.tcp + 20..).filter(|_| frame.data.len() < layout.payload));
    Err(cut.map_or_else(|| bad(&texts, ""), |captured| cut_short(&texts, captured, &segment.options)))
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

/// `[bad opt]` behind the beginning of the bad one; the bracket round the options is closed only if one was printed whole
/// before.
fn bad(texts: &[String], beginning: &str) -> String {
    match texts {
        [] => format!(", options [{beginning}[bad opt]"),
        texts => format!(", options [{},{beginning}[bad opt]]", texts.join(",")),
    }
}

/// One option; `Err` with what stands before `[bad opt]` where tcpdump calls it bad.
fn one(option: &TcpOption, segment: &Segment, sack_base: u32) -> Result<String, String> {
    match option {
        TcpOption::Sack(edges) => Ok(sack(edges, sack_base)),
        TcpOption::Other { kind, data } => {
            let name = name(*kind);
            other(*kind, data, segment).map(|text| name.clone() + &text).map_err(|text| name + &text)
        }
        known => Ok(option_text(known)),
    }
}

fn sack(edges: &[(SeqNum, SeqNum)], base: u32) -> String {
    let relative = |edge: &SeqNum| edge.get().wrapping_sub(base);
    let text = |(left, right)| format!("{{{}:{}}}", relative(left), relative(right));
    let texts = edges.iter().map(|(left, right)| text((left, right))).collect::<Vec<_>>().concat();
    format!("sack {} {texts}", edges.len())
}

/// What stands behind the name of an option without a meaning of its own in this program, or of a known one of a wrong length.
fn other(kind: u8, data: &[u8], segment: &Segment) -> Result<String, String> {
    let number = |at: usize, bytes: usize| number(data, at, bytes);
    match kind {
        2 => fixed(data, 2, &format!(" {}", number(0, 2))),
        3 => fixed(data, 1, &format!(" {}", number(0, 1))),
        4 => fixed(data, 0, ""),
        5 => Ok(" invalid sack".to_owned()),
        6 | 7 | 11 | 12 | 13 => fixed(data, 4, &format!(" {}", number(0, 4))),
        8 => fixed(data, 8, &format!(" val {} ecr {}", number(0, 4), number(4, 4))),
        19 => fixed(data, 16, &signature(data, segment)),
        20 => fixed(data, 2, &format!(" cap {:02x} id {}", number(0, 1), number(1, 1))),
        28 => fixed(data, 2, &user_timeout(number(0, 2))),
        29 => Ok(authentication(data)),
        30 => mptcp::text(data, segment.flags),
        34 => Ok(format!(" {}", fast_open(data))),
        254 => experiment(data),
        _ if data.is_empty() => Ok(String::new()),
        _ => Ok(format!(" 0x{}", hex(data))),
    }
}

/// An option whose data should have `len` bytes. Where there are fewer, tcpdump reads on into the next option; that text would
/// be made of other options' bytes, so the option is called bad here.
fn fixed(data: &[u8], len: usize, text: &str) -> Result<String, String> {
    match data.len() {
        there if there < len => Err(String::new()),
        there if there == len => Ok(text.to_owned()),
        there => Ok(format!("{text}[len {}]", there + 2)),
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

fn experiment(data: &[u8]) -> Result<String, String> {
    let Some((magic, rest)) = data.split_first_chunk::<2>() else { return Err(String::new()) };
    Ok(match u16::from_be_bytes(*magic) {
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
    data.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}
