//! Begins to trace processes that run already: all their threads, and nothing of the tracer's end is their end.

use std::collections::BTreeSet;
use std::{fs, io};

use nix::errno::Errno;
use nix::unistd::{Pid, geteuid, getpid, getppid};

use super::ptrace;

/// Why a running process cannot be traced.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// There is none of this number.
    #[error("cannot trace process {0}: there is no such process")]
    Gone(Pid),
    /// It has ended, and only waits to be asked how.
    #[error("cannot trace process {0}: it has ended, and its parent has not asked how (a zombie)")]
    Zombie(Pid),
    /// It is this program, or of it.
    #[error("cannot trace process {0}: it is epipe itself")]
    Own(Pid),
    /// A process can have one tracer.
    #[error("cannot trace process {pid}: {tracer} traces it already")]
    Traced {
        /// Which.
        pid: Pid,
        /// Who traces it: name and number.
        tracer: String,
    },
    /// ptrace(2).
    #[error("cannot trace process {pid}: {source}")]
    Seize {
        /// Which.
        pid: Pid,
        /// Why not.
        source: io::Error,
    },
    /// They are of several networks.
    #[error("cannot trace processes {0} and {1} in one run: they are in different networks")]
    Networks(Pid, Pid),
}

impl AttachError {
    /// What the user can do.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Gone(_) => "pgrep -l NAME lists the processes of a name".to_owned(),
            Self::Traced { .. } => "end the other tracer first".to_owned(),
            Self::Seize { pid, source } if source.kind() == io::ErrorKind::PermissionDenied => refused(*pid),
            Self::Networks(..) => "trace each in a run of its own".to_owned(),
            Self::Zombie(_) | Self::Own(_) | Self::Seize { .. } => return None,
        })
    }
}

/// What forbids it, as far as that can be seen.
fn refused(pid: Pid) -> String {
    let owner = status(pid, "Uid:").and_then(|uids| uids.split_whitespace().next()?.parse::<u32>().ok());
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").ok().and_then(|text| text.trim().parse().ok());
    match (owner, scope) {
        (Some(owner), _) if owner != geteuid().as_raw() && !geteuid().is_root() => {
            format!("it is another user's (uid {owner}): run epipe as that user, or as root")
        }
        (_, Some(3)) => "kernel.yama.ptrace_scope is 3: until the next boot nobody can trace".to_owned(),
        (_, Some(scope @ 1..)) => {
            format!(
                "kernel.yama.ptrace_scope is {scope}: run epipe as root, or where it is 1 set it to 0 with sysctl(8)"
            )
        }
        _ => {
            "it gained rights by its program, or a container or a security module forbids ptrace(2); run epipe as root"
                .to_owned()
        }
    }
}

/// A field of `/proc/PID/status`.
fn status(thread: Pid, field: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix(field)).map(|value| value.trim().to_owned())
}

/// What the process that `thread` is of is called.
pub fn name(thread: Pid) -> String {
    status(thread, "Name:").unwrap_or_default()
}

/// The process that `number` names, a thread's number too, where it can be traced.
pub fn process(number: i32) -> Result<Pid, AttachError> {
    let asked = Pid::from_raw(number);
    let process = status(asked, "Tgid:").and_then(|pid| pid.parse().ok()).map(Pid::from_raw);
    let pid = process.filter(|_| number > 0).ok_or(AttachError::Gone(asked))?;
    if [getpid(), getppid()].contains(&pid) {
        return Err(AttachError::Own(pid));
    }
    if is_dead(pid) && threads(pid).len() < 2 {
        return Err(AttachError::Zombie(pid));
    }
    match tracer(pid) {
        Some(tracer) if tracer != getpid() => {
            Err(AttachError::Traced { pid, tracer: format!("{} ({tracer})", name(tracer)) })
        }
        _ => Ok(pid),
    }
}

fn is_dead(thread: Pid) -> bool {
    status(thread, "State:").is_none_or(|state| state.starts_with(['Z', 'X']))
}

/// Who traces `thread`.
fn tracer(thread: Pid) -> Option<Pid> {
    status(thread, "TracerPid:")?.parse().ok().filter(|pid| *pid != 0).map(Pid::from_raw)
}

fn threads(pid: Pid) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.map(Pid::from_raw).collect()
}

/// Begins to trace all threads of `pid`, until no new one turns up; those that a traced one makes are traced from their birth.
pub fn seize(pid: Pid) -> Result<BTreeSet<Pid>, AttachError> {
    let mut seized = BTreeSet::new();
    loop {
        let new: Vec<Pid> = threads(pid).into_iter().filter(|thread| !seized.contains(thread)).collect();
        let new: Vec<Pid> = new.into_iter().filter(|thread| !is_dead(*thread)).collect();
        if new.is_empty() {
            break;
        }
        for thread in new {
            match ptrace::seize(thread, ptrace::ATTACHED) {
                Err(error) if tracer(thread) != Some(getpid()) => {
                    let is_gone = error.raw_os_error() == Some(Errno::ESRCH as i32) || is_dead(thread);
                    if !is_gone {
                        return Err(AttachError::Seize { pid, source: error });
                    }
                }
                // It is traced since its birth.
                _ => drop(seized.insert(thread)),
            }
        }
    }
    if seized.is_empty() { Err(AttachError::Gone(pid)) } else { Ok(seized) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_traced_is_told_before_it_is_tried() {
        assert!(matches!(process(0), Err(AttachError::Gone(_))));
        assert!(matches!(process(-1), Err(AttachError::Gone(_))));
        assert!(matches!(process(i32::MAX), Err(AttachError::Gone(_))));
        assert!(matches!(process(getpid().as_raw()), Err(AttachError::Own(_))));
        let mut ended = std::process::Command::new("true").stdout(std::process::Stdio::piped()).spawn().unwrap();
        // Its output ends with it; whoever waits for it without asking how it ended sees that it has.
        let pid = Pid::from_raw(ended.id().try_into().unwrap());
        let flags = nix::sys::wait::WaitPidFlag::WEXITED | nix::sys::wait::WaitPidFlag::WNOWAIT;
        nix::sys::wait::waitid(nix::sys::wait::Id::Pid(pid), flags).unwrap();
        assert!(matches!(process(pid.as_raw()), Err(AttachError::Zombie(_))));
        ended.wait().unwrap();
    }
}
