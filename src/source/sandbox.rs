//! A loopback of one's own.
//!
//! With `CAP_SYS_ADMIN` a network namespace; otherwise a user namespace with the caller's own id mapped, and a network
//! namespace in it. No port is taken on the host, no foreign packet is seen, and the namespace has sysctls of its own.
//! It is often the step after unshare(2) that is refused (Ubuntu's rule grants a user namespace without
//! capabilities), so every step is tried, and a process in which a later one failed is of no more use: start another.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{getegid, geteuid};

/// The step at which a loopback of one's own was refused.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// unshare(2) for a user and a network namespace.
    #[error("cannot create a user and network namespace: {0}")]
    Unshare(#[source] Errno),
    /// One of the files that map the caller's id into the namespace.
    #[error("cannot write {file}: {source}")]
    Map {
        /// Which file.
        file: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The namespace's loopback stays down.
    #[error("cannot bring up \"lo\" in the namespace: {0}")]
    LoopbackUp(#[source] io::Error),
    /// Its loopback carries nothing.
    #[error("cannot use \"lo\" in the namespace: {0}")]
    LoopbackUse(#[source] io::Error),
    /// prctl(2) to die with the parent, which a new user namespace undoes.
    #[error("cannot ask to die with the parent: {0}")]
    DieWithParent(#[source] Errno),
}

impl SandboxError {
    /// What the user can do.
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::Unshare(Errno::ENOSPC) => "raise user.max_user_namespaces with sysctl(8), or run as root",
            Self::Unshare(_) => {
                "allow user namespaces (sysctl user.max_user_namespaces; in a container its seccomp profile), or run as root"
            }
            Self::Map { .. } | Self::LoopbackUp(_) => {
                "this system grants user namespaces without capabilities (sysctl kernel.apparmor_restrict_unprivileged_userns); allow them or run as root"
            }
            Self::LoopbackUse(_) | Self::DieWithParent(_) => return None,
        };
        Some(text.to_owned())
    }
}

/// What was entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sandbox {
    /// Whether a user namespace was needed.
    pub user_namespace: bool,
    /// Whether tail loss probes could be switched off in it, so that no timer resends a segment in a lesson.
    pub early_retransmit_off: bool,
}

impl Sandbox {
    /// In words, for the fact `network` of a run.
    pub fn description(&self) -> String {
        let how = if self.user_namespace { "private loopback in a user namespace" } else { "private loopback" };
        let sysctl = if self.early_retransmit_off { ", net.ipv4.tcp_early_retrans=0" } else { "" };
        format!("{how}{sysctl}")
    }
}

/// Moves this process into namespaces with a loopback of its own. The process must have one thread.
///
/// After an error other than [`SandboxError::Unshare`] the process is in a namespace that works in part: it must end.
pub fn enter() -> Result<Sandbox, SandboxError> {
    let user_namespace = unshare(CloneFlags::CLONE_NEWNET).is_err();
    if user_namespace {
        enter_user_namespace()?;
    }
    loopback_up().map_err(SandboxError::LoopbackUp)?;
    loopback_carries().map_err(SandboxError::LoopbackUse)?;
    let early_retransmit_off = fs::write("/proc/sys/net/ipv4/tcp_early_retrans", "0").is_ok();
    Ok(Sandbox { user_namespace, early_retransmit_off })
}

/// Moves this process, which [`enter`]ed a loopback of its own, on to another whose table of connections is small: a look at
/// it costs some microseconds and not a millisecond (`net.ipv4.tcp_child_ehash_entries`, since Linux 6.1; without it only
/// time is lost).
pub fn enter_small() -> Result<(), SandboxError> {
    let small = fs::write("/proc/sys/net/ipv4/tcp_child_ehash_entries", "1024");
    if small.is_err() {
        return Ok(());
    }
    enter_second()?;
    // Else as many records of TIME-WAIT are kept as half the entries.
    let _ = fs::write("/proc/sys/net/ipv4/tcp_max_tw_buckets", "100000");
    Ok(())
}

/// Moves this process, which [`enter`]ed a loopback of its own, on to another one. The process must have one thread.
pub fn enter_second() -> Result<(), SandboxError> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(SandboxError::Unshare)?;
    loopback_up().map_err(SandboxError::LoopbackUp)?;
    // As in the first, where a refusal is told.
    let _ = fs::write("/proc/sys/net/ipv4/tcp_early_retrans", "0");
    Ok(())
}

fn enter_user_namespace() -> Result<(), SandboxError> {
    let (user, group) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET).map_err(SandboxError::Unshare)?;
    let write =
        |file: &'static str, text: String| fs::write(file, text).map_err(|source| SandboxError::Map { file, source });
    write("/proc/self/setgroups", "deny".to_owned())?;
    write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    write("/proc/self/gid_map", format!("{group} {group} 1"))?;
    // A change of credentials clears it (prctl(2)).
    set_pdeathsig(Signal::SIGKILL).map_err(SandboxError::DieWithParent)
}

/// Brings up `lo`, as `ip link set lo up` does; where it is up nothing changes.
#[allow(unsafe_code, reason = "neither nix nor std sets interface flags")]
pub fn loopback_up() -> io::Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    // SAFETY: an ifreq is plain data, for which all zeroes are valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (slot, byte) in request.ifr_name.iter_mut().zip(b"lo") {
        *slot = libc::c_char::from_ne_bytes([*byte]);
    }
    // SAFETY: both requests read and write one ifreq, which outlives the calls; `socket` is open.
    Errno::result(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS, &raw mut request) })?;
    // SAFETY: SIOCGIFFLAGS has just written the flags, so they are the union's live member.
    unsafe { request.ifr_ifru.ifru_flags |= libc::c_short::try_from(libc::IFF_UP).unwrap_or(1) };
    // SAFETY: as above.
    Errno::result(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw mut request) })?;
    Ok(())
}

/// Sends a datagram to itself and waits for it, so that "up" is known and not believed.
fn loopback_carries() -> io::Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_read_timeout(Some(std::time::Duration::from_secs(2)))?;
    socket.send_to(b"epipe", socket.local_addr()?)?;
    socket.recv(&mut [0; 8])?;
    Ok(())
}
