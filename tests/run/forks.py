"""So many children, each with a connection of its own at the same time."""
import os
import socket
import sys

count = int(sys.argv[1])
listener = socket.create_server(("127.0.0.1", 0), backlog=count)
address = listener.getsockname()
for _ in range(count):
    if os.fork() == 0:
        connection = socket.create_connection(address)
        connection.send(b"x")
        connection.close()
        os._exit(0)
served = 0
for _ in range(count):
    connection, _ = listener.accept()
    served += len(connection.recv(10))
    connection.close()
for _ in range(count):
    os.wait()
print(served, "were served")
