//! What came of a call, at its exit.

use std::net::SocketAddr;

use super::data::{MESSAGES, message_len, message_pieces};
use super::ready::{epoll_word, events_word, handed_out, polled, sets_word};
use super::{Brings, Pending, Reader, int};
use crate::socket::call::{Arg, Outcome, Payload};
use crate::socket::errno::Errno;
use crate::source::trace::memory::{self, Piece};
use crate::source::trace::socket;

/// The kernel's own values for a call that a signal interrupted, and that may be made again (`ERESTARTSYS` and others of
/// include/linux/errno.h). No program sees them.
const RESTARTS: std::ops::RangeInclusive<i64> = -516..=-512;

/// How a call came out.
#[derive(Clone, Debug, PartialEq)]
pub enum Happened {
    /// So.
    Returned(Outcome),
    /// A signal interrupted it. If it is made again, it goes on.
    Interrupted,
}

impl Reader<'_> {
    /// What came of `pending`, which left `value` in the register of results.
    pub fn happened(&self, pending: &Pending, value: i64) -> Happened {
        if RESTARTS.contains(&value) {
            return Happened::Interrupted;
        }
        if let -4095..=-1 = value {
            let errno = Errno(u16::try_from(-value).unwrap_or(0));
            let outcome = Outcome::failure(errno);
            let in_progress = pending.brings == Brings::OwnAddress && errno == Errno::EINPROGRESS;
            let own = if in_progress { self.own_address(pending) } else { None };
            return Happened::Returned(own.map_or(outcome.clone(), |own| outcome.with(Arg::Addr(own))));
        }
        Happened::Returned(self.success(pending, value))
    }

    fn success(&self, pending: &Pending, value: i64) -> Outcome {
        let outcome = Outcome::success(value);
        let count = u64::try_from(value).unwrap_or(0);
        match &pending.brings {
            Brings::Connection { address, len } => {
                let peer = self.peer(*address, *len, i32::try_from(value).unwrap_or(-1));
                peer.map_or(outcome.clone(), |peer| outcome.with(Arg::Addr(peer)))
            }
            Brings::OwnAddress => {
                let own = self.own_address(pending);
                own.map_or(outcome.clone(), |own| outcome.with(Arg::Addr(own)))
            }
            Brings::Bytes(pieces) => self.taken(count, pieces),
            Brings::Messages(address, sent) => self.messages_done(*address, count, *sent),
            Brings::Error(address) => {
                let number = memory::int(self.thread, *address).unwrap_or(0);
                let errno = u16::try_from(number).ok().filter(|number| *number > 0).map(Errno);
                outcome.with(errno.map_or(Arg::Int(0), |errno| Arg::Word(errno.to_string())))
            }
            Brings::Polled(address, entries) => self.polled_outcome(pending, value, *address, *entries),
            Brings::Selected(sets) => self.selected_outcome(pending, value, *sets),
            Brings::Events(address) => self.epoll_outcome(pending, value, *address),
            _ => outcome,
        }
    }

    fn peer(&self, address: u64, len: u64, fd: i32) -> Option<SocketAddr> {
        let written = memory::int(self.thread, len).and_then(|len| u64::try_from(len).ok());
        written
            .and_then(|len| memory::socket_address(self.thread, address, len))
            .or_else(|| socket::peek(self.thread, fd)?.remote)
    }

    /// The address of the socket that the call works on, which the kernel has chosen.
    fn own_address(&self, pending: &Pending) -> Option<SocketAddr> {
        socket::peek(self.thread, pending.call.fd()?.0)?.local
    }

    fn taken(&self, count: u64, pieces: &[Piece]) -> Outcome {
        let wanted = self.kept.min(usize::try_from(count).unwrap_or(self.kept));
        let bytes = memory::gathered(self.thread, pieces, wanted);
        let cut = (bytes.len() as u64) < count;
        let outcome = Outcome::success(i64::try_from(count).unwrap_or(i64::MAX));
        if count == 0 { outcome } else { outcome.with(Arg::Bytes(Payload { bytes, cut })) }
    }

    /// All messages as one: the result is the number of their bytes.
    fn messages_done(&self, address: u64, count: u64, sent: bool) -> Outcome {
        let each = (0..count).map(|index| address.wrapping_add(index * MESSAGES));
        let bytes = each.clone().map(|at| message_len(self.thread, at)).sum();
        if sent {
            return Outcome::success(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
        let pieces = each.flat_map(|at| shortened(message_pieces(self.thread, at), message_len(self.thread, at)));
        self.taken(bytes, &pieces.collect::<Vec<_>>())
    }

    fn polled_outcome(&self, pending: &Pending, value: i64, address: u64, entries: u64) -> Outcome {
        let came: Vec<(i32, i16)> =
            polled(self, address, entries).filter(|(_, _, came)| *came != 0).map(|(fd, _, came)| (fd, came)).collect();
        let is_short = pending.call.args.len() == 3;
        let values = came.iter().flat_map(|(fd, events)| [int(*fd), events_word(*events)]);
        let values = values.skip(usize::from(is_short)).collect();
        // Beside TCP sockets others may have been waited for.
        let number = if value == 0 { 0 } else { i64::try_from(came.len()).unwrap_or(value) };
        Outcome { values, ..Outcome::success(number) }
    }

    fn selected_outcome(&self, pending: &Pending, value: i64, sets: [u64; 3]) -> Outcome {
        let came = if value == 0 { Vec::new() } else { self.in_sets(u64::MAX, sets) };
        let is_short = pending.call.args.len() == 2;
        let number = came.iter().map(|(_, how)| i64::from(how.count_ones())).sum();
        let values = came.iter().flat_map(|(fd, how)| [int(*fd), sets_word(*how)]);
        let values = if is_short { Vec::new() } else { values.collect() };
        Outcome { values, ..Outcome::success(number) }
    }

    fn epoll_outcome(&self, pending: &Pending, value: i64, address: u64) -> Outcome {
        let Some(epoll) = pending.call.int(0).and_then(|fd| i32::try_from(fd).ok()) else {
            return Outcome::success(value);
        };
        let came = handed_out(self, address, u64::try_from(value).unwrap_or(0));
        let known: Vec<(i32, i32)> =
            came.into_iter().filter_map(|(events, data)| Some((self.files.watched_as(epoll, data)?, events))).collect();
        let values = known.iter().flat_map(|(fd, events)| [int(*fd), epoll_word(*events)]).collect();
        Outcome { values, ..Outcome::success(i64::try_from(known.len()).unwrap_or(value)) }
    }
}

/// The first `len` bytes of `pieces`.
fn shortened(pieces: Vec<Piece>, mut len: u64) -> Vec<Piece> {
    let cut = |piece: Piece| {
        let kept = piece.len.min(len);
        len -= kept;
        Piece { len: kept, ..piece }
    };
    pieces.into_iter().map(cut).collect()
}
