//! Waiting for sockets: the families of poll(2), select(2) and epoll(7), as far as TCP sockets are among what is waited for.

use super::{Brings, Pending, Reader, int, low, number, pending, word};
use crate::socket::call::{Arg, CallName};
use crate::source::lab::action::POLL_EVENTS;
use crate::source::trace::memory;
use crate::source::trace::ptrace::Entry;
use crate::source::words::{self, EPOLL_EVENTS, EPOLL_OPERATIONS};

/// The most entries of a poll, and the most descriptors of a select (`FD_SETSIZE`), that are looked at.
const MOST: u64 = 1024;

/// `struct pollfd` in bytes, and `struct epoll_event`, which is packed on `x86_64`.
const POLLED: u64 = 8;
#[cfg(target_arch = "x86_64")]
const EVENT: usize = 12;
#[cfg(not(target_arch = "x86_64"))]
const EVENT: usize = 16;

impl Reader<'_> {
    /// A call of these families; `None` for all others, and where no TCP socket is waited for.
    pub(super) fn readiness(&self, entry: &Entry) -> Option<Pending> {
        let [first, second, third, fourth, fifth, _] = entry.args;
        match entry.number {
            number::POLL => self.polls(first, second, i64::from(low(third))),
            libc::SYS_ppoll => self.polls(first, second, self.timespec(third)),
            number::SELECT => self.selects(first, [second, third, fourth], self.timeval(fifth)),
            libc::SYS_pselect6 => self.selects(first, [second, third, fourth], self.timespec(fifth)),
            number::EPOLL_WAIT | libc::SYS_epoll_pwait => self.epoll(low(first), second, i64::from(low(fourth))),
            libc::SYS_epoll_pwait2 => self.epoll(low(first), second, self.timespec(fourth)),
            libc::SYS_epoll_ctl => self.registers(low(first), low(second), low(third), fourth),
            _ => None,
        }
    }

    fn polls(&self, address: u64, count: u64, milliseconds: i64) -> Option<Pending> {
        let asked: Vec<(i32, i16)> = polled(self, address, count).map(|(fd, events, _)| (fd, events)).collect();
        let mut args: Vec<Arg> = asked.iter().flat_map(|(fd, events)| [int(*fd), events_word(*events)]).collect();
        args.push(Arg::Int(milliseconds));
        (!asked.is_empty()).then(|| pending(CallName::Poll, args, Brings::Polled(address, count)))
    }

    fn selects(&self, count: u64, sets: [u64; 3], milliseconds: i64) -> Option<Pending> {
        let asked = self.in_sets(count, sets);
        let args = match asked.as_slice() {
            [] => return None,
            [(fd, READ)] => vec![int(*fd), Arg::Int(milliseconds)],
            many => {
                let each = many.iter().flat_map(|(fd, how)| [int(*fd), sets_word(*how)]);
                each.chain([Arg::Int(milliseconds)]).collect()
            }
        };
        Some(pending(CallName::Select, args, Brings::Selected(sets)))
    }

    /// The TCP sockets in the three sets, and in which of them each is.
    pub(super) fn in_sets(&self, count: u64, sets: [u64; 3]) -> Vec<(i32, u8)> {
        let len = usize::try_from(count.min(MOST).div_ceil(8)).unwrap_or(0).next_multiple_of(8);
        let sets = sets.map(|set| memory::bytes(self.thread, set, len));
        let is_in = |set: &Vec<u8>, fd: i32| {
            let fd = usize::try_from(fd).unwrap_or(usize::MAX);
            set.get(fd / 8).is_some_and(|byte| byte >> (fd % 8) & 1 == 1)
        };
        let how = |fd: i32| (0..).zip(&sets).fold(0, |how, (bit, set)| how | u8::from(is_in(set, fd)) << bit);
        self.files.sockets().map(|fd| (fd, how(fd))).filter(|(_, how)| *how > 0).collect()
    }

    fn epoll(&self, epoll: i32, events: u64, milliseconds: i64) -> Option<Pending> {
        let args = vec![int(epoll), Arg::Int(milliseconds)];
        self.files.watches_sockets(epoll).then(|| pending(CallName::EpollWait, args, Brings::Events(events)))
    }

    fn registers(&self, epoll: i32, operation: i32, fd: i32, event: u64) -> Option<Pending> {
        if !self.files.has_socket(fd) {
            return None;
        }
        let (events, data) = memory::bytes(self.thread, event, EVENT).first_chunk::<EVENT>().map_or((0, 0), event_of);
        let operation = word(words::word(EPOLL_OPERATIONS, &operation)?);
        let args = vec![int(epoll), operation, int(fd), epoll_word(events)];
        Some(pending(CallName::EpollCtl, args, Brings::Interest(fd, data)))
    }

    /// In milliseconds; -1 for without end.
    fn timespec(&self, address: u64) -> i64 {
        self.time(address, 1_000_000)
    }

    /// In milliseconds; -1 for without end.
    fn timeval(&self, address: u64) -> i64 {
        self.time(address, 1000)
    }

    fn time(&self, address: u64, parts_in_millisecond: u64) -> i64 {
        let read = |address| memory::word(self.thread, address);
        let Some((seconds, parts)) = read(address).zip(read(address.wrapping_add(8))) else { return -1 };
        let milliseconds = seconds.saturating_mul(1000).saturating_add(parts / parts_in_millisecond);
        i64::try_from(milliseconds).unwrap_or(i64::MAX)
    }
}

/// Only in the set for reading.
const READ: u8 = 1;

/// The TCP sockets of a poll's array: descriptor, what is asked, what has come.
pub fn polled<'a>(reader: &Reader<'a>, address: u64, count: u64) -> impl Iterator<Item = (i32, i16, i16)> + use<'a> {
    let len = usize::try_from(count.min(MOST) * POLLED).unwrap_or(0);
    let raw = memory::bytes(reader.thread, address, len);
    let files = reader.files;
    let entries: Vec<(i32, i16, i16)> = raw
        .chunks_exact(8)
        .filter_map(|entry| {
            let (fd, events) = entry.split_first_chunk::<4>()?;
            let (asked, came) = events.split_first_chunk::<2>()?;
            let came = came.first_chunk::<2>()?;
            Some((i32::from_ne_bytes(*fd), i16::from_ne_bytes(*asked), i16::from_ne_bytes(*came)))
        })
        .filter(|(fd, ..)| files.has_socket(*fd))
        .collect();
    entries.into_iter()
}

/// The events that an epoll handed out: what, and with which data.
pub fn handed_out(reader: &Reader<'_>, address: u64, count: u64) -> Vec<(i32, u64)> {
    let len = usize::try_from(count.min(MOST)).unwrap_or(0) * EVENT;
    let raw = memory::bytes(reader.thread, address, len);
    raw.chunks_exact(EVENT).filter_map(|event| event.first_chunk::<EVENT>().map(event_of)).collect()
}

/// The events and the data of a `struct epoll_event`.
fn event_of(raw: &[u8; EVENT]) -> (i32, u64) {
    let events = raw.first_chunk::<4>().map_or(0, |events| i32::from_ne_bytes(*events));
    (events, raw.last_chunk::<8>().map_or(0, |data| u64::from_ne_bytes(*data)))
}

/// Events of poll(2) as a word.
pub fn events_word(events: i16) -> Arg {
    let names: Vec<&str> = POLL_EVENTS.iter().filter(|(_, bit)| events & bit != 0).map(|(name, _)| *name).collect();
    if names.is_empty() { Arg::Int(0) } else { Arg::Word(names.join("|")) }
}

/// Events of epoll(7) as a word.
pub fn epoll_word(events: i32) -> Arg {
    words::joined(EPOLL_EVENTS, events).map_or(Arg::Int(0), Arg::Word)
}

/// Sets of select(2) as a word.
pub fn sets_word(how: u8) -> Arg {
    const SETS: &[(&str, i32)] = &[("READ", 1), ("WRITE", 2), ("EXCEPT", 4)];
    words::joined(SETS, how.into()).map_or(Arg::Int(0), Arg::Word)
}
