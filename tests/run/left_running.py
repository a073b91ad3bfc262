"""A server that never closes what it has accepted, and that is still there when its client has ended."""
import os
import socket
import sys

from pair import Turn

read = Turn()
listener = socket.create_server(("127.0.0.1", 0))
if os.fork() == 0:
    kept = []
    for _ in range(2):
        connection, _ = listener.accept()
        while connection.recv(10):
            pass
        kept.append(connection)
        read.done()
    listener.accept()
for _ in range(2):
    socket.create_connection(listener.getsockname()).close()
    read.wait()
sys.exit()
