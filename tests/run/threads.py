"""So many clients and servers, all of them threads of this process."""
import socket
import sys
import threading

count = int(sys.argv[1])
listener = socket.create_server(("127.0.0.1", 0), backlog=count)
served = []


def serve(connection):
    with connection:
        while piece := connection.recv(100):
            connection.sendall(piece)


def ask(number):
    with socket.create_connection(listener.getsockname()) as connection:
        for _ in range(3):
            connection.sendall(b"%d" % number)
            if not connection.recv(100):
                return
    served.append(number)


clients = [threading.Thread(target=ask, args=(number,)) for number in range(count)]
for client in clients:
    client.start()
servers = [threading.Thread(target=serve, args=(listener.accept()[0],)) for _ in range(count)]
for server in servers:
    server.start()
for thread in clients + servers:
    thread.join()
print(len(served), "were served")
