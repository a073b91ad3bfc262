//! The article's nine segments.

use std::io::Write;

use epipe::decode::{Decoded, decode};
use epipe::event::{Event, EventId, Frame, FrameNo, LinkType, Run, Time, What};
use epipe::report::pcapng::Saving;
use epipe::story::journal::Journal;
use etherparse::{IpHeaders, IpNumber, Ipv4Header, PacketBuilder, TcpHeader, TcpOptionElement as Opt};

/// What stands on the section.
const MADE_UP: &str = "\
A reconstruction, not a recording: built from the nine lines of tcpdump's text that an article on broken pipes prints \
(\"Python TCP socket programming: send returns broken pipe error?\").
As printed: times of day, addresses, ports, flags, sequence and acknowledgement numbers, windows as they stand in the \
header (by the printed window scale of 5, 1025 means 32800 bytes), options, lengths.
Follows from what is printed: the sequence numbers of segments 3, 5 and 7, which tcpdump does not print.
Made up: the date (2010-01-01, UTC) and the nanoseconds (0); that the link was Ethernet with all addresses 0, as Linux's \
loopback has it; IP's identification (0), its do-not-fragment flag and time to live (64); all checksums, which are right; \
the acknowledgement field of the reset (0; its ACK flag is not set).
Taken from the article's program and not from the wire: the 5 bytes of segments 4 and 8 are \"hello\". The third send has no \
segment: the article prints none, and none is made up here. Neither are calls.";

/// 2010-01-01T00:00:00Z, in seconds since 1970.
const DATE: i64 = 1_262_304_000;

const CLIENT: u16 = 50870;
const SERVER: u16 = 2222;
const CLIENT_ISN: u32 = 2_737_957_170;
const SERVER_ISN: u32 = 2_751_472_309;

/// One printed line.
struct Printed {
    /// The time of day in microseconds.
    micros: i64,
    from_client: bool,
    flags: &'static str,
    /// Relative to the sender's initial number.
    seq: u32,
    /// Relative to the peer's initial number.
    ack: Option<u32>,
    window: u16,
    options: Options,
    payload: &'static [u8],
}

#[derive(Clone, Copy)]
enum Options {
    None,
    Syn { ecr: u32 },
    Timestamps { val: u32, ecr: u32 },
}

/// 03:51:51 and so many microseconds.
const fn at(micros: i64) -> i64 {
    ((3 * 60 + 51) * 60 + 51) * 1_000_000 + micros
}

const fn data(micros: i64, flags: &'static str, seq: u32, ack: u32, val: u32, payload: &'static [u8]) -> Printed {
    let options = Options::Timestamps { val, ecr: 39_403_123 };
    Printed { micros: at(micros), from_client: true, flags, seq, ack: Some(ack), window: 1025, options, payload }
}

const fn answer(micros: i64, flags: &'static str) -> Printed {
    let options = Options::Timestamps { val: 39_403_123, ecr: 39_403_123 };
    Printed { micros: at(micros), from_client: false, flags, seq: 1, ack: Some(6), window: 1024, options, payload: b"" }
}

const fn opening(micros: i64, from_client: bool, ack: Option<u32>, window: u16, ecr: u32) -> Printed {
    let options = Options::Syn { ecr };
    Printed { micros: at(micros), from_client, flags: "S", seq: 0, ack, window, options, payload: b"" }
}

const SEGMENTS: [Printed; 9] = [
    opening(137_047, true, None, 32792, 0),
    opening(137_055, false, Some(1), 32768, 39_403_123),
    data(137_061, "", 1, 1, 39_403_123, b""),
    data(137_083, "P", 1, 1, 39_403_123, b"hello"),
    answer(137_089, ""),
    answer(137_158, "F"),
    data(139_348, "", 6, 2, 39_403_137, b""),
    data(1_140_421, "P", 6, 2, 39_404_140, b"hello"),
    Printed {
        micros: at(1_140_444),
        from_client: false,
        flags: "R",
        seq: 2,
        ack: None,
        window: 0,
        options: Options::None,
        payload: b"",
    },
];

/// Writes the reconstruction.
pub fn write(out: &mut impl Write) -> Result<(), String> {
    let facts = [
        ("capture", "reconstructed from printed numbers; the section's comment lists what was made up"),
        ("payload", "all"),
        ("origin", "reconstruction"),
    ];
    let facts = facts.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let mut journal = Journal::new(Run { name: "article".to_owned(), facts, comments: vec![MADE_UP.to_owned()] });
    for (id, printed) in (1..).zip(&SEGMENTS) {
        let time = Time((DATE * 1_000_000 + printed.micros) * 1_000);
        let what = segment(id, printed)?;
        journal
            .append(Event { id: EventId(id), time, actor: None, late: false, what })
            .map_err(|error| error.to_string())?;
    }
    Saving::new(&journal).write(out).map_err(|error| error.to_string())
}

fn segment(number: u64, printed: &Printed) -> Result<What, String> {
    let data = packet(printed)?;
    let original_len = u32::try_from(data.len()).map_err(|error| error.to_string())?;
    match decode(LinkType::ETHERNET, &data, original_len) {
        Decoded::Tcp(segment) => {
            let number = FrameNo(number);
            let comments = Vec::new();
            let frame = Frame { number, link_type: LinkType::ETHERNET, original_len, data: data.into(), comments };
            Ok(What::Segment { frame, segment })
        }
        other => Err(format!("what was built is no segment: {other:?}")),
    }
}

fn packet(printed: &Printed) -> Result<Vec<u8>, String> {
    let tcp = header(printed)?;
    let len = u16::try_from(tcp.header_len() + printed.payload.len()).map_err(|error| error.to_string())?;
    let mut ip =
        Ipv4Header::new(len, 64, IpNumber::TCP, [127, 0, 0, 1], [127, 0, 0, 1]).map_err(|error| error.to_string())?;
    ip.dont_fragment = true;
    let mut bytes = Vec::new();
    PacketBuilder::ethernet2([0; 6], [0; 6])
        .ip(IpHeaders::Ipv4(ip, etherparse::Ipv4Extensions::default()))
        .tcp_header(tcp)
        .write(&mut bytes, printed.payload)
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn header(printed: &Printed) -> Result<TcpHeader, String> {
    let (from, to, own, peer) = if printed.from_client {
        (CLIENT, SERVER, CLIENT_ISN, SERVER_ISN)
    } else {
        (SERVER, CLIENT, SERVER_ISN, CLIENT_ISN)
    };
    let mut tcp = TcpHeader::new(from, to, own + printed.seq, printed.window);
    tcp.syn = printed.flags == "S";
    tcp.fin = printed.flags == "F";
    tcp.psh = printed.flags == "P";
    tcp.rst = printed.flags == "R";
    tcp.ack = printed.ack.is_some();
    tcp.acknowledgment_number = printed.ack.map_or(0, |ack| peer + ack);
    let set = match printed.options {
        Options::None => Ok(()),
        Options::Syn { ecr } => tcp.set_options(&[
            Opt::MaximumSegmentSize(16396),
            Opt::SelectiveAcknowledgementPermitted,
            Opt::Timestamp(39_403_123, ecr),
            Opt::Noop,
            Opt::WindowScale(5),
        ]),
        Options::Timestamps { val, ecr } => tcp.set_options(&[Opt::Noop, Opt::Noop, Opt::Timestamp(val, ecr)]),
    };
    set.map(|()| tcp).map_err(|error| format!("{error:?}"))
}
