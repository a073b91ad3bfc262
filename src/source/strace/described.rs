//! Descriptors as strace -yy prints them, and addresses.

use std::net::{IpAddr, SocketAddr};

use super::text::{described_len, field, inside, quoted, split};

/// A descriptor, and what is said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its number.
    pub fd: i32,
    /// What it refers to, where the log has it.
    pub note: Option<Note>,
}

/// What a descriptor refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// A TCP socket, with its addresses as far as it has them.
    Tcp {
        /// Its own.
        local: Option<SocketAddr>,
        /// Its peer's.
        remote: Option<SocketAddr>,
    },
    /// A socket of which only the inode is printed (strace -y).
    Socket,
    /// Anything else.
    Other,
}

/// Reads `3`, `3<TCP:[1.2.3.4:5->6.7.8.9:10]>`.
pub fn described(text: &str) -> Option<Described> {
    let text = text.trim();
    let (number, rest) = text.split_at(text.find('<').unwrap_or(text.len()));
    let fd = number.parse().ok().filter(|fd| *fd >= 0)?;
    let note = match described_len(rest) {
        Some(len) if rest.starts_with('<') => rest.get(1..len - 1).map(note),
        _ => None,
    };
    Some(Described { fd, note })
}

/// Reads what stands in the angle brackets.
pub fn note(text: &str) -> Note {
    let kinds = ["TCP:", "TCPv6:", "MPTCP:", "MPTCPv6:"];
    if let Some(inner) = kinds.iter().find_map(|kind| text.strip_prefix(kind)) {
        let inner = inner.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(inner);
        let (local, remote) = inner.split_once("->").unwrap_or((inner, ""));
        return Note::Tcp { local: end(local), remote: end(remote) };
    }
    if text.starts_with("socket:[") { Note::Socket } else { Note::Other }
}

fn end(text: &str) -> Option<SocketAddr> {
    text.parse().ok().map(canonical)
}

/// An IPv4 address that a socket for both families has is IPv4 on the wire.
fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}

/// An address as a call takes it or hands it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// Of IPv4 or IPv6.
    Ip(SocketAddr),
    /// None: connect(2) lets go of its peer.
    Unspecified,
}

/// Reads `{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}` and its like for IPv6.
pub fn address(text: &str) -> Option<Address> {
    match field(text, "sa_family")? {
        "AF_UNSPEC" => Some(Address::Unspecified),
        "AF_INET" => ip(field(text, "sin_port")?, field(text, "sin_addr")?),
        "AF_INET6" => {
            let written = split(inside(text, '{', '}')?);
            let addr = written.into_iter().find(|field| field.contains("inet_pton("))?;
            ip(field(text, "sin6_port")?, addr)
        }
        _ => None,
    }
}

/// The port of `htons(80)` and the address in the quotes of `inet_addr("127.0.0.1")`.
fn ip(port: &str, addr: &str) -> Option<Address> {
    let port: u16 = inside(port.strip_prefix("htons")?, '(', ')')?.parse().ok()?;
    let bytes = quoted(addr.get(addr.find('"')?..)?)?.bytes;
    let ip: IpAddr = String::from_utf8(bytes).ok()?.parse().ok()?;
    Some(Address::Ip(canonical(SocketAddr::new(ip, port))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_a_descriptor_is_read() {
        let addr = |text: &str| Some(text.parse::<SocketAddr>().unwrap());
        let tcp = |local, remote| Some(Note::Tcp { local, remote });
        for (text, note) in [
            ("3", None),
            ("3<TCP:[54321]>", tcp(None, None)),
            ("3<TCP:[0.0.0.0:80]>", tcp(addr("0.0.0.0:80"), None)),
            ("3<TCP:[127.0.0.1:1->127.0.0.1:2]>", tcp(addr("127.0.0.1:1"), addr("127.0.0.1:2"))),
            ("3<TCPv6:[[::1]:1->[::1]:2]>", tcp(addr("[::1]:1"), addr("[::1]:2"))),
            ("3<TCPv6:[[::ffff:1.2.3.4]:1->[::ffff:1.2.3.5]:2]>", tcp(addr("1.2.3.4:1"), addr("1.2.3.5:2"))),
            ("3<socket:[123]>", Some(Note::Socket)),
            ("3<UNIX:[1->2]>", Some(Note::Other)),
            ("3</etc/passwd>", Some(Note::Other)),
        ] {
            assert_eq!(described(text), Some(Described { fd: 3, note }), "{text}");
        }
        assert_eq!(described("-1"), None);
        assert_eq!(described("NULL"), None);
    }

    #[test]
    fn addresses_of_both_families_are_read() {
        let v4 = r#"{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}"#;
        assert_eq!(address(v4), Some(Address::Ip("127.0.0.1:80".parse().unwrap())));
        let v6 = r#"{sa_family=AF_INET6, sin6_port=htons(81), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}"#;
        assert_eq!(address(v6), Some(Address::Ip("[::1]:81".parse().unwrap())));
        assert_eq!(address("{sa_family=AF_UNSPEC, sa_data=\"\\0\"}"), Some(Address::Unspecified));
        assert_eq!(address("{sa_family=AF_UNIX, sun_path=\"/x\"}"), None);
        assert_eq!(address("0x7ffe"), None);
    }
}
