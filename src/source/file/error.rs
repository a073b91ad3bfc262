//! Why a file cannot be read as a capture.

use std::io;

use super::input::Ended;

/// Why a file cannot be read as a capture.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be opened.
    #[error("cannot open {name:?}: {source}")]
    Open {
        /// The file.
        name: String,
        /// What the system says.
        source: io::Error,
    },
    /// It cannot be read on.
    #[error("cannot read {name:?} at byte {offset}: {source}")]
    Read {
        /// The file.
        name: String,
        /// Where, in bytes from its start.
        offset: u64,
        /// What the system says.
        source: io::Error,
    },
    /// The reading was stopped from outside; what was read before is good.
    #[error("the reading of {name:?} was stopped")]
    Stopped {
        /// The file.
        name: String,
    },
    /// It was followed, and nothing more can come; what was read before is good.
    #[error("cannot follow {name:?} any further: {why}")]
    Lost {
        /// The file.
        name: String,
        /// What happened to it, in lower case.
        why: String,
    },
    /// It is nothing that can be followed.
    #[error("cannot follow {name:?}: {is}")]
    NotFollowed {
        /// The file.
        name: String,
        /// What it is.
        is: NotPlain,
    },
    /// It is something else.
    #[error("{name:?} is not a capture: {}", beginning_text(beginning))]
    NotACapture {
        /// The file.
        name: String,
        /// Its first bytes, at most 24.
        beginning: Vec<u8>,
    },
    /// It ends in its own header.
    #[error("{name:?} is a pcap file that ends at byte {len}, inside its own header of 24 bytes")]
    CutHeader {
        /// The file.
        name: String,
        /// Its length in bytes.
        len: usize,
    },
}

/// Why a file cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPlain {
    /// A pipe, a device or standard input.
    #[error("it is not a plain file")]
    Stream,
    /// gzip or zstd data.
    #[error("it is compressed")]
    Packed,
}

impl NotPlain {
    const fn help(self) -> &'static str {
        match self {
            Self::Stream => "leave out --follow: a pipe is read as long as something comes",
            Self::Packed => {
                "leave out --follow, or have it unpacked as it grows (tail -c +1 -f FILE | gzip -dc | epipe explain -)"
            }
        }
    }
}

fn beginning_text(beginning: &[u8]) -> String {
    if beginning.is_empty() {
        return "it is empty".to_owned();
    }
    let shown = &beginning[..beginning.len().min(16)];
    format!("it begins with \"{}\"", shown.escape_ascii())
}

/// Formats that people take for captures or that hold one, by their first bytes.
const KNOWN: [(&[u8], &str); 6] = [
    (b"\xfd7zXZ", "it is compressed by xz: unpack it first (xz -dc FILE | epipe replay -)"),
    (b"\x04\x22\x4d\x18", "it is compressed by lz4: unpack it first (lz4 -dc FILE | epipe replay -)"),
    (b"# epipe transcript", "it is a transcript of epipe's: epipe replay shows it"),
    (b"PK\x03\x04", "it is a zip archive: unpack it first (unzip -p FILE | epipe replay -)"),
    (b"snoop\0", "it is a snoop capture: convert it first (editcap FILE FILE.pcapng)"),
    (b"GMBU", "it is a Network Monitor capture: convert it first (editcap FILE FILE.pcapng)"),
];

impl FileError {
    /// Why `name` could not be read on at byte `offset`.
    pub(super) fn reading(name: String, offset: u64, source: io::Error) -> Self {
        match Ended::of(&source) {
            Some(Ended::Stopped) => Self::Stopped { name },
            Some(Ended::Lost(why)) => Self::Lost { name, why: why.clone() },
            None => Self::Read { name, offset, source },
        }
    }

    /// Whether nothing is wrong with the file: the reading was stopped from outside.
    pub const fn is_stop(&self) -> bool {
        matches!(self, Self::Stopped { .. })
    }

    /// What the user can do.
    pub fn help(&self) -> Option<String> {
        let beginning = match self {
            Self::NotACapture { beginning, .. } => beginning,
            Self::NotFollowed { is, .. } => return Some(is.help().to_owned()),
            _ => return None,
        };
        let known = KNOWN.iter().find(|(magic, _)| beginning.starts_with(magic));
        Some(known.map_or("captures (pcap, pcapng) and transcripts of epipe are read", |(_, help)| help).to_owned())
    }
}
