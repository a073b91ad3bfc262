//! The segments as `tcpdump -nr FILE tcp` prints them, for ports whose payload it does not dissect.
//!
//! Written after tcpdump 4.99's print-tcp.c, print-ip.c and print-ip6.c. Where it differs: the payload's text behind `length N`
//! for ports that tcpdump dissects is left out; packets in VLANs, which the filter `tcp` never matches, are printed like any
//! other; of a cooked packet's interface only the number is known, so `?` stands for its name; a frame longer than its
//! own original length, or of an impossible time, is printed like any other; fragments are not printed.

mod mptcp;
mod options;
mod time;

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

pub use self::time::Zone;
use crate::decode::{Layout, layout};
use crate::event::{Frame, LinkType, Time};
use crate::story::journal::Journal;
use crate::tcp::segment::{Flags, Segment};

/// Writes a line for each segment of `journal`, with times in `zone`.
pub fn write(journal: &Journal, zone: Zone, out: &mut dyn Write) -> io::Result<()> {
    let mut printer = Printer::new(zone);
    for event in journal.events() {
        if let Some((frame, segment)) = event.segment() {
            writeln!(out, "{}", printer.line(event.time, frame, segment))?;
        }
    }
    Ok(())
}

/// Prints segments one after the other: numbers are relative to the first that had an ACK in the same connection.
#[derive(Clone, Debug)]
pub struct Printer {
    zone: Zone,
    conversations: HashMap<(SocketAddr, SocketAddr), Base>,
}

/// What the numbers of a connection are relative to, by the end with the lower port (or address, where ports are equal).
#[derive(Clone, Copy, Debug, Default)]
struct Base {
    low: u32,
    high: u32,
}

/// The numbers as they are printed.
struct Shown {
    seq: u32,
    ack: u32,
    /// What the edges of a SACK are relative to.
    sack_base: u32,
}

impl Printer {
    /// A printer that has seen nothing.
    pub fn new(zone: Zone) -> Self {
        Self { zone, conversations: HashMap::new() }
    }

    /// The line of one segment.
    pub fn line(&mut self, time: Time, frame: &Frame, segment: &Segment) -> String {
        let shown = self.relative(segment);
        let Segment { src, dst, flags, window, urgent, payload_len: len, .. } = segment;
        // tcpdump 4.99 reads eight flags; AE came with RFC 9768.
        let letters = Flags::from_bits(flags.bits() & 0xff);
        let version = if src.is_ipv4() { "IP" } else { "IP6" };
        let time = time::of_day(time, self.zone);
        let interface = link_text(frame);
        let layout = layout(frame.link_type, &frame.data, frame.original_len);
        let missing = layout.map_or_else(String::new, |layout| missing_text(frame, layout, src.is_ipv4()));
        let mut parts =
            vec![format!("{time} {interface}{version} {missing}{} > {}: Flags [{letters}]", end(*src), end(*dst))];
        if *len > 0 || flags.syn() || flags.fin() || flags.rst() {
            parts.push(format!(", seq {}", shown.seq));
        }
        if *len > 0 {
            parts.push(format!(":{}", shown.seq.wrapping_add(*len)));
        }
        if flags.ack() {
            parts.push(format!(", ack {}", shown.ack));
        }
        parts.push(format!(", win {window}"));
        if flags.has(Flags::URG) {
            parts.push(format!(", urg {urgent}"));
        }
        match options::text(frame, layout, segment, shown.sack_base) {
            Ok(options) => parts.extend([options, format!(", length {len}")]),
            Err(cut) => parts.push(cut),
        }
        parts.concat()
    }

    /// As tcpdump does it: only a segment with ACK is looked up; the first of a connection, and each with SYN, sets the base
    /// and is itself printed as it stands.
    fn relative(&mut self, segment: &Segment) -> Shown {
        let (seq, ack) = (segment.seq.get(), segment.ack.get());
        if !segment.flags.ack() {
            return Shown { seq, ack, sack_base: 0 };
        }
        let (src, dst) = (segment.src, segment.dst);
        let from_high = (src.port(), src.ip()) > (dst.port(), dst.ip());
        let key = if from_high { (dst, src) } else { (src, dst) };
        let fresh = || {
            let (own, peer) = (seq, ack.wrapping_sub(1));
            if from_high { Base { low: peer, high: own } } else { Base { low: own, high: peer } }
        };
        let known = self.conversations.get(&key).copied().filter(|_| !segment.flags.syn());
        let base = known.unwrap_or_else(fresh);
        self.conversations.insert(key, base);
        let (own, peer) = if from_high { (base.high, base.low) } else { (base.low, base.high) };
        match known {
            None => Shown { seq, ack, sack_base: peer },
            Some(_) => Shown { seq: seq.wrapping_sub(own), ack: ack.wrapping_sub(peer), sack_base: peer },
        }
    }
}

/// What `-i any` captures have before the line: the interface and the packet's direction.
fn link_text(frame: &Frame) -> String {
    if frame.link_type != LinkType::LINUX_SLL2 {
        return String::new();
    }
    let direction = match frame.data.get(10) {
        Some(0) => "In",
        Some(1) => "B",
        Some(2) => "M",
        Some(3) => "P",
        Some(4) => "Out",
        _ => "?",
    };
    format!("?     {direction:<3} ")
}

/// What stands where the IP length says more than there was on the wire.
fn missing_text(frame: &Frame, layout: Layout, is_v4: bool) -> String {
    let there = usize::try_from(frame.original_len).unwrap_or(usize::MAX);
    match layout.end.checked_sub(there) {
        None | Some(0) => String::new(),
        Some(missing) if is_v4 => format!("truncated-ip - {missing} bytes missing! "),
        Some(missing) => format!("truncated-ip6 - {missing} bytes missing!"),
    }
}

fn end(end: SocketAddr) -> String {
    format!("{}.{}", address(end.ip()), end.port())
}

/// An address as tcpdump's addrtostr.c prints it, which shows IPv4-compatible addresses as IPv4.
fn address(address: IpAddr) -> String {
    match address {
        IpAddr::V6(v6) => match v6.segments() {
            [0, 0, 0, 0, 0, 0, high, low] if high != 0 => {
                format!("::{}", Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
            }
            _ => v6.to_string(),
        },
        IpAddr::V4(v4) => v4.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_addrtostr() {
        for text in ["::1", "::", "fe80::1", "::ffff:1.2.3.4", "::1.2.3.4", "2001:db8:0:1:1:1:1:1", "1.2.3.4"] {
            assert_eq!(address(text.parse().unwrap()), text);
        }
    }
}
