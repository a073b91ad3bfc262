"""Reads to the end of the stream, and answers that its marker was not there."""
import socket

listener = socket.create_server(("", 4444), backlog=5)
print("ready", flush=True)
connection, _ = listener.accept()
request = b""
while piece := connection.recv(8192):
    request += piece
    print("read", flush=True)
connection.sendall(b"fine" if request.endswith(b"<END>") else b"ERROR:no end!")
connection.shutdown(socket.SHUT_WR)
connection.close()
