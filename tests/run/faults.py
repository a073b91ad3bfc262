"""Programs with one mistake each."""
import os
import select
import signal
import socket
import sys
import time

from pair import Turn, pair

# A pause that a person, or an idle pool, makes: far longer than a delayed acknowledgement.
PAUSE = 0.2


def closed_with_bytes_unread():
    def server(listener):
        connection, _ = listener.accept()
        connection.recv(1)
        connection.close()

    def client(address):
        connection = socket.create_connection(address)
        connection.send(b"hello")
        try:
            connection.recv(10)
        except ConnectionResetError:
            pass
        connection.close()

    pair(server, client)


def an_answer_lost_to_the_own_reset():
    sent, closed = Turn(), Turn()

    def server(listener):
        connection, _ = listener.accept()
        sent.wait()
        connection.recv(1)
        connection.sendall(b"answer")
        connection.close()
        closed.done()

    def client(address):
        connection = socket.create_connection(address)
        connection.send(b"hello")
        sent.done()
        closed.wait()
        try:
            connection.send(b"more")
        except ConnectionResetError:
            pass
        connection.close()

    pair(server, client)


def bytes_lost_after_a_send():
    closed = Turn()

    def server(listener):
        connection, _ = listener.accept()
        connection.close()
        closed.done()

    def client(address):
        connection = socket.create_connection(address)
        closed.wait()
        time.sleep(PAUSE)
        connection.send(b"hello")
        connection.close()

    pair(server, client)


def a_short_send():
    def server(listener):
        connection, _ = listener.accept()
        while connection.recv(1 << 20):
            pass
        connection.close()

    def client(address):
        connection = socket.create_connection(address)
        connection.setblocking(False)
        connection.send(b"x" * (32 << 20))
        connection.close()

    pair(server, client)


def sent_after_shutdown():
    def server(listener):
        connection, _ = listener.accept()
        while connection.recv(10):
            pass
        connection.close()

    def client(address):
        connection = socket.create_connection(address)
        connection.send(b"hello")
        connection.shutdown(socket.SHUT_WR)
        try:
            connection.send(b"more")
        except BrokenPipeError:
            pass
        connection.recv(10)
        connection.close()

    pair(server, client)


def killed_by_sigpipe():
    closed = Turn()

    def server(listener):
        connection, _ = listener.accept()
        connection.close()
        closed.done()

    def client(address):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        connection = socket.create_connection(address)
        closed.wait()
        time.sleep(PAUSE)
        connection.send(b"hello")
        time.sleep(PAUSE)
        connection.send(b"hello")

    pair(server, client)


def the_end_in_a_loop():
    def server(listener):
        connection, _ = listener.accept()
        for _ in range(6):
            connection.recv(10)
        connection.close()

    pair(server, lambda address: socket.create_connection(address).close())


def never_closed():
    def server(listener):
        kept = []
        for _ in range(2):
            connection, _ = listener.accept()
            while connection.recv(10):
                pass
            kept.append(connection)
        os._exit(0)

    def client(address):
        for _ in range(2):
            socket.create_connection(address).close()

    pair(server, client)


def kept_open_by_a_copy():
    go = Turn()

    def server(listener):
        connection, _ = listener.accept()
        helper = os.fork()
        if helper == 0:
            go.wait()
            os._exit(0)
        connection.recv(10)
        connection.close()
        os.waitpid(helper, 0)

    def client(address):
        connection = socket.create_connection(address)
        connection.send(b"hello")
        select.select([connection], [], [], PAUSE)
        go.done()
        connection.recv(10)
        connection.close()

    pair(server, client)


def used_after_its_end():
    def server(listener):
        connection, _ = listener.accept()
        connection.recv(10)
        connection.send(b"answer")
        connection.close()

    def client(address):
        connection = socket.create_connection(address)
        connection.send(b"hello")
        connection.recv(10)
        time.sleep(PAUSE)
        connection.send(b"again")
        connection.recv(10)
        connection.close()

    pair(server, client)


globals()[sys.argv[1]]()
