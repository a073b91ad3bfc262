"""Clients and servers that send, read, wait and leave as chance has it; the number is chance's."""
import random
import socket
import sys
import threading
import time

chance = random.Random(int(sys.argv[1]))
listener = socket.create_server(("127.0.0.1", 0), backlog=64)
LINGER_ZERO = b"\1\0\0\0\0\0\0\0"


def live(connection):
    try:
        for _ in range(chance.randint(0, 6)):
            what = chance.random()
            if what < 0.4:
                connection.send(b"x" * chance.choice([1, 10, 100, 3000]))
            elif what < 0.6:
                connection.settimeout(0.02)
                try:
                    connection.recv(chance.choice([1, 100, 4096]))
                except TimeoutError:
                    pass
            elif what < 0.7:
                time.sleep(chance.random() * 0.02)
            elif what < 0.8:
                connection.shutdown(socket.SHUT_WR)
            elif what < 0.85:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
    except OSError:
        pass
    connection.close()


def client():
    live(socket.create_connection(listener.getsockname()))


def server():
    live(listener.accept()[0])


threads = [threading.Thread(target=role) for _ in range(25) for role in (client, server)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
