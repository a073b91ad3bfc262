//! Calls that hand bytes to a socket, or take them from one.

use nix::unistd::Pid;

use super::{Brings, Pending, Reader, int, low, pending, word};
use crate::socket::call::{Arg, CallName, Payload};
use crate::source::trace::memory::{self, Piece};
use crate::source::trace::ptrace::Entry;
use crate::source::words::{self, MESSAGE_FLAGS};

/// `struct msghdr`, in bytes, and where it has the peer's address, the pieces, and how many those are.
const MESSAGE: u64 = 56;
const PIECES: u64 = 16;
const COUNT: u64 = 24;

/// `struct mmsghdr` in bytes; behind the message how many bytes of it were sent or received.
pub const MESSAGES: u64 = 64;

/// The most messages that are looked into.
const MOST: u64 = 64;

impl Reader<'_> {
    /// A call on a TCP socket that is about data.
    pub(super) fn data(&self, entry: &Entry) -> Option<Pending> {
        let [first, second, third, fourth, fifth, sixth] = entry.args;
        let fd = low(first);
        let one = vec![Piece { base: second, len: third }];
        Some(match entry.number {
            libc::SYS_sendto => {
                let address = memory::socket_address(self.thread, fifth, sixth);
                let name = if address.is_some() { CallName::Sendto } else { CallName::Send };
                let mut sent = self.sends(name, fd, &one, Some(low(fourth)));
                sent.call.args.extend(address.map(Arg::Addr));
                sent
            }
            libc::SYS_write => self.sends(CallName::Write, fd, &one, None),
            libc::SYS_writev => self.sends(CallName::Writev, fd, &self.pieces(second, third), None),
            libc::SYS_sendmsg => {
                self.sends(CallName::Sendmsg, fd, &message_pieces(self.thread, second), Some(low(third)))
            }
            libc::SYS_sendmmsg => {
                let sent = self.sends(CallName::Sendmmsg, fd, &self.messages(second, third), Some(low(fourth)));
                Pending { brings: Brings::Messages(second, true), ..sent }
            }
            libc::SYS_recvfrom => {
                let name = if fifth == 0 { CallName::Recv } else { CallName::Recvfrom };
                takes(name, fd, one, Some(low(fourth)))
            }
            libc::SYS_read => takes(CallName::Read, fd, one, None),
            libc::SYS_readv => takes(CallName::Readv, fd, self.pieces(second, third), None),
            libc::SYS_recvmsg => takes(CallName::Recvmsg, fd, message_pieces(self.thread, second), Some(low(third))),
            libc::SYS_recvmmsg => {
                let taken = takes(CallName::Recvmmsg, fd, self.messages(second, third), Some(low(fourth)));
                Pending { brings: Brings::Messages(second, false), ..taken }
            }
            libc::SYS_sendfile => from_elsewhere(CallName::Sendfile, fd, "FILE", fourth),
            libc::SYS_splice => pending(CallName::Splice, vec![int(fd), number(fifth)], Brings::Result),
            _ => return None,
        })
    }

    /// splice(2) into a socket, which has it as its third argument.
    pub(super) fn splices_to(&self, entry: &Entry) -> Option<Pending> {
        let [_, _, third, _, fifth, _] = entry.args;
        let into = low(third);
        let is_it = entry.number == libc::SYS_splice && self.files.has_socket(into);
        is_it.then(|| from_elsewhere(CallName::SpliceTo, into, "PIPE", fifth))
    }

    fn sends(&self, name: CallName, fd: i32, pieces: &[Piece], flags: Option<i32>) -> Pending {
        let len = total(pieces);
        let bytes = memory::gathered(self.thread, pieces, self.kept.min(usize::try_from(len).unwrap_or(self.kept)));
        let payload = Payload { cut: (bytes.len() as u64) < len, bytes };
        let mut args = vec![int(fd), Arg::Bytes(payload), number(len)];
        args.extend(flags.map(message_flags));
        pending(name, args, Brings::Result)
    }

    fn pieces(&self, address: u64, count: u64) -> Vec<Piece> {
        memory::pieces(self.thread, address, count)
    }

    fn messages(&self, address: u64, count: u64) -> Vec<Piece> {
        (0..count.min(MOST))
            .flat_map(|index| message_pieces(self.thread, address.wrapping_add(index * MESSAGES)))
            .collect()
    }
}

/// How many bytes the message at `address` of an array has sent or received.
pub fn message_len(thread: Pid, address: u64) -> u64 {
    let len = memory::int(thread, address.wrapping_add(MESSAGE)).unwrap_or(0);
    u64::from(len.cast_unsigned())
}

/// The pieces of the message at `address`.
pub fn message_pieces(thread: Pid, address: u64) -> Vec<Piece> {
    let read = |offset| memory::word(thread, address.wrapping_add(offset));
    let Some((pieces, count)) = read(PIECES).zip(read(COUNT)) else { return Vec::new() };
    memory::pieces(thread, pieces, count)
}

fn takes(name: CallName, fd: i32, pieces: Vec<Piece>, flags: Option<i32>) -> Pending {
    let mut args = vec![int(fd), number(total(&pieces))];
    args.extend(flags.map(message_flags));
    pending(name, args, Brings::Bytes(pieces))
}

fn from_elsewhere(name: CallName, fd: i32, from: &str, len: u64) -> Pending {
    pending(name, vec![int(fd), word(from), number(len)], Brings::Result)
}

fn total(pieces: &[Piece]) -> u64 {
    pieces.iter().fold(0, |all, piece| all.saturating_add(piece.len))
}

fn number(len: u64) -> Arg {
    Arg::Int(i64::try_from(len).unwrap_or(i64::MAX))
}

fn message_flags(flags: i32) -> Arg {
    words::joined(MESSAGE_FLAGS, flags).map_or(Arg::Int(0), Arg::Word)
}
