//! Multipath TCP's option (RFC 8684) as tcpdump 4.99's print-mptcp.c prints it.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::address;
use super::options::{hex, number};
use crate::tcp::segment::Flags;

const NAMES: [&str; 8] = ["capable", "join", "dss", "add-addr", "rem-addr", "prio", "fail", "fast-close"];

/// The text behind `mptcp`; `Err` with what stands before `[bad opt]` where tcpdump calls the option bad. `data` begins behind
/// the option's length.
pub fn text(data: &[u8], flags: Flags) -> Result<String, String> {
    let Some(first) = data.first() else { return Err(String::new()) };
    let subtype = usize::from(first >> 4);
    let name = NAMES.get(subtype).unwrap_or(&"unknown");
    let head = format!(" {} {name}", data.len() + 2);
    let text = match subtype {
        0 => capable(data, flags),
        1 => join(data, flags),
        2 => return data_sequence(data, flags).map(|text| head.clone() + &text).map_err(|text| head + &text),
        3 => add_address(data),
        4 => remove_address(data),
        5 => priority(data),
        6 => (data.len() == 10).then(|| format!(" seq {}", number(data, 2, 8))),
        7 => (data.len() == 10).then(|| format!(" key 0x{:x}", number(data, 2, 8))),
        _ => Some(String::new()),
    };
    text.map(|text| head.clone() + &text).ok_or(head)
}

fn capable(data: &[u8], flags: Flags) -> Option<String> {
    let len = data.len() + 2;
    let in_syn = matches!(len, 4 | 12) && flags.syn();
    let in_ack = matches!(len, 20 | 22) && flags.ack() && !flags.syn();
    if !in_syn && !in_ack {
        return None;
    }
    let version = number(data, 0, 1) & 0xf;
    if version > 1 {
        return Some(format!(" Unknown Version ({version})"));
    }
    let checksum = if number(data, 1, 1) & 0x80 != 0 { " csum" } else { "" };
    let keys = match len {
        4 => String::new(),
        12 => format!(" {{0x{:x}}}", number(data, 2, 8)),
        _ => format!(" {{0x{:x},0x{:x}}}", number(data, 2, 8), number(data, 10, 8)),
    };
    Some(format!(" v{version}{checksum}{keys}"))
}

fn join(data: &[u8], flags: Flags) -> Option<String> {
    let backup = if number(data, 0, 1) & 1 != 0 { " backup" } else { "" };
    let id = number(data, 1, 1);
    match data.len() + 2 {
        12 if flags.syn() => {
            let (token, nonce) = (number(data, 2, 4), number(data, 6, 4));
            Some(format!("{backup} id {id} token 0x{token:x} nonce 0x{nonce:x}"))
        }
        16 if flags.syn() && flags.ack() => {
            let (mac, nonce) = (number(data, 2, 8), number(data, 10, 4));
            Some(format!("{backup} id {id} hmac 0x{mac:x} nonce 0x{nonce:x}"))
        }
        24 if flags.ack() => Some(format!(" hmac 0x{}", hex(&data[2..]))),
        _ => None,
    }
}

/// A field of a data sequence signal: the text before it, its flag (0 where it follows from another's), the flag that makes it
/// 8 bytes long, and its length otherwise.
type Field = (&'static str, u8, u8, usize);

/// Prints field after field, so that what stands before a missing one is printed too.
fn data_sequence(data: &[u8], flags: Flags) -> Result<String, String> {
    const FIELDS: [Field; 4] =
        [(" ack ", 0x01, 0x02, 4), (" seq ", 0x04, 0x08, 4), (" subseq ", 0x04, 0, 4), (" len ", 0x04, 0, 2)];
    let Some((head, mut rest)) = data.split_at_checked(2).filter(|_| !flags.syn()) else { return Err(String::new()) };
    let bits = head[1];
    let mut text = if bits & 0x10 != 0 { " fin" } else { "" }.to_owned();
    for (name, _, wide, narrow) in FIELDS.into_iter().filter(|(_, flag, ..)| bits & flag != 0) {
        let bytes = if bits & wide != 0 { 8 } else { narrow };
        // The first two names are printed before their numbers are looked for.
        let (before, behind) = if matches!(name, " ack " | " seq ") { (name, "") } else { ("", name) };
        text += before;
        let Some((field, left)) = rest.split_at_checked(bytes) else { return Err(text) };
        text = [&text, behind, &number(field, 0, bytes).to_string()].concat();
        rest = left;
    }
    if bits & 0x04 != 0
        && let Some((checksum, left)) = rest.split_at_checked(2)
    {
        text = format!("{text} csum 0x{:x}", number(checksum, 0, 2));
        rest = left;
    }
    if rest.is_empty() { Ok(text) } else { Err(text) }
}

fn add_address(data: &[u8]) -> Option<String> {
    let len = data.len() + 2;
    let is_v4 = matches!(len, 8 | 10 | 16 | 18);
    if !is_v4 && !matches!(len, 20 | 22 | 28 | 30) {
        return None;
    }
    let echo = match number(data, 0, 1) & 0xf {
        6 => "v0-ip6",
        4 => "v0-ip4",
        1 => "v1-echo",
        0 => "v1",
        _ => "[bad version/echo]",
    };
    let (id, behind_id) = (data[1], &data[2..]);
    let (shown, rest) = if is_v4 {
        let (v4, rest) = behind_id.split_first_chunk::<4>()?;
        (address(Ipv4Addr::from(*v4).into()), rest)
    } else {
        let (v6, rest) = behind_id.split_first_chunk::<16>()?;
        (address(Ipv6Addr::from(*v6).into()), rest)
    };
    let has_port = matches!(rest.len(), 2 | 10);
    let port = if has_port { format!(":{}", number(rest, 0, 2)) } else { String::new() };
    let mac = match rest.len() {
        8 | 10 => format!(" hmac 0x{:x}", number(rest, rest.len() - 8, 8)),
        _ => String::new(),
    };
    Some(format!(" {echo} id {id} {shown}{port}{mac}"))
}

fn remove_address(data: &[u8]) -> Option<String> {
    let ids = data.get(1..).filter(|ids| !ids.is_empty())?;
    let ids: Vec<String> = ids.iter().map(u8::to_string).collect();
    Some(format!(" id {}", ids.join(" ")))
}

fn priority(data: &[u8]) -> Option<String> {
    let backup = if data[0] & 1 != 0 { " backup" } else { " non-backup" };
    match data {
        [_] => Some(backup.to_owned()),
        [_, id] => Some(format!("{backup} id {id}")),
        _ => None,
    }
}
