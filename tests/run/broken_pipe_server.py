"""Takes one message and closes."""
import socket

listener = socket.create_server(("127.0.0.1", 2222))
print("ready", flush=True)
connection, _ = listener.accept()
connection.recv(1024)
connection.close()
listener.close()
