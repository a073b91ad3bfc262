//! What a reader comes upon, lent until it reads on.

use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;

use super::bytes::Bytes;
use super::pcapng::{Order, comments};
use super::{Item, Record};
use crate::event::{Frame, FrameNo, Gap, LinkType, Time};

/// What a file holds, in its order; lent, so that nothing is copied for what is only looked at.
#[derive(Clone, Debug)]
pub enum Seen<'a> {
    /// A packet.
    Packet(View<'a>),
    /// Something else that Wireshark gives a row and a number, by its name.
    Row(FrameNo, &'static str),
    /// A comment on the section that begins; bytes that are not UTF-8 stand as U+FFFD.
    SectionComment(Cow<'a, str>),
    /// Something is missing or damaged here.
    Gap(Gap),
}

impl Seen<'_> {
    /// The same, to be kept.
    pub fn to_item(self) -> Item {
        match self {
            Self::Packet(view) => Item::Packet(view.to_record()),
            Self::Row(number, name) => Item::Row(number, name),
            Self::SectionComment(comment) => Item::SectionComment(comment.into_owned()),
            Self::Gap(gap) => Item::Gap(gap),
        }
    }
}

/// One packet of a file, as it lies in the reader's buffer.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Its place in its file, counting every row that Wireshark shows.
    pub number: FrameNo,
    /// How its first bytes are to be read.
    pub link_type: LinkType,
    /// The interface that captured it: a number from 0 that counts on through all sections of the file. 0 in a pcap file.
    pub interface: u32,
    /// Its length on the wire in bytes.
    pub original_len: u32,
    /// When it was captured; `None` where the file does not say (pcapng's simple packet blocks).
    pub time: Option<Time>,
    /// Its bytes, as far as they were captured.
    pub data: &'a [u8],
    comments: Comments<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Comments<'a> {
    Options(Order, &'a [u8]),
    Texts(&'a [String]),
}

impl<'a> View<'a> {
    /// The comments on it, whoever wrote them, decoded when they are asked for; bytes that are not UTF-8 stand as U+FFFD.
    pub fn comments(&self) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        let (in_options, texts) = match self.comments {
            Comments::Options(order, list) => (Some(comments(order, list)), [].as_slice()),
            Comments::Texts(texts) => (None, texts),
        };
        in_options.into_iter().flatten().chain(texts.iter().map(|text| Cow::Borrowed(text.as_str())))
    }

    /// The same packet, to be kept.
    pub fn to_record(&self) -> Record {
        let frame = Frame {
            number: self.number,
            link_type: self.link_type,
            original_len: self.original_len,
            data: self.data.into(),
            comments: self.comments().map(Cow::into_owned).collect(),
        };
        Record { frame, time: self.time }
    }
}

impl<'a> From<&'a Record> for View<'a> {
    /// Of a kept packet it is no longer known which interface captured it: it is given 0.
    fn from(record: &'a Record) -> Self {
        let Record { frame, time } = record;
        Self {
            number: frame.number,
            link_type: frame.link_type,
            interface: 0,
            original_len: frame.original_len,
            time: *time,
            data: &frame.data,
            comments: Comments::Texts(&frame.comments),
        }
    }
}

/// What a reader came to by one step. What it is in full lies in the [`Stand`]: moving it about would cost more than reading
/// a packet does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Packet,
    Aside,
    End,
}

/// Where a reader stands.
#[derive(Debug)]
pub struct Stand {
    pub packet: Placed,
    pub aside: Aside,
}

/// What is no packet.
#[derive(Debug)]
pub enum Aside {
    Row(FrameNo, &'static str),
    /// Where its bytes lie in the reader's buffer.
    SectionComment(Range<usize>),
    Gap(Gap),
}

/// A packet by its places in the reader's buffer.
#[derive(Debug)]
pub struct Placed {
    pub number: FrameNo,
    pub link_type: LinkType,
    pub interface: u32,
    pub original_len: u32,
    pub time: Time,
    /// Whether the file says a time; else `time` means nothing.
    pub is_timed: bool,
    pub data: Range<usize>,
    /// pcapng's options, and their byte order; empty where there are none.
    pub options: Range<usize>,
    pub order: Order,
}

impl Stand {
    /// At nothing yet.
    pub const fn new() -> Self {
        let packet = Placed {
            number: FrameNo(0),
            link_type: LinkType(0),
            interface: 0,
            original_len: 0,
            time: Time(0),
            is_timed: false,
            data: 0..0,
            options: 0..0,
            order: Order::Little,
        };
        Self { packet, aside: Aside::SectionComment(0..0) }
    }

    /// The step to what is no packet.
    #[cold]
    pub fn at(&mut self, aside: Aside) -> Step {
        self.aside = aside;
        Step::Aside
    }
}

impl Placed {
    /// The packet, whose places are in `bytes`.
    #[inline]
    pub fn view<'a, R: Read>(&self, bytes: &'a Bytes<R>) -> View<'a> {
        View {
            number: self.number,
            link_type: self.link_type,
            interface: self.interface,
            original_len: self.original_len,
            time: self.is_timed.then_some(self.time),
            data: bytes.at(&self.data),
            comments: Comments::Options(self.order, bytes.at(&self.options)),
        }
    }
}

impl Aside {
    /// The same, lent out of `bytes`.
    #[cold]
    pub fn seen<'a, R: Read>(&self, bytes: &'a Bytes<R>) -> Seen<'a> {
        match self {
            Self::SectionComment(place) => Seen::SectionComment(String::from_utf8_lossy(bytes.at(place))),
            Self::Row(number, name) => Seen::Row(*number, name),
            Self::Gap(gap) => Seen::Gap(gap.clone()),
        }
    }
}
