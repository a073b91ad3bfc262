//! Sequences as they were seen on Linux 6.18, most of them first by `epipe lab --storm`.

use super::*;
use crate::notation::parse_call;

/// Plays lines of `server call` and `client call`; what the last one comes to.
fn last(lines: &[&str]) -> Comes {
    let mut model = Loopback::default();
    let comes = lines.iter().map(|line| {
        let (who, text) = line.split_once(' ').unwrap();
        let program = if who == "server" { Program::Server } else { Program::Client };
        let call = parse_call(text).unwrap().0;
        let place = match (call.name, call.addr()) {
            (CallName::Connect, None) => Some(Place::Unspecified),
            (CallName::Connect, Some(addr)) => Some(if addr.port() == 1 { Place::Nobody } else { Place::Port }),
            _ => None,
        };
        model.call(program, &call, place).unwrap()
    });
    comes.last().unwrap()
}

const CONNECTED: [&str; 6] = [
    "server socket(AF_INET, SOCK_STREAM, 0)",
    "server bind(3, 127.0.0.1:2222)",
    "server listen(3, 8)",
    "client socket(AF_INET, SOCK_STREAM, 0)",
    "client connect(3, 127.0.0.1:2222)",
    "server accept(3)",
];

fn connected(more: &[&str]) -> Comes {
    last(&[&CONNECTED[..], more].concat())
}

/// What is sent, as `C DATA(1)`.
fn wire(comes: &Comes) -> String {
    let one = |sent: &Sent| format!("{} {:?}", if sent.by_server { 'S' } else { 'C' }, sent.wire);
    comes.sent.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_broken_pipe() {
    let first = connected(&["server close(4)", "client send(3, \"a\", 1, 0)"]);
    assert_eq!((first.answer.to_string().as_str(), wire(&first).as_str()), ("ok", "C Data(1), S Rst"));
    let second = connected(&["server close(4)", "client send(3, \"a\", 1, 0)", "client send(3, \"a\", 1, 0)"]);
    assert_eq!((second.answer.to_string().as_str(), wire(&second).as_str()), ("EPIPE+SIGPIPE", ""));
}

#[test]
fn an_accepted_socket_gets_the_lowest_descriptor_and_a_closed_one_is_none() {
    assert_eq!(connected(&[]).opens, Some(Fd(4)));
    assert_eq!(connected(&["server close(4)", "server recv(4, 1, 0)"]).answer.to_string(), "EBADF");
}

#[test]
fn a_listener_that_was_shut_down_hands_that_on() {
    let lines = ["server shutdown(3, SHUT_WR)", "server listen(3, 8)", CONNECTED[3], CONNECTED[4]];
    let opened = last(&[&CONNECTED[..2], &lines[..]].concat());
    assert_eq!(wire(&opened), "C Syn, S Syn, S Fin");
}

#[test]
fn what_waits_to_be_accepted_takes_data_after_its_own_fin() {
    let lines = [
        "server shutdown(3, SHUT_WR)",
        "server listen(3, 8)",
        CONNECTED[3],
        CONNECTED[4],
        "client send(3, \"a\", 1, 0)",
        CONNECTED[5],
        "server recv(4, 9, 0)",
    ];
    assert_eq!(last(&[&CONNECTED[..2], &lines[..]].concat()).answer.to_string(), "1");
}

#[test]
fn closing_the_listener_resets_what_nobody_accepted_unless_it_has_ended() {
    let open = last(&[&CONNECTED[..5], &["server close(3)"]].concat());
    assert_eq!(wire(&open), "S Rst");
    let ended = ["client shutdown(3, SHUT_WR)", "server close(3)"];
    assert_eq!(wire(&last(&[&CONNECTED[..5], &ended[..]].concat())), "S Rst");
}

#[test]
fn a_connect_that_did_not_wait_is_asked_for_by_the_next_one() {
    let begin = [
        "client socket(AF_INET, SOCK_STREAM, 0)",
        "client fcntl(3, F_SETFL, O_NONBLOCK)",
        "client connect(3, 127.0.0.1:1)",
    ];
    assert_eq!(last(&begin).answer.to_string(), "EINPROGRESS and SYN");
    let again =
        |more: &[&str]| last(&[&begin[..], more, &["client connect(3, 127.0.0.1:1)"]].concat()).answer.to_string();
    assert_eq!(again(&[]), "ECONNREFUSED");
    assert_eq!(again(&["client getsockopt(3, SOL_SOCKET, SO_ERROR)"]), "ECONNABORTED");
    assert_eq!(again(&["client shutdown(3, SHUT_WR)"]), "EINVAL");
}

#[test]
fn disconnecting_resets_and_is_told_to_ones_own_end_too() {
    let lines = ["client connect(3, AF_UNSPEC)", "client getsockopt(3, SOL_SOCKET, SO_ERROR)"];
    assert_eq!(connected(&lines).answer.to_string(), "0, value ECONNRESET");
    assert_eq!(wire(&connected(&lines[..1])), "C Rst");
    assert_eq!(connected(&[lines[0], "server recv(4, 1, 0)"]).answer.to_string(), "ECONNRESET");
}

#[test]
fn below_zero_linger2_leaves_no_fin_wait_2() {
    let closed = connected(&["client setsockopt(3, IPPROTO_TCP, TCP_LINGER2, -1)", "client close(3)"]);
    assert_eq!(wire(&closed), "C Fin, C Rst");
}
