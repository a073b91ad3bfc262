//! Which of a process's descriptors are TCP sockets, and which epolls wait for those.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use nix::unistd::Pid;

use super::socket::{self, Seen};

/// The descriptors of one table, which all threads of a process share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    sockets: BTreeSet<i32>,
    /// For each epoll what it hands out for which descriptor.
    epolls: BTreeMap<i32, BTreeMap<u64, i32>>,
}

impl Files {
    /// No socket.
    pub const fn none() -> Self {
        Self { sockets: BTreeSet::new(), epolls: BTreeMap::new() }
    }

    /// Whether no descriptor is a TCP socket.
    pub fn is_empty(&self) -> bool {
        self.sockets.is_empty()
    }

    /// Whether `fd` is a TCP socket.
    pub fn has_socket(&self, fd: i32) -> bool {
        self.sockets.contains(&fd)
    }

    /// Whether one from `first` to `last` is.
    pub fn has_socket_in(&self, first: i32, last: i32) -> bool {
        first <= last && self.sockets.range(first..=last).next().is_some()
    }

    /// The TCP sockets, rising.
    pub fn sockets(&self) -> impl Iterator<Item = i32> {
        self.sockets.iter().copied()
    }

    /// `fd` is a TCP socket now.
    pub fn open(&mut self, fd: i32) {
        self.sockets.insert(fd);
    }

    /// The descriptors from `first` to `last` are closed.
    pub fn close(&mut self, first: i32, last: i32) {
        let gone = |fd: &i32| (first..=last).contains(fd);
        self.sockets.retain(|fd| !gone(fd));
        self.epolls.retain(|fd, _| !gone(fd));
        for interest in self.epolls.values_mut() {
            interest.retain(|_, fd| !gone(fd));
        }
    }

    /// `copy` is what `fd` is.
    pub fn copy(&mut self, fd: i32, copy: i32) {
        let is_socket = self.has_socket(fd);
        if fd == copy {
            return;
        }
        self.close(copy, copy);
        if is_socket {
            self.open(copy);
        }
    }

    /// Whether `epoll` waits for a TCP socket.
    pub fn watches_sockets(&self, epoll: i32) -> bool {
        self.epolls.get(&epoll).is_some_and(|interest| !interest.is_empty())
    }

    /// `epoll` hands out `data` for `fd`, or nothing for it any more.
    pub fn interest(&mut self, epoll: i32, fd: i32, data: Option<u64>) {
        let interest = self.epolls.entry(epoll).or_default();
        interest.retain(|_, other| *other != fd);
        interest.extend(data.map(|data| (data, fd)));
    }

    /// The descriptor for which `epoll` hands out `data`.
    pub fn watched_as(&self, epoll: i32, data: u64) -> Option<i32> {
        self.epolls.get(&epoll)?.get(&data).copied()
    }

    /// Looks at all descriptors of `process`: those that came without a call that was seen, and those that are gone.
    pub fn look(&mut self, process: Pid) -> Vec<(i32, Seen)> {
        let open = open(process);
        let found = seen(process, &open);
        let new = found.iter().filter(|(fd, _)| !self.has_socket(*fd)).copied().collect();
        self.sockets = found.into_iter().map(|(fd, _)| fd).collect();
        for (epoll, _) in open.iter().filter(|(_, target)| target == EPOLL) {
            self.epolls.entry(*epoll).or_insert_with(|| {
                interests(&fs::read_to_string(format!("/proc/{process}/fdinfo/{epoll}")).unwrap_or_default())
            });
        }
        let sockets = &self.sockets;
        for interest in self.epolls.values_mut() {
            interest.retain(|_, fd| sockets.contains(fd));
        }
        new
    }
}

/// What the descriptors of `process` refer to, as `/proc` names it.
fn open(process: Pid) -> Vec<(i32, String)> {
    let Ok(entries) = fs::read_dir(format!("/proc/{process}/fd")) else { return Vec::new() };
    let named = entries.flatten().filter_map(|entry| {
        let target = fs::read_link(entry.path()).ok()?.to_str()?.to_owned();
        Some((entry.file_name().to_str()?.parse().ok()?, target))
    });
    named.collect()
}

/// The TCP sockets among what `process` has `open`.
fn seen(process: Pid, open: &[(i32, String)]) -> Vec<(i32, Seen)> {
    let sockets = open.iter().filter(|(_, target)| target.starts_with("socket:"));
    let mut found: Vec<(i32, Seen)> =
        sockets.filter_map(|(fd, _)| socket::peek(process, *fd).map(|seen| (*fd, seen))).collect();
    found.sort_by_key(|(fd, _)| *fd);
    found
}

/// What `/proc` calls an epoll.
const EPOLL: &str = "anon_inode:[eventpoll]";

/// What an epoll hands out for which descriptor, as `/proc/PID/fdinfo` tells (`proc_pid_fdinfo(5)`).
fn interests(told: &str) -> BTreeMap<u64, i32> {
    let interest = |line: &str| {
        let mut words = line.strip_prefix("tfd:")?.split_whitespace();
        let fd = words.next()?.parse().ok()?;
        let data = words.skip_while(|word| *word != "data:").nth(1)?;
        Some((u64::from_str_radix(data, 16).ok()?, fd))
    };
    told.lines().filter_map(interest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_what_it_is_of() {
        let mut files = Files::default();
        files.open(3);
        files.copy(3, 5);
        files.copy(1, 3);
        assert_eq!(files.sockets().collect::<Vec<_>>(), [5]);
        files.copy(5, 5);
        files.close(4, 9);
        assert!(files.is_empty() && !files.has_socket_in(9, 4));
    }

    #[test]
    fn an_epoll_forgets_what_is_closed() {
        let mut files = Files::default();
        files.open(3);
        files.interest(9, 3, Some(77));
        assert_eq!((files.watched_as(9, 77), files.watches_sockets(9)), (Some(3), true));
        files.close(3, 3);
        assert!(!files.watches_sockets(9));
    }

    #[test]
    fn ones_own_sockets_are_seen() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let datagrams = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let (fd, other) = (std::os::fd::AsRawFd::as_raw_fd(&listener), std::os::fd::AsRawFd::as_raw_fd(&datagrams));
        let found = Files::default().look(nix::unistd::getpid());
        let (_, seen) = found.iter().find(|(number, _)| *number == fd).unwrap();
        assert_eq!((seen.local, seen.listens), (Some(listener.local_addr().unwrap()), true));
        assert!(found.iter().all(|(number, _)| *number != other));
    }

    #[test]
    fn what_an_epoll_waits_for_is_read_from_proc() {
        let told = "pos:\t0\nflags:\t02\nmnt_id:\t16\nino:\t1048\ntfd:        5 events:       19 data:     feedbeef0005  pos:0 \
                    ino:6f3 sdev:9\ntfd:       12 events: 80000001 data:                c  pos:0 ino:8 sdev:9\ntfd: x\n";
        assert_eq!(interests(told), BTreeMap::from([(0xfeed_beef_0005, 5), (12, 12)]));
    }
}
