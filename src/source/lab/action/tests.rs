use super::*;
use crate::notation::parse_call;

fn action(text: &str) -> Result<Action, String> {
    Action::of(&parse_call(text).unwrap().0)
}

#[test]
fn calls_get_their_meaning() {
    assert_eq!(
        action("send(3, \"hello\", 5, MSG_NOSIGNAL|MSG_DONTWAIT)"),
        Ok(Action::Send { fd: 3, data: b"hello".to_vec(), flags: libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT })
    );
    assert_eq!(
        action("setsockopt(4, SOL_SOCKET, SO_LINGER, 1, 0)"),
        Ok(Action::SetLinger { fd: 4, on: true, seconds: 0 })
    );
    assert_eq!(action("setsockopt(4, SOL_SOCKET, SO_ATTACH_FILTER, \"ret #0\")"), Ok(Action::AttachFilter { fd: 4 }));
    assert_eq!(action("send(3, \"ab\"..., 5, 0)"), Ok(Action::Send { fd: 3, data: b"ababa".to_vec(), flags: 0 }));
    assert_eq!(action("fcntl(3, F_SETFL, O_NONBLOCK)"), Ok(Action::SetStatus { fd: 3, flags: libc::O_NONBLOCK }));
    assert_eq!(action("fcntl(3, F_SETFL, 0)"), Ok(Action::SetStatus { fd: 3, flags: 0 }));
    assert_eq!(action("fcntl(3, F_SETFD, FD_CLOEXEC)"), Ok(Action::CloseOnExec { fd: 3 }));
    assert_eq!(action("connect(3, AF_UNSPEC)"), Ok(Action::Disconnect { fd: 3 }));
    let [local, remote] = ["127.0.0.1:3333", "127.0.0.1:2222"].map(|addr| addr.parse().unwrap());
    assert_eq!(action("sock_destroy(127.0.0.1:3333, 127.0.0.1:2222)"), Ok(Action::SockDestroy { local, remote }));
    assert_eq!(action("nanosleep(0.25)"), Ok(Action::Nanosleep(Duration::from_millis(250))));
    assert_eq!(
        action("poll(3, POLLIN|POLLRDHUP, -1)"),
        Ok(Action::Poll { fd: 3, events: libc::POLLIN | libc::POLLRDHUP, timeout: -1 })
    );
}

#[test]
fn what_makes_no_sense_is_refused_with_the_right_form() {
    for (text, expected) in [
        ("send(3, \"hello\", 4, 0)", "send(fd, data, length, flags)"),
        ("send(1, \"hello\", 5, 0)", "a descriptor from 3 on: 0, 1 and 2 are the lab's"),
        ("write(2, \"hello\", 5)", "a descriptor from 3 on: 0, 1 and 2 are the lab's"),
        ("socket(AF_INET6, SOCK_STREAM, 0)", "socket(AF_INET, SOCK_STREAM, 0)"),
        ("bind(3, [::1]:2222)", "bind(fd, IPv4 address:port)"),
        ("exit(256)", "exit(code), from 0 to 255"),
        ("nanosleep(-1)", "nanosleep(seconds)"),
        ("fork(1)", "fork()"),
        ("execve(\"/bin/sh\")", "execve(\"/proc/self/exe\"), which is this program anew"),
        ("kill(1)", "a call that the lab can make"),
        ("close(3, 4)", "close(fd)"),
        ("send(3, \"hello\"..., 5, 0)", "send(fd, data, length, flags)"),
        ("fcntl(3, F_SETFL, O_APPEND)", "fcntl(fd, F_SETFL, O_NONBLOCK or 0) or fcntl(fd, F_SETFD, FD_CLOEXEC)"),
        ("sock_destroy(127.0.0.1:3333)", "sock_destroy(IPv4 address:port, peer's IPv4 address:port)"),
    ] {
        assert_eq!(action(text), Err(expected.to_owned()), "{text}");
    }
}
