"""Programs without a mistake."""
import os
import select
import socket
import sys
import threading

from pair import Turn, pair


def read_all(connection):
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def echo():
    def server(listener):
        with listener.accept()[0] as connection:
            while piece := connection.recv(100):
                connection.sendall(piece)

    def client(address):
        with socket.create_connection(address) as connection:
            for word in (b"one", b"two", b"three"):
                connection.sendall(word)
                connection.recv(100)

    pair(server, client)


def half_close():
    def server(listener):
        with listener.accept()[0] as connection:
            connection.sendall(read_all(connection).upper())

    def client(address):
        with socket.create_connection(address) as connection:
            connection.sendall(b"hello")
            connection.shutdown(socket.SHUT_WR)
            read_all(connection)

    pair(server, client)


def server_closes_first():
    def server(listener):
        with listener.accept()[0] as connection:
            connection.recv(100)
            connection.sendall(b"answer")

    def client(address):
        with socket.create_connection(address) as connection:
            connection.sendall(b"hello")
            read_all(connection)

    pair(server, client)


def drain_then_close():
    def server(listener):
        with listener.accept()[0] as connection:
            connection.recv(1)
            connection.sendall(b"enough")
            connection.shutdown(socket.SHUT_WR)
            read_all(connection)

    def client(address):
        with socket.create_connection(address) as connection:
            connection.sendall(b"x" * 100000)
            connection.shutdown(socket.SHUT_WR)
            read_all(connection)

    pair(server, client)


def big():
    def server(listener):
        with listener.accept()[0] as connection:
            connection.sendall(b"%d" % len(read_all(connection)))

    def client(address):
        with socket.create_connection(address) as connection:
            connection.sendall(b"x" * 3000000)
            connection.shutdown(socket.SHUT_WR)
            read_all(connection)

    pair(server, client)


def forking():
    def server(listener):
        children = []
        for _ in range(3):
            connection, _ = listener.accept()
            child = os.fork()
            if child == 0:
                listener.close()
                connection.sendall(connection.recv(100))
                connection.close()
                os._exit(0)
            connection.close()
            children.append(child)
        for child in children:
            os.waitpid(child, 0)

    def client(address):
        for _ in range(3):
            with socket.create_connection(address) as connection:
                connection.sendall(b"hello")
                read_all(connection)

    pair(server, client)


def threads():
    def serve(connection):
        with connection:
            connection.sendall(connection.recv(100))

    def server(listener):
        serving = [threading.Thread(target=serve, args=(listener.accept()[0],)) for _ in range(4)]
        for thread in serving:
            thread.start()
        for thread in serving:
            thread.join()

    def client(address):
        connections = [socket.create_connection(address) for _ in range(4)]
        for connection in connections:
            connection.sendall(b"hello")
        for connection in connections:
            read_all(connection)
            connection.close()

    pair(server, client)


def nonblocking():
    def server(listener):
        connection, _ = listener.accept()
        connection.setblocking(False)
        rest = b"x" * 2000000
        while rest:
            select.select([], [connection], [])
            rest = rest[connection.send(rest):]
        connection.close()

    def client(address):
        with socket.create_connection(address) as connection:
            read_all(connection)

    pair(server, client)


def epoll():
    def server(listener):
        poll = select.epoll()
        connection, _ = listener.accept()
        poll.register(connection, select.EPOLLIN | select.EPOLLRDHUP)
        while True:
            poll.poll()
            piece = connection.recv(100)
            if not piece:
                break
            connection.sendall(piece)
        connection.close()

    def client(address):
        with socket.create_connection(address) as connection:
            connection.sendall(b"hello")
            connection.recv(100)

    pair(server, client)


def copies():
    def server(listener):
        connection, _ = listener.accept()
        reads, writes = connection.makefile("rb"), connection.makefile("wb")
        writes.write(reads.readline())
        writes.close()
        reads.close()
        connection.close()

    def client(address):
        with socket.create_connection(address) as connection:
            connection.sendall(b"a line\n")
            read_all(connection)

    pair(server, client)


def looked_before_reuse():
    closed = Turn()

    def server(listener):
        for _ in range(2):
            with listener.accept()[0] as connection:
                connection.recv(100)
                connection.sendall(b"answer")
            closed.done()

    def client(address):
        connection = socket.create_connection(address)
        connection.sendall(b"hello")
        connection.recv(100)
        closed.wait()
        select.select([connection], [], [])
        if not connection.recv(1, socket.MSG_PEEK):
            connection.close()
            connection = socket.create_connection(address)
        connection.sendall(b"hello")
        read_all(connection)
        connection.close()

    pair(server, client)


def refused_then_served():
    def server(listener):
        with listener.accept()[0] as connection:
            read_all(connection)

    def client(address):
        nobody = socket.socket()
        nobody.bind(("127.0.0.1", 0))
        try:
            socket.create_connection(nobody.getsockname())
        except ConnectionRefusedError:
            pass
        nobody.close()
        with socket.create_connection(address) as connection:
            connection.sendall(b"hello")

    pair(server, client)


globals()[sys.argv[1]]()
