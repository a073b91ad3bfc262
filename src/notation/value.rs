//! Arguments and data as text.

use super::scan::{ParseError, Scan};
use crate::socket::call::{Arg, Payload};

/// `bytes` in double quotes, everything but printable ASCII escaped as in C: `\n`, `\"`, `\x00`.
pub fn quote(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 2);
    text.push('"');
    for byte in bytes {
        escape_to(&mut text, *byte);
    }
    text.push('"');
    text
}

fn escape_to(text: &mut String, byte: u8) {
    match byte {
        b'\n' => text.push_str("\\n"),
        b'\r' => text.push_str("\\r"),
        b'\t' => text.push_str("\\t"),
        b'"' => text.push_str("\\\""),
        b'\\' => text.push_str("\\\\"),
        b' '..=b'~' => text.push(char::from(byte)),
        _ => text.push_str(&format!("\\x{byte:02x}")),
    }
}

/// A payload in quotes, with `…` behind it where more bytes followed that were not kept.
pub fn quote_payload(payload: &Payload) -> String {
    quote(&payload.bytes) + if payload.cut { CUT } else { "" }
}

/// Behind a quoted payload: more bytes followed. Three ASCII dots, so that a comment stays ASCII.
const CUT: &str = "...";

/// Reads what [`quote`] printed, and returns it with what stands behind it.
pub fn unquote(text: &str) -> Result<(Vec<u8>, &str), ParseError> {
    let mut scan = Scan::new(text);
    let bytes = quoted(&mut scan)?;
    Ok((bytes, scan.rest()))
}

pub fn quoted(scan: &mut Scan<'_>) -> Result<Vec<u8>, ParseError> {
    scan.require("\"")?;
    let mut bytes = Vec::new();
    loop {
        match scan.peek() {
            Some('"') => {
                scan.advance(1);
                return Ok(bytes);
            }
            Some('\\') => bytes.push(escape(scan)?),
            Some(' '..='~') => {
                let plain = scan.take_while(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\'));
                bytes.extend_from_slice(plain.as_bytes());
            }
            _ => return scan.wrong("a printable ASCII character or the closing quote"),
        }
    }
}

fn escape(scan: &mut Scan<'_>) -> Result<u8, ParseError> {
    let start = *scan;
    scan.advance(1);
    let letter = scan.peek();
    scan.advance(letter.map_or(0, char::len_utf8));
    match letter {
        Some('n') => Ok(b'\n'),
        Some('r') => Ok(b'\r'),
        Some('t') => Ok(b'\t'),
        Some('"') => Ok(b'"'),
        Some('\\') => Ok(b'\\'),
        Some('x') => {
            let digits = scan.rest().get(..2).filter(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()));
            scan.advance(digits.map_or(0, str::len));
            digits
                .and_then(|two| u8::from_str_radix(two, 16).ok())
                .map_or_else(|| start.wrong("`\\x` and two hexadecimal digits"), Ok)
        }
        _ => start.wrong("one of the escapes \\n \\r \\t \\\" \\\\ \\xHH"),
    }
}

pub fn payload(scan: &mut Scan<'_>) -> Result<Payload, ParseError> {
    let bytes = quoted(scan)?;
    Ok(Payload { bytes, cut: scan.take(CUT) })
}

pub fn arg(arg: &Arg) -> String {
    match arg {
        Arg::Int(number) => number.to_string(),
        Arg::Addr(addr) => addr.to_string(),
        Arg::Bytes(payload) => quote_payload(payload),
        Arg::Word(word) => clean_word(word),
    }
}

/// A word as the grammar allows it; a character that it does not allow becomes `_`.
fn clean_word(word: &str) -> String {
    let clean: String = word.chars().map(|c| if in_word(c) { c } else { '_' }).collect();
    if clean.is_empty() { "_".to_owned() } else { clean }
}

const fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '|' | '-' | '.' | ':' | '[' | ']' | '/' | '%')
}

pub fn parse_arg(scan: &mut Scan<'_>) -> Result<Arg, ParseError> {
    if scan.peek() == Some('"') {
        return payload(scan).map(Arg::Bytes);
    }
    let start = *scan;
    let word = scan.take_while(in_word);
    if word.is_empty() {
        return start.wrong("a number, an address, a word or quoted data");
    }
    let number = word.parse().map(Arg::Int).ok();
    let addr = || word.parse().map(Arg::Addr).ok();
    Ok(number.or_else(addr).unwrap_or_else(|| Arg::Word(word.to_owned())))
}
