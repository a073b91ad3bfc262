//! Processes, their threads, and what their descriptors refer to.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;

use super::described::Note;

/// A TCP socket, whoever has descriptors for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Socket {
    /// Its own address.
    pub local: Option<SocketAddr>,
    /// Its peer's.
    pub remote: Option<SocketAddr>,
    /// Whether the log shows its stream from its first byte on.
    pub is_whole: bool,
    /// Whether it was open before the log begins, so that nobody can say which of its bytes are whose.
    pub is_older: bool,
    /// The connect that will have given it its own address.
    pub connected_by: Option<usize>,
}

/// A descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    socket: usize,
    closed_on_exec: bool,
}

/// One process.
#[derive(Clone, Debug, Default)]
pub struct Process {
    /// Its id; 0 where the log names none.
    pub pid: u32,
    /// The program's name, if it is known.
    pub comm: Option<String>,
    /// Its threads that have not ended.
    pub threads: HashSet<u32>,
    /// Whether it ever had a TCP socket.
    pub had_sockets: bool,
    /// What epoll was told to hand out, by epoll's own descriptor and that: which socket it stands for.
    pub registered: HashMap<(i32, String), i32>,
    descriptors: BTreeMap<i32, Held>,
}

impl Process {
    /// A process of one thread, with nothing open.
    pub fn new(pid: u32, comm: Option<String>) -> Self {
        Self { pid, comm, threads: HashSet::from([pid]), ..Self::default() }
    }

    /// A child, which has all that its parent has.
    pub fn fork(&self, pid: u32) -> Self {
        Self { pid, threads: HashSet::from([pid]), had_sockets: self.has_sockets(), ..self.clone() }
    }

    /// The socket behind `fd`.
    pub fn socket(&self, fd: i32) -> Option<usize> {
        self.descriptors.get(&fd).map(|held| held.socket)
    }

    /// Whether it has any socket that it, or whose copy it is, opened.
    pub fn has_sockets(&self) -> bool {
        self.had_sockets && !self.descriptors.is_empty()
    }

    /// `fd` refers to `socket` now.
    pub fn open(&mut self, fd: i32, socket: usize, closed_on_exec: bool) {
        self.had_sockets = true;
        self.descriptors.insert(fd, Held { socket, closed_on_exec });
    }

    /// `fd` refers to `socket`, and did so before the log began.
    pub fn open_before(&mut self, fd: i32, socket: usize) {
        self.descriptors.insert(fd, Held { socket, closed_on_exec: false });
    }

    /// `fd` is closed.
    pub fn close(&mut self, fd: i32) {
        self.descriptors.remove(&fd);
        self.registered.retain(|_, socket| *socket != fd);
    }

    /// All from `first` to `last` are closed, or will be by execve(2).
    pub fn close_range(&mut self, first: i64, last: i64, only_on_exec: bool) {
        let inside: Vec<i32> =
            self.descriptors.keys().copied().filter(|fd| (first..=last).contains(&i64::from(*fd))).collect();
        for fd in inside {
            if only_on_exec { self.close_on_exec(fd, true) } else { self.close(fd) }
        }
    }

    /// Whether execve(2) will close `fd`.
    pub fn close_on_exec(&mut self, fd: i32, closed: bool) {
        if let Some(held) = self.descriptors.get_mut(&fd) {
            held.closed_on_exec = closed;
        }
    }

    /// Another program runs now.
    pub fn exec(&mut self, comm: Option<String>) {
        self.comm = comm.or_else(|| self.comm.take());
        self.descriptors.retain(|_, held| !held.closed_on_exec);
        self.registered.clear();
        self.threads = HashSet::from([self.pid]);
    }

    /// The name of its calls' actor.
    pub fn name(&self) -> String {
        let comm = self.comm.as_deref().unwrap_or("pid");
        match (self.pid, &self.comm) {
            (0, Some(comm)) => comm.clone(),
            (0, None) => "program".to_owned(),
            (pid, _) => format!("{comm}/{pid}"),
        }
    }
}

impl Socket {
    /// What a description says of it.
    pub fn notice(&mut self, note: Note) {
        if let Note::Tcp { local, remote } = note {
            self.local = local.or(self.local);
            self.remote = remote.or(self.remote);
        }
    }

    /// Whether a description can be of this socket: one that has another peer is not.
    pub fn may_be(&self, note: Note) -> bool {
        match note {
            Note::Tcp { remote: Some(remote), .. } => self.remote.is_none_or(|known| known == remote),
            _ => true,
        }
    }
}
