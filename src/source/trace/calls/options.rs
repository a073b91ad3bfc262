//! What calls set on a socket or ask of it, as far as its answers depend on that.

use super::{Brings, Pending, Reader, int, low, pending, word};
use crate::socket::call::{Arg, CallName, Payload};
use crate::source::trace::memory;
use crate::source::trace::ptrace::Entry;
use crate::source::words::OPTIONS;

/// `FIONBIO` of ioctl(2), which sets or clears `O_NONBLOCK` by the int that it points to: told as the fcntl(2) that does the
/// same.
const FIONBIO: u64 = 0x5421;

impl Reader<'_> {
    /// A call on a TCP socket that is about its options.
    pub(super) fn option(&self, entry: &Entry) -> Option<Pending> {
        let [first, second, third, fourth, ..] = entry.args;
        let fd = low(first);
        match entry.number {
            libc::SYS_setsockopt => self.sets(fd, low(second), low(third), fourth),
            libc::SYS_getsockopt if (low(second), low(third)) == (libc::SOL_SOCKET, libc::SO_ERROR) => {
                let args = vec![int(fd), word("SOL_SOCKET"), word("SO_ERROR")];
                Some(pending(CallName::Getsockopt, args, Brings::Error(fourth)))
            }
            libc::SYS_fcntl => fcntl(fd, low(second), low(third)),
            libc::SYS_ioctl if second == FIONBIO => {
                let flags = if memory::int(self.thread, third)? == 0 { int(0) } else { word("O_NONBLOCK") };
                Some(pending(CallName::Fcntl, vec![int(fd), word("F_SETFL"), flags], Brings::Result))
            }
            _ => None,
        }
    }

    fn sets(&self, fd: i32, level: i32, option: i32, value: u64) -> Option<Pending> {
        let own = |more: Vec<Arg>| {
            let args = [vec![int(fd), word("SOL_SOCKET")], more].concat();
            Some(pending(CallName::Setsockopt, args, Brings::Result))
        };
        match (level, option) {
            (libc::SOL_SOCKET, libc::SO_LINGER) => {
                let on = memory::int(self.thread, value)?;
                let seconds = memory::int(self.thread, value.wrapping_add(4))?;
                own(vec![word("SO_LINGER"), int(i32::from(on != 0)), int(seconds)])
            }
            (libc::SOL_SOCKET, libc::SO_ATTACH_FILTER) if self.drops_all(value) => {
                own(vec![word("SO_ATTACH_FILTER"), Arg::Bytes(Payload::whole(*b"ret #0"))])
            }
            _ => {
                let (level, option, ..) = OPTIONS.iter().find(|(_, _, l, o)| (*l, *o) == (level, option))?;
                let args = vec![int(fd), word(level), word(option), int(memory::int(self.thread, value)?)];
                Some(pending(CallName::Setsockopt, args, Brings::Result))
            }
        }
    }

    /// Whether the `struct sock_fprog` at `address` is the one instruction `ret #0`. What another filter lets through, its
    /// program says and nothing else.
    fn drops_all(&self, address: u64) -> bool {
        let word = |address| memory::word(self.thread, address);
        let len = word(address).map(|len| len & 0xffff);
        let instruction = word(address.wrapping_add(8)).and_then(word);
        (len, instruction) == (Some(1), Some(u64::from(libc::BPF_RET | libc::BPF_K)))
    }
}

fn fcntl(fd: i32, command: i32, value: i32) -> Option<Pending> {
    let flag = |bit: i32, name: &str| if value & bit == 0 { int(0) } else { word(name) };
    let (name, value, brings) = match command {
        libc::F_DUPFD => ("F_DUPFD", int(value), Brings::Copy),
        libc::F_DUPFD_CLOEXEC => ("F_DUPFD_CLOEXEC", int(value), Brings::Copy),
        libc::F_SETFL => ("F_SETFL", flag(libc::O_NONBLOCK, "O_NONBLOCK"), Brings::Result),
        libc::F_SETFD => ("F_SETFD", flag(libc::FD_CLOEXEC, "FD_CLOEXEC"), Brings::Result),
        _ => return None,
    };
    Some(pending(CallName::Fcntl, vec![int(fd), word(name), value], brings))
}
