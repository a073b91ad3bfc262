//! What the model answers, beside what was seen on Linux (knowledge that the lab's scenarios hold to the kernel).

use super::*;
use crate::socket::call::How;
use crate::tcp::state::State;

const QUIET: Flags = Flags { quiet: true, at_once: false, all: false };

fn after_fin() -> Socket {
    let mut socket = Socket::connected();
    socket.fin_arrives();
    Socket { state: State::CloseWait, ..socket }
}

fn after_fin_and_reset() -> Socket {
    let mut socket = after_fin();
    socket.reset_arrives(State::CloseWait);
    socket
}

#[test]
fn close_wait_sends_and_reads_the_end() {
    assert_eq!(after_fin().send(1, Flags::default()).to_string(), "ok");
    assert_eq!(after_fin().recv(9, Flags::default()).to_string(), "0");
    assert_eq!(after_fin().ready().to_string(), "IN OUT RDHUP");
    assert_eq!(after_fin().close().to_string(), "0 and FIN");
}

#[test]
fn a_reset_after_the_fin_is_a_broken_pipe() {
    let mut socket = after_fin_and_reset();
    assert_eq!(socket.send(1, Flags::default()).to_string(), "EPIPE+SIGPIPE");
    assert_eq!(socket.send(1, QUIET).to_string(), "EPIPE");
    assert_eq!(socket.recv(9, Flags::default()).to_string(), "0");
    assert_eq!(socket.shutdown(How::Write).to_string(), "ENOTCONN");
    assert_eq!(socket.close().to_string(), "0");
    assert_eq!(socket.ready().to_string(), "IN OUT ERR HUP RDHUP");
    socket.reports(Errno::EPIPE);
    assert_eq!(socket.send(1, Flags::default()).to_string(), "EPIPE+SIGPIPE");
    assert_eq!(socket.ready().to_string(), "IN OUT HUP RDHUP");
}

#[test]
fn a_reset_without_a_fin_is_reported_once() {
    let mut socket = Socket::connected();
    socket.data_arrives(3);
    socket.reset_arrives(State::Established);
    assert_eq!(socket.recv(9, Flags::default()).to_string(), "3");
    socket.reads(3);
    assert_eq!(socket.recv(9, Flags::default()).to_string(), "ECONNRESET");
    socket.reports(Errno::ECONNRESET);
    assert_eq!(socket.recv(9, Flags::default()).to_string(), "0");
    assert_eq!(socket.send(1, Flags::default()).to_string(), "EPIPE+SIGPIPE");
}

#[test]
fn unread_bytes_and_linger_zero_turn_close_into_a_reset() {
    let mut socket = Socket::connected();
    assert_eq!(socket.close().sends, Some("FIN"));
    socket.data_arrives(1);
    assert_eq!(socket.close().sends, Some("RST"));
    let socket = Socket { linger_zero: true, ..Socket::connected() };
    assert_eq!(socket.close().sends, Some("RST"));
}

#[test]
fn a_copy_keeps_the_connection_open() {
    let socket = Socket { descriptors: 2, ..Socket::connected() };
    assert_eq!(socket.close().sends, None);
}

#[test]
fn after_shut_rd_later_data_is_still_readable() {
    let mut socket = Socket::connected();
    socket.shuts(How::Read);
    assert_eq!(socket.recv(9, Flags::default()).to_string(), "0");
    socket.data_arrives(4);
    assert_eq!(socket.recv(9, Flags::default()).to_string(), "4");
    assert_eq!(socket.ready().to_string(), "IN OUT RDHUP");
}

#[test]
fn an_own_shutdown_makes_the_send_fail_at_once() {
    let mut socket = Socket::connected();
    socket.shuts(How::Write);
    let socket = Socket { state: State::FinWait2, ..socket };
    assert_eq!(socket.send(1, Flags::default()).to_string(), "EPIPE+SIGPIPE");
    assert_eq!(socket.recv(9, Flags::default()).to_string(), "waits");
}

#[test]
fn a_socket_that_was_never_connected_fails_with_epipe_and_enotconn() {
    let socket = Socket { descriptors: 1, ..Socket::default() };
    assert_eq!(socket.send(1, Flags::default()).to_string(), "EPIPE+SIGPIPE");
    assert_eq!(socket.recv(9, Flags::default()).to_string(), "ENOTCONN");
}
