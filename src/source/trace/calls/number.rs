//! The numbers of system calls that only older architectures have. Where there is none, one that no call has.

#[cfg(target_arch = "x86_64")]
mod old {
    pub const ACCEPT: i64 = libc::SYS_accept;
    pub const DUP2: i64 = libc::SYS_dup2;
    pub const POLL: i64 = libc::SYS_poll;
    pub const SELECT: i64 = libc::SYS_select;
    pub const EPOLL_WAIT: i64 = libc::SYS_epoll_wait;
}

#[cfg(not(target_arch = "x86_64"))]
mod old {
    pub const ACCEPT: i64 = libc::SYS_accept;
    pub const DUP2: i64 = -2;
    pub const POLL: i64 = -3;
    pub const SELECT: i64 = -4;
    pub const EPOLL_WAIT: i64 = -5;
}

pub use old::*;
