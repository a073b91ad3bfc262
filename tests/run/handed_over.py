"""A connection that one process accepts and another serves, handed over by SCM_RIGHTS; and a listener that is inherited."""

import os
import socket
import subprocess
import sys


def serve(conn):
    data = conn.recv(100)
    conn.send(data.upper())
    conn.close()


def by_message():
    """The child asks for a connection, and serves it; the parent closes its own descriptor before that."""
    ours, theirs = socket.socketpair()
    gone, closed = os.pipe()
    if os.fork() == 0:
        ours.close()
        os.close(closed)
        _, (fd,), *_ = socket.recv_fds(theirs, 1, 1)
        os.read(gone, 1)
        serve(socket.socket(fileno=fd))
        os._exit(0)
    theirs.close()
    listening = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listening.getsockname())
    conn, _ = listening.accept()
    client.send(b"hello")
    socket.send_fds(ours, [b"x"], [conn.fileno()])
    conn.close()
    os.close(closed)
    answer = client.recv(100) + client.recv(100)
    client.close()
    os.wait()
    print(answer.decode())


def by_inheritance():
    """What socket activation does: the child is started with a listening descriptor."""
    listening = socket.create_server(("127.0.0.1", 0))
    fd = listening.fileno()
    child = [sys.argv[2], "run", "--host", *sys.argv[3:], "--", sys.executable, __file__, "child", str(fd)]
    with subprocess.Popen(child, pass_fds=[fd]):
        address = listening.getsockname()
        listening.close()
        client = socket.create_connection(address)
        client.send(b"hello")
        answer = client.recv(100) + client.recv(100)
        client.close()
    print(answer.decode())


def child():
    listening = socket.socket(fileno=int(sys.argv[2]))
    conn, _ = listening.accept()
    serve(conn)


{name: made for name, made in globals().items() if callable(made)}[sys.argv[1]]()
