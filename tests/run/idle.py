"""A connection that rests for longer than it takes to be looked at twice, in two states."""
import socket
import time

REST = 1

listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
client.send(b"hello")
time.sleep(REST)
client.close()
time.sleep(REST)
server.recv(10)
server.recv(10)
server.close()
