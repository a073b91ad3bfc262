//! The words of a call's arguments, and the numbers that they stand for.

pub(super) fn lookup<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    table.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}

pub(super) const HOWS: &[(&str, i32)] =
    &[("SHUT_RD", libc::SHUT_RD), ("SHUT_WR", libc::SHUT_WR), ("SHUT_RDWR", libc::SHUT_RDWR)];

pub(super) const MESSAGE_FLAGS: &[(&str, i32)] = &[
    ("MSG_NOSIGNAL", libc::MSG_NOSIGNAL),
    ("MSG_DONTWAIT", libc::MSG_DONTWAIT),
    ("MSG_PEEK", libc::MSG_PEEK),
    ("MSG_WAITALL", libc::MSG_WAITALL),
    ("MSG_MORE", libc::MSG_MORE),
    ("MSG_OOB", libc::MSG_OOB),
];

/// The events of poll(2), in the order in which an outcome lists them.
pub const POLL_EVENTS: &[(&str, i16)] = &[
    ("POLLIN", libc::POLLIN),
    ("POLLPRI", libc::POLLPRI),
    ("POLLOUT", libc::POLLOUT),
    ("POLLERR", libc::POLLERR),
    ("POLLHUP", libc::POLLHUP),
    ("POLLRDHUP", libc::POLLRDHUP),
    ("POLLNVAL", libc::POLLNVAL),
];

/// The options with a number for a value: level and name, as words and as numbers.
pub(super) const OPTIONS: &[(&str, &str, i32, i32)] = &[
    ("SOL_SOCKET", "SO_REUSEADDR", libc::SOL_SOCKET, libc::SO_REUSEADDR),
    ("SOL_SOCKET", "SO_KEEPALIVE", libc::SOL_SOCKET, libc::SO_KEEPALIVE),
    ("SOL_SOCKET", "SO_DETACH_FILTER", libc::SOL_SOCKET, libc::SO_DETACH_FILTER),
    ("SOL_SOCKET", "SO_SNDBUF", libc::SOL_SOCKET, libc::SO_SNDBUF),
    ("SOL_SOCKET", "SO_RCVBUF", libc::SOL_SOCKET, libc::SO_RCVBUF),
    ("IPPROTO_TCP", "TCP_NODELAY", libc::IPPROTO_TCP, libc::TCP_NODELAY),
    ("IPPROTO_TCP", "TCP_USER_TIMEOUT", libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT),
    ("IPPROTO_TCP", "TCP_KEEPIDLE", libc::IPPROTO_TCP, libc::TCP_KEEPIDLE),
    ("IPPROTO_TCP", "TCP_KEEPINTVL", libc::IPPROTO_TCP, libc::TCP_KEEPINTVL),
    ("IPPROTO_TCP", "TCP_KEEPCNT", libc::IPPROTO_TCP, libc::TCP_KEEPCNT),
    ("IPPROTO_TCP", "TCP_SYNCNT", libc::IPPROTO_TCP, libc::TCP_SYNCNT),
    ("IPPROTO_TCP", "TCP_REPAIR", libc::IPPROTO_TCP, libc::TCP_REPAIR),
    ("IPPROTO_TCP", "TCP_LINGER2", libc::IPPROTO_TCP, libc::TCP_LINGER2),
    ("IPPROTO_TCP", "TCP_QUICKACK", libc::IPPROTO_TCP, libc::TCP_QUICKACK),
];
