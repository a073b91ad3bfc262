"""So many small sends to a thread that echoes them."""
import socket
import sys
import threading

listener = socket.create_server(("127.0.0.1", 0))


def echo():
    with listener.accept()[0] as connection:
        while piece := connection.recv(4096):
            connection.sendall(piece)


thread = threading.Thread(target=echo)
thread.start()
with socket.create_connection(listener.getsockname()) as connection:
    for _ in range(int(sys.argv[1])):
        connection.send(b"x" * 16)
        connection.recv(4096)
thread.join()
