//! Small logs of every kind, and the calls that are read out of them.

use super::*;
use crate::event::What;
use crate::notation::{call, outcome};

/// What a log tells, a line each: who, what, and what came of it.
fn told(log: &str) -> (Vec<String>, Vec<String>) {
    let mut recording = Recording::default();
    let complaints = read("x.log", log.as_bytes()).unwrap().join(&mut recording);
    let lines = recording.events.iter().map(|event| {
        let actor = event.actor.as_ref().map_or("-", |actor| actor.name());
        let text = match &event.what {
            What::Begun(begun) => {
                let ends = |other: &&crate::event::Event| other.ended().is_some_and(|(of, _)| of == event.id);
                let end = recording.events.iter().find(ends).and_then(|other| other.ended());
                format!("{} {}", call(begun), end.map_or_else(|| "...".to_owned(), |(_, end)| outcome(end)))
            }
            What::Ended { .. } => return None,
            What::Started { pid } => format!("started {pid}"),
            What::Exit(status) => format!("{status:?}"),
            other => format!("{other:?}"),
        };
        Some(format!("{actor} {text}"))
    });
    (lines.flatten().collect(), complaints)
}

fn calls(log: &str) -> Vec<String> {
    told(log).0
}

/// A log of one thread, whose lines are a second apart; the first opens the TCP socket 3.
fn of_one(lines: &[&str]) -> Vec<String> {
    let socket = "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3<TCP:[1]> <0.000010>";
    let lines = std::iter::once(&socket).chain(lines).zip(0..);
    let log: Vec<String> = lines.map(|(line, second)| format!("7 17000000{second:02}.000000 {line}")).collect();
    calls(&log.join("\n")).into_iter().skip(2).map(|line| line.trim_start_matches("pid/7 ").to_owned()).collect()
}

/// Lines with `@` for what describes a socket, and the calls that they are.
const FORMS: &[(&str, &str)] = &[
    ("sendto(3@, \"hi\", 2, MSG_NOSIGNAL, NULL, 0) = 2", "send(3, \"hi\", 2, MSG_NOSIGNAL) = 2"),
    (
        "sendto(3@, \"hi\", 2, MSG_FASTOPEN, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"1.2.3.4\")}, 16) = 2",
        "sendto(3, \"hi\", 2, MSG_FASTOPEN, 1.2.3.4:80) = 2",
    ),
    ("write(3@, \"abc\"..., 9) = 9", "write(3, \"abc\"..., 9) = 9"),
    (
        "writev(3@, [{iov_base=\"a\", iov_len=1}, {iov_base=\"bc\"..., iov_len=9}], 2) = 10",
        "writev(3, \"abc\"..., 10) = 10",
    ),
    (
        "sendmsg(3@, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base=\"hi\", iov_len=2}], msg_iovlen=1, msg_controllen=0, msg_flags=0}, 0) = 2",
        "sendmsg(3, \"hi\", 2, 0) = 2",
    ),
    (
        "sendmmsg(3@, [{msg_hdr={msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base=\"ab\", iov_len=2}], msg_iovlen=1, msg_controllen=0, msg_flags=0}, msg_len=2}, {msg_hdr={msg_iov=[{iov_base=\"c\", iov_len=1}], msg_iovlen=1}, msg_len=1}], 2, 0) = 2",
        "sendmmsg(3, \"abc\", 3, 0) = 3",
    ),
    ("sendfile(3@, 4</f>, [0] => [9], 100) = 9", "sendfile(3, FILE, 100) = 9"),
    ("splice(5<pipe:[9]>, NULL, 3@, NULL, 100, SPLICE_F_MOVE) = 9", "splice_to(3, PIPE, 100) = 9"),
    ("splice(3@, NULL, 5<pipe:[9]>, NULL, 100, 0) = 9", "splice(3, 100) = 9"),
    ("recvfrom(3@, \"hi\", 100, MSG_DONTWAIT, NULL, NULL) = 2", "recv(3, 100, MSG_DONTWAIT) = 2 \"hi\""),
    ("recvfrom(3@, \"hi\", 100, 0, 0x7ffe, [128 => 0]) = 2", "recvfrom(3, 100, 0) = 2 \"hi\""),
    (
        "recvfrom(3@, 0x7ffe, 100, 0, NULL, NULL) = -1 ECONNRESET (Connection reset by peer)",
        "recv(3, 100, 0) = -1 ECONNRESET (Connection reset by peer)",
    ),
    ("recvfrom(3@, \"\", 100, 0, NULL, NULL) = 0", "recv(3, 100, 0) = 0"),
    ("read(3@, \"\\x68\\x69\", 100) = 2", "read(3, 100) = 2 \"hi\""),
    ("readv(3@, [{iov_base=\"ab\", iov_len=2}, {iov_base=\"c\\0\\0\", iov_len=3}], 2) = 3", "readv(3, 5) = 3 \"abc\""),
    (
        "recvmsg(3@, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base=\"hi\", iov_len=100}], msg_iovlen=1, msg_controllen=0, msg_flags=0}, 0) = 2",
        "recvmsg(3, 100, 0) = 2 \"hi\"",
    ),
    ("shutdown(3@, SHUT_WR) = 0", "shutdown(3, SHUT_WR) = 0"),
    ("dup(3@) = 5@", "dup(3) = 5"),
    ("dup2(3@, 7) = 7@", "dup2(3, 7) = 7"),
    ("dup3(3@, 7, O_CLOEXEC) = 7@", "dup3(3, 7, O_CLOEXEC) = 7"),
    ("fcntl(3@, F_DUPFD_CLOEXEC, 10) = 10@", "fcntl(3, F_DUPFD_CLOEXEC, 10) = 10"),
    ("fcntl(3@, F_SETFL, O_RDWR|O_NONBLOCK) = 0", "fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0"),
    ("ioctl(3@, FIONBIO, [1]) = 0", "fcntl(3, F_SETFL, O_NONBLOCK) = 0"),
    ("close_range(3, 4294967295, 0) = 0", "close_range(3, 4294967295) = 0"),
    ("close_range(3, 9, CLOSE_RANGE_CLOEXEC) = 0", "close_range(3, 9, CLOSE_RANGE_CLOEXEC) = 0"),
    (
        "setsockopt(3@, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=0}, 8) = 0",
        "setsockopt(3, SOL_SOCKET, SO_LINGER, 1, 0) = 0",
    ),
    ("setsockopt(3@, SOL_TCP, TCP_NODELAY, [1], 4) = 0", "setsockopt(3, IPPROTO_TCP, TCP_NODELAY, 1) = 0"),
    (
        "getsockopt(3@, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0",
        "getsockopt(3, SOL_SOCKET, SO_ERROR) = 0 ECONNREFUSED",
    ),
    ("getsockopt(3@, SOL_SOCKET, SO_ERROR, [0], [4]) = 0", "getsockopt(3, SOL_SOCKET, SO_ERROR) = 0 0"),
    (
        "poll([{fd=3@, events=POLLIN}], 1, 1000) = 1 ([{fd=3, revents=POLLIN|POLLHUP}])",
        "poll(3, POLLIN, 1000) = 1 POLLIN|POLLHUP",
    ),
    (
        "poll([{fd=0</tty>, events=POLLIN}, {fd=3@, events=POLLIN}], 2, -1) = 1 ([{fd=0, revents=POLLIN}])",
        "poll(3, POLLIN, -1) = 0",
    ),
    (
        "ppoll([{fd=3@, events=POLLIN}], 1, {tv_sec=1, tv_nsec=500000000}, NULL, 8) = 0 (Timeout)",
        "poll(3, POLLIN, 1500) = 0",
    ),
    (
        "select(4, [3@], NULL, NULL, {tv_sec=1, tv_usec=0}) = 1 (in [3], left {tv_sec=0, tv_usec=9})",
        "select(3, 1000) = 1",
    ),
    ("pselect6(4, [0</tty> 3@], [3@], NULL, NULL, NULL) = 2 (in [0 3])", "select(3, READ|WRITE, -1) = 1 3 READ"),
    (
        "epoll_ctl(9<anon_inode:[eventpoll]>, EPOLL_CTL_ADD, 3@, {events=EPOLLIN, data={u32=3, u64=3}}) = 0",
        "epoll_ctl(9, EPOLL_CTL_ADD, 3, EPOLLIN) = 0",
    ),
    ("connect(3@, {sa_family=AF_UNSPEC, sa_data=\"\\0\"}, 16) = 0", "connect(3, AF_UNSPEC) = 0"),
];

#[test]
fn calls_stand_under_the_names_of_their_man_pages() {
    for (line, expected) in FORMS {
        let described = "<TCP:[1.1.1.1:1->2.2.2.2:2]>";
        assert_eq!(of_one(&[&line.replace('@', described)]), [*expected], "{line}");
    }
}

#[test]
fn epoll_hands_out_the_sockets_that_were_put_into_it() {
    let add =
        "epoll_ctl(9<anon_inode:[eventpoll]>, EPOLL_CTL_ADD, 3<TCP:[1]>, {events=EPOLLIN, data={u32=77, u64=77}}) = 0";
    let wait = "epoll_wait(9<anon_inode:[eventpoll]>, [{events=EPOLLIN, data={u32=77, u64=77}}, {events=EPOLLIN, data={u32=1, u64=1}}], 8, -1) = 2";
    let other = "epoll_wait(8<anon_inode:[eventpoll]>, [{events=EPOLLIN, data={u32=77, u64=77}}], 8, -1) = 1";
    assert_eq!(of_one(&[add, other, wait])[1..], ["epoll_wait(9, -1) = 1 3 EPOLLIN"]);
}

#[test]
fn descriptors_are_followed_where_the_log_does_not_describe_them() {
    let log = "\
7 1700000001.000000 socket(AF_INET6, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_TCP) = 3 <0.000010>
7 1700000002.000000 socket(AF_UNIX, SOCK_STREAM, 0) = 4 <0.000010>
7 1700000003.000000 write(4, \"no\", 2) = 2 <0.000010>
7 1700000004.000000 dup2(3, 4) = 4 <0.000010>
7 1700000005.000000 write(4, \"yes\", 3) = 3 <0.000010>
7 1700000006.000000 close(4) = 0 <0.000010>
7 1700000007.000000 openat(AT_FDCWD, \"f\", O_RDONLY) = 4 <0.000010>
7 1700000008.000000 read(4, \"no\", 2) = 2 <0.000010>
";
    let expected = [
        "pid/7 started 7",
        "pid/7 socket(AF_INET6, SOCK_STREAM|SOCK_CLOEXEC, 6) = 3",
        "pid/7 dup2(3, 4) = 4",
        "pid/7 write(4, \"yes\", 3) = 3",
        "pid/7 close(4) = 0",
    ];
    assert_eq!(calls(log), expected);
}

#[test]
fn lines_of_other_threads_in_between_are_put_together() {
    let log = "\
6 1700000000.000000 execve(\"/usr/bin/srv\", [\"srv\"], 0x7ff /* 3 vars */) = 0 <0.000100>
6 1700000001.000000 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3<TCP:[1]> <0.000010>
6 1700000002.000000 clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD, exit_signal=0} => {parent_tid=[7]}, 88) = 7 <0.000010>
6 1700000003.000000 accept(3<TCP:[0.0.0.0:80]>,  <unfinished ...>
7 1700000003.100000 shutdown(3<TCP:[0.0.0.0:80]>, SHUT_RD <unfinished ...>
6 1700000003.200000 <... accept resumed>NULL, NULL) = 4<TCP:[1.2.3.4:80->5.6.7.8:9]> <0.190000>
7 1700000003.300000 <... shutdown resumed>) = 0 <0.190000>
7 1700000004.000000 recvfrom(4<TCP:[1.2.3.4:80->5.6.7.8:9]>,  <unfinished ...>
6 1700000005.000000 exit_group(0) = ?
7 1700000005.100000 <... recvfrom resumed> <unfinished ...>) = ?
7 1700000005.200000 +++ exited with 0 +++
6 1700000005.300000 +++ exited with 0 +++
";
    let expected = [
        "srv/6 started 6",
        "srv/6 socket(AF_INET, SOCK_STREAM, 0) = 3",
        // The peer's address stands behind the descriptor where the program did not ask for it.
        "srv/6 accept(3) = 4 5.6.7.8:9",
        "srv/6 shutdown(3, SHUT_RD) = 0",
        "srv/6 recv(4) ...",
        "srv/6 exit(0) ...",
        "srv/6 Code(0)",
    ];
    let (lines, complaints) = told(log);
    assert_eq!(lines, expected);
    assert_eq!(complaints.len(), 1, "{complaints:?}");
}

#[test]
fn a_call_that_the_kernel_makes_again_stays_one() {
    let restarted = "\
7 1700000001.000000 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3<TCP:[1]> <0.000010>
7 1700000002.000000 recvfrom(3<TCP:[1]>, 0x7ffe, 9, 0, NULL, NULL) = ? ERESTARTSYS (To be restarted if SA_RESTART is set) <1.5>
7 1700000003.500000 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED} ---
7 1700000003.600000 write(1</tty>, \"x\", 1) = 1 <0.000010>
7 1700000003.700000 rt_sigreturn({mask=[]}) = 45 <0.000010>
7 1700000003.800000 recvfrom(3<TCP:[1]>, \"hi\", 9, 0, NULL, NULL) = 2 <2.0>
";
    assert_eq!(calls(restarted)[2..], ["pid/7 recv(3, 9, 0) = 2 \"hi\""]);
    let interrupted = restarted.split_once("7 1700000003.700000").unwrap().0.to_owned()
        + "7 1700000003.700000 rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call) <0.000010>\n";
    assert_eq!(calls(&interrupted)[2..], ["pid/7 recv(3, 9, 0) = -1 EINTR (Interrupted system call)"]);
    let polled = "\
7 1700000001.000000 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3<TCP:[1]> <0.000010>
7 1700000002.000000 poll([{fd=3<TCP:[1]>, events=POLLIN}], 1, 9000) = ? ERESTART_RESTARTBLOCK (Interrupted by signal) <1.5>
7 1700000003.500000 --- SIGCONT {si_signo=SIGCONT} ---
7 1700000003.800000 restart_syscall(<... resuming interrupted poll ...>) = 0 <2.0>
";
    assert_eq!(calls(polled)[2..], ["pid/7 poll(3, POLLIN, 9000) = 0"]);
}

#[test]
fn on_standard_error_the_first_thread_has_no_number_until_there_are_two() {
    let log = "\
1700000000.000000 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3<TCP:[1]> <0.000010>
1700000001.000000 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLDstrace: Process 8 attached
, child_tidptr=0x7f) = 8 <0.000100>
[pid     8] 1700000002.000000 close(3<TCP:[1]>) = 0 <0.000010>
[pid     7] 1700000002.000000 listen(3<TCP:[1]>, 5) = 0 <0.000010>
[pid     8] 1700000003.000000 exit_group(1) = ?
[pid     8] 1700000003.100000 +++ exited with 1 +++
1700000003.200000 --- SIGCHLD {si_signo=SIGCHLD} ---
1700000004.000000 close(3<TCP:[1]>) = 0 <0.000010>
1700000004.100000 +++ exited with 0 +++
";
    let expected = [
        "pid/7 started 7",
        "pid/7 socket(AF_INET, SOCK_STREAM, 0) = 3",
        "pid/7 fork() = 8 pid/8",
        "pid/8 started 8",
        "pid/8 close(3) = 0",
        "pid/7 listen(3, 5) = 0",
        "pid/8 exit(1) ...",
        "pid/8 Code(1)",
        "pid/7 close(3) = 0",
        "pid/7 Code(0)",
    ];
    assert_eq!(told(log).0, expected);
}

#[test]
fn a_child_that_is_seen_before_its_fork_returns_has_its_parents_sockets() {
    let log = "\
6 1700000000.000000 execve(\"/bin/sh\", [\"sh\"], 0x7ff) = 0 <0.000100>
6 1700000001.000000 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 3 <0.000010>
6 1700000001.500000 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 4 <0.000010>
6 1700000002.000000 vfork( <unfinished ...>
8 1700000002.500000 close(4) = 0 <0.000010>
8 1700000003.000000 execve(\"/usr/bin/help er\", [\"x\"], 0x7ff) = 0 <0.100000>
6 1700000003.200000 <... vfork resumed>) = 8 <1.190000>
8 1700000004.000000 write(3, \"not a socket\", 12) = 12 <0.000010>
8 1700000005.000000 +++ killed by SIGKILL +++
";
    let expected = [
        "sh/6 started 6",
        "sh/6 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3",
        "sh/6 socket(AF_INET, SOCK_STREAM, 0) = 4",
        "sh/6 fork() = 8 help_er/8",
        "help_er/8 started 8",
        "help_er/8 close(4) = 0",
        "help_er/8 execve(\"/usr/bin/help er\") = 0",
        "help_er/8 Killed(Signal(9))",
    ];
    assert_eq!(told(log).0, expected);
}

#[test]
fn a_thread_that_runs_another_program_goes_on_as_its_process() {
    let log = "\
6 1700000001.000000 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3<TCP:[1]> <0.000010>
6 1700000002.000000 clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD, exit_signal=0} => {parent_tid=[7]}, 88) = 7 <0.000010>
7 1700000003.000000 execve(\"/bin/next\", [\"next\"], 0x7ff /* 3 vars */ <pid changed to 6 ...>
6 1700000003.100000 +++ superseded by execve in pid 7 +++
6 1700000003.200000 <... execve resumed>) = 0 <0.190000>
6 1700000004.000000 write(3<TCP:[1]>, \"strace: Process 9 attached\", 26) = 26 <0.000010>
";
    let expected = [
        "next/6 started 6",
        "next/6 socket(AF_INET, SOCK_STREAM, 0) = 3",
        "next/6 execve(\"/bin/next\") = 0",
        "next/6 write(3, \"strace: Process 9 attached\", 26) = 26",
    ];
    assert_eq!(told(log).0, expected);
}

#[test]
fn a_log_of_one_program_may_have_no_numbers() {
    let log = "\
1700000000.000000 execve(\"/bin/cat\", [\"cat\"], 0x7ff) = 0
1700000001.000000 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3
1700000002.000000 +++ exited with 0 +++
";
    let (lines, complaints) = told(log);
    assert_eq!(lines, ["cat started 0", "cat socket(AF_INET, SOCK_STREAM, 0) = 3", "cat Code(0)"]);
    assert!(complaints[0].contains("(strace -T)"), "{complaints:?}");
}

#[test]
fn what_is_not_understood_is_counted() {
    let log = "\
7 1700000000.000000 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3<TCP:[1]> <0.000010>
hello
7 1700000001.000000 sendto(3<TCP:[1]>, \"a
7 1700000002.000000 fstat(3<TCP:[1]>, {st_mode=S_IFSOCK|0777, st_size=0, ...}) = 0 <0.000010>
7 1700000002.500000 io_uring_setup(32, {flags=0}) = 9<anon_inode:[io_uring]> <0.000010>
7 1700000003.000000 <... read resumed>\"x\", 1) = 1 <0.000010>
7 1700000004.000000 close(3<TCP:[1]>) = 0 <0.000010>
";
    let (lines, complaints) = told(log);
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(
        complaints,
        [
            "line 2 is not understood: a time in seconds since 1970 is expected (and 2 more)",
            "passed over calls that epipe does not know: 1 of fstat",
            "io_uring was set up, 1 times: what is asked for through them is in no log",
            "clock offset unknown: no call could be paired with its segment, so that the clocks are taken as one",
        ]
    );
}

#[test]
fn logs_without_dates_are_refused_with_the_option_that_gives_them() {
    for log in ["7 12:34:56.000001 close(3) = 0\n", "     0.000012 close(3) = 0\n", "close(3) = 0\n", "hello\n", ""] {
        let error = read("x.log", log.as_bytes()).unwrap_err();
        assert!(error.help().unwrap().contains("-ttt gives seconds since 1970"), "{log}: {error}");
    }
}
