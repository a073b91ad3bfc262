//! The words of a call's arguments, and the numbers that they stand for.

/// The words of `table` whose bits are set in `bits`, joined by `|`; what has no word there, in hexadecimal. 0 is `None`.
pub fn joined(table: &[(&str, i32)], bits: i32) -> Option<String> {
    let mut rest = bits;
    let mut words = Vec::new();
    for (word, bit) in table {
        if *bit != 0 && rest & bit == *bit {
            words.push((*word).to_owned());
            rest &= !bit;
        }
    }
    if rest != 0 {
        words.push(format!("0x{rest:x}"));
    }
    (!words.is_empty()).then(|| words.join("|"))
}

/// The word of `table` for `value`.
pub fn word<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> Option<&'static str> {
    table.iter().find(|(_, other)| other == value).map(|(word, _)| *word)
}

/// The number that `word` stands for.
pub fn lookup<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    table.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}

/// What shutdown(2) can end.
pub const HOWS: &[(&str, i32)] =
    &[("SHUT_RD", libc::SHUT_RD), ("SHUT_WR", libc::SHUT_WR), ("SHUT_RDWR", libc::SHUT_RDWR)];

/// The flags of send(2) and recv(2).
pub const MESSAGE_FLAGS: &[(&str, i32)] = &[
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
pub const OPTIONS: &[(&str, &str, i32, i32)] = &[
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

/// The parts of a socket's type that are flags.
pub const SOCKET_FLAGS: &[(&str, i32)] =
    &[("SOCK_NONBLOCK", libc::SOCK_NONBLOCK), ("SOCK_CLOEXEC", libc::SOCK_CLOEXEC)];

/// The flags of `close_range(2)`.
pub const RANGE_FLAGS: &[(&str, i32)] = &[
    ("CLOSE_RANGE_UNSHARE", bits(libc::CLOSE_RANGE_UNSHARE)),
    ("CLOSE_RANGE_CLOEXEC", bits(libc::CLOSE_RANGE_CLOEXEC)),
];

/// The events of epoll(7).
pub const EPOLL_EVENTS: &[(&str, i32)] = &[
    ("EPOLLIN", libc::EPOLLIN),
    ("EPOLLPRI", libc::EPOLLPRI),
    ("EPOLLOUT", libc::EPOLLOUT),
    ("EPOLLERR", libc::EPOLLERR),
    ("EPOLLHUP", libc::EPOLLHUP),
    ("EPOLLRDHUP", libc::EPOLLRDHUP),
    ("EPOLLEXCLUSIVE", libc::EPOLLEXCLUSIVE),
    ("EPOLLONESHOT", libc::EPOLLONESHOT),
    ("EPOLLET", libc::EPOLLET),
];

/// The operations of `epoll_ctl(2)`.
pub const EPOLL_OPERATIONS: &[(&str, i32)] = &[
    ("EPOLL_CTL_ADD", libc::EPOLL_CTL_ADD),
    ("EPOLL_CTL_MOD", libc::EPOLL_CTL_MOD),
    ("EPOLL_CTL_DEL", libc::EPOLL_CTL_DEL),
];

const fn bits(flag: libc::c_uint) -> i32 {
    flag.cast_signed()
}
