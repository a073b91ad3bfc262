//! What a reader comes upon, lent until it reads on.
//!
//! All of it lies in one place, the [`Stand`], and is lent by a single pointer. A packet's fields as a value would be copied
//! from hand to hand, and those copies cost more than reading the packet does.

use std::borrow::Cow;
use std::ops::{Deref, Range};

use super::pcapng::{Order, comments};
use super::{Item, Record};
use crate::event::{Frame, FrameNo, Gap, LinkType, Time};

/// What a file holds, in its order; lent, so that nothing is copied for what is only looked at.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// A packet.
    Packet(View<'a>),
    /// Something else that Wireshark gives a row and a number, by its name.
    Row(&'a (FrameNo, &'static str)),
    /// A comment on the section that begins; bytes that are not UTF-8 stand as U+FFFD.
    SectionComment(&'a String),
    /// Something is missing or damaged here.
    Gap(&'a Gap),
}

impl Seen<'_> {
    /// The same, to be kept.
    pub fn to_item(self) -> Item {
        match self {
            Self::Packet(view) => Item::Packet(view.to_record()),
            Self::Row((number, name)) => Item::Row(*number, name),
            Self::SectionComment(comment) => Item::SectionComment(comment.clone()),
            Self::Gap(gap) => Item::Gap(gap.clone()),
        }
    }
}

/// One packet of a file, as it lies in the reader's buffer. What its header says are its fields, by [`Head`].
#[derive(Clone, Copy, Debug)]
pub struct View<'a>(&'a Stand);

/// What a packet's header says.
#[derive(Clone, Debug)]
pub struct Head {
    /// The number of its file, from 0, where several are read as one.
    pub file: usize,
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
    /// Where its bytes lie in the buffer.
    pub(super) data: Range<usize>,
    /// Where pcapng's options lie, and their byte order; empty where there are none.
    pub(super) options: Range<usize>,
    pub(super) order: Order,
}

impl Deref for View<'_> {
    type Target = Head;

    #[inline]
    fn deref(&self) -> &Head {
        &self.0.head
    }
}

impl<'a> View<'a> {
    /// Its bytes, as far as they were captured.
    #[inline]
    pub fn data(&self) -> &'a [u8] {
        self.0.at(&self.0.head.data)
    }

    /// The comments on it, whoever wrote them, decoded when they are asked for; bytes that are not UTF-8 stand as U+FFFD.
    pub fn comments(&self) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        comments(self.0.head.order, self.0.at(&self.0.head.options))
    }

    /// The same packet, to be kept.
    pub fn to_record(&self) -> Record {
        let frame = Frame {
            number: self.number,
            link_type: self.link_type,
            original_len: self.original_len,
            data: self.data().into(),
            comments: self.comments().map(Cow::into_owned).collect(),
        };
        Record { frame, time: self.time }
    }
}

/// What a reader came to by one step. What it is in full lies in the [`Stand`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Packet,
    Aside,
    End,
}

/// Where a reader stands: its buffer, and what of it is lent.
#[derive(Debug)]
pub struct Stand {
    pub buffer: Vec<u8>,
    pub head: Head,
    aside: Aside,
}

/// What is no packet.
#[derive(Debug)]
pub enum Aside {
    Row((FrameNo, &'static str)),
    SectionComment(String),
    Gap(Gap),
}

impl Stand {
    /// At nothing yet, with this buffer.
    pub const fn new(buffer: Vec<u8>) -> Self {
        let head = Head {
            file: 0,
            number: FrameNo(0),
            link_type: LinkType(0),
            interface: 0,
            original_len: 0,
            time: None,
            data: 0..0,
            options: 0..0,
            order: Order::Little,
        };
        Self { buffer, head, aside: Aside::SectionComment(String::new()) }
    }

    /// The bytes that lie at `place` in the buffer.
    #[inline]
    pub fn at(&self, place: &Range<usize>) -> &[u8] {
        &self.buffer[place.start..place.end]
    }

    /// The step to what is no packet.
    #[cold]
    pub fn come_to(&mut self, aside: Aside) -> Step {
        self.aside = aside;
        Step::Aside
    }

    /// The packet that the last step came to.
    #[inline]
    pub const fn packet(&self) -> Seen<'_> {
        Seen::Packet(View(self))
    }

    /// What else the last step came to.
    #[cold]
    pub const fn aside(&self) -> Seen<'_> {
        match &self.aside {
            Aside::Row(row) => Seen::Row(row),
            Aside::SectionComment(comment) => Seen::SectionComment(comment),
            Aside::Gap(gap) => Seen::Gap(gap),
        }
    }
}
