//! Calls on a socket's options and a descriptor's flags.

use std::os::fd::RawFd;

use nix::errno::Errno as NixErrno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::socket::{self, sockopt};

use super::super::action::Action;
use super::{borrowed, number};
use crate::socket::call::{Arg, Outcome};

/// Calls on socket options.
pub(super) fn option(action: &Action) -> nix::Result<Outcome> {
    match action {
        Action::SetLinger { fd, on, seconds } => {
            let linger = libc::linger { l_onoff: i32::from(*on), l_linger: *seconds };
            socket::setsockopt(&borrowed(*fd), sockopt::Linger, &linger).map(|()| Outcome::success(0))
        }
        Action::SocketError { fd } => {
            let error = socket::getsockopt(&borrowed(*fd), sockopt::SocketError)?;
            let value = if error == 0 { Arg::Int(0) } else { Arg::Word(number(error).to_string()) };
            Ok(Outcome::success(0).with(value))
        }
        Action::AttachFilter { fd } => attach_filter(*fd),
        Action::SetStatus { fd, flags } => {
            let flags = FcntlArg::F_SETFL(OFlag::from_bits_retain(*flags));
            fcntl(borrowed(*fd), flags).map(|_| Outcome::success(0))
        }
        Action::CloseOnExec { fd } => {
            fcntl(borrowed(*fd), FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).map(|_| Outcome::success(0))
        }
        Action::SetOption { fd, level, option, value } => set_option(*fd, *level, *option, *value),
        _ => Err(NixErrno::EINVAL),
    }
}

/// `ret #0`: of every segment 0 bytes are kept, which drops it.
fn attach_filter(fd: RawFd) -> nix::Result<Outcome> {
    let code = u16::try_from(libc::BPF_RET | libc::BPF_K).unwrap_or_default();
    let mut instruction = libc::sock_filter { code, jt: 0, jf: 0, k: 0 };
    let program = libc::sock_fprog { len: 1, filter: &raw mut instruction };
    set_value(fd, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
}

fn set_option(fd: RawFd, level: i32, option: i32, value: i32) -> nix::Result<Outcome> {
    set_value(fd, level, option, &value)
}

#[allow(unsafe_code, reason = "level and option are plain numbers here")]
fn set_value<T>(fd: RawFd, level: i32, option: i32, value: &T) -> nix::Result<Outcome> {
    let size = libc::socklen_t::try_from(size_of_val(value)).map_err(|_| NixErrno::EINVAL)?;
    // SAFETY: the value outlives the call, and `size` is its size; what a filter points to outlives it too.
    let result = unsafe { libc::setsockopt(fd, level, option, std::ptr::from_ref(value).cast(), size) };
    NixErrno::result(result).map(|_| Outcome::success(0))
}
