"""Answers nothing, and ends at the word exit without a close(), as a program in C may."""
import os
import socket

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("", 10100))
listener.listen(1)
print("ready", flush=True)
connection, _ = listener.accept()
while connection.recv(4096) != b"exitr":
    print("next", flush=True)
listener.close()
print("Server down", flush=True)
os._exit(0)
