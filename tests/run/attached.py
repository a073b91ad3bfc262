"""A server that is traced from the middle. Its input tells it when to go on, its output how far it is."""

import ctypes
import fcntl
import os
import select
import socket
import struct
import sys
import threading


def say(*words):
    print(*words, flush=True)


def told():
    return sys.stdin.readline().strip()


def listener():
    listening = socket.create_server(("127.0.0.1", 0))
    say(listening.getsockname()[1])
    return listening


def send_until_it_fails(conn):
    try:
        while True:
            conn.send(b"more")
            told()
    except OSError as error:
        say(error)


def echo():
    """Waits in recv(), answers, and sends on when the client is gone."""
    listening = listener()
    conn, _ = listening.accept()
    say("accepted")
    while data := conn.recv(100):
        conn.send(data.upper())
    say("end")
    send_until_it_fails(conn)
    conn.close()
    told()


def leak():
    """Has a connection whose client has ended, with bytes unread, and closes it."""
    listening = listener()
    conn, _ = listening.accept()
    told()
    conn.recv(3)
    conn.close()
    say("closed")
    told()


def backlog():
    """Accepts what waited, and waits for one more."""
    listening = listener()
    told()
    for _ in range(2):
        conn, _ = listening.accept()
        say(conn.recv(100).decode())
        conn.send(b"yes")
        conn.close()
    told()


def epoll():
    """Waits in epoll_wait(2) itself, for Python would make it again after EINTR; and in another thread in accept(2)."""
    listening, other = listener(), listener()
    waiter = select.epoll()
    waiter.register(listening, select.EPOLLIN)
    libc = ctypes.CDLL(None, use_errno=True)
    threading.Thread(target=other.accept, daemon=True).start()
    events = ctypes.create_string_buffer(64)
    say("waits")
    for _ in range(2):
        count = libc.epoll_wait(waiter.fileno(), events, 1, -1)
        say(count, ctypes.get_errno())
        conn, _ = listening.accept()
        conn.close()
        told()


def both():
    """Holds both ends, in a network of its own."""
    if ctypes.CDLL(None, use_errno=True).unshare(0x40000000):
        raise OSError(ctypes.get_errno(), "unshare")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        name = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(control, 0x8913, name))[1]
        fcntl.ioctl(control, 0x8914, struct.pack("16sh14x", b"lo", flags | 1))
    listening = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listening.getsockname())
    server, _ = listening.accept()
    say("open")
    told()
    client.send(b"hello")
    server.recv(100)
    server.close()
    client.send(b"hello")
    client.recv(100)
    send_until_it_fails(client)
    os._exit(7)


{name: made for name, made in globals().items() if callable(made)}[sys.argv[1]]()
