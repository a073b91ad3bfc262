"""A client whose second send comes after the server's close; with "die" SIGPIPE ends it."""

import os
import signal
import socket
import sys
import time

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 8080))
listener.listen(5)
if os.fork() == 0:
    listener.close()
    if "die" in sys.argv:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    client = socket.create_connection(("127.0.0.1", 8080))
    client.send(b"hello\n\x00\xff")
    time.sleep(0.4)
    client.send(b"again")
    time.sleep(0.2)
    try:
        client.send(b"third")
    except BrokenPipeError:
        pass
    client.close()
    os._exit(0)
accepted, _ = listener.accept()
accepted.recv(1024)
time.sleep(0.1)
accepted.close()
listener.close()
os.wait()
