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
        let found = seen(process);
        let new = found.iter().filter(|(fd, _)| !self.has_socket(*fd)).copied().collect();
        self.sockets = found.into_iter().map(|(fd, _)| fd).collect();
        let sockets = &self.sockets;
        for interest in self.epolls.values_mut() {
            interest.retain(|_, fd| sockets.contains(fd));
        }
        new
    }
}

/// The TCP sockets of `process`.
fn seen(process: Pid) -> Vec<(i32, Seen)> {
    let Ok(entries) = fs::read_dir(format!("/proc/{process}/fd")) else { return Vec::new() };
    let sockets = entries.flatten().filter_map(|entry| {
        let target = fs::read_link(entry.path()).ok()?;
        target.to_str()?.starts_with("socket:").then_some(())?;
        entry.file_name().to_str()?.parse::<i32>().ok()
    });
    let mut found: Vec<(i32, Seen)> =
        sockets.filter_map(|fd| socket::peek(process, fd).map(|seen| (fd, seen))).collect();
    found.sort_by_key(|(fd, _)| *fd);
    found
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
}
