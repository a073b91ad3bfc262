//! What calls do to processes, threads and descriptors, once they have returned.

use super::{Place, Scene};
use crate::event::Time;
use crate::socket::call::{Arg, Call, CallName, Outcome, Payload};
use crate::socket::errno::Errno;
use crate::source::strace::calls::View;
use crate::source::strace::described::{Address, Note, note};
use crate::source::strace::process::Socket;
use crate::source::strace::record::Record;
use crate::source::strace::text::{field, quoted, split};

/// Whether a call makes a process or a thread.
pub fn forks(name: &str) -> bool {
    matches!(name, "clone" | "clone3" | "fork" | "vfork")
}

/// execve(2) as it is told of: its file alone. One that fails, as most do while a program is looked for, changes nothing.
pub fn execve(record: &Record, args: &[&str]) -> Option<(Call, Option<Outcome>)> {
    let returned = &record.end.as_ref()?.returned;
    let outcome = Outcome::success(returned.value.filter(|_| returned.errno.is_none())?);
    let call = Call::new(CallName::Execve, vec![Arg::Bytes(file(args)?)]);
    Some((call, Some(outcome)))
}

/// The file that execve(2) or execveat(2) names.
fn file(args: &[&str]) -> Option<Payload> {
    args.iter().take(2).find_map(|arg| quoted(arg))
}

/// A program's name: its file's without the folders.
fn comm(args: &[&str]) -> Option<String> {
    let path = String::from_utf8_lossy(&file(args)?.bytes).into_owned();
    path.rsplit('/').next().filter(|name| !name.is_empty()).map(str::to_owned)
}

impl Scene {
    /// A call made a child: a thread, or a process with copies of everything.
    pub(super) fn forked(&mut self, index: usize, record: &Record, at: Time, place: Place) {
        let Some((&parent, end)) = self.threads.get(&record.thread).zip(record.end.as_ref()) else { return };
        let Some(pid) = end.returned.value.and_then(|value| u32::try_from(value).ok()) else { return };
        if record.args.contains("CLONE_THREAD") {
            self.processes[parent].threads.insert(pid);
            self.threads.insert(pid, parent);
            return;
        }
        let mut child = self.processes[parent].fork(pid);
        if let Some(comm) = self.comms.get(&pid) {
            child.comm = Some(comm.clone());
        }
        let inherits = child.has_sockets();
        let child = self.add(child, at, Place { class: place.class + 1, ..place });
        self.threads.insert(pid, child);
        if inherits {
            let begun = Place { line: record.line, class: super::BEGINS };
            let told = (Call::new(CallName::Fork, Vec::new()), Some(Outcome::success(pid.into())));
            self.deed(index, parent, record, begun, told, None);
            if let Some(deed) = self.deeds.last_mut() {
                deed.child = Some(child);
                if let Some(end) = &mut deed.end {
                    end.place = place;
                }
            }
        }
    }

    /// A call has returned.
    pub(super) fn ended(&mut self, index: usize, record: &Record, at: Time) {
        let Some((&process, end)) = self.threads.get(&record.thread).zip(record.end.as_ref()) else { return };
        let connects = record.name == "connect";
        if end.returned.errno.is_some() && !connects {
            return;
        }
        self.notice(process, record);
        let args = split(&record.args);
        if record.name.starts_with("execve") {
            let comm = comm(&args);
            self.threads.retain(|thread, of| *of != process || *thread == record.thread);
            self.processes[process].exec(comm);
            self.threads.insert(record.thread, process);
            return;
        }
        let registered = std::collections::HashMap::new();
        let view = View::new(record, &|_| false, &registered);
        let returned = end.returned.value.and_then(|value| i32::try_from(value).ok());
        let noted = end.returned.note.as_deref().map(note);
        self.on_descriptors(index, process, &view, (record, at), returned, noted);
    }

    fn on_descriptors(
        &mut self,
        index: usize,
        process: usize,
        view: &View<'_>,
        (record, _): (&Record, Time),
        returned: Option<i32>,
        noted: Option<Note>,
    ) {
        let first = view.fd(0).map(|one| one.fd);
        let socket = first.and_then(|fd| self.processes[process].socket(fd));
        let on_exec = view.has("SOCK_CLOEXEC") || view.has("O_CLOEXEC") || view.text(1) == "F_DUPFD_CLOEXEC";
        match (record.name.as_str(), socket, returned) {
            ("socket", _, Some(fd)) => self.opens(process, fd, Socket::default(), noted, on_exec),
            ("accept" | "accept4", Some(listener), Some(fd)) => {
                let accepted = self.accepted(listener, view);
                self.opens(process, fd, accepted, noted, on_exec);
                if let Some(&deed) = self.deed_of.get(&index) {
                    self.deeds[deed].socket = self.processes[process].socket(fd);
                }
            }
            ("connect", Some(socket), _) => self.connects(index, socket, view),
            ("bind", Some(socket), _) => self.binds(index, socket, view),
            ("getsockname", Some(socket), _) => {
                self.sockets[socket].local = ip(view, 1).or(self.sockets[socket].local);
                self.tell_own_address(socket);
            }
            ("getpeername", Some(socket), _) => {
                self.sockets[socket].remote = ip(view, 1).or(self.sockets[socket].remote);
            }
            ("dup", Some(socket), Some(fd)) => self.processes[process].open(fd, socket, false),
            ("dup2" | "dup3", socket, Some(fd)) if first != Some(fd) => match socket {
                Some(socket) => self.processes[process].open(fd, socket, on_exec),
                None => self.processes[process].close(fd),
            },
            ("fcntl" | "fcntl64", Some(socket), Some(fd)) if view.text(1).starts_with("F_DUPFD") => {
                self.processes[process].open(fd, socket, on_exec);
            }
            _ => self.on_one(process, view, record, first),
        }
    }

    /// Calls that change or close descriptors and make none.
    fn on_one(&mut self, process: usize, view: &View<'_>, record: &Record, first: Option<i32>) {
        let owner = &mut self.processes[process];
        match (record.name.as_str(), first) {
            ("close", Some(fd)) => owner.close(fd),
            ("close_range", _) => {
                let (from, to) = (view.int(0).unwrap_or(0), view.int(1).unwrap_or(0));
                owner.close_range(from, to, view.has("CLOSE_RANGE_CLOEXEC"));
            }
            ("fcntl" | "fcntl64", Some(fd)) if view.text(1) == "F_SETFD" => {
                owner.close_on_exec(fd, view.has("FD_CLOEXEC"));
            }
            ("ioctl", Some(fd)) if view.text(1) == "FIOCLEX" => owner.close_on_exec(fd, true),
            ("epoll_ctl", Some(epoll)) => {
                let (Some(socket), Some(data)) = (view.fd(2), field(view.text(3), "data")) else { return };
                if owner.socket(socket.fd).is_some() && view.text(1) != "EPOLL_CTL_DEL" {
                    owner.registered.insert((epoll, data.to_owned()), socket.fd);
                }
            }
            _ => {}
        }
    }

    fn opens(&mut self, process: usize, fd: i32, mut socket: Socket, noted: Option<Note>, closed_on_exec: bool) {
        if noted == Some(Note::Other) {
            return self.processes[process].close(fd);
        }
        if let Some(note) = noted {
            socket.notice(note);
        }
        let socket = self.add_socket(socket);
        self.processes[process].open(fd, socket, closed_on_exec);
    }

    fn accepted(&self, listener: usize, view: &View<'_>) -> Socket {
        Socket { local: self.sockets[listener].local, remote: ip(view, 1), is_whole: true, ..Socket::default() }
    }

    /// A connect that did not fail at once may have given the socket its own address.
    fn connects(&mut self, index: usize, socket: usize, view: &View<'_>) {
        let Some(&deed) = self.deed_of.get(&index) else { return };
        match view.address(1) {
            Some(Address::Ip(addr)) => {
                let socket = &mut self.sockets[socket];
                socket.remote = Some(addr);
                socket.is_whole = true;
                socket.connected_by = Some(deed);
            }
            Some(Address::Unspecified) => self.sockets[socket] = Socket::default(),
            None => {}
        }
        if self.sockets[socket].local.is_some_and(|local| !local.ip().is_unspecified() && local.port() != 0) {
            self.tell_own_address(socket);
        }
    }

    /// A socket that is bound to port 0 has another one then.
    fn binds(&mut self, index: usize, socket: usize, view: &View<'_>) {
        let Some(addr) = ip(view, 1) else { return };
        if addr.port() == 0 {
            self.sockets[socket].connected_by = self.deed_of.get(&index).copied();
        } else {
            self.sockets[socket].local = Some(addr);
        }
    }

    /// The own address of `socket` became known: the call that gave it hands it out.
    pub(super) fn tell_own_address(&mut self, socket: usize) {
        let Some(local) = self.sockets[socket].local.filter(|local| local.port() != 0) else { return };
        let Some(deed) = self.sockets[socket].connected_by.take().and_then(|deed| self.deeds.get_mut(deed)) else {
            return;
        };
        let is_given = |errno: Option<Errno>| errno.is_none_or(|errno| errno == Errno::EINPROGRESS);
        if let Some(end) = deed.end.as_mut().filter(|end| is_given(end.outcome.errno)) {
            end.outcome.values.push(Arg::Addr(local));
        }
    }
}

fn ip(view: &View<'_>, index: usize) -> Option<std::net::SocketAddr> {
    match view.address(index) {
        Some(Address::Ip(addr)) => Some(addr),
        _ => None,
    }
}
