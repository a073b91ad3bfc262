"""A server with a thread for each connection, and clients in threads of another process, all at once."""

import os
import socket
import threading

CLIENTS = 4
ROUNDS = 5

listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(16)
address = listener.getsockname()


def all_of(connection, count):
    data = b""
    while len(data) < count:
        data += connection.recv(count - len(data))
    return data


def client(number):
    connection = socket.create_connection(address)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for turn in range(ROUNDS):
        connection.sendall(f"client {number} turn {turn}".encode())
        all_of(connection, 100)
    connection.shutdown(socket.SHUT_WR)
    connection.recv(1)
    connection.close()


def serve(connection):
    while connection.recv(1000):
        connection.sendall(b"y" * 100)
    connection.close()


def at_once(target, arguments):
    threads = [threading.Thread(target=target, args=(argument,)) for argument in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if os.fork() == 0:
    listener.close()
    at_once(client, range(CLIENTS))
    os._exit(0)
at_once(serve, [listener.accept()[0] for _ in range(CLIENTS)])
os.wait()
