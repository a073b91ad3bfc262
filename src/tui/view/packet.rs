//! A packet's headers, field by field: where each stands, which bytes it is, what it says.

use std::fmt::Write as _;

use etherparse::{LaxNetSlice, LaxSlicedPacket, LinkSlice, TcpSlice, TransportSlice};

use crate::event::{Frame, LinkType};

/// A header of the packet, or what comes after the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The link's.
    Link,
    /// IP's.
    Ip,
    /// TCP's.
    Tcp,
    /// The data.
    Data,
}

/// One field of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Whose field it is.
    pub layer: Layer,
    /// Where it begins, in bytes from the frame's first.
    pub offset: usize,
    /// Its bytes; fields that share a byte show it each.
    pub bytes: Vec<u8>,
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub value: String,
}

/// What makes fields from a header at a known place.
struct Header<'a> {
    layer: Layer,
    start: usize,
    bytes: &'a [u8],
    fields: Vec<Field>,
}

impl<'a> Header<'a> {
    fn new(layer: Layer, start: usize, bytes: &'a [u8]) -> Self {
        Self { layer, start, bytes, fields: Vec::new() }
    }

    /// A field of `len` bytes from `at`, as far as they are there.
    fn field(&mut self, at: usize, len: usize, name: &'static str, value: impl Into<String>) {
        let bytes = self.bytes.get(at..).unwrap_or_default();
        let bytes = bytes[..len.min(bytes.len())].to_vec();
        let value = value.into();
        self.fields.push(Field { layer: self.layer, offset: self.start + at, bytes, name, value });
    }
}

/// The fields of `frame`, as far as its headers can be read, in the order in which they stand.
pub fn fields(frame: &Frame) -> Vec<Field> {
    let data: &[u8] = &frame.data;
    let Some((mut fields, packet)) = link(frame) else { return rest(data, 0, "bytes not understood") };
    let place = |slice: &[u8]| (slice.as_ptr() as usize).saturating_sub(data.as_ptr() as usize);
    match &packet.net {
        Some(LaxNetSlice::Ipv4(ip)) => fields.extend(ipv4(place(ip.header().slice()), ip.header().slice())),
        Some(LaxNetSlice::Ipv6(ip)) => fields.extend(ipv6(place(ip.header().slice()), ip.header().slice())),
        _ => {}
    }
    if let Some(TransportSlice::Tcp(segment)) = &packet.transport {
        fields.extend(tcp(place(segment.slice()), segment));
        let payload = segment.payload();
        fields.extend(rest(payload, place(payload), "data"));
    }
    if fields.is_empty() { rest(data, 0, "bytes not understood") } else { fields }
}

/// The link's fields and the packet after it; `None` where the link is not known or the frame too short.
fn link(frame: &Frame) -> Option<(Vec<Field>, LaxSlicedPacket<'_>)> {
    let data: &[u8] = &frame.data;
    if frame.link_type == LinkType::ETHERNET {
        let packet = LaxSlicedPacket::from_ethernet(data).ok()?;
        let fields = match &packet.link {
            Some(LinkSlice::Ethernet2(_)) => ethernet(data),
            _ => Vec::new(),
        };
        return Some((fields, packet));
    }
    // How many bytes stand before the IP header, by tcpdump.org's list of link types.
    let skip = match frame.link_type.0 {
        0 | 108 => 4,
        101 | 228 | 229 => 0,
        113 => 16,
        276 => 20,
        _ => return None,
    };
    let mut header = Header::new(Layer::Link, 0, data);
    if skip > 0 {
        header.field(0, skip, "link header", format!("{skip} bytes"));
    }
    Some((header.fields, LaxSlicedPacket::from_ip(data.get(skip..)?).ok()?))
}

fn ethernet(data: &[u8]) -> Vec<Field> {
    let mut header = Header::new(Layer::Link, 0, data);
    header.field(0, 6, "destination", colons(data.get(..6)));
    header.field(6, 6, "source", colons(data.get(6..12)));
    header.field(12, 2, "type", format!("0x{:04x}", number(data, 12, 2)));
    header.fields
}

fn colons(bytes: Option<&[u8]>) -> String {
    bytes.unwrap_or_default().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

/// `len` bytes at `at` as a number in network order; what is missing counts as nothing.
fn number(bytes: &[u8], at: usize, len: usize) -> u64 {
    bytes.iter().skip(at).take(len.min(8)).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn ipv4(start: usize, bytes: &[u8]) -> Vec<Field> {
    let number = |at, len| number(bytes, at, len);
    let address =
        |at: usize| -> String { bytes.iter().skip(at).take(4).map(u8::to_string).collect::<Vec<_>>().join(".") };
    let mut header = Header::new(Layer::Ip, start, bytes);
    header.field(0, 1, "version, length", format!("4, {} bytes", (number(0, 1) & 15) * 4));
    header.field(1, 1, "DSCP, ECN", format!("{}, {}", number(1, 1) >> 2, number(1, 1) & 3));
    header.field(2, 2, "total length", number(2, 2).to_string());
    header.field(4, 2, "identification", number(4, 2).to_string());
    let flags = number(6, 2);
    let dont = if flags & 0x4000 == 0 { "" } else { "don't fragment, " };
    header.field(6, 2, "flags, offset", format!("{dont}{}", (flags & 0x1fff) * 8));
    header.field(8, 1, "time to live", number(8, 1).to_string());
    header.field(9, 1, "protocol", number(9, 1).to_string());
    header.field(10, 2, "checksum", format!("0x{:04x}", number(10, 2)));
    header.field(12, 4, "source", address(12));
    header.field(16, 4, "destination", address(16));
    if bytes.len() > 20 {
        header.field(20, bytes.len() - 20, "options", format!("{} bytes", bytes.len() - 20));
    }
    header.fields
}

fn ipv6(start: usize, bytes: &[u8]) -> Vec<Field> {
    let number = |at, len| number(bytes, at, len);
    let address = |at: usize| {
        let octets = bytes.get(at..at + 16).and_then(|octets| <[u8; 16]>::try_from(octets).ok());
        octets.map(|octets| std::net::Ipv6Addr::from(octets).to_string()).unwrap_or_default()
    };
    let mut header = Header::new(Layer::Ip, start, bytes);
    header.field(0, 4, "version, class, flow", format!("6, {}, {}", number(0, 4) >> 20 & 255, number(0, 4) & 0xf_ffff));
    header.field(4, 2, "payload length", number(4, 2).to_string());
    header.field(6, 1, "next header", number(6, 1).to_string());
    header.field(7, 1, "hop limit", number(7, 1).to_string());
    header.field(8, 16, "source", address(8));
    header.field(24, 16, "destination", address(24));
    header.fields
}

fn tcp(start: usize, segment: &TcpSlice) -> Vec<Field> {
    let bytes = segment.header_slice();
    let mut header = Header::new(Layer::Tcp, start, bytes);
    header.field(0, 2, "source port", segment.source_port().to_string());
    header.field(2, 2, "destination port", segment.destination_port().to_string());
    header.field(4, 4, "sequence", segment.sequence_number().to_string());
    header.field(8, 4, "acknowledgement", segment.acknowledgment_number().to_string());
    header.field(12, 1, "header length", format!("{} bytes", usize::from(segment.data_offset()) * 4));
    header.field(12, 2, "flags", flags(number(bytes, 12, 2)));
    header.field(14, 2, "window", segment.window_size().to_string());
    header.field(16, 2, "checksum", format!("0x{:04x}", segment.checksum()));
    header.field(18, 2, "urgent pointer", segment.urgent_pointer().to_string());
    options(&mut header);
    header.fields
}

/// The flags' names, from the header's bits.
pub fn flags(bits: u64) -> String {
    const NAMES: [&str; 9] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"];
    let set = NAMES.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1).map(|(_, name)| *name);
    let set: Vec<&str> = set.collect();
    if set.is_empty() { "none".to_owned() } else { set.join(" ") }
}

/// Walks the options by their lengths; one whose length cannot be right ends the walk and is shown as the rest.
fn options(header: &mut Header) {
    let mut at = 20;
    while let Some(&kind) = header.bytes.get(at) {
        if kind < 2 {
            header.field(at, 1, if kind == 0 { "end of options" } else { "no operation" }, "");
            at += 1;
            continue;
        }
        let len = header.bytes.get(at + 1).map_or(0, |len| usize::from(*len));
        if len < 2 || at + len > header.bytes.len() {
            let left = header.bytes.len() - at;
            header.field(at, left, "option cut short", format!("kind {kind}"));
            return;
        }
        let (name, value) = option(kind, &header.bytes[at + 2..at + len]);
        header.field(at, len, name, value);
        at += len;
    }
}

fn option(kind: u8, data: &[u8]) -> (&'static str, String) {
    match (kind, data.len()) {
        (2, 2) => ("maximum segment", number(data, 0, 2).to_string()),
        (3, 1) => ("window scale", format!("×{}", 1_u64 << number(data, 0, 1).min(14))),
        (4, 0) => ("SACK permitted", String::new()),
        (5, _) => ("SACK", edges(data)),
        (8, 8) => ("timestamps", format!("{}, echo {}", number(data, 0, 4), number(data, 4, 4))),
        _ => ("option", format!("kind {kind}, {} bytes", data.len())),
    }
}

fn edges(data: &[u8]) -> String {
    let edges = data.chunks(8).map(|pair| format!("{}-{}", number(pair, 0, 4), number(pair, 4, 4)));
    edges.collect::<Vec<_>>().join(" ")
}

fn rest(bytes: &[u8], offset: usize, name: &'static str) -> Vec<Field> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let value = format!("{} bytes: {}", bytes.len(), printable(bytes));
    vec![Field { layer: Layer::Data, offset, bytes: bytes.to_vec(), name, value }]
}

/// The bytes as ASCII, with a dot for what cannot be printed.
pub fn printable(bytes: &[u8]) -> String {
    let shown = |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' };
    bytes.iter().map(shown).collect()
}

/// The bytes in hexadecimal, with `gap` between them.
pub fn hex(bytes: &[u8], gap: &str) -> String {
    let mut text = String::new();
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 {
            text.push_str(gap);
        }
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// One line of a dump: offset, eight bytes, the same as text.
pub fn dump_line(data: &[u8], line: usize) -> Option<String> {
    let offset = line * 8;
    let bytes = data.get(offset..)?;
    let bytes = &bytes[..bytes.len().min(8)];
    (!bytes.is_empty()).then(|| format!("{offset:04x}  {:<23}  {}", hex(bytes, " "), printable(bytes)))
}

#[cfg(test)]
mod tests;
